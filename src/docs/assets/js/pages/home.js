"use strict";
// The first page: what the project is, how its last run went, and what deserves a look.
(() => {
  const { h, model, parts, format } = window.c360;
  const { nodes, tests, home, project, runs } = model;

  function tile(title, value, note, href, tone) {
    const inside = [
      h("span", {}, title),
      h("strong", {}, tone && h("i", { class: `dot ${tone}`, "aria-hidden": "true" }), value),
      note && h("small", {}, note),
    ];
    return href ? h("a", { class: "tile", href }, inside) : h("div", { class: "tile" }, inside);
  }

  const counted = (run, names) =>
    (run.counts || []).filter(([name]) => names.includes(name)).reduce((sum, [, n]) => sum + n, 0);

  function toneOfRun(run) {
    if (counted(run, ["fail", "error", "runtime error"]) > 0 || model.tone(run.status) === "bad") return "bad";
    return counted(run, ["warn"]) > 0 ? "warn" : "ok";
  }

  function tiles() {
    const run = home.lastRun || runs[0];
    const models = (model.byType.get("model") || []).length;
    const results = { pass: 0, warn: 0, bad: 0, none: 0 };
    for (const test of tests)
      results[
        test.status === "pass"
          ? "pass"
          : test.status === "warn"
            ? "warn"
            : ["fail", "error"].includes(test.status)
              ? "bad"
              : "none"
      ] += 1;
    const ran = tests.length - results.none;
    const said = run && toneOfRun(run);
    const documented = home.documented && home.documented.columns;
    return h(
      "div",
      { class: "tiles" },
      run &&
        tile(
          "Last run",
          { ok: "Succeeded", warn: "With warnings", bad: "Failed" }[said],
          [format.ago(run.at), run.target].filter(Boolean).join(" · "),
          "#/runs",
          said,
        ),
      run && tile("Took", format.seconds(run.seconds), run.verb, "#/runs"),
      tile(
        "Models",
        format.count(models),
        `${format.plural((model.byType.get("source") || []).length, "source")}, ${format.plural((model.byType.get("seed") || []).length, "seed")}`,
        "#/models",
      ),
      tests.length > 0 &&
        tile(
          "Tests",
          ran === 0 ? format.count(tests.length) : `${format.count(results.pass)} / ${format.count(tests.length)}`,
          ran === 0
            ? "not run yet"
            : [results.bad && `${results.bad} failed`, results.warn && `${results.warn} warned`]
                .filter(Boolean)
                .join(", ") || "passed",
          "#/tests",
          results.bad ? "bad" : results.warn ? "warn" : ran ? "ok" : null,
        ),
      documented &&
        documented[1] > 0 &&
        tile(
          "Documented columns",
          `${Math.floor((documented[0] / documented[1]) * 100)}%`,
          `${format.count(documented[0])} of ${format.count(documented[1])}`,
        ),
    );
  }

  function failing() {
    const items = [];
    for (const entry of home.broken || []) {
      const node = nodes[entry.node];
      items.push(
        h(
          "li",
          {},
          parts.dot("bad", entry.status),
          h(
            "div",
            { class: "grow" },
            parts.nodeLink(node),
            entry.message && h("p", { class: "message" }, parts.inline(entry.message)),
          ),
          h("span", { class: "side-note" }, entry.status),
        ),
      );
    }
    for (const entry of home.failing || []) {
      const test = tests[entry.test];
      const node = nodes[test.node];
      const tone = model.tone(test.status);
      items.push(
        h(
          "li",
          {},
          parts.dot(tone, test.status),
          h(
            "div",
            { class: "grow" },
            h(
              "a",
              { class: "ref", href: model.hrefs.test(test) },
              h("span", { class: "mono" }, test.kind === "generic" ? test.name : test.title),
            ),
            node && [
              " on ",
              parts.nodeLink(node, { withIcon: false, label: test.column ? `${node.name}.${test.column}` : node.name }),
            ],
            entry.message && h("p", { class: "message" }, parts.inline(entry.message)),
          ),
          h(
            "span",
            { class: "side-note" },
            entry.failures !== undefined ? format.plural(entry.failures, "failure") : test.status,
          ),
        ),
      );
    }
    const run = home.lastRun || runs[0];
    return parts.card(
      "Needs attention",
      { note: items.length > 0 ? format.count(items.length) : undefined },
      items.length > 0
        ? h("ul", { class: "rows" }, items)
        : parts.nothing(run ? "Nothing failed in the last run." : "Nothing has run yet."),
    );
  }

  /** How long the runs took, oldest first, coloured by how they went. */
  function runStrip(list, className = "") {
    const most = Math.max(...list.map((run) => run.seconds || 0)) || 1;
    const words = (run) => `${format.time(run.at)}: ${run.status}, ${format.seconds(run.seconds)}`;
    const bar = (run) =>
      h("span", {
        class: toneOfRun(run),
        title: words(run),
        vars: { "--share": `${Math.max(8, ((run.seconds || 0) / most) * 100)}%` },
      });
    const bad = list.filter((run) => toneOfRun(run) === "bad").length;
    return h(
      "div",
      {
        class: `runs-strip ${className}`,
        role: "img",
        "aria-label": `${format.plural(list.length, "run")}, ${bad} failed, last took ${format.seconds(list[list.length - 1].seconds)}`,
      },
      list.map(bar),
    );
  }

  function runHistory() {
    if (runs.length < 2) return null;
    const recent = runs.slice(0, 40).reverse();
    return parts.card("Runs", { note: `last ${recent.length}`, href: "#/runs" }, runStrip(recent));
  }

  function slowest() {
    const list = (home.slowest || []).slice(0, 8);
    if (list.length === 0) return null;
    return parts.card(
      "Slowest models",
      { note: "last run" },
      parts.bars(
        list.map((entry) => ({
          name: parts.nodeLink(nodes[entry.node], { withIcon: false }),
          size: entry.seconds,
          text: format.seconds(entry.seconds),
        })),
      ),
    );
  }

  function biggest() {
    const list = (home.biggest || []).slice(0, 8);
    if (list.length === 0) return null;
    return parts.card(
      "Biggest tables",
      {},
      parts.bars(
        list.map((entry) => ({
          name: parts.nodeLink(nodes[entry.node], { withIcon: false }),
          note: entry.rows !== undefined ? format.plural(entry.rows, "row") : "",
          size: entry.bytes || entry.rows || 0,
          text: entry.bytes !== undefined ? format.bytes(entry.bytes) : "",
        })),
      ),
    );
  }

  function sources() {
    const list = home.sources || [];
    if (list.length === 0) return null;
    return parts.card(
      "Sources to look at",
      { href: "#/sources" },
      h(
        "ul",
        { class: "rows" },
        list.map((entry) => {
          const missing = entry.missing || [];
          const days = missing.slice(0, 4).map(format.date).join(", ");
          return h(
            "li",
            {},
            parts.dot(model.tone(entry.status) === "bad" ? "bad" : "warn", entry.status || "days missing"),
            h(
              "div",
              { class: "grow" },
              parts.nodeLink(nodes[entry.node]),
              missing.length > 0 &&
                h(
                  "p",
                  { class: "message" },
                  `No file for ${days}${missing.length > 4 ? ` and ${missing.length - 4} more` : ""}`,
                ),
            ),
            h(
              "span",
              { class: "side-note" },
              entry.lastAt
                ? `last ${format.ago(entry.lastAt)}`
                : missing.length > 0
                  ? format.plural(missing.length, "day")
                  : entry.status,
            ),
          );
        }),
      ),
    );
  }

  function documentation() {
    const { documented } = home;
    if (!documented) return null;
    const worst = (documented.worst || []).slice(0, 5);
    return parts.card(
      "Documentation",
      {},
      h(
        "div",
        { class: "rings" },
        parts.ring(documented.nodes[0], documented.nodes[1], "nodes described"),
        parts.ring(documented.columns[0], documented.columns[1], "columns described"),
      ),
      worst.length > 0 &&
        h(
          "ul",
          { class: "rows" },
          worst.map((entry) =>
            h(
              "li",
              {},
              h("div", { class: "grow" }, parts.nodeLink(nodes[entry.node])),
              h(
                "span",
                { class: "side-note" },
                entry.self ? "no description" : `${entry.missing} of ${format.plural(entry.total, "column")} missing`,
              ),
            ),
          ),
        ),
    );
  }

  function destinations() {
    const list = model.byType.get("destination") || [];
    if (list.length === 0) return null;
    return parts.card(
      "Destinations",
      { href: "#/destinations" },
      h(
        "ul",
        { class: "rows" },
        list.map((node) =>
          h(
            "li",
            {},
            h(
              "div",
              { class: "grow" },
              parts.nodeLink(node),
              node.summary && h("p", { class: "message" }, node.summary),
            ),
            h("span", { class: "side-note" }, format.plural(node.parents.length, "table")),
          ),
        ),
      ),
    );
  }

  /** The whole graph as a picture that leads to it. */
  function map() {
    const { layout } = window.c360;
    if (layout.drawn.length === 0) return [null, null];
    const canvas = window.c360.graphCanvas({
      label: "Overview of the lineage graph",
      mini: "still",
      band: 2.2,
      inset: { left: 24, right: 24, top: 18, bottom: 18 },
      onPick: (n) => window.c360.router.go(model.hrefs.lineage({ focus: nodes[n].id })),
      onEmpty: () => window.c360.router.go("#/lineage"),
      onColumn() {},
      onMore() {},
    });
    canvas.canvas.setAttribute("role", "img");
    canvas.canvas.removeAttribute("aria-roledescription");
    canvas.canvas.setAttribute("tabindex", "-1");
    canvas.setLook({ colourOf: window.c360.toolbar.colouring("layer") });
    canvas.setScene(window.c360.scene.ofNodes(layout.drawn, new Map()), { fit: true });
    return [
      parts.card(
        "Lineage",
        { className: "wide flush", href: "#/lineage", note: h("a", { href: "#/lineage" }, "Open the graph") },
        h("div", { class: "map" }, canvas.element),
      ),
      canvas,
    ];
  }

  function draw(main) {
    const [mapCard, canvas] = map();
    main.append(
      h(
        "header",
        { class: "head" },
        h("div", { class: "head-line" }, h("h1", {}, project.name), project.version && parts.badge(project.version)),
        h(
          "div",
          { class: "head-lead" },
          home.overviewHtml
            ? window.c360.rich(home.overviewHtml)
            : `${format.plural(nodes.length, "node")} in the graph, ${format.plural(tests.length, "test")}, ${format.plural(model.macros.length, "macro")}.`,
        ),
      ),
      tiles(),
      h(
        "div",
        { class: "home-grid" },
        mapCard,
        h("div", { class: "stack" }, failing(), biggest(), runHistory(), destinations()),
        h("div", { class: "stack" }, sources(), slowest(), documentation()),
      ),
    );
    return () => canvas && canvas.close();
  }

  window.c360.pages.home = { name: "home", draw };
  window.c360.toneOfRun = toneOfRun;
  window.c360.runStrip = runStrip;
})();
