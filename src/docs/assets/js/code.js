"use strict";
// Code as it was written, with colours, line numbers and links. The classes of its pieces come with the data.
(() => {
  const { h, model, parts } = window.c360;
  const classes = ["k", "f", "s", "n", "c", "j", "jn", "q", "y", "o"];

  /** The cuts of a text: [start, end, class or none], without gaps. */
  function pieces(code) {
    const cuts = [];
    let at = 0;
    const marks = code.marks || [];
    for (let i = 0; i + 2 < marks.length; i += 3) {
      const start = at + marks[i];
      const end = start + marks[i + 1];
      if (start > at) cuts.push([at, start, null]);
      cuts.push([start, end, classes[marks[i + 2]] || null]);
      at = end;
    }
    if (at < code.text.length) cuts.push([at, code.text.length, null]);
    return cuts;
  }

  function target(link) {
    if (link[2] === "node" && model.nodes[link[3]]) return model.hrefs.node(model.nodes[link[3]]);
    if (link[2] === "macro" && model.macros[link[3]]) return model.hrefs.macro(model.macros[link[3]]);
    return null;
  }

  function coloured(text, name) {
    return name ? h("span", { class: `c-${name}` }, text) : document.createTextNode(text);
  }

  /** The elements of one piece, cut at the links that lie in it. */
  function drawPiece(text, [start, end, name], links, into) {
    let at = start;
    for (const link of links) {
      const from = link[0];
      const to = link[0] + link[1];
      const href = target(link);
      if (from < at || to > end || href === null) continue;
      if (from > at) into.append(coloured(text.slice(at, from), name));
      into.append(h("a", { class: name ? `c-${name}` : "c-l", href }, text.slice(from, to)));
      at = to;
    }
    if (at < end) into.append(coloured(text.slice(at, end), name));
  }

  /** The code element alone. */
  function codeElement(code) {
    const element = h("code", {});
    const links = [...(code.links || [])].sort((a, b) => a[0] - b[0]);
    let next = 0;
    for (const piece of pieces(code)) {
      while (next < links.length && links[next][0] < piece[0]) next += 1;
      const inside = [];
      for (let i = next; i < links.length && links[i][0] < piece[1]; i += 1) inside.push(links[i]);
      drawPiece(code.text, piece, inside, element);
    }
    return element;
  }

  /** A block with line numbers. */
  function block(code, label) {
    const lines = code.text.replace(/\n$/, "").split("\n").length;
    const numbers = Array.from({ length: lines }, (_, i) => i + 1).join("\n");
    return h(
      "div",
      { class: "code", tabindex: "0", role: "region", "aria-label": label },
      h("pre", { class: "code-lines", "aria-hidden": "true" }, numbers),
      h("pre", { class: "code-text" }, codeElement(code)),
    );
  }

  /** Tabs over several texts: [["source", "Source", Code], ...]. */
  function tabs(entries, name) {
    const present = entries.filter(([, , code]) => code && code.text);
    if (present.length === 0) return null;
    const body = h("div", { class: "code-body" });
    const path = h("span", { class: "code-path mono" });
    let shown = null;
    const buttons = present.map(([key, title]) =>
      h(
        "button",
        {
          class: "tab",
          type: "button",
          role: "tab",
          id: `tab-${name}-${key}`,
          "aria-controls": `code-${name}`,
          on: { click: () => show(key), keydown: move },
        },
        title,
      ),
    );
    function show(key) {
      shown = present.find(([other]) => other === key);
      present.forEach(([other], i) => {
        buttons[i].setAttribute("aria-selected", String(other === key));
        buttons[i].tabIndex = other === key ? 0 : -1;
      });
      body.setAttribute("aria-labelledby", `tab-${name}-${key}`);
      path.textContent = shown[2].path || "";
      body.replaceChildren(block(shown[2], `${shown[1]} code`));
    }
    function move(event) {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const at = (buttons.indexOf(event.currentTarget) + step + buttons.length) % buttons.length;
      show(present[at][0]);
      buttons[at].focus();
    }
    body.id = `code-${name}`;
    body.setAttribute("role", "tabpanel");
    show(present[0][0]);
    return h(
      "div",
      { class: "code-box" },
      h(
        "div",
        { class: "code-head" },
        h("div", { role: "tablist", "aria-label": "Code", class: "tabs" }, buttons),
        path,
        parts.copyButton(() => shown[2].text, "Copy the code"),
      ),
      body,
    );
  }

  Object.assign(window.c360, { code: { element: codeElement, block, tabs } });
})();
