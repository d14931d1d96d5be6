// The selection box means what `--select` and `--exclude` mean: both are asked, of the flagship project.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { launch, open } from "./browser.mjs";

const { C360_SITE: site, C360_PROJECT: project, C360_TEST_BINARY: binary } = process.env;
const skip = project && binary ? false : "C360_PROJECT and C360_TEST_BINARY are not set";

// Analyses, exposures and destinations are left out of the comparison: the command lists some of them only when asked.
const selections = [
  ["mart_totals"],
  ["+mart_totals"],
  ["mart_totals+"],
  ["1+mart_totals"],
  ["2+mart_customer_360"],
  ["stg_log_content+1"],
  ["+customer_content+"],
  ["@search_trend"],
  ["@stg_log_content"],
  ["mart"],
  ["c360.mart"],
  ["staging.*"],
  ["c360.staging.stg_*"],
  ["*_content"],
  ["stg_?og_content"],
  ["stg_[a-k]*"],
  ["stg_[!a-k]*"],
  ["mart.mart_k*"],
  ["tag:mart"],
  ["tag:m*"],
  ["tag:content+"],
  ["path:models/mart"],
  ["path:models/*/mart_*.sql"],
  ["path:models/**/stg_*.sql"],
  ["models/staging"],
  ["models/staging/"],
  ["stg_log_content.sql"],
  ["file:mart_totals"],
  ["file:mart_*.sql"],
  ["source:lake"],
  ["source:lake.log_content"],
  ["source:c360.lake.log_*"],
  ["source:lake.log_content+"],
  ["+source:lake.keyword_category+1"],
  ["source:*"],
  ["config.materialized:table"],
  ["config.materialized:incremental"],
  ["config.materialized:seed"],
  ["config.incremental_strategy:delete+insert"],
  ["config.enabled:true"],
  ["config.nothing:x"],
  ["resource_type:source"],
  ["resource_type:seed+1"],
  ["resource_type:analysis"],
  ["package:c360"],
  ["package:this,tag:mart"],
  ["package:nothing"],
  ["access:protected"],
  ["access:public"],
  ["mart_totals mart_kpis"],
  ["tag:mart,config.materialized:table"],
  ["+mart_totals,+mart_kpis"],
  ["+mart_totals,resource_type:model stg_contract_user"],
  ["0+mart_totals+0"],
  ["99+mart_totals"],
  ["nothing_like_this"],
  ["+tag:mart", "tag:content"],
  ["*", "path:models"],
  ["*", "+mart_totals mart_kpis+"],
  ["path:seeds", "app_category"],
];

let browser;
let artifacts;
before(async () => {
  if (skip) return;
  artifacts = mkdtempSync(join(tmpdir(), "c360-select-"));
  browser = await launch();
});
after(async () => {
  if (skip) return;
  await browser.close();
  rmSync(artifacts, { recursive: true, force: true });
});

function listed([select, exclude]) {
  const options = [
    "ls",
    "--project-dir",
    project,
    "--target-path",
    artifacts,
    "--output",
    "json",
    "--select",
    select,
    ...(exclude ? ["--exclude", exclude] : []),
  ];
  const lines = execFileSync(binary, options, { encoding: "utf8", cwd: project, stdio: ["ignore", "pipe", "ignore"] });
  return lines
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line));
}

test("the selection box selects what the command line selects", { skip }, async () => {
  const { page, context } = await open(browser, site, "#/lineage");
  const compared = new Set(["model", "source", "seed", "snapshot"]);
  const differences = [];
  for (const selection of selections) {
    const there = listed(selection)
      .filter((node) => compared.has(node.resource_type))
      .map((node) => node.unique_id)
      .sort();
    const here = await page.evaluate(
      ([[select, exclude], types]) =>
        [...window.c360.select(select, exclude).chosen]
          .map((n) => window.c360.model.nodes[n])
          .filter((node) => types.includes(node.type))
          .map((node) => node.id)
          .sort(),
      [selection, [...compared]],
    );
    if (JSON.stringify(here) !== JSON.stringify(there))
      differences.push({
        selection: selection.join(" --exclude "),
        here: here.filter((id) => !there.includes(id)),
        there: there.filter((id) => !here.includes(id)),
      });
  }
  assert.deepEqual(differences, []);
  await context.close();
});
