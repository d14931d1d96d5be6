"use strict";
// Painting a scene on a canvas: only what is in sight, with as much detail as its size on the screen deserves.
(() => {
  const { model, layout, format } = window.c360;
  const { nodes } = model;
  let palette = null;

  const icons = new Map();
  function iconPath(type) {
    if (!icons.has(type)) icons.set(type, new Path2D(window.c360.icon(type).firstChild.getAttribute("d")));
    return icons.get(type);
  }

  /** The colours of the theme, read once a theme. */
  function colours() {
    if (palette) return palette;
    const style = getComputedStyle(document.documentElement);
    const read = (name) => style.getPropertyValue(`--${name}`).trim();
    palette = { font: read("font"), mono: read("mono") };
    for (const name of [
      "bg",
      "bg-card",
      "bg-soft",
      "bg-hover",
      "line",
      "line-strong",
      "text",
      "text-2",
      "text-3",
      "accent",
      "accent-soft",
      "accent-line",
    ])
      palette[name] = read(name);
    for (const name of ["ok-mark", "warn-mark", "bad-mark", "skip-mark", "warn", "on-accent"])
      palette[name] = read(name);
    palette.scale = Array.from({ length: 10 }, (_, i) => read(`l${i}`));
    palette.dark = document.documentElement.dataset.theme === "dark";
    return palette;
  }
  document.addEventListener("c360-theme", () => {
    palette = null;
  });

  /** Text cut to a width; remembered, for measuring is what costs. */
  const cuts = new Map();
  function fit(context, text, width) {
    const key = `${context.font}|${width}|${text}`;
    let cut = cuts.get(key);
    if (cut === undefined) {
      if (cuts.size > 20000) cuts.clear();
      cut = text;
      if (context.measureText(text).width > width) {
        let low = 0;
        let high = text.length;
        while (low < high) {
          const middle = (low + high + 1) >> 1;
          if (context.measureText(`${text.slice(0, middle)}…`).width <= width) low = middle;
          else high = middle - 1;
        }
        cut = `${text.slice(0, low)}…`;
      }
      cuts.set(key, cut);
    }
    return cut;
  }

  /** The second line of a card. */
  function subtitle(node) {
    const kind = node.type === "model" ? node.materialized || "model" : node.type;
    if (node.rows !== undefined) return `${kind} · ${format.plural(node.rows, "row")}`;
    if (node.missing) return `${kind} · ${format.plural(node.missing, "missing day")}`;
    if (node.columns) return `${kind} · ${format.plural(node.columns, "column")}`;
    return kind;
  }

  function trace(context, edge, straight) {
    const path = edge.points;
    context.moveTo(path[0][0], path[0][1]);
    for (let i = 1; i < path.length; i += 1) {
      const [x0, y0] = path[i - 1];
      const [x1, y1] = path[i];
      if (straight || i % 2 === 0) context.lineTo(x1, y1);
      else {
        const middle = (x0 + x1) / 2;
        context.bezierCurveTo(middle, y0, middle, y1, x1, y1);
      }
    }
  }

  function arrow(context, edge, size) {
    const [x, y] = edge.points[edge.points.length - 1];
    context.moveTo(x - size, y - size * 0.62);
    context.lineTo(x, y);
    context.lineTo(x - size, y + size * 0.62);
    context.closePath();
  }

  /** Is an edge lit, and as what: "up", "down" or "on". A column that is pointed at leaves its own chain alone. */
  function lightOf(edge, look) {
    if (edge.kind !== "node") return look.chain && !look.chain.edges.has(edge) ? null : "on";
    if (!look.lit) return null;
    const from = look.lit.get(edge.from);
    const to = look.lit.get(edge.to);
    if (from === undefined || to === undefined) return null;
    if (from < 0 && to <= 0) return "up";
    if (from >= 0 && to > 0) return "down";
    return null;
  }

  function paintEdges(context, scene, look, sight, scale) {
    const colour = colours();
    const straight = scale < 0.2;
    const groups = { rest: [], dim: [], lit: [], dashed: [] };
    for (const edge of scene.edges) {
      const { box } = edge;
      if (box.x1 < sight.x0 || box.x0 > sight.x1 || box.y1 < sight.y0 || box.y0 > sight.y1) continue;
      const isLit = lightOf(edge, look);
      if (edge.kind === "indirect") groups[isLit ? "dashed" : "dim"].push(edge);
      else if (isLit) groups.lit.push(edge);
      else groups[look.lit || edge.kind === "direct" ? "dim" : "rest"].push(edge);
    }
    const hairline = Math.max(1.25, 0.55 / scale);
    const stroke = (edges, style, width, alpha, dash) => {
      if (edges.length === 0) return;
      context.globalAlpha = alpha;
      context.strokeStyle = style;
      context.lineWidth = width;
      context.setLineDash(dash || []);
      context.beginPath();
      for (const edge of edges) trace(context, edge, straight);
      context.stroke();
      context.setLineDash([]);
      if (scale > 0.4) {
        context.fillStyle = style;
        context.beginPath();
        for (const edge of edges) arrow(context, edge, width > 1.5 ? 7 : 6);
        context.fill();
      }
      context.globalAlpha = 1;
    };
    const crowd = scale < 0.15 && groups.rest.length > 2000 ? 0.45 : 1;
    stroke(groups.dim, colour["line-strong"], hairline, 0.38);
    stroke(groups.rest, colour.dark ? "#4a4d59" : "#b9bac6", hairline, crowd);
    stroke(groups.dashed, colour["text-3"], Math.max(1.25, 0.7 / scale), 0.8, [5, 4]);
    stroke(groups.lit, colour.accent, Math.max(1.9, 1.1 / scale), 1);
    if (scene.mode === "columns" && scale > 0.45) paintLabels(context, scene, look, sight);
  }

  /** The point half way along an edge's last curve. */
  function labelPoint(edge) {
    const path = edge.points;
    const [x0, y0] = path[path.length - 2];
    const [x1, y1] = path[path.length - 1];
    return [(x0 + x1) / 2, (y0 + y1) / 2];
  }

  function paintLabels(context, scene, look, sight) {
    const colour = colours();
    const taken = look.labels;
    const larger = legible(look.scale);
    context.font = `${10.5 * larger}px ${colour.mono}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    const labelled = scene.edges
      .filter((edge) => edge.label && lightOf(edge, look))
      .sort((a, b) => (a.kind === "direct" ? 0 : 1) - (b.kind === "direct" ? 0 : 1));
    const said = new Set();
    for (const edge of labelled) {
      const [x, y] = labelPoint(edge);
      if (x < sight.x0 || x > sight.x1 || y < sight.y0 || y > sight.y1) continue;
      const once = `${edge.toKey || edge.to}|${edge.label}`;
      if (edge.kind === "direct" && said.has(once)) continue;
      const text = fit(context, edge.label.replace(/\s+/g, " "), 94);
      const width = context.measureText(text).width + 10;
      const box = { x0: x - width / 2, x1: x + width / 2, y0: y - 9 * larger, y1: y + 9 * larger };
      if (taken.some((other) => box.x0 < other.x1 && box.x1 > other.x0 && box.y0 < other.y1 && box.y1 > other.y0))
        continue;
      taken.push({ ...box, text: edge.label });
      said.add(once);
      const isLit = edge.kind === "direct";
      context.fillStyle = colour.bg;
      context.strokeStyle = isLit ? colour["accent-line"] : colour.line;
      context.lineWidth = 1;
      context.beginPath();
      context.roundRect(box.x0, box.y0, width, 18 * larger, 5);
      context.fill();
      context.stroke();
      context.fillStyle = isLit ? colour.accent : colour["text-3"];
      context.fillText(text, x, y + 0.5);
      context.globalAlpha = 1;
    }
    context.textAlign = "left";
  }

  function paintRows(context, card, look) {
    const colour = colours();
    const larger = legible(look.scale);
    context.save();
    context.beginPath();
    context.moveTo(card.x, card.y + layout.boxHeight);
    context.lineTo(card.x + card.w, card.y + layout.boxHeight);
    context.strokeStyle = colour.line;
    context.lineWidth = 1;
    context.stroke();
    context.textBaseline = "middle";
    for (const row of card.rows) {
      const isLit = look.chain ? look.chain.keys.has(row.k) : look.columns && look.columns.has(row.k);
      const isStart = look.column === row.k;
      const isOver = look.overRow && look.overRow.n === card.n && look.overRow.name === row.name;
      if (isStart || isLit || isOver) {
        context.fillStyle = isStart ? colour.accent : isLit ? colour["accent-soft"] : colour["bg-hover"];
        context.beginPath();
        context.roundRect(card.x + 5, row.y - 10, card.w - 10, 20, 5);
        context.fill();
      }
      context.font = row.more ? `${11 * larger}px ${colour.font}` : `${11 * larger}px ${colour.mono}`;
      context.fillStyle = isStart
        ? colour["on-accent"]
        : isLit
          ? colour.accent
          : row.more
            ? colour["text-3"]
            : colour["text-2"];
      const indent = row.field ? 24 : 14;
      context.fillText(
        fit(context, row.more ? `+ ${row.name}` : row.name, card.w - indent - 12),
        card.x + indent,
        row.y + 0.5,
      );
    }
    context.restore();
  }

  function toneColour(tone) {
    return colours()[{ ok: "ok-mark", warn: "warn-mark", bad: "bad-mark", skip: "skip-mark" }[tone]];
  }

  function paintIcon(context, type, tint, x, middle, left) {
    if (left === 42) {
      const alpha = context.globalAlpha;
      context.fillStyle = tint;
      context.globalAlpha = alpha * 0.15;
      context.beginPath();
      context.roundRect(x + 8, middle - 13, 26, 26, 7);
      context.fill();
      context.globalAlpha = alpha;
    }
    context.save();
    context.translate(x + left - 29 + (left === 42 ? 0 : 7), middle - 8);
    context.strokeStyle = tint;
    context.lineWidth = 1.4;
    context.lineCap = context.lineJoin = "round";
    context.stroke(iconPath(type));
    context.restore();
  }

  function paintCard(context, card, look, scale) {
    const colour = colours();
    const node = nodes[card.n];
    const tint = look.colourOf(node);
    const isFocus = look.focus === card.n;
    const isOver = look.over === card.n;
    const light = look.lit ? look.lit.get(card.n) : 0;
    context.globalAlpha = light === undefined ? 0.36 : 1;
    if (scale < 0.3) {
      context.fillStyle = tint;
      context.globalAlpha *= light === undefined ? 0.6 : 0.85;
      context.fillRect(card.x, card.y, card.w, card.h);
      if (isFocus || isOver) {
        context.strokeStyle = colour.accent;
        context.lineWidth = 3 / scale;
        context.strokeRect(card.x, card.y, card.w, card.h);
      }
      context.globalAlpha = 1;
      return;
    }
    context.fillStyle = colour["bg-card"];
    context.strokeStyle = isFocus ? colour.accent : isOver ? colour["text-3"] : colour["line-strong"];
    context.lineWidth = isFocus ? 2 : 1;
    context.beginPath();
    context.roundRect(card.x, card.y, card.w, card.h, 9);
    if (scale > 0.5 && light !== undefined) {
      context.shadowColor = colour.dark ? "rgba(0,0,0,.5)" : "rgba(20,20,50,.09)";
      context.shadowBlur = 6 * look.pixels * scale;
      context.shadowOffsetY = 1.5 * look.pixels * scale;
    }
    context.fill();
    context.shadowColor = "transparent";
    context.stroke();
    const middle = card.y + layout.boxHeight / 2;
    // Cards of columns are narrow: their icon stands alone.
    const left = card.w < layout.boxWidth ? 32 : 42;
    paintIcon(context, node.type, tint, card.x, middle, left);
    const tone = model.health(node);
    const room = card.w - left - (tone === "none" ? 12 : 26);
    context.fillStyle = colour.text;
    context.textBaseline = "middle";
    if (scale > 0.5) {
      const larger = legible(scale);
      context.font = `560 ${12.5 * larger}px ${colour.font}`;
      context.fillText(fit(context, node.name, room), card.x + left, middle - 7);
      context.font = `${11 * larger}px ${colour.font}`;
      context.fillStyle = colour["text-3"];
      context.fillText(fit(context, subtitle(node), room), card.x + left, middle + 9);
    } else {
      context.font = `560 16px ${colour.font}`;
      context.fillText(fit(context, node.name, card.w - left - 8), card.x + left, middle + 1);
    }
    if (tone !== "none" && scale > 0.5) {
      context.fillStyle = toneColour(tone);
      context.beginPath();
      context.arc(card.x + card.w - 15, middle, 4, 0, 7);
      context.fill();
    }
    if (card.rows.length > 0 && scale > 0.4) paintRows(context, card, look);
    context.globalAlpha = 1;
  }

  /** Letters grow a little on a small scale, as far as the cards have room. */
  const legible = (scale) => Math.min(1.24, Math.max(1, 0.8 / scale));

  /** A grid of dots behind everything: it shows that the ground moves. */
  function paintGround(context, view, width, height) {
    if (view.scale < 0.35) return;
    const step = 24 * view.scale;
    context.fillStyle = colours().dark ? "#23252c" : "#e6e6ee";
    const size = Math.max(1, 1.3 * view.scale);
    for (let x = view.x % step; x < width; x += step)
      for (let y = view.y % step; y < height; y += step) context.fillRect(x, y, size, size);
  }

  /**
   * Paints what is in sight. view: {x, y, scale} (where the layout's origin is, in CSS pixels); look: {colourOf, focus, over, lit, columns, column, pixels}.
   */
  function paint(context, scene, view, look, width, height) {
    const ratio = look.pixels;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = look.ground || colours().bg;
    context.fillRect(0, 0, width, height);
    if (look.dots !== false) paintGround(context, view, width, height);
    context.setTransform(ratio * view.scale, 0, 0, ratio * view.scale, ratio * view.x, ratio * view.y);
    const sight = {
      x0: -view.x / view.scale - 20,
      y0: -view.y / view.scale - 20,
      x1: (width - view.x) / view.scale + 20,
      y1: (height - view.y) / view.scale + 20,
    };
    look.scale = view.scale;
    // Where expressions stand: who points at one sees all of it.
    look.labels = [];
    paintEdges(context, scene, look, sight, view.scale);
    let painted = 0;
    for (const card of scene.cards) {
      if (card.x + card.w < sight.x0 || card.x > sight.x1 || card.y + card.h < sight.y0 || card.y > sight.y1) continue;
      paintCard(context, card, look, view.scale);
      painted += 1;
    }
    return painted;
  }

  window.c360.paint = { paint, colours, subtitle, labelPoint, toneColour };
})();
