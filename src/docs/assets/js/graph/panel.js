"use strict";
// Beside the graph: what the node or column in focus is, and everything it touches, as a list that needs no sight of the graph.
(() => {
  const { h, icon, model, parts, format, columns } = window.c360;
  const { nodes } = model;
  const first = 40;

  /** Nodes by how much they matter to who changes something: what people see first. */
  const weight = (node) => ({ exposure: 0, destination: 1, model: 2, snapshot: 3, seed: 4, source: 5 })[node.type] ?? 6;

  function steps(distance) {
    return h("span", { class: "steps", title: `${distance} ${distance === 1 ? "step" : "steps"} away` }, distance);
  }

  function reachList(title, reached, onPick) {
    const list = [...reached].map(([n, distance]) => ({ node: nodes[n], distance: Math.abs(distance) }));
    list.sort(
      (a, b) => weight(a.node) - weight(b.node) || a.distance - b.distance || a.node.name.localeCompare(b.node.name),
    );
    const body = h("ul", { class: "impact" });
    const draw = (limit) => {
      window.c360.fill(
        body,
        list
          .slice(0, limit)
          .map(({ node, distance }) =>
            h(
              "li",
              {},
              h(
                "button",
                { type: "button", on: { click: () => onPick(node.n) }, title: node.id },
                icon(node.type, `t-${node.type}`),
                h("span", { class: "mono" }, node.name),
                steps(distance),
              ),
            ),
          ),
        list.length > limit &&
          h(
            "li",
            {},
            h(
              "button",
              { type: "button", class: "all", on: { click: () => draw(Infinity) } },
              `Show all ${format.count(list.length)}`,
            ),
          ),
      );
    };
    draw(first);
    const exposures = list.filter(({ node }) => node.type === "exposure").length;
    const targets = list.filter(({ node }) => node.type === "destination").length;
    const note = [exposures && format.plural(exposures, "exposure"), targets && format.plural(targets, "destination")]
      .filter(Boolean)
      .join(", ");
    return h(
      "section",
      {},
      h("h3", {}, title, h("span", {}, format.count(list.length)), note && h("em", {}, note)),
      list.length > 0 ? body : parts.nothing("Nothing."),
    );
  }

  function columnList(node, actions, current) {
    const names = columns.names(node.n);
    const fields = (columns.loaded() || { fields: [] }).fields[node.n] || [];
    if (names.length === 0) return null;
    return h(
      "section",
      {},
      h(
        "h3",
        {},
        "Columns",
        h("span", {}, format.count(names.filter((_, i) => !Array.isArray(fields[i])).length)),
        h("em", {}, "click for lineage"),
      ),
      h(
        "ul",
        { class: "impact tall" },
        names.map((name, i) =>
          h(
            "li",
            { class: Array.isArray(fields[i]) ? "field" : null },
            h(
              "button",
              {
                type: "button",
                "aria-current": current === columns.key(node.n, i) ? "true" : null,
                on: { click: () => actions.onColumn(columns.key(node.n, i)) },
              },
              icon("columns", "t-column"),
              h("span", { class: "mono" }, name),
            ),
          ),
        ),
      ),
    );
  }

  function closeButton(actions) {
    return h(
      "button",
      { class: "round", type: "button", "aria-label": "Close the panel", on: { click: actions.onClose } },
      icon("close"),
    );
  }

  /** The panel of a node. */
  function ofNode(node, actions) {
    const up = model.reach(node.n, "parents");
    const down = model.reach(node.n, "children");
    return [
      h(
        "header",
        {},
        h(
          "div",
          { class: "panel-title" },
          icon(node.type, `t-${node.type}`),
          h("h2", {}, node.name),
          closeButton(actions),
        ),
        h(
          "div",
          { class: "badges" },
          parts.badge(node.type === "model" ? node.materialized || "model" : node.type),
          node.status && parts.status(node.status),
          parts.testMark(node.tests),
        ),
        node.summary && h("p", {}, parts.inline(node.summary)),
        parts.facts([
          ["Owner", node.owner],
          ["Rows", node.rows !== undefined && format.count(node.rows)],
          ["Size", node.bytes !== undefined && format.bytes(node.bytes)],
          ["Took", node.seconds !== undefined && format.seconds(node.seconds)],
          ["Tags", node.tags && node.tags.length > 0 && h("span", { class: "badges" }, parts.tagList(node.tags))],
        ]),
        h(
          "div",
          { class: "panel-tools" },
          h("a", { class: "button small", href: model.hrefs.node(node) }, "Open page"),
          h(
            "button",
            { class: "button small", type: "button", on: { click: () => actions.onIsolate(node) } },
            "Only its lineage",
          ),
        ),
      ),
      columnList(node, actions),
      reachList("Downstream", down, actions.onPick),
      reachList("Upstream", up, actions.onPick),
    ];
  }

  function columnRow(k, note, actions) {
    const [n] = columns.unpack(k);
    const node = nodes[n];
    return h(
      "li",
      {},
      h(
        "button",
        { type: "button", class: "two", on: { click: () => actions.onColumn(k) }, title: node.id },
        icon(node.type, `t-${node.type}`),
        h("span", { class: "mono" }, h("b", {}, columns.name(k)), h("small", {}, node.name)),
        note && h("span", { class: "steps word" }, note),
      ),
    );
  }

  /** How a column of the trace is reached: the kind of the edge towards the start. */
  function kindOf(trace, k, distance) {
    const edge = trace.edges.find((other) => (distance < 0 ? other.from === k : other.to === k));
    return edge ? edge.kind : "";
  }

  function chain(title, trace, sign, actions) {
    const list = [...trace.columns].filter(([, distance]) => Math.sign(distance) === sign);
    list.sort((a, b) => Math.abs(a[1]) - Math.abs(b[1]) || columns.title(a[0]).localeCompare(columns.title(b[0])));
    return h(
      "section",
      {},
      h("h3", {}, title, h("span", {}, format.count(list.length))),
      list.length > 0
        ? h(
            "ul",
            { class: "impact", "data-chain": sign < 0 ? "up" : "down" },
            list.slice(0, 300).map(([k, distance]) => columnRow(k, kindOf(trace, k, distance), actions)),
          )
        : parts.nothing(
            sign > 0
              ? "Nothing is made from it."
              : nodes[columns.unpack(trace.start)[0]].type === "source"
                ? "It is as the source has it."
                : "It comes from no column.",
          ),
    );
  }

  function decides(trace, actions) {
    const [start] = columns.unpack(trace.start);
    const list = trace.indirect.filter((edge) => edge.node === start);
    if (list.length === 0) return null;
    const kinds = new Map();
    for (const edge of list) kinds.set(edge.from, [...new Set([...(kinds.get(edge.from) || []), edge.kind])]);
    return h(
      "section",
      {},
      h("h3", {}, "Decides about its rows", h("span", {}, kinds.size)),
      h(
        "ul",
        { class: "impact" },
        [...kinds].map(([k, words]) => columnRow(k, words.join(", "), actions)),
      ),
    );
  }

  /** Why nothing is known of where a node's columns come from. */
  function unknown(n) {
    const why = columns.loaded().unknown.get(n);
    return why ? h("p", { class: "note warn" }, `Where its columns come from is not known: ${why}`) : null;
  }

  /** The panel of a column. */
  function ofColumn(trace, actions) {
    const [n] = columns.unpack(trace.start);
    const node = nodes[n];
    const name = columns.name(trace.start);
    const expression = columns.expression(trace.start);
    const about = h("div", { class: "panel-about" });
    model.details(node).then(
      (details) => {
        const column = (details.columns || []).find((other) => other.name === name);
        if (!column) return;
        window.c360.fill(
          about,
          column.descriptionHtml && window.c360.rich(column.descriptionHtml),
          column.type && h("p", { class: "mono type" }, column.type),
          column.tags && h("div", { class: "badges" }, parts.tagList(column.tags)),
        );
      },
      () => {},
    );
    return [
      h(
        "header",
        {},
        h("div", { class: "panel-title" }, icon("columns", "t-column"), h("h2", {}, name), closeButton(actions)),
        h("p", {}, "of ", parts.nodeLink(node)),
        about,
        expression && h("code", { class: "expression" }, expression),
        h(
          "div",
          { class: "panel-tools" },
          h(
            "button",
            {
              class: "button small",
              type: "button",
              "aria-pressed": String(actions.withIndirect),
              on: { click: actions.onIndirect },
            },
            "Filters, joins, groups",
          ),
          h("a", { class: "button small", href: model.hrefs.lineage({ focus: node.id }) }, "Whole graph"),
        ),
      ),
      unknown(n),
      chain("Comes from", trace, -1, actions),
      decides(trace, actions),
      chain("Goes to", trace, 1, actions),
      columnList(node, actions, trace.start),
    ];
  }

  window.c360.panel = { ofNode, ofColumn };
})();
