"""The Customer360 job by dbt with DuckDB: `dbt_job.py LAKE OUT` writes a project into OUT and runs `dbt run` there."""
import os
import re
import sys
from pathlib import Path

import marts

lake, out = sys.argv[1], Path(sys.argv[2])
models = [(name, query, "view") for name, query in marts.sources("duckdb", lake).items()]
models += [(name, query, "external" if is_mart else "table") for name, query, is_mart in marts.tables("duckdb")]
names = "|".join(name for name, _, _ in models)
(out / "dbt/models").mkdir(parents=True)
(out / "dbt/dbt_project.yml").write_text("name: peer\nversion: '1.0'\nprofile: peer\nflags: {send_anonymous_usage_stats: false}\n")
(out / "dbt/profiles.yml").write_text(
    f"peer:\n  target: dev\n  outputs:\n    dev: {{type: duckdb, path: {out}/dbt/peer.duckdb, threads: 2, "
    f"external_root: {out}, settings: {{preserve_insertion_order: false}}}}\n")
for name, query, kind in models:
    query = re.sub(rf"\b(from|join) ({names})\b(?! as \()", r"\1 {{ ref('\2') }} as \2", query)
    query = re.sub(r"(\}\} as \w+) as (\w+)", lambda found: found[1].rsplit(" ", 1)[0] + " " + found[2], query)
    (out / f"dbt/models/{name}.sql").write_text(f"{{{{ config(materialized='{kind}') }}}}\n{query}\n")
dbt = Path(sys.executable).with_name("dbt")
os.chdir(out / "dbt")
os.execv(dbt, [str(dbt), "--quiet", "run", "--project-dir", ".", "--profiles-dir", "."])
