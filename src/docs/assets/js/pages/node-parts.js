"use strict";
// The other parts of a node's page: code, rows, tests, runs, publishes, its neighbourhood.
(() => {
  const { h, icon, model, parts, format, charts, code } = window.c360;
  const { nodes, tests } = model;

  function codePart(details) {
    const tabs =
      details.code &&
      code.tabs(
        [
          ["source", "Source", details.code.source],
          ["compiled", "Compiled", details.code.compiled],
          ["plan", "Plan", details.code.plan],
        ],
        "node",
      );
    return tabs && parts.section("code", "Code", {}, tabs);
  }

  function samplesPart(details) {
    const { samples } = details;
    if (!samples) return null;
    const types = new Map((details.columns || []).map((column) => [column.name, column.type || ""]));
    const isNumber = (name) =>
      /int|decimal|numeric|double|float|real|bigint/i.test(types.get(name) || "") &&
      !/\[|struct|map/i.test(types.get(name) || "");
    const hidden = samples.hidden || [];
    return parts.section(
      "rows",
      "Rows",
      { note: `the first ${samples.rows.length}` },
      hidden.length > 0 &&
        h(
          "p",
          { class: "note" },
          icon("lock"),
          ` Not shown: `,
          hidden.map((name, i) => [i > 0 && ", ", h("span", { class: "mono" }, name)]),
        ),
      h(
        "div",
        { class: "framed" },
        h(
          "div",
          { class: "scroll tall", tabindex: "0", role: "region", "aria-label": "Sample rows" },
          h(
            "table",
            { class: "grid samples" },
            h(
              "thead",
              {},
              h(
                "tr",
                {},
                samples.columns.map((name) => h("th", { scope: "col", class: isNumber(name) ? "number" : null }, name)),
              ),
            ),
            h(
              "tbody",
              {},
              samples.rows.map((row) =>
                h(
                  "tr",
                  {},
                  row.map((cell, i) =>
                    h(
                      "td",
                      {
                        class: isNumber(samples.columns[i]) ? "number" : null,
                        title: cell !== null && cell.length > 40 ? cell : null,
                      },
                      cell === null ? h("span", { class: "null" }, "null") : cell,
                    ),
                  ),
                ),
              ),
            ),
          ),
        ),
      ),
    );
  }

  /** The last run of a test that was not fine. */
  function lastFailure(found) {
    return (found.runs || []).find((run) => ["bad", "warn"].includes(model.tone(run.status)));
  }

  /** Fills in what only the tests' own files know: when each failed last, and why those fail that fail. */
  async function addFailures(rows) {
    for (const { test, cell, name } of rows) {
      const found = await model.testDetails(test).catch(() => ({}));
      const last = lastFailure(found);
      const isBad = ["bad", "warn"].includes(model.tone(test.status));
      if (last)
        window.c360.fill(
          cell,
          h(
            "span",
            { title: last.message },
            last.failures ? `${format.plural(last.failures, "row")}, ` : "",
            parts.time(last.at),
          ),
        );
      if (isBad && found.message) name.append(h("p", { class: "message" }, parts.inline(found.message)));
    }
  }

  function testsPart(details) {
    const list = (details.tests || []).map((t) => tests[t]).filter(Boolean);
    if (list.length === 0) return null;
    const order = { bad: 0, warn: 1, skip: 2, none: 3, ok: 4 };
    list.sort((a, b) => order[model.tone(a.status)] - order[model.tone(b.status)]);
    const passed = list.filter((test) => test.status === "pass").length;
    const ran = list.some((test) => test.status);
    const rows = list.map((test) => ({
      test,
      cell: h("td", { class: "fit" }, h("span", { class: "muted" }, "–")),
      name: h(
        "td",
        { class: "test-name" },
        h(
          "a",
          { class: "ref", href: model.hrefs.test(test), title: test.title },
          h("span", { class: "mono" }, test.kind === "generic" ? test.name : test.title),
        ),
      ),
    }));
    const row = ({ test, cell, name }) =>
      h(
        "tr",
        {},
        h("td", { class: "fit" }, parts.status(test.status)),
        name,
        h("td", {}, h("span", { class: "mono" }, test.column || "")),
        h("td", {}, test.severity || "error"),
        h("td", { class: "number" }, format.count(test.failures)),
        h("td", { class: "fit" }, test.at ? parts.time(test.at) : ""),
        cell,
      );
    const heads = ["Status", "Test", "Column", "Severity", "Failures", "Last run", "Last failure"];
    addFailures(rows);
    return parts.section(
      "tests",
      "Tests",
      { note: ran ? `${passed} of ${list.length} passed` : format.count(list.length) },
      h(
        "div",
        { class: "framed" },
        h(
          "div",
          { class: "scroll", tabindex: "0", role: "region", "aria-label": "Tests" },
          h(
            "table",
            { class: "grid" },
            h(
              "thead",
              {},
              h(
                "tr",
                {},
                heads.map((title) => h("th", { scope: "col", class: title === "Failures" ? "number" : null }, title)),
              ),
            ),
            h("tbody", {}, rows.map(row)),
          ),
        ),
      ),
    );
  }

  function runRows(list) {
    return h(
      "div",
      { class: "framed" },
      h(
        "div",
        { class: "scroll tall", tabindex: "0", role: "region", "aria-label": "Runs" },
        h(
          "table",
          { class: "grid" },
          h(
            "thead",
            {},
            h(
              "tr",
              {},
              [
                ["Started"],
                ["Status"],
                ["What"],
                ["Took", "number"],
                ["Rows", "number"],
                ["Size", "number"],
                ["Peak memory", "number"],
                ["Message"],
              ].map(([title, name]) => h("th", { scope: "col", class: name }, title)),
            ),
          ),
          h(
            "tbody",
            {},
            list.map((run) =>
              h(
                "tr",
                {},
                h("td", { class: "fit" }, h("time", { datetime: run.at, title: run.id }, format.time(run.at))),
                h("td", { class: "fit" }, parts.status(run.status)),
                h("td", {}, run.kind || ""),
                h("td", { class: "number" }, format.seconds(run.seconds)),
                h("td", { class: "number" }, format.count(run.rows)),
                h("td", { class: "number" }, format.bytes(run.bytes)),
                h("td", { class: "number" }, format.bytes(run.memory)),
                h("td", { class: "muted" }, /^OK\b/.test(run.message || "") ? "" : parts.inline(run.message)),
              ),
            ),
          ),
        ),
      ),
    );
  }

  function runsPart(details) {
    const all = details.runs || [];
    if (all.length === 0) return null;
    const builds = all.filter((run) => run.kind !== "publish").reverse();
    const points = (key) => builds.map((run) => ({ at: run.at, value: run[key], status: run.status }));
    const drawings =
      builds.length > 1
        ? [
            charts.series("Duration", points("seconds"), { text: format.seconds }),
            charts.series("Rows", points("rows"), { text: format.count, kind: "line" }),
            charts.series("Peak memory", points("memory"), { text: format.bytes, kind: "line" }),
          ].filter(Boolean)
        : [];
    const publishes = all.length - builds.length;
    const note = [
      format.plural(builds.length, "build"),
      publishes > 0 && format.plural(publishes, "publish", "publishes"),
    ];
    return parts.section(
      "runs",
      "Runs",
      { note: note.filter(Boolean).join(", ") },
      drawings.length > 0 && h("div", { class: "charts" }, drawings),
      runRows(all),
    );
  }

  function publishesPart(details) {
    const list = details.publishes || [];
    if (list.length === 0) return null;
    return parts.section(
      "publish",
      "Published",
      {},
      h(
        "ul",
        { class: "rows" },
        list.map((publish) => {
          const to = nodes[publish.destination];
          const { last } = publish;
          return h(
            "li",
            {},
            h(
              "div",
              { class: "grow" },
              to && parts.nodeLink(to),
              h("span", { class: "muted" }, " as "),
              h("span", { class: "mono" }, publish.table),
              " ",
              parts.badge(publish.mode),
              publish.keys && h("span", { class: "muted" }, ` on ${publish.keys.join(", ")}`),
              last && last.message && model.tone(last.status) === "bad" && h("p", { class: "message" }, last.message),
            ),
            last
              ? h(
                  "span",
                  { class: "side-note" },
                  parts.status(last.status),
                  " ",
                  last.rows !== undefined && `${format.plural(last.rows, "row")}, `,
                  parts.time(last.at),
                )
              : h("span", { class: "side-note" }, "not published yet"),
          );
        }),
      ),
    );
  }

  /** Parents and children around the node, with its columns: a graph to work with. */
  function lineagePart(node) {
    const { columns, scene: scenes } = window.c360;
    let open = new Map();
    let trace = null;
    const graph = window.c360.graphCanvas({
      label: `Lineage around ${node.name}`,
      mini: true,
      inset: { left: 28, right: 28, top: 24, bottom: 24 },
      onPick: (n, byKey) => {
        if (!byKey) window.c360.router.go(model.hrefs.node(nodes[n]));
        graph.setLook({ focus: n });
        window.c360.announce(`${nodes[n].name}, ${nodes[n].type}`);
      },
      onOpen: (n) => window.c360.router.go(model.hrefs.node(nodes[n])),
      onColumn: (k) => {
        trace = columns.trace(k);
        rebuild();
      },
      onMore: (n) => {
        open.set(n, "all");
        rebuild();
      },
      onEmpty: () => {
        if (!trace) return;
        trace = null;
        open = new Map();
        rebuild();
      },
    });
    const full = h(
      "a",
      { class: "button small", href: model.hrefs.lineage({ focus: node.id, up: "all", down: "all" }) },
      icon("graph"),
      "Open in the graph",
    );
    const back = h(
      "button",
      {
        class: "button small",
        type: "button",
        hidden: true,
        on: { click: () => graph.canvas.dispatchEvent(new Event("c360-back")) },
      },
      "All columns",
    );
    graph.canvas.addEventListener("c360-back", () => {
      trace = null;
      rebuild();
    });
    function rebuild() {
      const colourOf = window.c360.toolbar.colouring("layer");
      if (trace) {
        graph.setLook({
          colourOf,
          focus: node.n,
          lit: null,
          columns: new Set(trace.columns.keys()),
          column: trace.start,
        });
        graph.setScene(scenes.ofColumns(trace, { withIndirect: true, open }), { fit: true });
        full.setAttribute("href", model.hrefs.lineage({ column: columns.id(trace.start) }));
      } else {
        if (!open.has(node.n) && columns.loaded()) open.set(node.n, "some");
        graph.setLook({ colourOf, focus: node.n, lit: null, columns: null, column: null });
        graph.setScene(scenes.around(node.n, open), { fit: true });
        full.setAttribute("href", model.hrefs.lineage({ focus: node.id, up: "all", down: "all" }));
      }
      back.hidden = !trace;
      const tall = graph.scene().box.y1 - graph.scene().box.y0;
      graph.element.style.height = `${Math.round(Math.min(460, Math.max(150, tall + 60)))}px`;
    }
    rebuild();
    columns.ready().then(
      (lineage) => lineage && graph.element.isConnected && rebuild(),
      () => {},
    );
    window.c360.graph = {
      probe: (id, column) => graph.probe(model.nodeById.get(id)?.n, column),
      scene: graph.scene,
      view: graph.view,
      frames: graph.frames,
    };
    const note = `${format.plural(node.parents.length, "parent")}, ${format.plural(node.children.length, "child", "children")}`;
    return { element: parts.section("lineage", "Lineage", { note, tools: [back, full] }, graph.element), graph };
  }

  Object.assign(window.c360, {
    nodeParts: { codePart, samplesPart, testsPart, runsPart, publishesPart, lineagePart, runRows },
  });
})();
