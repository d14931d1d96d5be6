"""The Customer360 job by DataFusion from Python: `datafusion_job.py LAKE OUT`."""
import sys

import pyarrow as pa
from datafusion import SessionConfig, SessionContext

import marts

lake, out = sys.argv[1:3]
ctx = SessionContext(SessionConfig({"datafusion.execution.listing_table_ignore_subdirectory": "false",
                                    "datafusion.sql_parser.enable_ident_normalization": "false"}))
struct = 'struct<"Contract" varchar, "Mac" varchar, "TotalDuration" bigint, "AppName" varchar>'
ctx.sql(f"create external table files_log (_source {struct}) stored as json location '{lake}/log_content/'")
ctx.sql(f"create external table files_search stored as parquet location '{lake}/log_search/'")
for name, columns, file in [("mapping", "search varchar, category varchar", "keyword_category"),
                            ("bridge", "contract varchar, user_id varchar", "contract_user")]:
    ctx.sql(f"create external table files_{name} ({columns}) stored as csv location '{lake}/mapping/{file}.csv' "
            "options ('format.has_header' 'true')")
for name, query in marts.sources("datafusion", lake).items():
    # input_file_name() is known while the files are scanned only, so what is read often is kept.
    ctx.sql(f"create {'table' if name == 'log' else 'view'} {name} as {query}")
for name, query, is_mart in marts.tables("datafusion"):
    ctx.sql(f"create table {name} as {query}")
    if is_mart:
        ctx.sql(f"copy {name} to '{out}/{name}.parquet' stored as parquet").collect()
    if name == "contract_usage":
        ctx.sql("drop table log")
