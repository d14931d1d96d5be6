"use strict";
// A list for each kind of thing: sorted, filtered, each row a link. What is filtered stands in the address.
(() => {
  const { h, icon, model, parts, format, router, table } = window.c360;

  const text = (node) =>
    [node.name, node.id, node.summary, node.owner, node.layer, node.materialized, ...(node.tags || [])]
      .filter(Boolean)
      .join(" ");

  const column = {
    name: {
      key: "name",
      title: "Name",
      value: (row) => row.name,
      cell: (row) => parts.nodeLink(row),
      className: "fit",
    },
    about: {
      key: "about",
      title: "Description",
      sortable: false,
      cell: (row) => h("div", { class: "clamp" }, parts.inline(row.summary)),
      className: "wide",
    },
    layer: {
      key: "layer",
      title: "Layer",
      value: (row) => row.layer,
      cell: (row) => h("span", { class: "muted" }, row.layer),
    },
    materialized: {
      key: "kind",
      title: "Kind",
      value: (row) => row.materialized,
      cell: (row) => row.materialized && parts.badge(row.materialized),
    },
    owner: { key: "owner", title: "Owner", value: (row) => row.owner, cell: (row) => row.owner || "" },
    rows: { key: "rows", title: "Rows", number: true, value: (row) => row.rows, cell: (row) => format.count(row.rows) },
    bytes: {
      key: "bytes",
      title: "Size",
      number: true,
      value: (row) => row.bytes,
      cell: (row) => format.bytes(row.bytes),
    },
    seconds: {
      key: "seconds",
      title: "Took",
      number: true,
      value: (row) => row.seconds,
      cell: (row) => format.seconds(row.seconds),
    },
    columns: {
      key: "columns",
      title: "Columns",
      number: true,
      value: (row) => row.columns,
      cell: (row) => format.count(row.columns),
    },
    tests: {
      key: "tests",
      title: "Tests",
      value: (row) =>
        ({ bad: 0, warn: 1, ok: 2 })[
          model.tone(row.tests && (row.tests.fail || row.tests.error ? "fail" : row.tests.warn ? "warn" : "pass"))
        ],
      cell: (row) => parts.testMark(row.tests),
    },
    status: {
      key: "status",
      title: "Status",
      value: (row) => row.status,
      cell: (row) => row.status && parts.status(row.status),
    },
    parents: {
      key: "parents",
      title: "Parents",
      number: true,
      value: (row) => row.parents.length,
      cell: (row) => format.count(row.parents.length),
    },
    children: {
      key: "children",
      title: "Children",
      number: true,
      value: (row) => row.children.length,
      cell: (row) => format.count(row.children.length),
    },
  };

  const columnsOf = {
    model: ["name", "about", "layer", "materialized", "owner", "status", "tests", "rows", "bytes", "seconds"],
    source: ["name", "about", "status", "missing", "tests", "columns", "children"],
    seed: ["name", "about", "status", "tests", "rows", "bytes", "children"],
    snapshot: ["name", "about", "owner", "status", "tests", "rows", "bytes", "seconds"],
    exposure: ["name", "about", "owner", "parents"],
    destination: ["name", "about", "parents"],
  };
  column.missing = {
    key: "missing",
    title: "Missing days",
    number: true,
    value: (row) => row.missing || 0,
    cell: (row) => (row.missing ? h("span", { class: "status bad" }, format.count(row.missing)) : "–"),
  };

  const facets = [
    { key: "layer", title: "Layer", of: (row) => row.layer },
    { key: "kind", title: "Kind", of: (row) => row.materialized },
    { key: "owner", title: "Owner", of: (row) => row.owner },
    { key: "status", title: "Status", of: (row) => row.status },
  ];

  /** What the address says about a table's order and filter, and the way back. */
  function remembered(route, names, initial) {
    const { options } = route;
    const [key, way] = (options.get("sort") || "").split("-");
    return {
      key: key || initial.key,
      direction: key ? (way === "down" ? -1 : 1) : initial.direction || 1,
      query: options.get("q") || "",
      facets: Object.fromEntries(names.map((name) => [name, options.get(name) || ""])),
    };
  }

  const keep = (initial) => (state) =>
    router.update({
      q: state.query,
      sort:
        state.key === initial.key && state.direction === (initial.direction || 1)
          ? ""
          : `${state.key}${state.direction < 0 ? "-down" : ""}`,
      ...state.facets,
    });

  function head(title, name, note, ...tools) {
    return h(
      "header",
      { class: "head" },
      h(
        "div",
        { class: "head-line" },
        icon(name, `t-${name}`),
        h("h1", {}, title),
        h("span", { class: "part-note" }, note),
        h("div", { class: "head-tools" }, tools),
      ),
    );
  }

  function drawNodes(type) {
    return (main, route) => {
      const rows = model.byType.get(type) || [];
      const shown = (columnsOf[type] || ["name", "about", "owner", "parents", "children"]).filter(
        (key) =>
          key === "name" ||
          rows.some((row) =>
            column[key].sortable === false
              ? row.summary
              : column[key].value(row) !== undefined && column[key].value(row) !== "",
          ),
      );
      const initial = { key: "name" };
      main.append(
        head(
          model.typeOf(type).many,
          type,
          format.count(rows.length),
          type !== "analysis" &&
            h(
              "a",
              { class: "button", href: model.hrefs.lineage({ select: `resource_type:${type}` }) },
              icon("graph"),
              "In the graph",
            ),
        ),
        table({
          label: model.typeOf(type).many,
          columns: shown.map((key) => column[key]),
          rows,
          text,
          facets: facets.filter((facet) => type === "model" || facet.key === "status"),
          sort: remembered(
            route,
            facets.map((facet) => facet.key),
            initial,
          ),
          onState: keep(initial),
        }),
      );
    };
  }

  function drawTests(main, route) {
    const { tests, nodes } = model;
    const initial = { key: "status" };
    const order = { bad: 0, warn: 1, skip: 2, none: 3, ok: 4 };
    const on = (test) => (nodes[test.node] ? nodes[test.node].name : "");
    main.append(
      head("Tests", "test", format.count(tests.length)),
      table({
        label: "Tests",
        rows: tests,
        text: (test) =>
          `${test.title} ${on(test)} ${test.column || ""} ${test.status || ""} ${(test.tags || []).join(" ")}`,
        columns: [
          {
            key: "status",
            title: "Status",
            value: (test) => order[model.tone(test.status)],
            cell: (test) => parts.status(test.status),
            className: "fit",
          },
          {
            key: "name",
            title: "Test",
            value: (test) => test.name,
            cell: (test) =>
              h(
                "a",
                { class: "ref", href: model.hrefs.test(test), title: test.title },
                h("span", { class: "mono" }, test.kind === "generic" ? test.name : test.title),
              ),
          },
          { key: "node", title: "On", value: on, cell: (test) => nodes[test.node] && parts.nodeLink(nodes[test.node]) },
          {
            key: "column",
            title: "Column",
            value: (test) => test.column,
            cell: (test) => h("span", { class: "mono" }, test.column || ""),
          },
          {
            key: "kind",
            title: "Kind",
            value: (test) => test.kind,
            cell: (test) => h("span", { class: "muted" }, test.kind),
          },
          {
            key: "severity",
            title: "Severity",
            value: (test) => test.severity || "error",
            cell: (test) => test.severity || "error",
          },
          {
            key: "failures",
            title: "Failures",
            number: true,
            value: (test) => test.failures,
            cell: (test) => format.count(test.failures),
          },
          {
            key: "at",
            title: "Last run",
            value: (test) => test.at,
            cell: (test) => test.at && parts.time(test.at),
            className: "fit",
          },
        ],
        facets: [
          { key: "status", title: "Status", of: (test) => test.status || "not run" },
          { key: "kind", title: "Kind", of: (test) => test.kind },
        ],
        sort: remembered(route, ["status", "kind"], initial),
        onState: keep(initial),
      }),
    );
  }

  function drawMacros(main, route) {
    const { macros } = model;
    const initial = { key: "name" };
    main.append(
      head("Macros", "macro", format.count(macros.length)),
      table({
        label: "Macros",
        rows: macros,
        text: (macro) => `${macro.name} ${macro.package} ${macro.path} ${macro.summary || ""}`,
        columns: [
          { key: "name", title: "Name", value: (macro) => macro.name, cell: parts.macroLink, className: "fit" },
          {
            key: "about",
            title: "Description",
            sortable: false,
            cell: (macro) => h("div", { class: "clamp" }, parts.inline(macro.summary)),
            className: "wide",
          },
          {
            key: "package",
            title: "Package",
            value: (macro) => macro.package,
            cell: (macro) => h("span", { class: "muted" }, macro.package),
          },
          {
            key: "path",
            title: "File",
            value: (macro) => macro.path,
            cell: (macro) => h("span", { class: "mono muted" }, macro.path),
          },
        ],
        facets: [{ key: "package", title: "Package", of: (macro) => macro.package }],
        sort: remembered(route, ["package"], initial),
        onState: keep(initial),
      }),
    );
  }

  function drawRuns(main, route) {
    const { runs } = model;
    const initial = { key: "at", direction: -1 };
    const counts = (run) =>
      (run.counts || []).map(([name, n]) =>
        h("span", { class: `badge ${{ bad: "bad", warn: "warn" }[model.tone(name)] || ""}` }, `${n} ${name}`),
      );
    main.append(
      head("Runs", "run", format.count(runs.length)),
      runs.length > 1 && window.c360.runStrip([...runs].reverse(), "tall"),
      table({
        label: "Runs",
        rows: runs,
        text: (run) => `${run.id} ${run.verb} ${run.target || ""} ${run.status}`,
        empty: "No build has been recorded yet.",
        columns: [
          {
            key: "at",
            title: "Started",
            value: (run) => run.at,
            cell: (run) => h("time", { datetime: run.at }, format.time(run.at)),
            className: "fit",
          },
          {
            key: "status",
            title: "Status",
            value: (run) => run.status,
            cell: (run) => parts.status(run.status),
            className: "fit",
          },
          {
            key: "verb",
            title: "Command",
            value: (run) => run.verb,
            cell: (run) => h("span", { class: "mono" }, run.verb),
          },
          { key: "target", title: "Target", value: (run) => run.target, cell: (run) => run.target || "" },
          {
            key: "counts",
            title: "Results",
            sortable: false,
            cell: (run) => h("span", { class: "badges" }, counts(run)),
          },
          {
            key: "seconds",
            title: "Took",
            number: true,
            value: (run) => run.seconds,
            cell: (run) => format.seconds(run.seconds),
          },
          {
            key: "version",
            title: "Version",
            value: (run) => run.version,
            cell: (run) => h("span", { class: "muted" }, run.version || ""),
          },
          {
            key: "id",
            title: "Invocation",
            sortable: false,
            cell: (run) => h("span", { class: "mono muted" }, run.id),
            className: "fit",
          },
        ],
        sort: remembered(route, [], initial),
        onState: keep(initial),
      }),
    );
  }

  Object.assign(window.c360.pages, {
    list: (type) => ({ name: "list", draw: drawNodes(type) }),
    tests: { name: "list", draw: drawTests },
    macros: { name: "list", draw: drawMacros },
    runs: { name: "list", draw: drawRuns },
  });
})();
