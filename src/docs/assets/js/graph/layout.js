"use strict";
// Where cards stand. The whole graph stands as the generator laid it out. A part of it keeps each card's layer and order,
// closes the gaps, and is straightened: cards move towards their neighbours' height as far as those above and below let them.
(() => {
  const { model } = window.c360;
  const { graph, nodes, edges } = model;
  const [boxWidth, boxHeight] = graph.box;
  const gaps = { card: 16, bend: 9 };

  const routes = new Map((graph.routes || []).map(([e, ...heights]) => [e, heights]));
  const edgeBetween = new Map(edges.map((edge) => [edge.from * nodes.length + edge.to, edge.e]));
  const drawn = nodes.filter((node) => graph.layer[node.n] >= 0).map((node) => node.n);

  /** Positions of the whole graph: {x, y} by node, and the bends of long edges. */
  function whole() {
    const cards = new Map(drawn.map((n) => [n, { x: graph.layerX[graph.layer[n]], y: graph.y[n] }]));
    const bends = (from, to) => {
      const heights = routes.get(edgeBetween.get(from * nodes.length + to)) || [];
      const first = graph.layer[from] + 1;
      return heights.map((y, i) => ({ x: graph.layerX[first + i], y }));
    };
    return { cards, bends, width: boxWidth };
  }

  /** Heights at which an edge of the whole graph passes the layers between its ends. */
  function passing(from, to) {
    const heights = routes.get(edgeBetween.get(from * nodes.length + to));
    if (heights) return heights;
    const steps = graph.layer[to] - graph.layer[from];
    const start = graph.y[from] + boxHeight / 2;
    const end = graph.y[to] + boxHeight / 2;
    return Array.from({ length: Math.max(0, steps - 1) }, (_, i) => start + ((end - start) * (i + 1)) / steps);
  }

  /** The items of each layer, in order, with their neighbours left and right. */
  function arrange(visible, pairs, heightOf, layerOf) {
    const used = [...new Set(visible.map(layerOf))].sort((a, b) => a - b);
    const rank = new Map(used.map((layer, i) => [layer, i]));
    const layers = used.map(() => []);
    const items = new Map();
    for (const n of visible) {
      const item = {
        n,
        order: graph.y[n] + boxHeight / 2,
        h: heightOf(n),
        gap: gaps.card,
        left: [],
        right: [],
        y: 0,
        weight: 1,
      };
      items.set(n, item);
      layers[rank.get(layerOf(n))].push(item);
    }
    const chains = new Map();
    for (const [from, to] of pairs) {
      const heights = passing(from, to);
      const chain = [];
      used.forEach((layer, i) => {
        if (layer <= layerOf(from) || layer >= layerOf(to)) return;
        const bend = {
          n: -1,
          order: heights[layer - layerOf(from) - 1],
          h: 2,
          gap: gaps.bend,
          left: [],
          right: [],
          y: 0,
          weight: 2,
          layer: i,
        };
        layers[i].push(bend);
        chain.push(bend);
      });
      const stops = [items.get(from), ...chain, items.get(to)];
      for (let i = 1; i < stops.length; i += 1) {
        stops[i].left.push(stops[i - 1]);
        stops[i - 1].right.push(stops[i]);
      }
      chains.set(from * nodes.length + to, chain);
    }
    for (const layer of layers) layer.sort((a, b) => a.order - b.order || a.n - b.n);
    return { layers, items, chains, rank };
  }

  /** The least squares heights in a given order with given distances (pool adjacent violators). */
  function place(layer, wanted) {
    const blocks = [];
    let offset = 0;
    layer.forEach((item, i) => {
      if (i > 0) offset += (layer[i - 1].h + item.h) / 2 + Math.max(layer[i - 1].gap, item.gap);
      item.offset = offset;
      let block = { sum: (wanted[i] - offset) * item.weight, weight: item.weight, from: i };
      while (
        blocks.length > 0 &&
        blocks[blocks.length - 1].sum / blocks[blocks.length - 1].weight > block.sum / block.weight
      ) {
        const before = blocks.pop();
        block = { sum: before.sum + block.sum, weight: before.weight + block.weight, from: before.from };
      }
      blocks.push(block);
    });
    blocks.forEach((block, b) => {
      const to = b + 1 < blocks.length ? blocks[b + 1].from : layer.length;
      for (let i = block.from; i < to; i += 1) layer[i].y = block.sum / block.weight + layer[i].offset;
    });
  }

  function mean(items) {
    let sum = 0;
    for (const item of items) sum += item.y;
    return sum / items.length;
  }

  function straighten(layers) {
    for (const layer of layers)
      place(
        layer,
        layer.map(() => 0),
      );
    for (let round = 0; round < 7; round += 1) {
      const last = round === 6;
      const order = round % 2 === 0 ? layers : [...layers].reverse();
      for (const layer of order) {
        place(
          layer,
          layer.map((item) => {
            const near = last ? item.left.concat(item.right) : round % 2 === 0 ? item.left : item.right;
            return near.length > 0 ? mean(near) : item.y;
          }),
        );
      }
    }
  }

  /** Positions of a part: `pairs` are its edges, `heightOf(n)` how tall a card is. */
  function part(visible, pairs, heightOf, { width = boxWidth, gap = 76, layerOf = (n) => graph.layer[n] } = {}) {
    const { layers, items, chains, rank } = arrange(visible, pairs, heightOf, layerOf);
    straighten(layers);
    let top = Infinity;
    for (const item of items.values()) top = Math.min(top, item.y - item.h / 2);
    const xOf = (i) => i * (width + gap);
    const cards = new Map();
    for (const [n, item] of items) cards.set(n, { x: xOf(rank.get(layerOf(n))), y: item.y - item.h / 2 - top });
    const bends = (from, to) =>
      (chains.get(from * nodes.length + to) || []).map((bend) => ({ x: xOf(bend.layer), y: bend.y - top }));
    return { cards, bends, width };
  }

  window.c360.layout = { whole, part, drawn, boxWidth, boxHeight };
})();
