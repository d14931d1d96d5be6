"use strict";
// A scene is what is to be seen, in units of the layout: cards with rows, and edges as lists of points. Painting, exports and
// clicks all work from it.
(() => {
  const { model, layout, columns } = window.c360;
  const { nodes } = model;
  const rowHeight = 22;
  const rowsShown = 12;

  /** How tall a card is with its rows. */
  const tall = (rows) => layout.boxHeight + (rows.length > 0 ? rows.length * rowHeight + 6 : 0);

  /** The rows of a card: all columns, or as many as are shown at first. */
  function rowsOf(n, all, most = rowsShown) {
    const names = columns.names(n);
    const fields = (columns.loaded() || { fields: [] }).fields[n] || [];
    const rows = names
      .map((name, i) => ({ k: columns.key(n, i), name, field: Array.isArray(fields[i]) }))
      .filter((row) => all || !row.field);
    if (all || rows.length <= most + 1) return rows;
    return [...rows.slice(0, most), { more: rows.length - most, name: `${rows.length - most} more` }];
  }

  function makeCards(positions, rowsFor) {
    const cards = [];
    for (const [n, at] of positions.cards) {
      const rows = rowsFor(n);
      const card = { n, x: at.x, y: at.y, w: positions.width, h: tall(rows), rows };
      rows.forEach((row, i) => {
        row.y = card.y + layout.boxHeight + 2 + i * rowHeight + rowHeight / 2;
      });
      cards.push(card);
    }
    return cards;
  }

  /** The points of an edge: curve, straight, curve, ... from right to left side. */
  function points(from, fromY, to, toY, bends) {
    const { w } = from;
    const found = [[from.x + from.w, fromY]];
    for (const bend of bends) found.push([bend.x, bend.y], [bend.x + w, bend.y]);
    found.push([to.x, toY]);
    return found;
  }

  function finish(cards, edges, mode) {
    const byNode = new Map(cards.map((card) => [card.n, card]));
    const box = { x0: 0, y0: 0, x1: layout.boxWidth, y1: layout.boxHeight };
    if (cards.length > 0) {
      box.x0 = box.y0 = Infinity;
      box.x1 = box.y1 = -Infinity;
    }
    for (const card of cards) {
      box.x0 = Math.min(box.x0, card.x);
      box.y0 = Math.min(box.y0, card.y);
      box.x1 = Math.max(box.x1, card.x + card.w);
      box.y1 = Math.max(box.y1, card.y + card.h);
    }
    for (const edge of edges) {
      edge.box = { x0: Infinity, y0: Infinity, x1: -Infinity, y1: -Infinity };
      for (const [x, y] of edge.points) {
        edge.box.x0 = Math.min(edge.box.x0, x);
        edge.box.y0 = Math.min(edge.box.y0, y);
        edge.box.x1 = Math.max(edge.box.x1, x);
        edge.box.y1 = Math.max(edge.box.y1, y);
      }
    }
    return { cards, edges, byNode, box, mode };
  }

  const head = (card) => card.y + layout.boxHeight / 2;

  /** Nodes and their edges. `open`: Map(n -> "some" | "all") of the cards that show their columns. */
  function ofNodes(visible, open) {
    const chosen = visible.filter((n) => model.graph.layer[n] >= 0);
    const inside = new Set(chosen);
    const between = model.edges.filter((edge) => inside.has(edge.from) && inside.has(edge.to));
    const rows = new Map([...open].map(([n, how]) => [n, rowsOf(n, how === "all")]));
    const isWhole = chosen.length === layout.drawn.length && rows.size === 0;
    const pairs = between.map((edge) => [edge.from, edge.to]);
    const positions = isWhole ? layout.whole() : layout.part(chosen, pairs, (n) => tall(rows.get(n) || []));
    const cards = makeCards(positions, (n) => rows.get(n) || []);
    const byNode = new Map(cards.map((card) => [card.n, card]));
    const edges = between.map((edge) => {
      const from = byNode.get(edge.from);
      const to = byNode.get(edge.to);
      return {
        from: edge.from,
        to: edge.to,
        kind: "node",
        points: points(from, head(from), to, head(to), positions.bends(edge.from, edge.to)),
      };
    });
    return finish(cards, edges, "nodes");
  }

  /** A node between its parents and its children, whatever their layers are. */
  function around(n, open) {
    const node = nodes[n];
    const layers = new Map([
      ...node.parents.map((other) => [other, 0]),
      ...node.children.map((other) => [other, 2]),
      [n, 1],
    ]);
    const visible = [...layers.keys()];
    const rows = new Map([...open].map(([other, how]) => [other, rowsOf(other, how === "all")]));
    const pairs = [...node.parents.map((other) => [other, n]), ...node.children.map((other) => [n, other])];
    const positions = layout.part(visible, pairs, (other) => tall(rows.get(other) || []), {
      gap: 110,
      layerOf: (other) => layers.get(other),
    });
    const cards = makeCards(positions, (other) => rows.get(other) || []);
    const byNode = new Map(cards.map((card) => [card.n, card]));
    const edges = pairs.map(([from, to]) => ({
      from,
      to,
      kind: "node",
      points: points(byNode.get(from), head(byNode.get(from)), byNode.get(to), head(byNode.get(to)), []),
    }));
    return finish(cards, edges, "nodes");
  }

  function tracedRows(trace, indirect, open) {
    const keys = new Map();
    const add = (k) => {
      const [n] = columns.unpack(k);
      if (!keys.has(n)) keys.set(n, new Set());
      keys.get(n).add(k);
    };
    for (const k of trace.columns.keys()) add(k);
    for (const edge of indirect) {
      add(edge.from);
      if (!keys.has(edge.node)) keys.set(edge.node, new Set());
    }
    const rows = new Map();
    for (const [n, chosen] of keys) {
      const all = rowsOf(n, true);
      const shown = open.get(n) === "all" ? all : all.filter((row) => chosen.has(row.k));
      const hidden = all.filter((row) => !row.field).length - shown.filter((row) => !row.field).length;
      rows.set(n, hidden > 0 ? [...shown, { more: hidden, name: `${hidden} more` }] : shown);
    }
    return rows;
  }

  /** The columns that a column comes from and goes to; what decides about rows is dashed and goes to a card's head. */
  function ofColumns(trace, { withIndirect = true, open = new Map() } = {}) {
    const indirect = withIndirect ? trace.indirect : [];
    const rows = tracedRows(trace, indirect, open);
    const visible = [...rows.keys()].filter((n) => model.graph.layer[n] >= 0);
    const links = trace.edges.map((edge) => ({
      ...edge,
      fromNode: columns.unpack(edge.from)[0],
      toNode: columns.unpack(edge.to)[0],
    }));
    const dashed = indirect.map((edge) => ({ ...edge, fromNode: columns.unpack(edge.from)[0], toNode: edge.node }));
    const pairs = new Map();
    for (const link of links.concat(dashed)) {
      if (model.graph.layer[link.fromNode] < model.graph.layer[link.toNode])
        pairs.set(link.fromNode * nodes.length + link.toNode, [link.fromNode, link.toNode]);
    }
    const positions = layout.part(visible, [...pairs.values()], (n) => tall(rows.get(n)), { width: 188, gap: 108 });
    const cards = makeCards(positions, (n) => rows.get(n));
    const byNode = new Map(cards.map((card) => [card.n, card]));
    const rowAt = (k) => byNode.get(columns.unpack(k)[0])?.rows.find((row) => row.k === k);
    const edges = [];
    const seen = new Set();
    for (const link of links) {
      const from = rowAt(link.from);
      const to = rowAt(link.to);
      if (!from || !to) continue;
      const path = points(
        byNode.get(link.fromNode),
        from.y,
        byNode.get(link.toNode),
        to.y,
        positions.bends(link.fromNode, link.toNode),
      );
      edges.push({
        from: link.fromNode,
        to: link.toNode,
        kind: "direct",
        how: link.kind,
        fromKey: link.from,
        toKey: link.to,
        label: labelOf(link),
        points: path,
      });
    }
    for (const link of dashed) {
      const from = rowAt(link.from);
      const to = byNode.get(link.toNode);
      const name = `${link.from}>${link.toNode}`;
      if (!from || !to || link.fromNode === link.toNode) continue;
      const other = edges.find((edge) => edge.name === name);
      if (seen.has(name)) {
        if (other && !other.label.includes(link.kind)) other.label += `, ${link.kind}`;
        continue;
      }
      seen.add(name);
      const path = points(byNode.get(link.fromNode), from.y, to, head(to), positions.bends(link.fromNode, link.toNode));
      edges.push({
        name,
        from: link.fromNode,
        to: link.toNode,
        kind: "indirect",
        how: link.kind,
        fromKey: link.from,
        label: link.kind,
        points: path,
      });
    }
    return finish(cards, edges, "columns");
  }

  /** What stands on an edge: the expression that makes the column, nothing for a copy. */
  function labelOf(link) {
    if (link.kind === "copied") return "";
    return columns.expression(link.to) || link.kind;
  }

  /** The part of a scene of columns that has to do with one of them: what it comes from and what it goes to. */
  function chain(scene, k) {
    const keys = new Set([k]);
    const found = new Set();
    const walk = (from, to) => {
      const waiting = [k];
      const seen = new Set(waiting);
      while (waiting.length > 0) {
        const at = waiting.pop();
        for (const edge of scene.edges) {
          if (edge.kind !== "direct" || edge[from] !== at) continue;
          found.add(edge);
          keys.add(edge[to]);
          if (!seen.has(edge[to])) {
            seen.add(edge[to]);
            waiting.push(edge[to]);
          }
        }
      }
    };
    walk("toKey", "fromKey");
    walk("fromKey", "toKey");
    for (const edge of scene.edges) if (edge.kind === "indirect" && edge.fromKey === k) found.add(edge);
    return { keys, edges: found };
  }

  window.c360.scene = { ofNodes, ofColumns, around, chain, rowHeight, head };
})();
