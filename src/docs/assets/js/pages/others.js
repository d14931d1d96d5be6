"use strict";
// The pages of a test and of a macro, and what is shown for an address that leads nowhere.
(() => {
  const { h, icon, model, parts, format, code, rich, charts } = window.c360;
  const { nodes, tests, macros } = model;

  const list = (items) =>
    h(
      "ul",
      { class: "links" },
      items.map((item) => h("li", {}, item)),
    );

  /** Draws what can be said at once, and the rest when its data have come. */
  function later(main, head, data, draw) {
    const waiting = h("p", { class: "loading", role: "status" }, "Loading…");
    let closed = false;
    main.append(head, waiting);
    data.then(
      (details) => {
        if (closed) return;
        waiting.remove();
        main.append(...draw(details).filter(Boolean));
        main.dataset.ready = "true";
      },
      (error) => {
        waiting.textContent = `The data of this page could not be read: ${error.message}`;
      },
    );
    return () => {
      closed = true;
      delete main.dataset.ready;
    };
  }

  function testRuns(details) {
    const runs = details.runs || [];
    if (runs.length === 0) return null;
    const points = [...runs].reverse().map((run) => ({ at: run.at, value: run.failures, status: run.status }));
    const drawing =
      runs.length > 1 &&
      points.some((point) => point.value) &&
      charts.series("Failures", points, { text: format.count });
    return parts.section(
      "runs",
      "Runs",
      { note: `last ${runs.length}` },
      drawing && h("div", { class: "charts" }, drawing),
      h(
        "div",
        { class: "framed" },
        h(
          "table",
          { class: "grid" },
          h(
            "thead",
            {},
            h(
              "tr",
              {},
              [["Started"], ["Status"], ["Failures", "number"], ["Took", "number"], ["Message"]].map(([title, name]) =>
                h("th", { scope: "col", class: name }, title),
              ),
            ),
          ),
          h(
            "tbody",
            {},
            runs.map((run) =>
              h(
                "tr",
                {},
                h("td", { class: "fit" }, format.time(run.at)),
                h("td", { class: "fit" }, parts.status(run.status)),
                h("td", { class: "number" }, format.count(run.failures)),
                h("td", { class: "number" }, format.seconds(run.seconds)),
                h("td", { class: "muted" }, run.message || ""),
              ),
            ),
          ),
        ),
      ),
    );
  }

  function unitPart(unit) {
    const table = (title, text) =>
      h("div", {}, h("h3", {}, title), h("pre", { class: "expression mono", tabindex: "0" }, text));
    return parts.section(
      "unit",
      "Given and expected",
      {},
      h(
        "div",
        { class: "detail" },
        (unit.given || []).map((given) => table(given.input, given.text)),
        table("Expected", unit.expect),
      ),
    );
  }

  function drawTest(main, route) {
    const test = model.testById.get(route.path[1]);
    if (!test) return window.c360.pages.missing.draw(main, route);
    const node = nodes[test.node];
    const head = h(
      "header",
      { class: "head" },
      h(
        "div",
        { class: "head-line" },
        icon("test", "t-test"),
        h("h1", {}, test.title),
        parts.badge(`${test.kind} test`),
      ),
      h(
        "div",
        { class: "head-sub" },
        parts.status(test.status),
        test.failures !== undefined && h("span", {}, format.plural(test.failures, "failure")),
        node &&
          h(
            "span",
            {},
            "on ",
            parts.nodeLink(node, { label: test.column ? `${node.name}.${test.column}` : node.name }),
          ),
        h("span", {}, `severity ${test.severity || "error"}`),
        test.at && h("span", { class: "muted" }, parts.time(test.at)),
      ),
    );
    return later(main, head, model.testDetails(test), (details) => {
      const bad = ["bad", "warn"].includes(model.tone(test.status));
      const uses = (test.uses || []).filter((n) => nodes[n]);
      return [
        details.message &&
          bad &&
          h("p", { class: `note ${model.tone(test.status)}` }, h("span", { class: "mono" }, details.message)),
        details.descriptionHtml && parts.section("about", "About", {}, rich(details.descriptionHtml)),
        h(
          "section",
          { class: "part" },
          parts.facts([
            ["File", h("span", { class: "mono" }, test.path)],
            ["Package", test.package],
            ["Failures stored in", details.storedAt && h("span", { class: "mono" }, details.storedAt)],
            ["Reads", uses.length > 0 && uses.map((n, i) => [i > 0 && ", ", parts.nodeLink(nodes[n])])],
            ...(details.arguments || []).map(([key, text]) => [key, h("span", { class: "mono" }, text)]),
            [
              "Tags",
              test.tags &&
                test.tags.length > 0 &&
                h(
                  "span",
                  { class: "badges" },
                  test.tags.map((tag) => parts.badge(tag, "tag")),
                ),
            ],
          ]),
        ),
        details.unit && unitPart(details.unit),
        details.code &&
          parts.section(
            "code",
            "Code",
            {},
            code.tabs(
              [
                ["compiled", "Compiled", details.code.compiled],
                ["source", "Source", details.code.source],
              ],
              "test",
            ),
          ),
        testRuns(details),
      ];
    });
  }

  function drawMacro(main, route) {
    const macro = model.macroById.get(route.path[1]);
    if (!macro) return window.c360.pages.missing.draw(main, route);
    const head = h(
      "header",
      { class: "head" },
      h("div", { class: "head-line" }, icon("macro", "t-macro"), h("h1", {}, macro.name), parts.badge("macro")),
      h(
        "div",
        { class: "head-sub" },
        h("span", { class: "mono" }, macro.path),
        h("span", { class: "muted" }, macro.package),
      ),
    );
    return later(main, head, model.macroDetails(macro), (details) => {
      const used = (details.usedBy || []).filter((n) => nodes[n]);
      const usedByTests = (details.usedByTests || []).filter((t) => tests[t]);
      const calls = (details.macros || []).filter((m) => macros[m]);
      const callers = (details.usedByMacros || []).filter((m) => macros[m]);
      return [
        details.descriptionHtml && parts.section("about", "About", {}, rich(details.descriptionHtml)),
        details.arguments &&
          parts.section(
            "arguments",
            "Arguments",
            {},
            h(
              "dl",
              { class: "facts" },
              details.arguments.map((argument) => [
                h("dt", { class: "mono" }, argument.name),
                h(
                  "dd",
                  {},
                  argument.type && parts.badge(argument.type, "mono"),
                  " ",
                  argument.descriptionHtml && rich(argument.descriptionHtml),
                ),
              ]),
            ),
          ),
        details.code && parts.section("code", "Code", {}, code.tabs([["source", "Source", details.code]], "macro")),
        used.length > 0 &&
          parts.section(
            "used",
            "Used by",
            { note: format.count(used.length) },
            list(used.slice(0, 300).map((n) => parts.nodeLink(nodes[n]))),
          ),
        callers.length > 0 &&
          parts.section("callers", "Called by macros", {}, list(callers.map((m) => parts.macroLink(macros[m])))),
        calls.length > 0 && parts.section("calls", "Calls", {}, list(calls.map((m) => parts.macroLink(macros[m])))),
        usedByTests.length > 0 &&
          parts.section(
            "tests",
            "Used by tests",
            { note: format.count(usedByTests.length) },
            list(usedByTests.slice(0, 300).map((t) => parts.testLink(tests[t]))),
          ),
      ];
    });
  }

  function drawMissing(main) {
    main.append(
      h(
        "header",
        { class: "head" },
        h("h1", {}, "Not here"),
        h(
          "p",
          { class: "head-lead" },
          "This address leads to nothing in these docs: it may be of another generation of them.",
        ),
      ),
      h("a", { class: "button", href: "#/" }, icon("home"), "Home"),
    );
  }

  Object.assign(window.c360.pages, {
    test: { name: "test", draw: drawTest },
    macro: { name: "macro", draw: drawMacro },
    missing: { name: "missing", title: "Not here", draw: drawMissing },
  });
})();
