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
    const json = JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
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
function layOut(layers, edges, layerOf) {
  const layerX = layers.map((_, i) => i * 320);
  const tallest = Math.max(...layers.map((layer) => layer.length));
  const y = [];
  for (const layer of layers) layer.forEach((n, i) => (y[n] = (i + (tallest - layer.length) / 2) * 56));
  const routes = [];
  for (let e = 0; e * 2 < edges.length; e += 1) {
    const [from, to] = [edges[e * 2], edges[e * 2 + 1]];
    const steps = layerOf[to] - layerOf[from];
    if (steps > 1) routes.push([e, ...Array.from({ length: steps - 1 }, (_, i) => Math.round(y[from] + ((y[to] - y[from]) * (i + 1)) / steps) + 20)]);
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
      const near = Math.floor((layers[layerOf[n]].indexOf(n) / layers[layerOf[n]].length) * layer.length + (next() - 0.5) * 40);
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
    search: { nodes: nodes.map((node, n) => ({ n, text: node.summary, columns: columns.map((name) => [name, `${name} of ${node.name}`]) })) },
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
      profile: { rows: 1000, nulls: i, distinct: 500 + i, min: "0", max: "1000", histogram: { edges: [0, 250, 500, 750, 1000], counts: [400, 300, 200, 100] } },
    })),
    code: { source: { text: `select\n${text}\nfrom x`, marks: [0, 6, 0] } },
    runs: Array.from({ length: 60 }, (_, i) => ({ id: `r${i}`, at: new Date(Date.UTC(2026, 0, 60 - i)).toISOString(), kind: "build", status: "success", seconds: 1 + (i % 7), rows: 1000 + i, memory: 1e7 })),
  };
  return writeSite(folder, data);
}

/** Texts that want to be markup, script, an attribute, a prototype, a path, a picture of something else. */
export const hostile = [
  "</script><script>window.pwned=1</script>",
  "<img src=x onerror=window.pwned=1>",
  "\"><svg onload=window.pwned=1>",
  "' onmouseover='window.pwned=1' x='",
  "javascript:window.pwned=1",
  "__proto__",
  "constructor",
  "<!--",
  "${window.pwned=1}",
  "{{constructor.constructor('window.pwned=1')()}}",
  "\u2028window.pwned=1\u2029",
  "../../../etc/passwd",
  "\u202egnp.exe",
  "%3Cscript%3E/?#&=+",
];

/** A project whose every text is hostile. */
export function hostileSite(folder) {
  const evil = (i) => hostile[i % hostile.length];
  const html =
    '<p>fine <strong>bold</strong></p><script>window.pwned=1</script><img src="x" onerror="window.pwned=1"><a href="javascript:window.pwned=1">click</a>' +
    '<a href="https://example.com/" onclick="window.pwned=1" style="position:fixed">web</a><iframe src="https://example.com"></iframe><p>&lt;b&gt;not bold&lt;/b&gt; &#60;i&#62;</p>';
  const code = (text) => ({ text, marks: [0, Math.min(4, text.length), 0], links: [[0, Math.min(2, text.length), "node", 0]], path: evil(3) });
  const nodes = hostile.map((text, n) => ({
    id: `model.${text}.${n}`,
    type: n === 0 ? "source" : n === hostile.length - 1 ? "exposure" : "model",
    name: text,
    short: text,
    sourceName: n === 0 ? text : undefined,
    package: text,
    path: `models/${text}/${text}.sql`,
    fqn: [text, text],
    layer: text,
    materialized: text,
    owner: text,
    group: text,
    tags: [text, evil(n + 1)],
    color: n === 2 ? "url(https://example.com/x)" : text,
    summary: text,
    columns: 2,
    status: n % 2 ? text : "success",
    at: text,
    seconds: 1,
    rows: 2,
    config: 0,
  }));
  const tests = hostile.map((text, t) => ({ id: `test.${text}.${t}`, name: text, kind: "generic", title: text, node: t, column: text, status: t % 2 ? "fail" : text, failures: 1, path: text, package: text, tags: [text], at: text }));
  const macros = hostile.map((text, m) => ({ id: `macro.${text}.${m}`, name: text, package: text, path: text, summary: text }));
  const edges = hostile.slice(1).flatMap((_, i) => [i, i + 1]);
  const layerOf = hostile.map((_, i) => i);
  const data = {
    index: {
      format: 1,
      project: { name: evil(0), version: evil(1), generator: evil(2), generatedAt: evil(3), target: evil(1), adapter: evil(2) },
      nodes,
      edges,
      graph: layOut(hostile.map((_, i) => [i]), edges, layerOf),
      configs: [[[evil(0), evil(1)]]],
      tests,
      macros,
      home: {
        overviewHtml: html,
        failing: [{ test: 0, failures: 1, message: evil(1) }],
        broken: [{ node: 0, status: evil(1), message: evil(2) }],
        slowest: [{ node: 1, seconds: 1 }],
        biggest: [{ node: 1, rows: 1, bytes: 1 }],
        sources: [{ node: 0, missing: [evil(1)], status: "warn", lastAt: evil(2) }],
        documented: { nodes: [1, 2], columns: [1, 2], worst: [{ node: 0, missing: 1, total: 2 }] },
      },
      runs: [{ id: evil(0), at: evil(1), seconds: 1, verb: evil(2), target: evil(3), version: evil(4), status: evil(5), counts: [[evil(1), 1]] }],
    },
    lineage: {
      columns: hostile.map((text) => [text, ["struct", text]]),
      direct: hostile.slice(1).flatMap((_, i) => [i + 1, 0, i, 0, 1]),
      indirect: hostile.slice(1).flatMap((_, i) => [i + 1, i, 1, 0]),
      kinds: [evil(0), evil(1), "aggregated", "window", "condition"],
      indirectKinds: [evil(1), "join", "group", "sort", "window"],
      expressions: hostile.flatMap((_, i) => [i, 0, i]),
      texts: hostile,
      unknown: [[1, evil(1)]],
    },
    search: { nodes: hostile.map((text, n) => ({ n, text, columns: [[text, text]] })), macros: hostile.map((text, m) => ({ m, text })), tests: hostile.map((text, t) => ({ t, text })) },
    sql: { nodes: hostile, tests: hostile.map((text, t) => [t, text]), macros: hostile },
    "tests/0": {
      tests: hostile.map((text, t) => ({ t, descriptionHtml: html, arguments: [[text, text]], config: [[text, text]], code: { source: code(text), compiled: code(text) }, message: text, failures: 1, storedAt: text, runs: [{ id: text, at: text, status: text, message: text }], unit: { given: [{ input: text, text }], expect: text } })),
    },
  };
  hostile.forEach((text, i) => {
    data[`macros/${i}`] = { m: i, id: text, descriptionHtml: html, arguments: [{ name: text, type: text, descriptionHtml: html }], code: code(text), usedBy: [0], usedByTests: [0], macros: [0], usedByMacros: [0] };
    data[`nodes/${i}`] = {
      n: i,
      id: nodes[i].id,
      descriptionHtml: html,
      relation: text,
      file: text,
      patch: evil(i + 1),
      owner: { name: text, email: text },
      meta: [[text, text]],
      config: [[text, text]],
      constraints: [text],
      columns: [
        { name: text, type: text, descriptionHtml: html, from: { node: 0, column: text }, tags: [text], tagsFrom: [{ tag: text, node: 0, column: text }], meta: [[text, text]], constraints: [text], tests: [0], profile: { rows: 2, nulls: 1, distinct: 1, min: text, max: text, top: [[text, 1]] }, expression: text, inputs: [{ node: 0, column: text, path: [text], kind: text }] },
        { name: "n", type: "bigint", profile: { rows: 2, nulls: 0, distinct: 2, min: "0", max: "1", histogram: { edges: [text, text], counts: [2] }, quantiles: { p05: text, p25: text, p50: text, p75: text, p95: text } } },
      ],
      code: { source: code(text), compiled: code(text), plan: { text } },
      samples: { columns: [text, "n"], hidden: [text], rows: [[text, null]] },
      tests: [0],
      runs: [{ id: text, at: text, kind: "build", status: text, seconds: 1, message: text }],
      publishes: [{ destination: 0, table: text, mode: text, keys: [text], last: { at: text, status: "error", message: text } }],
      macros: [0],
      unknownColumns: text,
      ...(i === 0 ? { source: { location: text, format: text, loader: text, freshness: { status: text, lastAt: text, warnAfter: text, errorAfter: text, field: text }, files: [{ path: text, bytes: 1, modified: text, date: text }], bytes: 1, count: 1, days: [["2026-01-01", 1, 1]], missing: ["2026-01-02"], from: "2026-01-01", to: "2026-01-03", external: [[text, text]] } } : {}),
      ...(nodes[i].type === "exposure" ? { exposure: { kind: text, url: "javascript:window.pwned=1", maturity: text, label: text } } : {}),
    };
  });
  return writeSite(folder, data);
}
