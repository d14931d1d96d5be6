// What the tests share: a headless Chromium, a page that notes all it asks for and says, axe, screenshots.
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

// Packages live in a cache folder of the machine, not in the repository: scripts/browser-test puts them there.
const require = createRequire(join(process.env.C360_BROWSER_CACHE || process.cwd(), "package.json"));
const { chromium } = require("playwright-core");
const axeSource = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

export const output = process.env.C360_BROWSER_OUTPUT || "target/browser";
mkdirSync(output, { recursive: true });

export const launch = () =>
  chromium.launch({
    executablePath: process.env.C360_CHROMIUM || "/usr/bin/chromium",
    // As root there is no sandbox to be had; what is opened are files that the tests made.
    args: process.getuid && process.getuid() === 0 ? ["--no-sandbox"] : [],
  });

/** A page of a site, opened from its file. `seen` collects requests, errors, dialogs. */
export async function open(
  browser,
  site,
  hash = "#/",
  { theme = "light", width = 1440, height = 900, ...options } = {},
) {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: theme,
    acceptDownloads: true,
    ...options,
  });
  const page = await context.newPage();
  const seen = { requests: [], errors: [], dialogs: [] };
  page.on("request", (request) => seen.requests.push(request.url()));
  page.on("pageerror", (error) => seen.errors.push(String(error.stack || error)));
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && seen.errors.push(message.text()));
  page.on("dialog", (dialog) => {
    seen.dialogs.push(dialog.message());
    dialog.dismiss();
  });
  await page.goto(`file://${site}/index.html${hash}`);
  await page.waitForFunction(() => document.querySelector("main").childElementCount > 0);
  return { page, context, seen };
}

/** Goes to another view of the same page and waits until it stands. */
export async function go(page, hash) {
  await page.evaluate((to) => {
    location.hash = to;
  }, hash);
  await settle(page);
}

/** Until the page has all its data and has painted. */
export async function settle(page) {
  await page.waitForFunction(
    () =>
      document.querySelector("main").childElementCount > 0 && !document.querySelector("main .loading, main[data-busy]"),
  );
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}

/** What axe finds that is serious or critical, as lines. */
export async function axe(page) {
  await page.evaluate(axeSource);
  const results = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"], preload: false }));
  return results.violations
    .filter((violation) => ["serious", "critical"].includes(violation.impact))
    .flatMap((violation) =>
      violation.nodes.map(
        (node) =>
          `${violation.id}: ${node.target.join(" ")}: ${node.failureSummary.split("\n").slice(1, 2).join("").trim()}`,
      ),
    );
}

export const shot = (page, name, options = {}) => page.screenshot({ path: join(output, `${name}.png`), ...options });

/** Requests that leave the folder of the site. */
export const outside = (seen, site) =>
  seen.requests.filter(
    (url) => !url.startsWith(`file://${site}/`) && !url.startsWith("blob:") && !url.startsWith("data:"),
  );

/** Every kind of page of the flagship's site, with an address. */
export async function addresses(page) {
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
      test:
        model.tests.length > 0
          ? model.hrefs.test(model.tests.find((each) => each.status && each.status !== "pass") || model.tests[0])
          : null,
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

/** Until the graph is painted. */
export async function lineageReady(page) {
  await page.waitForFunction(
    () => window.c360.graph && window.c360.graph.scene().cards.length > 0 && window.c360.graph.frames.length > 0,
  );
  await settle(page);
}
