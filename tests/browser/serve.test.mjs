// `c360 docs serve --watch`: the same pages over HTTP, which follow the project.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { launch, settle } from "./browser.mjs";

const { C360_PROJECT: project, C360_TEST_BINARY: binary } = process.env;
const skip = project && binary ? false : "C360_PROJECT and C360_TEST_BINARY are not set";
const entries = "dbt_project.yml profiles.yml models macros seeds analyses data tests/data".split(" ");

let browser;
let folder;
let server;
let address;

before(async () => {
  if (skip) return;
  folder = mkdtempSync(join(tmpdir(), "c360-serve-"));
  for (const entry of entries) cpSync(join(project, entry), join(folder, entry), { recursive: true });
  server = spawn(binary, ["docs", "serve", "--watch", "--no-open", "--port", "0", "--empty-catalog"], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  address = await new Promise((resolve, reject) => {
    let said = "";
    const listen = (text) => {
      said += text;
      const found = /http:\/\/[\w.:[\]]+:\d+\//.exec(said);
      if (found) resolve(found[0]);
    };
    server.stdout.on("data", listen);
    server.stderr.on("data", listen);
    server.on("exit", (code) => reject(new Error(`it ended with ${code}: ${said}`)));
  });
  browser = await launch();
});
after(async () => {
  if (skip) return;
  server.removeAllListeners("exit");
  const ended = new Promise((resolve) => server.once("exit", resolve));
  server.kill("SIGINT");
  await Promise.all([ended, browser?.close()]);
  rmSync(folder, { recursive: true, force: true });
});

test("the pages hold their policy over HTTP and show what changes", { skip }, async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  const errors = [];
  const requests = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && errors.push(message.text()));
  page.on("request", (request) => requests.push(request.url()));
  const response = await page.goto(`${address}#/node/model.c360.mart_totals`);
  assert.match(response.headers()["content-security-policy"] || "", /default-src 'none'/);
  await page.waitForSelector("#part-about .prose");
  await settle(page);

  const properties = join(folder, "models/mart/_mart.yml");
  const text = readFileSync(properties, "utf8");
  writeFileSync(
    properties,
    text.replace("description: One row for each month of viewing", "description: Twelve rows for each year of viewing"),
  );
  await page.waitForFunction(
    () => /Twelve rows/.test(document.querySelector("#part-about .prose")?.textContent),
    null,
    { timeout: 60000 },
  );
  assert.equal(await page.evaluate(() => location.hash), "#/node/model.c360.mart_totals");
  assert.deepEqual(errors, []);
  assert.deepEqual(
    requests.filter((url) => !url.startsWith(address)),
    [],
  );
  await context.close();
});
