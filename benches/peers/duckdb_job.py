"""The Customer360 job by DuckDB: `duckdb_job.py LAKE OUT`."""
import sys

import duckdb

import marts

lake, out = sys.argv[1:3]
db = duckdb.connect()
db.execute("set preserve_insertion_order = false")
for name, query in marts.sources("duckdb", lake).items():
    db.execute(f"create view {name} as {query}")
for name, query, is_mart in marts.tables("duckdb"):
    db.execute(f"create table {name} as {query}")
    if is_mart:
        db.execute(f"copy {name} to '{out}/{name}.parquet' (format parquet)")
