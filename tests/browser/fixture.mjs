// Sites of made-up projects: the pages of src/docs/assets with data that nobody's project is likely to have. The format is
// the one that `c360 docs generate` writes (docs/site.md).
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const assets = join(dirname(fileURLToPath(import.meta.url)), "../../src/docs/assets");

/** Writes a site: index.html, assets, and a script for each entry of `data`. */
export function writeSite(folder, data) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  cpSync(assets, join(folder, "assets"), { recursive: true });
  cpSync(join(assets, "index.html"), join(folder, "index.html"));
  for (const [name, value] of Object.entries(data)) {
    const file = join(folder, "data", `${name}.js`);
    mkdirSync(dirname(file), { recursive: true });
    const json = JSON.stringify(value).replace(
      /[<>&\u2028\u2029]/g,
      (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
    writeFileSync(file, `c360Data(${JSON.stringify(name)}, ${json});\n`);
  }
  return folder;
}

/** A generator of numbers that are the same each time. */
function random(seed) {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) % 4294967296;
    return state / 4294967296;
  };
}

const box = [220, 40];

/** Coordinates as a generator would give them: layers left to right, an even pitch, bends half way. */
export function layOut(layers, edges, layerOf) {
  const layerX = layers.map((_, i) => i * 320);
  const tallest = Math.max(...layers.map((layer) => layer.length));
  const y = [];
  for (const layer of layers) layer.forEach((n, i) => (y[n] = (i + (tallest - layer.length) / 2) * 56));
  const routes = [];
  for (let e = 0; e * 2 < edges.length; e += 1) {
    const [from, to] = [edges[e * 2], edges[e * 2 + 1]];
    const steps = layerOf[to] - layerOf[from];
    if (steps > 1)
      routes.push([
        e,
        ...Array.from(
          { length: steps - 1 },
          (_, i) => Math.round(y[from] + ((y[to] - y[from]) * (i + 1)) / steps) + 20,
        ),
      ]);
  }
  return { box, size: [layers.length * 320, tallest * 56], layerX, layer: layerOf, y, routes };
}

/** A project of `count` models with `width` columns each: to see whether the pages stay quick. */
export function largeSite(folder, count = 5000, width = 12) {
  const next = random(7);
  const depth = 14;
  const names = ["raw", "staging", "base", "intermediate", "core", "finance", "growth", "mart"];
  const nodes = [];
  const layerOf = [];
  const layers = Array.from({ length: depth }, () => []);
  for (let n = 0; n < count; n += 1) {
    const layer = Math.min(depth - 1, Math.floor((n / count) * depth));
    layerOf.push(layer);
    layers[layer].push(n);
    const isSource = layer === 0;
    const folderName = names[Math.floor((layer / depth) * names.length)];
    const name = isSource ? `lake.table_${n}` : `${folderName}_model_${n}`;
    nodes.push({
      id: isSource ? `source.big.lake.table_${n}` : `model.big.${name}`,
      type: isSource ? "source" : "model",
      name,
      ...(isSource ? { short: `table_${n}`, sourceName: "lake" } : { materialized: n % 3 ? "table" : "view" }),
      package: "big",
      path: isSource ? "models/sources.yml" : `models/${folderName}/${name}.sql`,
      fqn: ["big", folderName, ...(isSource ? ["lake", `table_${n}`] : [name])],
      layer: isSource ? "source" : folderName,
      owner: ["ada", "grace", "edsger"][n % 3],
      tags: n % 10 === 0 ? ["nightly"] : undefined,
      summary: `What model ${n} is about.`,
      columns: width,
      status: n % 97 === 0 ? "error" : "success",
      seconds: next() * 9,
      rows: Math.floor(next() * 1e6),
      bytes: Math.floor(next() * 1e8),
      config: 0,
    });
  }
  const edges = [];
  const seen = new Set();
  const inputs = Array.from({ length: count }, () => []);
  for (let n = 0; n < count; n += 1) {
    if (layerOf[n] === 0) continue;
    for (let i = 0; i < 1 + Math.floor(next() * 3); i += 1) {
      const back = next() < 0.85 ? 1 : 1 + Math.floor(next() * 3);
      const layer = layers[Math.max(0, layerOf[n] - back)];
      const near = Math.floor(
        (layers[layerOf[n]].indexOf(n) / layers[layerOf[n]].length) * layer.length + (next() - 0.5) * 40,
      );
      const from = layer[Math.min(layer.length - 1, Math.max(0, near))];
      if (seen.has(from * count + n)) continue;
      seen.add(from * count + n);
      edges.push(from, n);
      inputs[n].push(from);
    }
  }
  const direct = [];
  for (let n = 0; n < count; n += 1) {
    if (inputs[n].length === 0) continue;
    for (let c = 0; c < width; c += 1) direct.push(n, c, inputs[n][c % inputs[n].length], c, c % 3 === 0 ? 1 : 0);
  }
  const columns = Array.from({ length: width }, (_, c) => `column_${c}`);
  const data = {
    index: {
      format: 1,
      project: { name: "big", generator: "fixture", generatedAt: "2026-01-01T00:00:00Z" },
      nodes,
      edges,
      graph: layOut(layers, edges, layerOf),
      configs: [[["materialized", "table"]]],
      tests: [],
      macros: [],
      home: {},
      runs: [],
    },
    lineage: {
      columns: nodes.map(() => columns),
      direct,
      indirect: [],
      kinds: ["copied", "transformed", "aggregated", "window", "condition"],
      indirectKinds: ["filter", "join", "group", "sort", "window"],
      expressions: [],
      texts: [],
    },
    search: {
      nodes: nodes.map((node, n) => ({
        n,
        text: node.summary,
        columns: columns.map((name) => [name, `${name} of ${node.name}`]),
      })),
    },
    sql: { nodes: nodes.map((node) => `select * from ${node.name}`), macros: [] },
  };
  // A page is opened in the tests: one with many columns.
  const last = count - 1;
  const text = Array.from({ length: 400 }, (_, i) => `    column_${i} + ${i} as column_${i},`).join("\n");
  data[`nodes/${last}`] = {
    n: last,
    id: nodes[last].id,
    descriptionHtml: "<p>A wide one.</p>",
    columns: Array.from({ length: 200 }, (_, i) => ({
      name: `column_${i}`,
      type: "bigint",
      descriptionHtml: `<p>Column ${i}.</p>`,
      profile: {
        rows: 1000,
        nulls: i,
        distinct: 500 + i,
        min: "0",
        max: "1000",
        histogram: { edges: [0, 250, 500, 750, 1000], counts: [400, 300, 200, 100] },
      },
    })),
    code: { source: { text: `select\n${text}\nfrom x`, marks: [0, 6, 0] } },
    runs: Array.from({ length: 60 }, (_, i) => ({
      id: `r${i}`,
      at: new Date(Date.UTC(2026, 0, 60 - i)).toISOString(),
      kind: "build",
      status: "success",
      seconds: 1 + (i % 7),
      rows: 1000 + i,
      memory: 1e7,
    })),
  };
  return writeSite(folder, data);
}
