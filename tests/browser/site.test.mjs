// The site of the flagship project, as a reader uses it. C360_SITE is the folder that `c360 docs generate` wrote.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { axe, go, launch, open, outside, settle, shot } from "./browser.mjs";

const site = process.env.C360_SITE;
let browser;

before(async () => {
  assert.ok(site, "C360_SITE names the folder of a site; scripts/browser-test sets it");
  browser = await launch();
});
after(() => browser && browser.close());

/** Every kind of page, with an address of the project's own. */
async function addresses(page) {
  return page.evaluate(() => {
    const { model } = window.c360;
    const first = (type) => (model.byType.get(type) || []).map((node) => model.hrefs.node(node))[0];
    return Object.entries({
      home: "#/",
      lineage: "#/lineage",
      column: "#/lineage?column=model.c360.mart_totals:Total_Duration",
      model: "#/node/model.c360.customer_content",
      incremental: "#/node/model.c360.mart_totals",
      source: "#/node/source.c360.lake.log_content",
      seed: first("seed"),
      exposure: first("exposure"),
      destination: first("destination"),
      test: model.tests.length > 0 ? model.hrefs.test(model.tests.find((each) => each.status && each.status !== "pass") || model.tests[0]) : null,
      macro: model.macros.length > 0 ? model.hrefs.macro(model.macros[0]) : null,
      models: "#/models",
      sources: "#/sources",
      tests: "#/tests",
      macros: "#/macros",
      runs: "#/runs",
      missing: "#/node/model.c360.nothing",
    }).filter(([, hash]) => hash);
  });
}

async function lineageReady(page) {
  await page.waitForFunction(() => window.c360.graph && window.c360.graph.scene().cards.length > 0 && window.c360.graph.frames.length > 0);
  await settle(page);
}

const names = (page) => page.evaluate(() => window.c360.graph.scene().cards.map((card) => window.c360.model.nodes[card.n].name).sort());

/** Types a selection and waits for what it shows. */
async function select(page, text, field = "select") {
  await page.fill(`[data-field="${field}"]`, text);
  await page.press(`[data-field="${field}"]`, "Enter");
  await settle(page);
}

test("opens from its file, with nothing from elsewhere and nothing to complain about", async () => {
  const { page, context, seen } = await open(browser, site);
  assert.equal(await page.textContent("h1"), "c360");
  for (const [, hash] of await addresses(page)) await go(page, hash);
  await page.keyboard.press("/");
  await page.fill(".search input", "select");
  await page.waitForFunction(() => window.c360.loaded("sql"));
  assert.deepEqual(outside(seen, site), []);
  assert.deepEqual(seen.errors, []);
  assert.ok(seen.requests.some((url) => url.endsWith("/data/index.js")));
  await context.close();
});

test("the policy holds: no text becomes script or markup", async () => {
  const { page, context } = await open(browser, site);
  const tried = await page.evaluate(async () => {
    const results = {};
    const attempt = (name, act) => {
      try {
        act();
        results[name] = "went through";
      } catch {
        results[name] = "refused";
      }
    };
    attempt("innerHTML", () => (document.createElement("div").innerHTML = "<b>x</b>"));
    // A moment later: what runs on a debugger's behalf may evaluate, what the page runs may not.
    await new Promise((done) => setTimeout(() => done(attempt("eval", () => window.eval("window.pwned = 1"))), 0));
    attempt("script elsewhere", () => (document.createElement("script").src = "https://example.com/x.js"));
    attempt("own loader elsewhere", () => window.trustedTypes.createPolicy("c360", { createScriptURL: (url) => url }));
    results.fetch = await fetch("data/index.js").then(() => "went through", () => "refused");
    results.loader = await window.c360.loadScript("https://example.com/x.js").then(() => "went through", () => "refused");
    attempt("inline handler", () => document.createElement("button").setAttribute("onclick", "window.pwned = 1"));
    return { ...results, pwned: window.pwned };
  });
  assert.deepEqual(tried, { innerHTML: "refused", eval: "refused", "script elsewhere": "refused", "own loader elsewhere": "refused", "inline handler": "refused", fetch: "refused", loader: "refused", pwned: undefined });
  await context.close();
});

test("the graph draws every node, and none over another", async () => {
  const { page, context } = await open(browser, site, "#/lineage");
  await lineageReady(page);
  const found = await page.evaluate(() => {
    const { cards } = window.c360.graph.scene();
    const overlaps = cards.filter((a, i) => cards.slice(i + 1).some((b) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h));
    const canvas = document.querySelector(".graph-canvas");
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    const colours = new Set();
    for (let i = 0; i < pixels.length; i += 4) colours.add((pixels[i] << 16) | (pixels[i + 1] << 8) | pixels[i + 2]);
    return { cards: cards.length, drawn: window.c360.layout.drawn.length, overlaps: overlaps.length, colours: colours.size };
  });
  assert.equal(found.cards, found.drawn);
  assert.ok(found.cards >= 19, `${found.cards} cards`);
  assert.equal(found.overlaps, 0);
  assert.ok(found.colours > 40, `${found.colours} colours on the canvas`);
  await shot(page, "lineage");
  await context.close();
});

test("a click on a column of a mart lights its chain down to the field in the file", async () => {
  const { page, context } = await open(browser, site, "#/lineage?focus=model.c360.mart_totals");
  await lineageReady(page);
  await page.waitForFunction(() => window.c360.graph.probe("model.c360.mart_totals", "Total_Duration"));
  await page.evaluate(() => new Promise((done) => setTimeout(done, 300)));
  const at = await page.evaluate(() => window.c360.graph.probe("model.c360.mart_totals", "Total_Duration"));
  await page.mouse.click(at.x, at.y);
  await page.waitForFunction(() => window.c360.graph.scene().mode === "columns");
  await settle(page);
  const chain = await page.$$eval('[data-chain="up"] .mono', (rows) => rows.map((row) => [row.querySelector("small").textContent, row.querySelector("b").textContent].join(".")));
  for (const link of ["customer_behavior.TotalDuration", "stg_log_content.duration", "lake.log_content._source.TotalDuration"]) {
    assert.ok(chain.includes(link), `${link} is missing among ${chain.join(", ")}`);
  }
  const edges = await page.evaluate(() => window.c360.graph.scene().edges.map((edge) => ({ kind: edge.kind, label: edge.label })));
  assert.ok(edges.some((edge) => edge.kind === "direct" && /sum\(/i.test(edge.label)), "an edge carries the expression");
  assert.ok(edges.some((edge) => edge.kind === "indirect"), "what decides about rows is dashed");
  assert.match(await page.evaluate(() => location.hash), /column=model\.c360\.mart_totals:Total_Duration/);
  await shot(page, "column-lineage");

  // The link leads back to the same view.
  const { page: other, context: elsewhere } = await open(browser, site, await page.evaluate(() => location.hash));
  await other.waitForFunction(() => window.c360.graph && window.c360.graph.scene().mode === "columns");
  assert.deepEqual(await names(other), await names(page));
  await elsewhere.close();

  // Without what decides about rows, only what is made from values stays.
  await page.click('.panel button[aria-pressed="true"]');
  await settle(page);
  assert.ok(await page.evaluate(() => window.c360.graph.scene().edges.every((edge) => edge.kind === "direct")));
  await context.close();
});

test("selectors filter as on the command line, and say what they do not know", async () => {
  const { page, context } = await open(browser, site, "#/lineage");
  await lineageReady(page);
  const all = await names(page);
  await select(page, "+mart_totals");
  const above = await names(page);
  assert.ok(above.includes("lake.log_content") && above.includes("mart_totals") && !above.includes("mart_kpis"), above.join(" "));
  await select(page, "1+mart_totals");
  assert.deepEqual(await names(page), ["customer_behavior", "mart_totals"]);
  await select(page, "path:models/mart,config.materialized:table");
  assert.deepEqual(await names(page), ["mart_customer_360", "mart_kpis"]);
  await select(page, "mart_totals mart_k*");
  assert.deepEqual(await names(page), ["mart_kpis", "mart_totals"]);
  await select(page, "resource_type:source exclude:source:lake.keyword*");
  assert.deepEqual(await names(page), ["lake.contract_user", "lake.log_content", "lake.log_search"]);
  await select(page, "tag:mart+");
  await select(page, "type:destination", "exclude");
  assert.ok(!(await names(page)).includes("bi"));
  await select(page, "", "exclude");
  await select(page, "source:lake.log_content+1");
  assert.deepEqual(await names(page), ["lake.log_content", "stg_log_content"]);
  await select(page, "column:stg_log_content.duration+");
  const below = await names(page);
  assert.ok(below.includes("stg_log_content") && below.includes("mart_totals") && !below.includes("stg_log_search"), below.join(" "));
  await select(page, "@search_trend");
  assert.ok((await names(page)).includes("mart_customer_360"));

  for (const [text, said] of [
    ["tga:mart", "tag was probably meant"],
    ["mart_totls", "mart_totals was probably meant"],
    ["log_content", "source:lake.log_content"],
    ["state:modified", "command line"],
    ["type:tabel", "no resource type"],
    ["@mart_totals+", "do not go together"],
  ]) {
    await select(page, text);
    assert.match(await page.textContent(".graph-message"), new RegExp(said), text);
  }
  await shot(page, "selector-message");
  await select(page, "");
  assert.deepEqual(await names(page), all);
  assert.equal(await page.isVisible(".graph-message"), false);
  await context.close();
});

test("depth sliders keep to the neighbourhood, and the impact list leads on", async () => {
  const { page, context } = await open(browser, site, "#/lineage?focus=model.c360.customer_content&up=1&down=1");
  await lineageReady(page);
  const near = await names(page);
  assert.ok(near.includes("int_contract_usage") && near.includes("mart_kpis") && !near.includes("stg_log_content"), near.join(" "));
  await page.fill('[aria-label="Upstream: steps"]', "2");
  await settle(page);
  assert.ok((await names(page)).includes("stg_log_content"));
  assert.match(await page.evaluate(() => location.hash), /up=2/);
  await page.click('.panel .impact button[title="model.c360.mart_kpis"]');
  await page.waitForFunction(() => window.c360.graph.state().focus === window.c360.model.nodeById.get("model.c360.mart_kpis").n);
  assert.equal(await page.textContent(".panel h2"), "mart_kpis");
  await context.close();
});

test("exports are files that hold what is seen", async () => {
  const { page, context } = await open(browser, site, "#/lineage?select=%2Bmart_totals");
  await lineageReady(page);
  const shown = await names(page);
  const save = async (title) => {
    await page.click(".popup-box > button");
    const [download] = await Promise.all([page.waitForEvent("download"), page.click(`[role="menuitem"]:has-text("${title}")`)]);
    return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
  };
  const drawing = await save("SVG");
  assert.match(drawing.name, /\.svg$/);
  const parsed = await page.evaluate((text) => {
    const found = new DOMParser().parseFromString(text, "image/svg+xml");
    return { root: found.documentElement.localName, error: Boolean(found.querySelector("parsererror")) };
  }, drawing.bytes.toString()).catch(() => null);
  // The page itself may not parse text (Trusted Types), which is as it should be: then the text is looked at here.
  if (parsed) assert.deepEqual(parsed, { root: "svg", error: false });
  const svg = drawing.bytes.toString();
  assert.equal(svg.match(/<g/g).length, svg.match(/<\/g>/g).length);
  for (const name of shown) assert.ok(svg.includes(`${name.slice(0, 15)}`), `${name} is in the drawing`);
  const picture = await save("PNG");
  assert.equal(picture.bytes.subarray(1, 4).toString(), "PNG");
  assert.ok(picture.bytes.readUInt32BE(16) > 600 && picture.bytes.length > 10000);
  const text = (await save("Mermaid text")).bytes.toString();
  assert.match(text, /^flowchart LR\n/);
  for (const name of shown) assert.ok(text.includes(`"${name}"`), `${name} is in the text`);
  assert.equal(text.match(/-->/g).length, await page.evaluate(() => window.c360.graph.scene().edges.length));
  await context.close();
});

test("search finds names, columns, descriptions and SQL, by keys alone", async () => {
  const { page, context } = await open(browser, site);
  await page.keyboard.press("Control+k");
  await page.keyboard.type("mart_tot");
  await page.waitForFunction(() => window.c360.loaded("sql"));
  assert.equal(await page.textContent('.search-list [aria-selected="true"] .what'), "mart_totals");
  await shot(page, "search");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => location.hash === "#/node/model.c360.mart_totals");
  await settle(page);
  const results = (query) => page.evaluate((text) => window.c360.search.find(text).map((item) => [item.kind, item.title, item.note]), query);
  await page.keyboard.press("/");
  assert.deepEqual((await results("total_duration"))[0].slice(0, 2), ["column", "Total_Duration"]);
  assert.ok((await results("viewing month")).some(([, title]) => title === "mart_totals"), "words of a description");
  assert.ok((await results("row_number")).some(([, title]) => title.startsWith("stg_")), "words of SQL");
  assert.ok((await results("not_null month")).some(([kind]) => kind === "test"), "tests");
  assert.deepEqual(await results("zzzzqqqq"), []);
  await page.fill(".search input", "duration");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  const chosen = await page.getAttribute(".search input", "aria-activedescendant");
  assert.equal(chosen, "found-2");
  assert.ok((await page.$$(".search-list mark")).length > 0, "what was found is marked");
  await page.keyboard.press("Escape");
  assert.equal(await page.isVisible(".search"), false);
  await context.close();
});

test("a node's page has its columns, code, rows, tests and runs", async () => {
  const { page, context } = await open(browser, site, "#/node/model.c360.mart_totals");
  await settle(page);
  await page.waitForSelector("#part-columns");
  const columns = await page.$$eval("#part-columns tbody tr:not(.more-of) .name a", (links) => links.map((link) => link.textContent));
  assert.ok(columns.includes("Month") && columns.includes("Total_Duration"));
  assert.match(await page.textContent("#part-code .code-text"), /date_trunc\('month'/);
  await page.click('[role="tab"]:has-text("Compiled")');
  assert.doesNotMatch(await page.textContent("#part-code .code-text"), /\{\{/);
  await page.keyboard.press("ArrowLeft");
  assert.equal(await page.getAttribute('[role="tab"]:has-text("Source")', "aria-selected"), "true");
  assert.ok(await page.$('#part-code a[href="#/node/model.c360.customer_behavior"]'), "a ref is a link");
  await page.click('#part-columns .open[aria-label="More about Total_Duration"]');
  assert.match(await page.textContent("#part-columns tr.more-of:not([hidden])"), /customer_behavior\.TotalDuration/);
  assert.ok(await page.$("#part-tests tbody tr"));
  await shot(page, "model", { fullPage: true });
  await context.close();
});

test("a source's page shows its files and when they came", async () => {
  const { page, context } = await open(browser, site, "#/node/source.c360.lake.log_content");
  await settle(page);
  await page.waitForSelector(".calendar");
  const days = await page.$$eval(".day.l1, .day.l2, .day.l3, .day.l4", (cells) => cells.map((cell) => cell.dataset.day));
  assert.ok(days.includes("2022-04-01"), days.join(" "));
  const missing = await page.$$eval(".day.missing", (cells) => cells.map((cell) => cell.dataset.day));
  const said = await page.evaluate(() => window.c360.model.nodeById.get("source.c360.lake.log_content").missing || 0);
  assert.equal(missing.length, said);
  assert.ok((await page.$$("#part-files tbody tr")).length >= 10);
  await shot(page, "source", { fullPage: true });
  await context.close();
});

test("lists sort and filter, and their address remembers", async () => {
  const { page, context } = await open(browser, site, "#/models");
  await page.click('th button:has-text("Name")');
  const down = await page.$$eval("tbody tr td:first-child", (cells) => cells.map((cell) => cell.textContent));
  assert.deepEqual(down, [...down].sort((a, b) => b.localeCompare(a, "en", { numeric: true })));
  await page.fill('[aria-label="Filter Models"]', "mart");
  const hash = await page.evaluate(() => location.hash);
  assert.match(hash, /q=mart/);
  const { page: other, context: elsewhere } = await open(browser, site, hash);
  assert.deepEqual(await other.$$eval("tbody tr td:first-child", (cells) => cells.map((cell) => cell.textContent)), down.filter((name) => /mart/.test(name) || name === "").length ? await page.$$eval("tbody tr td:first-child", (cells) => cells.map((cell) => cell.textContent)) : []);
  await elsewhere.close();
  await context.close();
});

test("keys lead everywhere", async () => {
  const { page, context } = await open(browser, site);
  for (const [keys, hash] of [["gl", "#/lineage"], ["gm", "#/models"], ["gs", "#/sources"], ["gt", "#/tests"], ["gh", "#/"]]) {
    for (const key of keys) await page.keyboard.press(key);
    await page.waitForFunction((wanted) => location.hash.split("?")[0] === wanted, hash);
  }
  await page.keyboard.press("?");
  assert.ok(await page.isVisible("dialog.help"));
  await page.keyboard.press("Escape");
  await page.waitForFunction(() => !document.querySelector("dialog[open]"));
  const before = await page.getAttribute("html", "data-theme");
  await page.keyboard.press("t");
  assert.notEqual(await page.getAttribute("html", "data-theme"), before);

  // Along the edges of the graph.
  await go(page, "#/lineage?focus=model.c360.mart_totals");
  await lineageReady(page);
  await page.focus(".graph-canvas");
  await page.keyboard.press("ArrowLeft");
  await page.waitForFunction(() => /customer_behavior/.test(document.getElementById("announce").textContent));
  assert.match(await page.evaluate(() => location.hash), /focus=model\.c360\.customer_behavior/);
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => location.hash === "#/node/model.c360.customer_behavior");
  await page.goBack();
  await page.waitForFunction(() => location.hash.startsWith("#/lineage"));

  // From the first Tab on, something visible has the focus.
  await go(page, "#/");
  await page.evaluate(() => document.activeElement.blur());
  const stops = [];
  for (let i = 0; i < 12; i += 1) {
    await page.keyboard.press("Tab");
    stops.push(await page.evaluate(() => document.activeElement.textContent.trim() || document.activeElement.getAttribute("aria-label")));
  }
  assert.ok(stops.every(Boolean), stops.join(" | "));
  await context.close();
});

for (const theme of ["light", "dark"]) {
  test(`axe finds nothing serious on any page, ${theme}`, async () => {
    const { page, context, seen } = await open(browser, site, "#/", { theme });
    const found = [];
    for (const [name, hash] of await addresses(page)) {
      await go(page, hash);
      if (hash.startsWith("#/lineage")) await lineageReady(page);
      found.push(...(await axe(page)).map((line) => `${name}: ${line}`));
      await shot(page, `${name}-${theme}`, { fullPage: !hash.startsWith("#/lineage") });
    }
    await go(page, "#/lineage?focus=model.c360.customer_content");
    await lineageReady(page);
    found.push(...(await axe(page)).map((line) => `focus: ${line}`));
    await shot(page, `focus-${theme}`);
    await page.keyboard.press("/");
    await page.fill(".search input", "duration");
    await page.waitForSelector(".search-list [role=option]");
    found.push(...(await axe(page)).map((line) => `search: ${line}`));
    await shot(page, `search-${theme}`);
    await page.keyboard.press("Escape");
    await page.waitForFunction(() => !document.querySelector("dialog[open]"));
    await page.keyboard.press("?");
    found.push(...(await axe(page)).map((line) => `help: ${line}`));
    assert.deepEqual(found, []);
    assert.deepEqual(seen.errors, []);
    await context.close();
  });
}

test("a phone shows all of it without moving sideways", async () => {
  const { page, context } = await open(browser, site, "#/", { width: 390, height: 844, hasTouch: true, isMobile: true });
  const found = [];
  for (const [name, hash] of await addresses(page)) {
    await go(page, hash);
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (over > 1) found.push(`${name}: ${over} pixels too wide`);
    await shot(page, `phone-${name}`);
  }
  assert.deepEqual(found, []);
  await go(page, "#/models");
  await page.click(".top .menu");
  await page.waitForSelector(".side a[href='#/lineage']", { state: "visible" });
  await page.waitForFunction(() => document.getElementById("side").getBoundingClientRect().left === 0);
  found.push(...(await axe(page)));
  assert.deepEqual(found, []);
  await context.close();
});

test("a page prints as a page", async () => {
  const { page, context } = await open(browser, site, "#/node/model.c360.mart_totals");
  await settle(page);
  await page.emulateMedia({ media: "print" });
  assert.equal(await page.isVisible(".side"), false);
  assert.ok(await page.isVisible("#part-columns"));
  await shot(page, "print", { fullPage: true });
  await context.close();
});
