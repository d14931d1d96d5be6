"use strict";
// Column lineage over the whole project: what a column comes from, and what becomes of it.
(() => {
  const { load, loaded, model } = window.c360;
  let built = null;

  const nameOf = (entry) => (Array.isArray(entry) ? entry.join(".") : entry);
  const key = (n, column) => n * 65536 + column;
  const unpack = (k) => [Math.floor(k / 65536), k % 65536];

  function push(map, k, value) {
    const list = map.get(k);
    if (list) list.push(value);
    else map.set(k, [value]);
  }

  /** Indexes data/lineage.js once. */
  function build(data) {
    const lineage = {
      names: (data.columns || []).map((columns) => columns.map(nameOf)),
      fields: data.columns || [],
      inputs: new Map(),
      outputs: new Map(),
      indirectOf: new Map(),
      indirectFrom: new Map(),
      expressions: new Map(),
      unknown: new Map(data.unknown || []),
    };
    const direct = data.direct || [];
    for (let i = 0; i + 4 < direct.length; i += 5) {
      const edge = {
        from: key(direct[i + 2], direct[i + 3]),
        to: key(direct[i], direct[i + 1]),
        kind: data.kinds[direct[i + 4]],
      };
      push(lineage.inputs, edge.to, edge);
      push(lineage.outputs, edge.from, edge);
    }
    const indirect = data.indirect || [];
    for (let i = 0; i + 3 < indirect.length; i += 4) {
      const edge = {
        node: indirect[i],
        from: key(indirect[i + 1], indirect[i + 2]),
        kind: data.indirectKinds[indirect[i + 3]],
      };
      push(lineage.indirectOf, edge.node, edge);
      push(lineage.indirectFrom, edge.from, edge);
    }
    const expressions = data.expressions || [];
    for (let i = 0; i + 2 < expressions.length; i += 3) {
      lineage.expressions.set(key(expressions[i], expressions[i + 1]), data.texts[expressions[i + 2]]);
    }
    return lineage;
  }

  /** Loads the lineage; resolves to nothing if the site has none. */
  async function ready() {
    if (!built) {
      const data = await load("lineage").catch(() => null);
      if (data && data.columns) built = build(data);
    }
    return built;
  }

  /** The position of a column by its name; a name of another case will do if it is the only one. */
  function position(n, name) {
    const names = (built && built.names[n]) || [];
    const exact = names.indexOf(name);
    if (exact >= 0) return exact;
    const lower = name.toLowerCase();
    return names.findIndex((other) => other.toLowerCase() === lower);
  }

  /** A struct's fields belong to the struct: `_source` with `_source.Contract`. */
  function family(k) {
    const [n, column] = unpack(k);
    const entry = built.fields[n][column];
    const found = [k];
    if (!Array.isArray(entry)) {
      built.fields[n].forEach((other, i) => {
        if (Array.isArray(other) && other[0] === entry) found.push(key(n, i));
      });
    }
    return found;
  }

  /**
   * Everything that `start` is made from and everything made from it, along direct edges:
   * {columns: Map(key -> distance, negative upstream), edges, indirect}.
   */
  function trace(start, { up = Infinity, down = Infinity } = {}) {
    const starts = family(start);
    const columns = new Map(starts.map((k) => [k, 0]));
    const edges = new Set();
    const walk = (sign, limit, edgesOf, other) => {
      let front = starts;
      const seen = new Set(starts);
      for (let step = 1; step <= limit && front.length > 0; step += 1) {
        const after = [];
        for (const k of front) {
          for (const edge of edgesOf(k)) {
            edges.add(edge);
            const next = other(edge);
            if (seen.has(next)) continue;
            seen.add(next);
            if (!columns.has(next)) columns.set(next, sign * step);
            after.push(next);
          }
        }
        front = after;
      }
    };
    walk(
      -1,
      up,
      (k) => built.inputs.get(k) || [],
      (edge) => edge.from,
    );
    walk(
      1,
      down,
      (k) => built.outputs.get(k) || [],
      (edge) => edge.to,
    );
    return { start, columns, edges: [...edges], indirect: indirectOf(columns, starts) };
  }

  /**
   * What decides about the rows on the way: the indirect inputs of the nodes above and of the start's own, and the nodes
   * whose rows one of the traced columns below decides about.
   */
  function indirectOf(columns, starts) {
    const found = [];
    const above = new Set();
    for (const [k, distance] of columns) {
      if (distance <= 0) above.add(unpack(k)[0]);
      if (distance >= 0 || starts.includes(k)) for (const edge of built.indirectFrom.get(k) || []) found.push(edge);
    }
    for (const n of above) for (const edge of built.indirectOf.get(n) || []) found.push(edge);
    return [...new Set(found)];
  }

  /** The nodes of `column:NODE.COLUMN` with `+`: for the selector. The lineage has to be loaded. */
  function selected(text, up, down) {
    if (!built) return [];
    const starts = parse(text);
    const found = new Set();
    for (const k of starts) for (const other of trace(k, { up, down }).columns.keys()) found.add(unpack(other)[0]);
    return found;
  }

  /** `node.column`, with `*` in the column: the keys that it means. */
  function parse(text) {
    const found = [];
    for (const node of model.nodes) {
      for (const name of [node.id, node.name, node.short]) {
        if (!name || !text.startsWith(`${name}.`)) continue;
        const column = text.slice(name.length + 1);
        const at = position(node.n, column);
        if (at >= 0) found.push(key(node.n, at));
        else if (column === "*") built.names[node.n].forEach((_, i) => found.push(key(node.n, i)));
        break;
      }
    }
    return [...new Set(found)];
  }

  /** `model.c360.x:column` of an address: its key. */
  function parseId(text) {
    const node = model.nodes.find((other) => text.startsWith(`${other.id}:`));
    if (!node) return null;
    const at = position(node.n, text.slice(node.id.length + 1));
    return at < 0 ? null : key(node.n, at);
  }

  const title = (k) => {
    const [n, column] = unpack(k);
    return `${model.nodes[n].name}.${built.names[n][column]}`;
  };

  window.c360.columns = {
    ready,
    loaded: () => built,
    known: () => Boolean(loaded("lineage")),
    key,
    unpack,
    position,
    trace,
    selected,
    parse,
    parseId,
    title,
    names: (n) => (built && built.names[n]) || [],
    name: (k) => built.names[unpack(k)[0]][unpack(k)[1]],
    id: (k) => `${model.nodes[unpack(k)[0]].id}:${built.names[unpack(k)[0]][unpack(k)[1]]}`,
    expression: (k) => built && built.expressions.get(k),
  };
})();
