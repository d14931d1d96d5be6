// What the pages are made of, without a browser.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const assets = join(dirname(fileURLToPath(import.meta.url)), "../../src/docs/assets");
const files = readdirSync(assets, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => relative(assets, join(entry.parentPath ?? entry.path, entry.name)))
  .sort();
const read = (file) => readFileSync(join(assets, file), "utf8");

test("the page loads every script and style once, and nothing else", () => {
  const html = read("index.html");
  const named = [...html.matchAll(/(?:src|href)="assets\/([^"]+)"/g)].map((found) => found[1]).sort();
  assert.deepEqual(
    named,
    files.filter((file) => file !== "index.html"),
  );
  assert.doesNotMatch(html, /<script(?![^>]*\bsrc=)|<style|\son[a-z]+=|\sstyle=/i, "nothing is inline");
  assert.doesNotMatch(html, /(src|href)="(https?:)?\/\//, "nothing is elsewhere");
});

test("no script makes markup or code of text, and none asks for anything elsewhere", () => {
  for (const file of files.filter((name) => name.endsWith(".js"))) {
    const text = read(file).replace(/^\s*(\/\/|\*|\/\*\*).*$/gm, "");
    assert.doesNotMatch(text, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/, file);
    assert.doesNotMatch(text, /\bfetch\(|XMLHttpRequest|WebSocket|sendBeacon|EventSource|\bimport\(/, file);
    assert.ok(text.trimStart().startsWith('"use strict";'), `${file} is strict`);
  }
  for (const file of files.filter((name) => name.endsWith(".css"))) assert.doesNotMatch(read(file), /@import|url\(/, file);
});
