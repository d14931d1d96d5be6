// Whoever reads, on whatever: axe in both colour schemes, a phone, paper.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { addresses, axe, go, launch, lineageReady, open, output, settle, shot } from "./browser.mjs";

const site = process.env.C360_SITE;
let browser;

before(async () => {
  assert.ok(site, "C360_SITE names the folder of a site; scripts/browser-test sets it");
  browser = await launch();
});
after(() => browser && browser.close());

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
  const { page, context } = await open(browser, site, "#/", {
    width: 390,
    height: 844,
    hasTouch: true,
    isMobile: true,
  });
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
  const { page, context } = await open(browser, site, "#/node/model.c360.mart_totals", { theme: "dark" });
  await settle(page);
  await page.emulateMedia({ media: "print" });
  await page.evaluate(() => window.dispatchEvent(new Event("beforeprint")));
  assert.equal(await page.getAttribute("html", "data-theme"), "light", "paper is light");
  assert.equal(await page.isVisible(".side"), false);
  assert.ok(await page.isVisible("#part-columns"));
  const pdf = await page.pdf({ format: "A4", path: join(output, "print.pdf") });
  assert.ok(pdf.length > 20000);
  await shot(page, "print", { fullPage: true });
  await context.close();
});
