//! What is predicted is what a build makes.

use std::path::Path;

use chrono::Utc;
use serde_json::Map;
use tokio::sync::watch;

use super::*;
use crate::diag::WarnError;
use crate::ops::{Build, Target, build, load};
use crate::select::Criteria;

fn options(folder: &Path) -> Options {
    Options {
        command: "build".into(),
        project_dir: folder.to_path_buf(),
        profiles_dirs: vec![folder.to_path_buf()],
        target: Target::default(),
        vars: Map::new(),
        target_path: None,
        threads: Some(2),
        full_refresh: false,
        check: None,
        fail_fast: false,
        criteria: Criteria::default(),
        state: None,
        defer: false,
        defer_state: None,
        favor_state: false,
        empty: false,
        sample: None,
        store_failures: false,
        explain_analyze: false,
        warn_error: WarnError::default(),
        event_time: (None, None),
        leftover: None,
        env: Default::default(),
        started_at: Utc::now(),
        invocation_id: "test".into(),
    }
}

const FILES: &[(&str, &str)] = &[
    ("dbt_project.yml", "name: shop\nversion: '1.0'\nprofile: shop\n"),
    (
        "profiles.yml",
        "shop:\n  target: dev\n  outputs:\n    dev: {type: datafusion, warehouse: warehouse, schema: main}\n",
    ),
    ("seeds/orders.csv", "id,name,amount,day,code,nothing\n1,Ann,1.5,2024-01-01,007,\n2,Bob,2,2024-01-02,008,\n"),
    (
        "seeds/_seeds.yml",
        "seeds:\n  - name: orders\n    config: {column_types: {code: varchar, amount: 'decimal(10, 2)'}}\n",
    ),
    (
        "lake/a.json",
        "{\"id\": 1, \"at\": \"2024-01-01T00:00:00\", \"who\": {\"name\": \"x\", \"tags\": [\"a\", \"b\"]}}\n",
    ),
    (
        "models/_sources.yml",
        "sources:\n  - name: lake\n    tables:\n      - name: events\n        external: {location: 'lake/*.json'}\n",
    ),
    ("models/a_view.sql", "select *, amount * 2 as twice, now() as seen from {{ ref('orders') }}"),
    (
        "models/of_events.sql",
        "select id, at, who, who.name as name, who.tags[1] as tag from {{ source('lake', 'events') }}",
    ),
    (
        "models/types.sql",
        "{{ config(materialized='table') }}\nselect cast(1 as tinyint unsigned) as u8, cast(1 as bigint unsigned) as u64, \
         null as nothing, cast('12:00:00' as time) as t, interval '1 day' as i, cast(1.5 as real) as r, \
         cast(1 as decimal(40, 3)) as d, to_timestamp('2024-01-01') as ts, make_array(1, 2) as l, \
         named_struct('a', 1, 'b', 'x') as s, arrow_cast('x', 'LargeUtf8') as big, count(*) over () as n, \
         'a' || id as text, id + 1 as plus, id / 2 as half, avg(id) over () as mean from {{ ref('a_view') }}",
    ),
    ("models/inline.sql", "{{ config(materialized='ephemeral') }}\nselect id, day as d from {{ ref('a_view') }}"),
    (
        "models/grown.sql",
        "{{ config(materialized='incremental', unique_key='id') }}\nselect id, d, cast(id as double) as x from {{ ref('inline') }}\n\
         {% if is_incremental() %}where d > (select max(d) from {{ this }}){% endif %}",
    ),
    (
        "models/united.sql",
        "{{ config(materialized='table') }}\nselect 1 as n, 'a' as t union all select 2.5, 'b' union all select null, null",
    ),
    ("models/promised.sql", "{{ config(materialized='table') }}\nselect id as ID, name from {{ ref('orders') }}"),
    (
        "models/_models.yml",
        "models:\n  - name: promised\n    config: {contract: {enforced: true}}\n    columns:\n\
         \x20     - {name: name, data_type: varchar}\n      - {name: id, data_type: int}\n",
    ),
    (
        "snapshots/history.sql",
        "{% snapshot history %}\n{{ config(unique_key='id', strategy='check', check_cols='all', hard_deletes='new_record') }}\n\
         select id, name, day from {{ ref('orders') }}\n{% endsnapshot %}\n",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn what_is_predicted_is_what_is_built() {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, text) in FILES {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("written");
    }
    let options = options(folder.path());
    let mut diagnostics = Diagnostics::default();
    let loaded = load(&options, &mut diagnostics).expect("a project");
    let checked = check(&options, &loaded, None, &mut diagnostics).await.expect("checked");
    assert!(diagnostics.is_empty(), "{:?}", diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert_eq!(checked.analysis.unchecked(&checked.selected).count(), 0);
    let (_sender, interrupts) = watch::channel(0);
    let request = Build { mode: Mode::Build, args: Map::new(), events: &mut |_| {}, interrupts };
    let result = build(&options, &loaded, request, &mut diagnostics).await.expect("built");
    assert!(!result.has_failures(), "{:?}", result.results);
    let session = Session::open(&options, &loaded, Vec::new()).await.expect("a session");
    let mut compared = 0;
    for id in loaded.manifest.ids() {
        let node = loaded.manifest.node(id);
        let Some(relation) = node.relation.as_ref().filter(|_| node.resource_type.is_refable() && !node.is_ephemeral())
        else {
            continue;
        };
        let columns = |schema: &arrow::datatypes::Schema| {
            schema.fields().iter().map(|field| format!("{} {}", field.name(), field.data_type())).collect::<Vec<_>>()
        };
        let built = session.engine.schema_of(relation).await.expect("read").expect("built");
        let predicted = checked.analysis.schema(id).expect("predicted");
        assert_eq!(columns(predicted), columns(&built), "{}", node.name);
        compared += 1;
    }
    assert_eq!(compared, 8);
}
