"use strict";
// What is seen as a file: SVG and PNG are drawn from the scene, Mermaid is its text.
(() => {
  const { model, paint, layout } = window.c360;
  const { nodes } = model;
  const margin = 32;

  const escape = (text) =>
    String(text)
      .replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)
      .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "\ufffd");

  function pathOf(edge) {
    return edge.points
      .map(([x, y], i) => {
        if (i === 0) return `M${x.toFixed(1)} ${y.toFixed(1)}`;
        if (i % 2 === 0) return `L${x.toFixed(1)} ${y.toFixed(1)}`;
        const middle = ((edge.points[i - 1][0] + x) / 2).toFixed(1);
        return `C${middle} ${edge.points[i - 1][1].toFixed(1)} ${middle} ${y.toFixed(1)} ${x.toFixed(1)} ${y.toFixed(1)}`;
      })
      .join("");
  }

  /** A text cut to about so many letters: SVG cannot measure. */
  const cut = (text, letters) => (text.length > letters ? `${text.slice(0, letters - 1)}…` : text);

  function svgCard(card, look, colour) {
    const node = nodes[card.n];
    const tint = escape(look.colourOf(node));
    const middle = card.y + layout.boxHeight / 2;
    const tone = paint.toneColour(model.health(node));
    const icon = window.c360.icon(node.type).firstChild.getAttribute("d");
    const faded = look.lit && look.lit.get(card.n) === undefined ? ' opacity="0.3"' : "";
    const parts = [
      `<g${faded}><title>${escape(node.id)}</title>`,
      `<rect x="${card.x.toFixed(1)}" y="${card.y.toFixed(1)}" width="${card.w}" height="${card.h}" rx="9" fill="${colour["bg-card"]}" stroke="${look.focus === card.n ? colour.accent : colour["line-strong"]}"/>`,
      `<rect x="${(card.x + 8).toFixed(1)}" y="${(middle - 13).toFixed(1)}" width="26" height="26" rx="7" fill="${tint}" opacity="0.15"/>`,
      `<path transform="translate(${(card.x + 13).toFixed(1)} ${(middle - 8).toFixed(1)})" d="${icon}" fill="none" stroke="${tint}" stroke-width="1.4" stroke-linecap="round" stroke-linejoin="round"/>`,
      `<text x="${(card.x + 42).toFixed(1)}" y="${(middle - 3).toFixed(1)}" font-size="12.5" font-weight="600" fill="${colour.text}">${escape(cut(node.name, 22))}</text>`,
      `<text x="${(card.x + 42).toFixed(1)}" y="${(middle + 12).toFixed(1)}" font-size="11" fill="${colour["text-3"]}">${escape(cut(paint.subtitle(node), 26))}</text>`,
    ];
    if (tone)
      parts.push(`<circle cx="${(card.x + card.w - 15).toFixed(1)}" cy="${middle.toFixed(1)}" r="4" fill="${tone}"/>`);
    for (const row of card.rows) {
      const isLit = look.columns && look.columns.has(row.k);
      if (isLit)
        parts.push(
          `<rect x="${(card.x + 5).toFixed(1)}" y="${(row.y - 10).toFixed(1)}" width="${card.w - 10}" height="20" rx="5" fill="${look.column === row.k ? colour.accent : colour["accent-soft"]}"/>`,
        );
      const ink = look.column === row.k ? colour["on-accent"] : isLit ? colour.accent : colour["text-2"];
      parts.push(
        `<text x="${(card.x + (row.field ? 24 : 14)).toFixed(1)}" y="${(row.y + 4).toFixed(1)}" font-size="11" class="m" fill="${ink}">${escape(cut(row.more ? `+ ${row.name}` : row.name, 28))}</text>`,
      );
    }
    parts.push("</g>");
    return parts.join("");
  }

  function svgEdge(edge, look, colour) {
    const isLit =
      edge.kind === "direct" ||
      (look.lit && look.lit.get(edge.from) !== undefined && look.lit.get(edge.to) !== undefined);
    const style =
      edge.kind === "indirect"
        ? `stroke="${colour["text-3"]}" stroke-dasharray="5 4"`
        : `stroke="${isLit ? colour.accent : colour["line-strong"]}"`;
    const [x, y] = edge.points[edge.points.length - 1];
    const tip = `<path d="M${(x - 6).toFixed(1)} ${(y - 3.6).toFixed(1)}L${x.toFixed(1)} ${y.toFixed(1)}L${(x - 6).toFixed(1)} ${(y + 3.6).toFixed(1)}Z" fill="${edge.kind === "indirect" ? colour["text-3"] : isLit ? colour.accent : colour["line-strong"]}"/>`;
    const title = edge.label ? `<title>${escape(edge.label)}</title>` : "";
    return `<g><path d="${pathOf(edge)}" fill="none" stroke-width="1.5" ${style}>${title}</path>${tip}</g>`;
  }

  function svgLabel(edge, colour) {
    const [x, y] = paint.labelPoint(edge);
    const text = cut(edge.label.replace(/\s+/g, " "), 22);
    const width = text.length * 6.4 + 10;
    return `<g><rect x="${(x - width / 2).toFixed(1)}" y="${(y - 9).toFixed(1)}" width="${width.toFixed(1)}" height="18" rx="5" fill="${colour.bg}" stroke="${colour.line}"/><text x="${x.toFixed(1)}" y="${(y + 3.5).toFixed(1)}" font-size="10.5" text-anchor="middle" class="m" fill="${colour["text-2"]}">${escape(text)}</text></g>`;
  }

  /** The scene as an SVG file. */
  function toSvg(scene, look) {
    const colour = paint.colours();
    const { box } = scene;
    const width = Math.ceil(box.x1 - box.x0 + margin * 2);
    const height = Math.ceil(box.y1 - box.y0 + margin * 2);
    const said = new Set();
    const labels = scene.edges.filter((edge) => {
      const once = `${edge.toKey || edge.to}|${edge.label}`;
      return edge.label && !said.has(once) && said.add(once);
    });
    return [
      `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="${Math.floor(box.x0 - margin)} ${Math.floor(box.y0 - margin)} ${width} ${height}" font-family="Inter, system-ui, sans-serif">`,
      `<title>${escape(`Lineage of ${model.project.name}`)}</title><style>.m{font-family:ui-monospace,Menlo,Consolas,monospace}</style>`,
      `<rect x="${Math.floor(box.x0 - margin)}" y="${Math.floor(box.y0 - margin)}" width="${width}" height="${height}" fill="${colour.bg}"/>`,
      ...scene.edges.map((edge) => svgEdge(edge, look, colour)),
      ...labels.map((edge) => svgLabel(edge, colour)),
      ...scene.cards.map((card) => svgCard(card, look, colour)),
      "</svg>\n",
    ].join("\n");
  }

  /** The scene as a PNG: twice its size, or as much as a canvas holds. */
  function toPng(scene, look) {
    const { box } = scene;
    const width = box.x1 - box.x0 + margin * 2;
    const height = box.y1 - box.y0 + margin * 2;
    const scale = Math.min(2, 8000 / width, 8000 / height);
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(width * scale));
    canvas.height = Math.max(1, Math.round(height * scale));
    const view = { x: (margin - box.x0) * scale, y: (margin - box.y0) * scale, scale };
    paint.paint(
      canvas.getContext("2d"),
      scene,
      view,
      { ...look, over: null, overRow: null, pixels: 1, dots: false },
      canvas.width,
      canvas.height,
    );
    return new Promise((resolve, reject) => {
      canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("the picture is too large"))), "image/png");
    });
  }

  const quoted = (text) => `"${String(text).replace(/[&"<>#;\\`\n\r]/g, (c) => `#${c.charCodeAt(0)};`)}"`;
  const shapes = {
    source: ["[(", ")]"],
    seed: ["[/", "/]"],
    exposure: ["([", "])"],
    destination: ["{{", "}}"],
    snapshot: ["[[", "]]"],
  };

  /** The scene as Mermaid text. */
  function toMermaid(scene) {
    const lines = ["flowchart LR"];
    if (scene.mode === "columns") {
      const ids = new Map();
      for (const card of scene.cards) {
        lines.push(`  subgraph n${card.n}[${quoted(nodes[card.n].name)}]`);
        const rows = card.rows.filter((row) => !row.more);
        for (const row of rows) {
          ids.set(row.k, `c${ids.size}`);
          lines.push(`    ${ids.get(row.k)}[${quoted(row.name)}]`);
        }
        if (rows.length === 0) lines.push(`    e${card.n}[${quoted("rows")}]`);
        lines.push("  end");
      }
      for (const edge of scene.edges) {
        if (edge.kind === "direct")
          lines.push(
            edge.label
              ? `  ${ids.get(edge.fromKey)} -->|${quoted(edge.label.replace(/\s+/g, " "))}| ${ids.get(edge.toKey)}`
              : `  ${ids.get(edge.fromKey)} --> ${ids.get(edge.toKey)}`,
          );
        else lines.push(`  ${ids.get(edge.fromKey)} -.->|${quoted(edge.label)}| n${edge.to}`);
      }
    } else {
      for (const card of scene.cards) {
        const [open, close] = shapes[nodes[card.n].type] || ["[", "]"];
        lines.push(`  n${card.n}${open}${quoted(nodes[card.n].name)}${close}`);
      }
      for (const edge of scene.edges) lines.push(`  n${edge.from} --> n${edge.to}`);
    }
    return `${lines.join("\n")}\n`;
  }

  function save(blob, name) {
    const url = URL.createObjectURL(blob);
    const link = document.createElement("a");
    link.href = url;
    link.download = name;
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  }

  window.c360.exports = { toSvg, toPng, toMermaid, save };
})();
