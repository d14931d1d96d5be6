// Five thousand models: the pages do what they do with twenty. Times are printed, for people; what is asserted is what is drawn.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { go, launch, open, settle, shot } from "./browser.mjs";
import { largeSite } from "./fixture.mjs";

const count = 5000;
let browser;
let site;
before(async () => {
  site = largeSite(mkdtempSync(join(tmpdir(), "c360-large-")), count);
  browser = await launch();
});
after(async () => {
  await browser.close();
  rmSync(site, { recursive: true, force: true });
});

/** The frames of a gesture: how many, how long the median and the longest took to draw, and between two of them. */
async function frames(page, gesture) {
  await page.evaluate(() => {
    window.c360.graph.frames.length = 0;
    window.ticks = [];
    const tick = (now) => {
      window.ticks.push(now);
      window.ticking = requestAnimationFrame(tick);
    };
    window.ticking = requestAnimationFrame(tick);
  });
  await gesture();
  return page.evaluate(() => {
    cancelAnimationFrame(window.ticking);
    const middle = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)] || 0;
    const gaps = window.ticks.slice(1).map((at, i) => at - window.ticks[i]);
    const { frames: drawn } = window.c360.graph;
    return {
      drawn: drawn.length,
      drawMs: middle(drawn).toFixed(1),
      slowestDrawMs: Math.max(...drawn).toFixed(1),
      frameMs: middle(gaps).toFixed(1),
      slowestFrameMs: Math.max(...gaps).toFixed(1),
    };
  });
}

async function drag(page) {
  await page.mouse.move(700, 500);
  await page.mouse.down();
  for (let i = 0; i < 60; i += 1) await page.mouse.move(700 - i * 6, 500 + Math.sin(i / 6) * 80);
  await page.mouse.up();
}

test("5,000 nodes pan and zoom", async (t) => {
  const start = Date.now();
  const { page, context, seen } = await open(browser, site, "#/lineage");
  await page.waitForFunction(
    () => window.c360.graph && window.c360.graph.scene().cards.length > 0 && window.c360.graph.frames.length > 0,
  );
  t.diagnostic(`the graph of ${count} nodes stood ${Date.now() - start} ms after the start`);
  assert.equal(await page.evaluate(() => window.c360.graph.scene().cards.length), count);
  await shot(page, "large");
  t.diagnostic(`pan, all in sight: ${JSON.stringify(await frames(page, () => drag(page)))}`);
  const zoom = await frames(page, async () => {
    for (let i = 0; i < 12; i += 1) await page.mouse.wheel(0, -200);
  });
  t.diagnostic(`zoom in: ${JSON.stringify(zoom)}`);
  t.diagnostic(`pan, zoomed in: ${JSON.stringify(await frames(page, () => drag(page)))}`);
  await shot(page, "large-near");
  const view = await page.evaluate(() => window.c360.graph.view());
  assert.ok(view.scale > 0.1, `zoomed to ${view.scale}`);
  assert.deepEqual(seen.errors, []);
  await context.close();
});

test("5,000 nodes are selected, traced and searched", async (t) => {
  const { page, context, seen } = await open(browser, site, "#/lineage");
  const timed = async (what, act) => {
    const start = Date.now();
    const result = await act();
    t.diagnostic(`${what}: ${Date.now() - start} ms`);
    return result;
  };
  await page.waitForFunction(() => window.c360.graph && window.c360.graph.scene().cards.length > 0);
  const last = await page.evaluate(() => window.c360.model.nodes[window.c360.model.nodes.length - 1].name);
  await timed("a selection of ancestors", async () => {
    await page.fill('[data-field="select"]', `+${last}`);
    await page.press('[data-field="select"]', "Enter");
    await page.waitForFunction((all) => window.c360.graph.scene().cards.length < all, count);
  });
  const shown = await page.evaluate(() => window.c360.graph.scene().cards.length);
  assert.ok(shown > 10 && shown < count / 2, `${shown} nodes`);
  const overlaps = await page.evaluate(() => {
    const { cards } = window.c360.graph.scene();
    return cards.filter((a, i) =>
      cards.slice(i + 1).some((b) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h),
    ).length;
  });
  assert.equal(overlaps, 0);
  await shot(page, "large-selected");
  await timed("the lineage of a column", async () => {
    await go(page, `#/lineage?column=${encodeURIComponent(`model.big.${last}:column_3`)}`);
    await page.waitForFunction(() => window.c360.graph.scene().mode === "columns");
  });
  await shot(page, "large-column");
  await page.focus(".graph-canvas");
  await timed("a search over 65,000 entries", async () => {
    await page.keyboard.press("/");
    await page.waitForFunction(() => window.c360.loaded("sql"));
    await page.fill(".search input", "column_7 mart_model_4999");
    await page.waitForFunction(
      () => document.querySelector('.search-list [aria-selected="true"] .what')?.textContent === "column_7",
    );
  });
  assert.deepEqual(seen.errors, []);
  await context.close();
});

test("a node's page with 200 columns opens", async (t) => {
  const { page, context, seen } = await open(browser, site);
  await settle(page);
  const took = await page.evaluate(
    (n) =>
      new Promise((done) => {
        const start = performance.now();
        location.hash = window.c360.model.hrefs.node(window.c360.model.nodes[n]);
        const look = () =>
          document.querySelector("#part-columns")
            ? requestAnimationFrame(() => done(performance.now() - start))
            : setTimeout(look, 1);
        look();
      }),
    count - 1,
  );
  t.diagnostic(`a page with 200 columns, 400 lines and 60 runs: ${took.toFixed(0)} ms`);
  await page.waitForFunction(() => document.querySelectorAll("#part-columns tbody tr:not(.more-of)").length === 200);
  await settle(page);
  assert.deepEqual(seen.errors, []);
  await shot(page, "large-node");
  await context.close();
});
