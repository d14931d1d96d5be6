// The site of the flagship project, as a reader uses it. C360_SITE is the folder that `c360 docs generate` wrote.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { addresses, go, launch, lineageReady, open, outside, settle, shot } from "./browser.mjs";

const site = process.env.C360_SITE;
let browser;

before(async () => {
  assert.ok(site, "C360_SITE names the folder of a site; scripts/browser-test sets it");
  browser = await launch();
});
after(() => browser && browser.close());

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
    results.fetch = await fetch("data/index.js").then(
      () => "went through",
      () => "refused",
    );
    results.loader = await window.c360.loadScript("https://example.com/x.js").then(
      () => "went through",
      () => "refused",
    );
    attempt("inline handler", () => document.createElement("button").setAttribute("onclick", "window.pwned = 1"));
    return { ...results, pwned: window.pwned };
  });
  assert.deepEqual(tried, {
    innerHTML: "refused",
    eval: "refused",
    "script elsewhere": "refused",
    "own loader elsewhere": "refused",
    "inline handler": "refused",
    fetch: "refused",
    loader: "refused",
    pwned: undefined,
  });
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
  const results = (query) =>
    page.evaluate((text) => window.c360.search.find(text).map((item) => [item.kind, item.title, item.note]), query);
  await page.keyboard.press("/");
  assert.deepEqual((await results("total_duration"))[0].slice(0, 2), ["column", "Total_Duration"]);
  assert.ok(
    (await results("viewing month")).some(([, title]) => title === "mart_totals"),
    "words of a description",
  );
  assert.ok(
    (await results("row_number")).some(([, title]) => title.startsWith("stg_")),
    "words of SQL",
  );
  assert.ok(
    (await results("not_null month")).some(([kind]) => kind === "test"),
    "tests",
  );
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
  const columns = await page.$$eval("#part-columns tbody tr:not(.more-of) .name a", (links) =>
    links.map((link) => link.textContent),
  );
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

test("every node's page opens, and soon", async (t) => {
  const { page, context, seen } = await open(browser, site, "#/models");
  const times = await page.evaluate(async () => {
    const found = [];
    for (const node of window.c360.model.nodes) {
      const start = performance.now();
      location.hash = window.c360.model.hrefs.node(node);
      // Until what is in sight has been painted; what is further down follows.
      await new Promise((done) => {
        const look = () =>
          document.querySelector("main .sheet")
            ? requestAnimationFrame(() => setTimeout(done, 0))
            : setTimeout(look, 1);
        window.addEventListener("hashchange", () => setTimeout(look, 0), { once: true });
      });
      found.push([node.id, performance.now() - start]);
    }
    return found;
  });
  const sorted = times.map(([, ms]) => ms).sort((a, b) => a - b);
  t.diagnostic(
    `${sorted.length} pages: median ${sorted[sorted.length >> 1].toFixed(0)} ms, slowest ${sorted[sorted.length - 1].toFixed(0)} ms`,
  );
  assert.deepEqual(seen.errors, []);
  await context.close();
});

test("a source's page shows its files and when they came", async () => {
  const { page, context } = await open(browser, site, "#/node/source.c360.lake.log_content");
  await settle(page);
  await page.waitForSelector(".calendar");
  const days = await page.$$eval(".day.l1, .day.l2, .day.l3, .day.l4", (cells) =>
    cells.map((cell) => cell.dataset.day),
  );
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
  assert.deepEqual(
    down,
    [...down].sort((a, b) => b.localeCompare(a, "en", { numeric: true })),
  );
  await page.fill('[aria-label="Filter Models"]', "mart");
  const hash = await page.evaluate(() => location.hash);
  assert.match(hash, /q=mart/);
  const { page: other, context: elsewhere } = await open(browser, site, hash);
  assert.deepEqual(
    await other.$$eval("tbody tr td:first-child", (cells) => cells.map((cell) => cell.textContent)),
    down.filter((name) => /mart/.test(name) || name === "").length
      ? await page.$$eval("tbody tr td:first-child", (cells) => cells.map((cell) => cell.textContent))
      : [],
  );
  await elsewhere.close();
  await context.close();
});

test("keys lead everywhere", async () => {
  const { page, context } = await open(browser, site);
  for (const [keys, hash] of [
    ["gl", "#/lineage"],
    ["gm", "#/models"],
    ["gs", "#/sources"],
    ["gt", "#/tests"],
    ["gh", "#/"],
  ]) {
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
    stops.push(
      await page.evaluate(
        () => document.activeElement.textContent.trim() || document.activeElement.getAttribute("aria-label"),
      ),
    );
  }
  assert.ok(stops.every(Boolean), stops.join(" | "));
  await context.close();
});
