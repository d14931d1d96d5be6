// A made-up project that is out to harm.
import { layOut, writeSite } from "./fixture.mjs";

/** Texts that want to be markup, script, an attribute, a prototype, a path, a picture of something else. */
export const hostile = [
  "</script><script>window.pwned=1</script>",
  "<img src=x onerror=window.pwned=1>",
  '"><svg onload=window.pwned=1>',
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
  const code = (text) => ({
    text,
    marks: [0, Math.min(4, text.length), 0],
    links: [[0, Math.min(2, text.length), "node", 0]],
    path: evil(3),
  });
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
  const tests = hostile.map((text, t) => ({
    id: `test.${text}.${t}`,
    name: text,
    kind: "generic",
    title: text,
    node: t,
    column: text,
    status: t % 2 ? "fail" : text,
    failures: 1,
    path: text,
    package: text,
    tags: [text],
    at: text,
  }));
  const macros = hostile.map((text, m) => ({
    id: `macro.${text}.${m}`,
    name: text,
    package: text,
    path: text,
    summary: text,
  }));
  const edges = hostile.slice(1).flatMap((_, i) => [i, i + 1]);
  const layerOf = hostile.map((_, i) => i);
  const data = {
    index: {
      format: 1,
      project: {
        name: evil(0),
        version: evil(1),
        generator: evil(2),
        generatedAt: evil(3),
        target: evil(1),
        adapter: evil(2),
      },
      nodes,
      edges,
      graph: layOut(
        hostile.map((_, i) => [i]),
        edges,
        layerOf,
      ),
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
      runs: [
        {
          id: evil(0),
          at: evil(1),
          seconds: 1,
          verb: evil(2),
          target: evil(3),
          version: evil(4),
          status: evil(5),
          counts: [[evil(1), 1]],
        },
      ],
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
    search: {
      nodes: hostile.map((text, n) => ({ n, text, columns: [[text, text]] })),
      macros: hostile.map((text, m) => ({ m, text })),
      tests: hostile.map((text, t) => ({ t, text })),
    },
    sql: { nodes: hostile, tests: hostile.map((text, t) => [t, text]), macros: hostile },
    "tests/0": {
      tests: hostile.map((text, t) => ({
        t,
        descriptionHtml: html,
        arguments: [[text, text]],
        config: [[text, text]],
        code: { source: code(text), compiled: code(text) },
        message: text,
        failures: 1,
        storedAt: text,
        runs: [{ id: text, at: text, status: text, message: text }],
        unit: { given: [{ input: text, text }], expect: text },
      })),
    },
  };
  hostile.forEach((text, i) => {
    data[`macros/${i}`] = {
      m: i,
      id: text,
      descriptionHtml: html,
      arguments: [{ name: text, type: text, descriptionHtml: html }],
      code: code(text),
      usedBy: [0],
      usedByTests: [0],
      macros: [0],
      usedByMacros: [0],
    };
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
        {
          name: text,
          type: text,
          descriptionHtml: html,
          from: { node: 0, column: text },
          tags: [text],
          tagsFrom: [{ tag: text, node: 0, column: text }],
          meta: [[text, text]],
          constraints: [text],
          tests: [0],
          profile: { rows: 2, nulls: 1, distinct: 1, min: text, max: text, top: [[text, 1]] },
          expression: text,
          inputs: [{ node: 0, column: text, path: [text], kind: text }],
        },
        {
          name: "n",
          type: "bigint",
          profile: {
            rows: 2,
            nulls: 0,
            distinct: 2,
            min: "0",
            max: "1",
            histogram: { edges: [text, text], counts: [2] },
            quantiles: { p05: text, p25: text, p50: text, p75: text, p95: text },
          },
        },
      ],
      code: { source: code(text), compiled: code(text), plan: { text } },
      samples: { columns: [text, "n"], hidden: [text], rows: [[text, null]] },
      tests: [0],
      runs: [{ id: text, at: text, kind: "build", status: text, seconds: 1, message: text }],
      publishes: [
        { destination: 0, table: text, mode: text, keys: [text], last: { at: text, status: "error", message: text } },
      ],
      macros: [0],
      unknownColumns: text,
      ...(i === 0
        ? {
            source: {
              location: text,
              format: text,
              loader: text,
              freshness: { status: text, lastAt: text, warnAfter: text, errorAfter: text, field: text },
              files: [{ path: text, bytes: 1, modified: text, date: text }],
              bytes: 1,
              count: 1,
              days: [["2026-01-01", 1, 1]],
              missing: ["2026-01-02"],
              from: "2026-01-01",
              to: "2026-01-03",
              external: [[text, text]],
            },
          }
        : {}),
      ...(nodes[i].type === "exposure"
        ? { exposure: { kind: text, url: "javascript:window.pwned=1", maturity: text, label: text } }
        : {}),
    };
  });
  return writeSite(folder, data);
}
