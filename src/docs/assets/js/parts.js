"use strict";
// What pages are made of: links to things, states, badges, sections, bars.
(() => {
  const { h, icon, model, format } = window.c360;

  const words = { ok: "fine", warn: "warning", bad: "failed", skip: "skipped", none: "not run" };

  /** A dot whose colour is a status; the word is there for those who do not see the colour. */
  function dot(tone, label) {
    return h("span", {
      class: `dot ${tone}`,
      role: "img",
      "aria-label": label || words[tone],
      title: label || words[tone],
    });
  }

  /** A status as a word with its colour. */
  function status(text, extra) {
    const tone = model.tone(text);
    return h(
      "span",
      { class: `status ${tone}` },
      h("span", { class: `dot ${tone}`, "aria-hidden": "true" }),
      text || "not run",
      extra,
    );
  }

  function badge(text, className, title) {
    return h("span", { class: `badge ${className || ""}`, title }, text);
  }

  function nodeLink(node, { withIcon = true, className, label } = {}) {
    return h(
      "a",
      { class: `ref ${className || ""}`, href: model.hrefs.node(node), title: node.summary },
      withIcon && icon(node.type, `t-${node.type}`),
      h("span", { class: "mono" }, label || node.name),
    );
  }

  function testLink(test, label) {
    return h(
      "a",
      { class: "ref", href: model.hrefs.test(test) },
      icon("test", "t-test"),
      h("span", { class: "mono" }, label || test.title),
    );
  }

  function macroLink(macro) {
    return h(
      "a",
      { class: "ref", href: model.hrefs.macro(macro) },
      icon("macro", "t-macro"),
      h("span", { class: "mono" }, macro.name),
    );
  }

  /** The results of a node's tests in one small mark. */
  function testMark(results) {
    if (!results) return null;
    const bad = (results.fail || 0) + (results.error || 0);
    const total = Object.values(results).reduce((sum, n) => sum + n, 0);
    const tone = bad ? "bad" : results.warn ? "warn" : results.pass ? "ok" : "none";
    const text = bad
      ? `${bad} of ${total} failed`
      : results.warn
        ? `${results.warn} of ${total} warned`
        : results.pass
          ? `${total} passed`
          : `${total} not run`;
    return h("span", { class: `status ${tone}` }, h("span", { class: `dot ${tone}`, "aria-hidden": "true" }), text);
  }

  /** A titled part of a page. */
  function section(id, title, attributes, ...content) {
    const { note, tools, className } = attributes || {};
    return h(
      "section",
      { class: `part ${className || ""}`, id: `part-${id}`, "aria-labelledby": `title-${id}` },
      h(
        "div",
        { class: "part-head" },
        h("h2", { id: `title-${id}`, tabindex: "-1" }, title),
        note !== undefined && note !== null && h("span", { class: "part-note" }, note),
        tools && h("div", { class: "part-tools" }, tools),
      ),
      content,
    );
  }

  function card(title, attributes, ...content) {
    const { note, className, href } = attributes || {};
    return h(
      "section",
      { class: `card ${className || ""}` },
      h(
        "div",
        { class: "card-head" },
        h("h2", {}, href ? h("a", { href }, title) : title),
        note !== undefined && h("span", { class: "part-note" }, note),
      ),
      content,
    );
  }

  const nothing = (text) => h("p", { class: "nothing" }, text);

  /** A definition list in two columns; entries without a value are left out. */
  function facts(entries) {
    return h(
      "dl",
      { class: "facts" },
      entries
        .filter(([, value]) => value !== undefined && value !== null && value !== "" && value !== false)
        .map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]),
    );
  }

  /** Rows with a bar behind: name, number. */
  function bars(rows) {
    const most = Math.max(...rows.map((row) => row.size), 0) || 1;
    return h(
      "ol",
      { class: "bars" },
      rows.map((row) =>
        h(
          "li",
          {},
          h("span", {
            class: "bar",
            "aria-hidden": "true",
            vars: { "--share": `${Math.max(1.5, (row.size / most) * 100)}%` },
          }),
          h("span", { class: "bar-name" }, row.name),
          h("span", { class: "bar-note" }, row.note),
          h("span", { class: "bar-size" }, row.text),
        ),
      ),
    );
  }

  /** A share as a ring with the number inside. */
  function ring(done, total, label) {
    const share = total ? done / total : 1;
    const { svg } = window.c360;
    const around = 2 * Math.PI * 15;
    return h(
      "div",
      { class: "ring" },
      svg(
        "svg",
        { viewBox: "0 0 36 36", role: "img", "aria-label": `${label}: ${done} of ${total}` },
        svg("circle", { class: "ring-back", cx: 18, cy: 18, r: 15 }),
        share > 0 &&
          svg("circle", {
            class: "ring-share",
            cx: 18,
            cy: 18,
            r: 15,
            "stroke-dasharray": `${share * around} ${around}`,
            transform: "rotate(-90 18 18)",
          }),
      ),
      h(
        "div",
        {},
        h("strong", {}, total ? `${Math.floor(share * 100)}%` : "–"),
        h("span", {}, label),
        h("small", {}, `${format.count(done)} of ${format.count(total)}`),
      ),
    );
  }

  /** A button that copies a text and says so. */
  function copyButton(text, label = "Copy") {
    const button = h(
      "button",
      { class: "button small", type: "button", "aria-label": label, title: label },
      icon("copy"),
      h("span", {}, "Copy"),
    );
    button.addEventListener("click", async () => {
      await copy(typeof text === "function" ? text() : text);
      button.replaceChildren(icon("check"), h("span", {}, "Copied"));
      window.c360.announce("Copied");
      setTimeout(() => button.replaceChildren(icon("copy"), h("span", {}, "Copy")), 1600);
    });
    return button;
  }

  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Without permission, as from a file: the old way.
      const area = h("textarea", { class: "away", value: text, "aria-hidden": "true" });
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
  }

  /** A long name that may break where its parts end. */
  const breakable = (text) =>
    String(text)
      .split(/(?<=[/._:,-])/)
      .map((piece, i) => [i > 0 && h("wbr", {}), piece]);

  /** A message or a summary: what stands between backticks is code. */
  const inline = (text) =>
    String(text ?? "")
      .split(/`([^`]+)`/)
      .map((piece, i) => (i % 2 === 1 ? h("code", {}, piece) : piece));

  const time = (text) => h("time", { datetime: text, title: format.time(text) }, format.ago(text));

  function tagList(tags) {
    return (tags || []).map((tag) =>
      h(
        "a",
        {
          class: "badge tag",
          href: model.hrefs.lineage({ select: `tag:${tag.replace(/[\s,]/g, "?")}` }),
          title: `What is tagged ${tag}`,
        },
        tag,
      ),
    );
  }

  Object.assign(window.c360, {
    parts: {
      dot,
      status,
      badge,
      nodeLink,
      testLink,
      macroLink,
      testMark,
      section,
      card,
      nothing,
      facts,
      bars,
      ring,
      copyButton,
      copy,
      time,
      breakable,
      inline,
      tagList,
    },
  });
})();
