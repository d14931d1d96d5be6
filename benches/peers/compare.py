"""Compares marts as Parquet files: `{"engine": {"mart": "glob"}}` on stdin, the first engine is what the others should equal.

Of each mart: its columns, rows, and for each column the values that are not NULL and their sum, or for text and dates a sum
of hashes; and a sum of hashes of whole rows. The order of rows does not matter.
"""
import json
import sys

import duckdb

engines = json.load(sys.stdin)
db = duckdb.connect()


def summary(files):
    columns = db.execute(f"describe select * from read_parquet('{files}')").fetchall()
    columns = sorted((column[0], column[1]) for column in columns)
    exprs = ["count(*)"]
    for name, kind in columns:
        text = kind in ("VARCHAR", "DATE")
        exprs += [f'count("{name}")', f'sum(hash(cast("{name}" as varchar)))' if text else f'sum("{name}")']
    whole = ", ".join(f'cast("{name}" as varchar)' for name, _ in columns)
    found = db.execute(f"select {', '.join(exprs)}, sum(hash({whole})) from read_parquet('{files}')").fetchone()
    return [name for name, _ in columns], found


(first, marts), *others = engines.items()
differ = False
for mart, files in marts.items():
    columns, ours = summary(files)
    for engine, theirs in others:
        their_columns, found = summary(theirs[mart])
        if their_columns != columns or found != ours:
            differ = True
            print(f"{mart}: {engine} differs from {first}: {found[0]} rows, not {ours[0]}")
if others and not differ:
    print(f"{len(marts)} marts of {', '.join(engine for engine, _ in others)} equal those of {first}: rows, and sums of every column")
sys.exit(1 if differ else 0)
