"use strict";
// The index as the pages use it: nodes that know their parents and children, and how each kind of thing is called.
(() => {
  const { loaded } = window.c360;
  const index = loaded("index") || { project: { name: "c360" }, nodes: [], edges: [], tests: [], macros: [], runs: [] };

  const types = {
    model: { one: "Model", many: "Models", route: "models" },
    source: { one: "Source", many: "Sources", route: "sources" },
    seed: { one: "Seed", many: "Seeds", route: "seeds" },
    snapshot: { one: "Snapshot", many: "Snapshots", route: "snapshots" },
    exposure: { one: "Exposure", many: "Exposures", route: "exposures" },
    destination: { one: "Destination", many: "Destinations", route: "destinations" },
    analysis: { one: "Analysis", many: "Analyses", route: "analyses" },
    metric: { one: "Metric", many: "Metrics", route: "metrics" },
    semantic_model: { one: "Semantic model", many: "Semantic models", route: "semantic-models" },
    saved_query: { one: "Saved query", many: "Saved queries", route: "saved-queries" },
  };
  const typeOf = (type) => types[type] || { one: type, many: `${type}s`, route: encodeURIComponent(type) };

  /** A colour that somebody chose for a node: a plain one, or none. */
  const plainColour = (text) => (/^(#[0-9a-f]{3}|#[0-9a-f]{6}|[a-z]{3,24})$/i.test(text || "") ? text : undefined);
  const nodes = index.nodes.map((node, n) => ({
    ...node,
    n,
    color: plainColour(node.color),
    parents: [],
    children: [],
  }));
  const edges = [];
  for (let i = 0; i + 1 < index.edges.length; i += 2) {
    const from = index.edges[i];
    const to = index.edges[i + 1];
    edges.push({ from, to, e: i / 2 });
    nodes[from].children.push(to);
    nodes[to].parents.push(from);
  }
  const tests = (index.tests || []).map((test, t) => ({ ...test, t }));
  const macros = (index.macros || []).map((macro, m) => ({ ...macro, m }));

  const nodeById = new Map(nodes.map((node) => [node.id, node]));
  const testById = new Map(tests.map((test) => [test.id, test]));
  const macroById = new Map(macros.map((macro) => [macro.id, macro]));

  /** A status in one of five words: what decides its colour. */
  function tone(status) {
    switch (status) {
      case "success":
      case "pass":
        return "ok";
      case "warn":
      case "partial success":
        return "warn";
      case "error":
      case "fail":
      case "runtime error":
        return "bad";
      case "skipped":
      case "no-op":
        return "skip";
      default:
        return "none";
    }
  }

  /** The worst that is known of a node: its own last result and its tests'. */
  function health(node) {
    const results = node.tests || {};
    if (tone(node.status) === "bad" || results.fail || results.error) return "bad";
    if (tone(node.status) === "warn" || results.warn || node.missing) return "warn";
    return tone(node.status) === "none" && results.pass ? "ok" : tone(node.status);
  }

  const hrefs = {
    node: (node) => `#/node/${encodeURIComponent(node.id)}`,
    test: (test) => `#/test/${encodeURIComponent(test.id)}`,
    macro: (macro) => `#/macro/${encodeURIComponent(macro.id)}`,
    lineage: (options) => `#/lineage${query(options)}`,
    column: (node, column) => `#/lineage${query({ column: `${node.id}:${column}` })}`,
  };

  function query(options) {
    const parts = Object.entries(options || {}).filter(
      ([, value]) => value !== undefined && value !== null && value !== "",
    );
    if (parts.length === 0) return "";
    return `?${parts.map(([key, value]) => `${key}=${encodeURIComponent(value).replace(/%20/g, "+").replace(/%3A/g, ":").replace(/%2C/g, ",")}`).join("&")}`;
  }

  /** Every node that `start` reaches within `depth` steps, with its distance; `next` is "parents" or "children". */
  function reach(start, next, depth = Infinity) {
    const distance = new Map([[start, 0]]);
    let edge = [start];
    for (let step = 1; step <= depth && edge.length > 0; step += 1) {
      const after = [];
      for (const n of edge) {
        for (const other of nodes[n][next]) {
          if (!distance.has(other)) {
            distance.set(other, step);
            after.push(other);
          }
        }
      }
      edge = after;
    }
    distance.delete(start);
    return distance;
  }

  /** What a destination or source node is called next to others. */
  const iconOf = (type) => type;

  const byType = new Map();
  for (const node of nodes) {
    if (!byType.has(node.type)) byType.set(node.type, []);
    byType.get(node.type).push(node);
  }

  window.c360.model = {
    index,
    project: index.project,
    nodes,
    edges,
    tests,
    macros,
    runs: index.runs || [],
    home: index.home || {},
    graph: index.graph || { box: [200, 44], size: [0, 0], layerX: [], layer: [], y: [] },
    configs: index.configs || [],
    byType,
    nodeById,
    testById,
    macroById,
    types,
    typeOf,
    tone,
    health,
    hrefs,
    query,
    reach,
    iconOf,
    /** The data of a node's page. */
    details: (node) => window.c360.load(`nodes/${node.n}`),
    testDetails: (test) =>
      window.c360
        .load(`tests/${Math.floor(test.t / 64)}`)
        .then((chunk) => chunk.tests.find((entry) => entry.t === test.t) || {}),
    macroDetails: (macro) => window.c360.load(`macros/${macro.m}`),
  };
})();
