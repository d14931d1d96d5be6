//! A small shop, as the artifacts tell it.

use serde_json::{Value as Json, json};

/// All artifacts, by file name.
pub(super) fn artifacts() -> Vec<(&'static str, Json)> {
    vec![
        ("manifest.json", manifest()),
        ("catalog.json", catalog()),
        ("run_results.json", run_results()),
        ("runs.json", runs()),
        ("lineage.json", lineage()),
        ("sources.json", sources()),
        ("samples.json", samples()),
        ("source_files.json", source_files()),
        (
            "plans.json",
            json!({"nodes": {"model.shop.orders": "Projection: order_id\n  TableScan: db.main.stg_orders"}}),
        ),
    ]
}

fn manifest() -> Json {
    json!({
        "metadata": {"project_name": "shop", "adapter_type": "datafusion", "dbt_version": "1.11.0",
            "generated_at": "2026-11-22T10:00:00Z"},
        "nodes": {
            "model.shop.stg_orders": {
                "unique_id": "model.shop.stg_orders", "name": "stg_orders", "resource_type": "model",
                "package_name": "shop", "original_file_path": "models/staging/stg_orders.sql",
                "fqn": ["shop", "staging", "stg_orders"], "description": "", "tags": ["staging"],
                "config": {"materialized": "view", "enabled": true, "tags": ["staging"], "meta": {}},
                "columns": {}, "relation_name": "\"db\".\"main\".\"stg_orders\"",
                "raw_code": "select order_id, payload.price as price from {{ source('lake', 'orders') }}",
                "compiled_code": "select order_id, payload.price as price from \"db\".\"lake\".\"orders\"",
                "depends_on": {"macros": [], "nodes": ["source.shop.lake.orders"]}
            },
            "model.shop.orders": {
                "unique_id": "model.shop.orders", "name": "orders", "resource_type": "model", "package_name": "shop",
                "original_file_path": "models/marts/orders.sql", "fqn": ["shop", "marts", "orders"],
                "description": "One row an **order**. With its price.\n\n- see [the guide](https://example.com)",
                "tags": ["nightly"], "group": "finance", "access": "protected",
                "meta": {"tier": 1, "links": ["a", "b"]},
                "config": {"materialized": "table", "enabled": true, "group": "finance",
                    "publish": {"to": "bi", "table": "fct_orders", "mode": "upsert", "key": ["order_id"]},
                    "meta": {"tier": 1}, "docs": {"show": true}, "pre-hook": []},
                "docs": {"show": true, "node_color": "#ff8800"},
                "columns": {
                    "order_id": {"name": "order_id", "description": "The *key*.", "tags": [], "meta": {"a": 1},
                        "constraints": [{"type": "not_null"}]},
                    "PRICE": {"name": "PRICE", "description": "", "data_type": "double", "tags": ["money"]},
                    "gone": {"name": "gone", "description": "Was here."}
                },
                "relation_name": "\"db\".\"main\".\"orders\"", "patch_path": "shop://models/marts/_marts.yml",
                "raw_code": "select order_id, {{ cents('price') }} as price\nfrom {{ ref('stg_orders') }} -- all",
                "compiled_code": "select order_id, price * 100 as price\nfrom \"db\".\"main\".\"stg_orders\" -- all",
                "constraints": [{"type": "primary_key", "columns": ["order_id"]}], "contract": {"enforced": true},
                "depends_on": {"macros": ["macro.shop.cents"], "nodes": ["model.shop.stg_orders"]}
            },
            "seed.shop.countries": {
                "unique_id": "seed.shop.countries", "name": "countries", "resource_type": "seed",
                "package_name": "shop", "original_file_path": "seeds/countries.csv", "fqn": ["shop", "countries"],
                "description": "Countries, e.g. Vietnam.", "config": {"materialized": "seed"}, "raw_code": ""
            },
            "test.shop.not_null_orders_order_id.1": {
                "unique_id": "test.shop.not_null_orders_order_id.1", "name": "not_null_orders_order_id",
                "resource_type": "test", "package_name": "shop", "original_file_path": "models/marts/_marts.yml",
                "attached_node": "model.shop.orders", "column_name": "order_id",
                "test_metadata": {"name": "not_null", "kwargs": {"column_name": "order_id", "model": "x"}},
                "config": {"severity": "ERROR"}, "raw_code": "{{ test_not_null(**_dbt_generic_test_kwargs) }}",
                "depends_on": {"macros": ["macro.dbt.test_not_null"], "nodes": ["model.shop.orders"]}
            },
            "test.shop.accepted_values_orders_price.2": {
                "unique_id": "test.shop.accepted_values_orders_price.2", "name": "accepted_values_orders_price",
                "resource_type": "test", "package_name": "shop", "original_file_path": "models/marts/_marts.yml",
                "attached_node": "model.shop.orders", "column_name": "price",
                "test_metadata": {"name": "accepted_values", "namespace": "utils",
                    "kwargs": {"column_name": "price", "values": [1, 2]}},
                "config": {"severity": "warn"}, "tags": ["slow"],
                "depends_on": {"nodes": ["model.shop.orders"]}
            },
            "test.shop.totals": {
                "unique_id": "test.shop.totals", "name": "totals", "resource_type": "test", "package_name": "shop",
                "original_file_path": "tests/totals.sql", "description": "Totals *agree*.",
                "raw_code": "select 1 from {{ ref('orders') }} where false", "config": {"severity": "ERROR"},
                "depends_on": {"nodes": ["model.shop.orders"]}
            },
            "operation.shop.hook": {"unique_id": "operation.shop.hook", "name": "hook", "resource_type": "operation"}
        },
        "sources": {
            "source.shop.lake.orders": {
                "unique_id": "source.shop.lake.orders", "name": "orders", "source_name": "lake",
                "resource_type": "source", "package_name": "shop", "original_file_path": "models/_sources.yml",
                "fqn": ["shop", "lake", "orders"], "description": "", "source_description": "The raw files.",
                "loader": "rsync", "loaded_at_field": "day", "relation_name": "\"db\".\"lake\".\"orders\"",
                "freshness": {"warn_after": {"count": 12, "period": "hour"}, "error_after": {"count": null}},
                "external": {"location": "lake/*.json", "file_format": "json", "bad_records": "drop"},
                "columns": {"payload": {"name": "payload", "description": "What was ordered.", "tags": ["pii"]}}
            }
        },
        "exposures": {
            "exposure.shop.board": {
                "unique_id": "exposure.shop.board", "name": "board", "label": "The board", "resource_type": "exposure",
                "package_name": "shop", "original_file_path": "models/_exposures.yml", "fqn": ["shop", "board"],
                "type": "dashboard", "url": "https://bi.example.com/1", "maturity": "high",
                "owner": {"name": "Sales", "email": "sales@example.com"}, "description": "What sales looks at.",
                "depends_on": {"nodes": ["model.shop.orders", "model.shop.orders"]}
            }
        },
        "unit_tests": {
            "unit_test.shop.orders.cents": {
                "unique_id": "unit_test.shop.orders.cents", "name": "cents", "model": "orders",
                "resource_type": "unit_test", "package_name": "shop", "original_file_path": "models/_unit.yml",
                "given": [{"input": "ref('stg_orders')", "rows": [{"price": 1}]}],
                "expect": {"rows": [{"price": 100}], "format": "dict"},
                "depends_on": {"nodes": ["model.shop.orders", "model.shop.stg_orders"]}
            }
        },
        "macros": {
            "macro.shop.cents": {"unique_id": "macro.shop.cents", "name": "cents", "package_name": "shop",
                "original_file_path": "macros/cents.sql", "description": "A price in cents.",
                "macro_sql": "{% macro cents(x) %}{{ hundred() }} * {{ x }}{% endmacro %}",
                "arguments": [{"name": "x", "type": "string", "description": "What *costs*."}],
                "depends_on": {"macros": ["macro.shop.hundred"]}},
            "macro.shop.hundred": {"unique_id": "macro.shop.hundred", "name": "hundred", "package_name": "shop",
                "original_file_path": "macros/cents.sql", "macro_sql": "{% macro hundred() %}100{% endmacro %}"},
            "macro.dbt.test_not_null": {"unique_id": "macro.dbt.test_not_null", "name": "test_not_null",
                "package_name": "dbt", "macro_sql": ""}
        },
        "docs": {
            "doc.dbt.__overview__": {"name": "__overview__", "package_name": "dbt", "block_contents": "dbt's own"},
            "doc.shop.__overview__": {"name": "__overview__", "package_name": "shop", "block_contents": "# The shop"}
        },
        "groups": {"group.shop.finance": {"name": "finance", "owner": {"name": "Finance", "email": "f@example.com"}}}
    })
}

fn catalog() -> Json {
    let profile = json!({"rows": 3, "nulls": 1, "distinct": 2, "distinct_exact": true, "min": "1", "max": "9",
        "mean": 5.5, "quantiles": {"p50": 5}, "histogram": {"edges": [1, 5, 9], "counts": [1, 1]}, "top": [["1", 2]]});
    json!({
        "nodes": {"model.shop.orders": {
            "metadata": {"type": "table"},
            "columns": {
                "price": {"type": "double", "index": 2, "name": "price", "comment": null},
                "order_id": {"type": "bigint", "index": 1, "name": "order_id"},
                "added": {"type": "date", "index": 3, "name": "added", "comment": "From the database."}
            },
            "stats": {
                "num_rows": {"id": "num_rows", "value": 3}, "num_bytes": {"id": "num_bytes", "value": 2048.0},
                "version": {"id": "version", "value": 7}, "modified": {"value": "2026-11-22T09:59:00Z"},
                "profile:price": {"label": "price", "include": false, "value": profile.to_string()},
                "profile:order_id": {"value": profile}, "profile:added": {"value": "not JSON"}
            }
        }},
        "sources": {}, "errors": null
    })
}

fn run_results() -> Json {
    let at = "2026-11-22T09:59:30Z";
    json!({
        "metadata": {"generated_at": "2026-11-22T09:59:40Z", "invocation_id": "run-2",
            "invocation_started_at": "2026-11-22T09:59:20Z"},
        "args": {"which": "build"}, "elapsed_time": 20.00004,
        "results": [
            {"unique_id": "model.shop.stg_orders", "status": "success", "execution_time": 0.5,
                "timing": [{"name": "compile", "started_at": at}], "adapter_response": {}, "message": "OK"},
            {"unique_id": "model.shop.orders", "status": "success", "execution_time": 1.5,
                "timing": [{"name": "compile", "started_at": at}], "message": "OK 3 rows",
                "adapter_response": {"rows": 3, "bytes": 100, "peak_memory": 5000, "publish": {
                    "tables": [{"destination": "bi", "table": "fct_orders", "rows": 3}],
                    "status": "success", "seconds": 0.25}}},
            {"unique_id": "test.shop.not_null_orders_order_id.1", "status": "pass", "execution_time": 0.01,
                "timing": [{"started_at": at}], "failures": 0},
            {"unique_id": "test.shop.totals", "status": "fail", "execution_time": 0.02, "failures": 2,
                "timing": [{"started_at": at}], "message": "found 2 rows", "relation_name": "\"db\".\"audit\".\"totals\""}
        ]
    })
}

fn runs() -> Json {
    json!({
        "runs": [
            {"invocation_id": "run-1", "started_at": "2026-11-21T09:59:20Z", "elapsed": 18.5, "verb": "build",
                "target": "dev", "version": "0.1.0", "status": "success", "counts": {"success": 2, "pass": 1}}
        ],
        "nodes": {
            "model.shop.orders": [
                {"invocation_id": "run-1", "started_at": "2026-11-21T09:59:30Z", "status": "success", "kind": "build",
                    "duration": 1.25, "rows": 2, "bytes": 90, "peak_memory": 4000, "message": ""},
                {"invocation_id": "run-1", "started_at": "2026-11-21T09:59:32Z", "status": "success",
                    "kind": "publish", "duration": 0.1, "rows": 2}
            ],
            "test.shop.accepted_values_orders_price.2": [
                {"invocation_id": "run-1", "started_at": "2026-11-21T09:59:33Z", "status": "warn", "kind": "test",
                    "duration": 0.1, "failures": 4, "message": "found 4 rows"}
            ]
        }
    })
}

fn lineage() -> Json {
    let price = json!({"node": "source.shop.lake.orders", "column": "payload", "path": ["price"], "kind": "copied"});
    json!({
        "nodes": {
            "model.shop.stg_orders": {
                "columns": {
                    "order_id": {"type": "bigint", "nullable": false,
                        "inputs": [{"node": "source.shop.lake.orders", "column": "order_id", "kind": "copied"}]},
                    "price": {"type": "double", "nullable": true, "inputs": [price],
                        "description": {"text": "What was ordered.", "from": "source.shop.lake.orders.payload"},
                        "tags": {"pii": "source.shop.lake.orders.payload"}}
                },
                "indirect": [{"node": "source.shop.lake.orders", "column": "day", "kind": "filter"}]
            },
            "model.shop.orders": {
                "columns": {
                    "order_id": {"type": "bigint", "nullable": false,
                        "inputs": [{"node": "model.shop.stg_orders", "column": "order_id", "kind": "copied"}]},
                    "price": {"type": "double", "expression": "price * 100",
                        "inputs": [{"node": "model.shop.stg_orders", "column": "price", "kind": "transformed"}],
                        "tags": {"pii": "source.shop.lake.orders.payload"}}
                }
            }
        },
        "unknown": {"seed.shop.countries": "nobody asked"}
    })
}

fn sources() -> Json {
    json!({"results": [{"unique_id": "source.shop.lake.orders", "status": "warn", "max_loaded_at": "2026-11-20T00:00:00Z",
        "max_loaded_at_time_ago_in_s": 208800.4, "snapshotted_at": "2026-11-22T10:00:00Z",
        "criteria": {"warn_after": {"count": 1, "period": "day"}, "error_after": {"count": null, "period": null}}}]})
}

fn samples() -> Json {
    json!({"nodes": {"model.shop.orders": {"columns": ["order_id"], "hidden": ["price"], "rows": [["1"], [null]]},
        "model.shop.stg_orders": {"columns": ["a", "b"], "rows": [["only one"]]}}})
}

fn source_files() -> Json {
    json!({"sources": {"source.shop.lake.orders": {"location": "lake/*.json", "format": "json",
        "files": [
            {"path": "lake/20221103.json", "bytes": 30, "modified": "2026-11-01T00:00:00Z", "date": "2022-11-03"},
            {"path": "lake/20221101.json", "bytes": 10, "date": "2022-11-01"},
            {"path": "lake/20221101b.json", "bytes": 5, "date": "2022-11-01"}
        ],
        "missing": ["2022-11-02"], "from": "2022-11-01", "to": "2022-11-03"}}})
}
