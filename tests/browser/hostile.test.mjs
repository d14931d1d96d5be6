// A project whose names, descriptions, code, rows and messages all try to be something else than text.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { go, launch, open, outside, settle, shot } from "./browser.mjs";
import { hostile, hostileSite } from "./hostile.mjs";

let browser;
let site;
before(async () => {
  site = hostileSite(mkdtempSync(join(tmpdir(), "c360-hostile-")));
  browser = await launch();
});
after(async () => {
  await browser.close();
  rmSync(site, { recursive: true, force: true });
});

test("hostile texts stay texts on every page", async () => {
  const { page, context, seen } = await open(browser, site);
  await shot(page, "hostile-home", { fullPage: true });
  const pages = await page.evaluate(() => {
    const { model } = window.c360;
    return ["#/lineage", "#/models", "#/sources", "#/exposures", "#/tests", "#/macros", "#/runs"].concat(
      model.nodes.map(model.hrefs.node),
      model.tests.map(model.hrefs.test),
      model.macros.map(model.hrefs.macro),
      model.nodes.map((node) => model.hrefs.column(node, node.name)),
      model.nodes.map((node) => model.hrefs.lineage({ focus: node.id })),
    );
  });
  for (const hash of pages) {
    await go(page, hash);
    const wrong = await page.evaluate(() => {
      const found = [];
      for (const element of document.querySelectorAll("main *, aside *, header *")) {
        if (["SCRIPT", "IFRAME", "OBJECT", "EMBED", "STYLE", "LINK", "IMG"].includes(element.tagName))
          found.push(element.tagName);
        for (const { name, value } of element.attributes) {
          if (/^on/i.test(name)) found.push(`${element.tagName} ${name}`);
          if (["href", "src", "action", "formaction"].includes(name) && !/^(https?:\/\/|mailto:|#)/.test(value))
            found.push(`${name}=${value}`);
        }
      }
      return found;
    });
    assert.deepEqual(wrong, [], hash);
    // Everything that can be opened is opened.
    await page.evaluate(() =>
      document
        .querySelectorAll("main button.open, main [role=tab], main summary")
        .forEach((element) => element.click()),
    );
  }
  assert.equal(await page.evaluate(() => window.pwned), undefined);
  assert.equal(await page.evaluate(() => ({}).polluted ?? Object.keys(Object.prototype).length), 0);
  assert.deepEqual(seen.dialogs, []);
  assert.deepEqual(outside(seen, site), []);
  assert.deepEqual(seen.errors, []);
  await context.close();
});

test("a description keeps what is known and shows the rest as it was written", async () => {
  const { page, context } = await open(browser, site, await first(browser));
  await page.waitForSelector("#part-about .prose");
  const prose = await page.evaluate(() => {
    const element = document.querySelector("#part-about .prose");
    return {
      text: element.textContent,
      tags: [...new Set([...element.querySelectorAll("*")].map((each) => each.localName))].sort(),
      hrefs: [...element.querySelectorAll("a")].map((link) => link.getAttribute("href")),
      bare: [...element.querySelectorAll("a")].every((link) => link.attributes.length <= 2),
    };
  });
  assert.deepEqual(prose.tags, ["a", "p", "strong"]);
  assert.deepEqual(prose.hrefs, [null, "https://example.com/"]);
  assert.ok(prose.bare, "no attribute came along");
  assert.ok(
    prose.text.includes("<script>window.pwned=1</script>") && prose.text.includes("<b>not bold</b> <i>"),
    prose.text,
  );
  await context.close();
});

/** The address of the first node. */
async function first() {
  const { page, context } = await open(browser, site);
  const hash = await page.evaluate(() => window.c360.model.hrefs.node(window.c360.model.nodes[0]));
  await context.close();
  return hash;
}

test("hostile texts find and filter like any other, and stay texts in exports", async () => {
  const { page, context, seen } = await open(browser, site, "#/lineage");
  await page.waitForFunction(() => window.c360.graph && window.c360.graph.scene().cards.length > 0);
  for (const text of hostile) {
    await page.fill('[data-field="select"]', text);
    await page.press('[data-field="select"]', "Enter");
    await settle(page);
  }
  const exported = await page.evaluate((count) => {
    const scene = window.c360.scene.ofNodes(window.c360.layout.drawn, new Map());
    const svg = window.c360.exports.toSvg(scene, { colourOf: (node) => node.name });
    const text = window.c360.exports.toMermaid(scene);
    return {
      cards: scene.cards.length === count,
      svg,
      lines: text.trim().split("\n").length,
      edges: scene.edges.length,
    };
  }, hostile.length);
  assert.ok(exported.cards);
  assert.equal(exported.lines, 1 + hostile.length + exported.edges, "a name breaks no line of the text");
  assert.doesNotMatch(exported.svg, /<script|<img|<svg onload|<!--/);
  await page.keyboard.press("Escape");
  await go(page, "#/");
  for (const text of hostile.slice(0, 6)) {
    await page.keyboard.press("/");
    await page.fill(".search input", text);
    await page.waitForSelector(".search-list li");
    await page.keyboard.press("Escape");
    await page.waitForFunction(() => !document.querySelector("dialog[open]"));
  }
  assert.equal(await page.evaluate(() => window.pwned), undefined);
  assert.deepEqual(seen.errors, []);
  assert.deepEqual(outside(seen, site), []);
  await context.close();
});
