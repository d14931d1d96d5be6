// The lineage page of the flagship project's site.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { launch, lineageReady, open, settle, shot } from "./browser.mjs";

const site = process.env.C360_SITE;
let browser;

before(async () => {
  assert.ok(site, "C360_SITE names the folder of a site; scripts/browser-test sets it");
  browser = await launch();
});
after(() => browser && browser.close());

const names = (page) =>
  page.evaluate(() =>
    window.c360.graph
      .scene()
      .cards.map((card) => window.c360.model.nodes[card.n].name)
      .sort(),
  );

/** Types a selection and waits for what it shows. */
async function select(page, text, field = "select") {
  await page.fill(`[data-field="${field}"]`, text);
  await page.press(`[data-field="${field}"]`, "Enter");
  await settle(page);
}

test("the graph draws every node, and none over another", async () => {
  const { page, context } = await open(browser, site, "#/lineage");
  await lineageReady(page);
  const found = await page.evaluate(() => {
    const { cards } = window.c360.graph.scene();
    const overlaps = cards.filter((a, i) =>
      cards.slice(i + 1).some((b) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h),
    );
    const canvas = document.querySelector(".graph-canvas");
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    const colours = new Set();
    for (let i = 0; i < pixels.length; i += 4) colours.add((pixels[i] << 16) | (pixels[i + 1] << 8) | pixels[i + 2]);
    return {
      cards: cards.length,
      drawn: window.c360.layout.drawn.length,
      overlaps: overlaps.length,
      colours: colours.size,
    };
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
  const chain = await page.$$eval('[data-chain="up"] .mono', (rows) =>
    rows.map((row) => [row.querySelector("small").textContent, row.querySelector("b").textContent].join(".")),
  );
  for (const link of [
    "customer_behavior.TotalDuration",
    "stg_log_content.duration",
    "lake.log_content._source.TotalDuration",
  ]) {
    assert.ok(chain.includes(link), `${link} is missing among ${chain.join(", ")}`);
  }
  const edges = await page.evaluate(() =>
    window.c360.graph.scene().edges.map((edge) => ({ kind: edge.kind, label: edge.label })),
  );
  assert.ok(
    edges.some((edge) => edge.kind === "direct" && /sum\(/i.test(edge.label)),
    "an edge carries the expression",
  );
  assert.ok(
    edges.some((edge) => edge.kind === "indirect"),
    "what decides about rows is dashed",
  );
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
  assert.ok(
    above.includes("lake.log_content") && above.includes("mart_totals") && !above.includes("mart_kpis"),
    above.join(" "),
  );
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
  assert.ok(
    below.includes("stg_log_content") && below.includes("mart_totals") && !below.includes("stg_log_search"),
    below.join(" "),
  );
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

test("a selection is completed while it is typed", async () => {
  const { page, context } = await open(browser, site, "#/lineage");
  await lineageReady(page);
  await page.keyboard.press("s");
  await page.keyboard.type("1+mart_to");
  await page.waitForSelector(".complete [role=option]");
  assert.deepEqual(
    await page.$$eval(".complete:not([hidden]) [role=option]", (options) =>
      options.map((option) => option.textContent),
    ),
    ["mart_totals"],
  );
  await page.keyboard.press("Tab");
  assert.equal(await page.inputValue('[data-field="select"]'), "1+mart_totals");
  assert.deepEqual(await names(page), ["customer_behavior", "mart_totals"]);
  await page.keyboard.type(",ta");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  assert.equal(await page.inputValue('[data-field="select"]'), "1+mart_totals,tag:");
  await page.keyboard.type("mar");
  await page.keyboard.press("Tab");
  assert.deepEqual(await names(page), ["mart_totals"]);
  await context.close();
});

test("depth sliders keep to the neighbourhood, and the impact list leads on", async () => {
  const { page, context } = await open(browser, site, "#/lineage?focus=model.c360.customer_content&up=1&down=1");
  await lineageReady(page);
  const near = await names(page);
  assert.ok(
    near.includes("int_contract_usage") && near.includes("mart_kpis") && !near.includes("stg_log_content"),
    near.join(" "),
  );
  await page.fill('[aria-label="Upstream: steps"]', "2");
  await settle(page);
  assert.ok((await names(page)).includes("stg_log_content"));
  assert.match(await page.evaluate(() => location.hash), /up=2/);
  await page.click('.panel .impact button[title="model.c360.mart_kpis"]');
  await page.waitForFunction(
    () => window.c360.graph.state().focus === window.c360.model.nodeById.get("model.c360.mart_kpis").n,
  );
  assert.equal(await page.textContent(".panel h2"), "mart_kpis");
  await context.close();
});

test("exports are files that hold what is seen", async () => {
  const { page, context } = await open(browser, site, "#/lineage?select=%2Bmart_totals");
  await lineageReady(page);
  const shown = await names(page);
  const save = async (title) => {
    await page.click(".popup-box > button");
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.click(`[role="menuitem"]:has-text("${title}")`),
    ]);
    return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
  };
  const drawing = await save("SVG");
  assert.match(drawing.name, /\.svg$/);
  const parsed = await page
    .evaluate((text) => {
      const found = new DOMParser().parseFromString(text, "image/svg+xml");
      return { root: found.documentElement.localName, error: Boolean(found.querySelector("parsererror")) };
    }, drawing.bytes.toString())
    .catch(() => null);
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
