use std::collections::BTreeSet;

use serde_json::json;

use super::testing::{
    Build, generic_test, manifest, model, names, node, place, selecting, selectors, source, unit_test,
};
use super::{Criteria, Indirect, Inputs, check_selectors, list_selectors, select};
use crate::diag::{Diagnostics, codes};
use crate::manifest::Manifest;
use crate::node::ResourceType;
use crate::state::{PreviousState, SourceResults, StateTexts};

/// Two sources, two staging models, two marts and a report, with all kinds of resource around them.
fn acme() -> Manifest {
    let mut described = model("models/marts/dim_accounts.sql").refs(&["stg_accounts"]);
    described.patch = Some(place("models/marts/_marts.yml"));
    let mut manifest = manifest(vec![
        source("models/staging/_sources.yml", "crm", "accounts").set("tags", json!(["raw"])),
        source("models/staging/_sources.yml", "erp", "orders"),
        model("models/staging/stg_accounts.sql").source("crm", "accounts").set("tags", json!(["staging", "pii"])),
        model("models/staging/stg_orders.sql").source("erp", "orders").set("tags", json!(["staging"])),
        described.set("materialized", json!("table")).set("access", json!("public")).set("group", json!("finance")),
        model("models/marts/fct_orders.sql")
            .refs(&["stg_orders", "dim_accounts"])
            .set("materialized", json!("incremental"))
            .set("unique_key", json!(["a", "b"]))
            .set("meta", json!({"owner": "finance", "tier": 1, "pii": true, "Kind": "Fact"})),
        model("models/marts/kpi.sql").refs(&["fct_orders"]),
        model("models/marts/orders_v1.sql").versioned(1, 2),
        model("models/marts/orders_v2.sql").versioned(2, 2),
        model("models/marts/orders_v3.sql").versioned(3, 2),
        model("models/marts/deep/old.sql").refs(&["kpi"]),
        model("models/util_calendar.sql").in_package("utils"),
        model("models/inner/util_months.sql").in_package("utils"),
        generic_test("models/staging/_staging.yml", "not_null_stg_orders_id", "not_null", &["stg_orders"])
            .set("severity", json!("Warn")),
        generic_test("models/marts/_marts.yml", "fct_account_fk", "relationships", &["fct_orders", "dim_accounts"]),
        node(ResourceType::Test, "tests/assert_orders.sql").refs(&["stg_orders", "fct_orders"]),
        unit_test("models/marts/_unit.yml", "ut_kpi", "kpi"),
        node(ResourceType::Exposure, "models/marts/weekly.yml").refs(&["kpi"]),
        node(ResourceType::Seed, "seeds/codes.csv"),
        node(ResourceType::Snapshot, "snapshots/snap_orders.sql").source("erp", "orders"),
        model("models/marts/gone.sql").set("enabled", json!(false)),
    ]);
    manifest.groups.push(crate::manifest::Group {
        name: "finance".into(),
        package: "acme".into(),
        original_path: "models/marts/_marts.yml".into(),
        owner: json!({}),
        span: place("models/marts/_marts.yml"),
    });
    manifest
}

fn set(text: &str) -> BTreeSet<String> {
    text.split_whitespace().map(str::to_string).collect()
}

fn check(cases: &[(&str, &str)], mode: Indirect) {
    let manifest = acme();
    for (expression, expected) in cases {
        let criteria = Criteria { indirect: mode, ..selecting(&[expression]) };
        assert_eq!(names(&criteria, &Inputs::new(&manifest)), Ok(set(expected)), "{expression}");
    }
}

#[test]
fn methods_find_what_they_mean() {
    check(
        &[
            ("kpi", "kpi"),
            ("acme.staging", "stg_accounts stg_orders not_null_stg_orders_id"),
            ("marts.deep", "old"),
            ("utils", "util_calendar util_months"),
            ("orders_v2", "orders_v2.v2"),
            ("weekly", "weekly"),
            ("ut_kpi", "kpi.ut_kpi"),
            ("crm.accounts", ""),
            ("gone", ""),
            ("tag:staging", "stg_accounts stg_orders"),
            ("tag:p?i", "stg_accounts"),
            ("tag:raw", "crm.accounts"),
            ("group:fin*", "dim_accounts"),
            ("access:public", "dim_accounts"),
            ("access:private", ""),
            ("source:crm", "crm.accounts"),
            ("source:erp.*", "erp.orders"),
            ("source:acme.erp.orders", "erp.orders"),
            ("source:other.erp.orders", ""),
            ("path:models/staging", "stg_accounts stg_orders crm.accounts erp.orders not_null_stg_orders_id"),
            ("models/marts/deep", "old"),
            ("path:models/**/deep", "old"),
            ("path:models/marts/_marts.yml", "dim_accounts fct_account_fk"),
            ("path:models/util_calendar.sql", ""),
            ("path:models/inner", ""),
            ("path:snapshots", "snap_orders"),
            ("file:kpi.sql", "kpi"),
            ("file:snap_*", "snap_orders"),
            ("kpi.sql", "kpi"),
            ("codes.csv", "codes"),
            ("package:utils", "util_calendar util_months"),
            ("config.materialized:incremental", "fct_orders"),
            ("config.materialized:snapshot", "snap_orders"),
            ("config.materialized:inc*", ""),
            ("config.unique_key:b", "fct_orders"),
            ("config.meta.owner:finance", "fct_orders"),
            ("config.meta.Kind:fact", ""),
            ("config.meta.pii:True", "fct_orders"),
            ("config.meta.tier:1", ""),
            ("config.meta:owner", ""),
            ("config.meta.owner.x:finance", ""),
            ("config.severity:warn", "not_null_stg_orders_id"),
            ("config.severity:error", "fct_account_fk assert_orders"),
            ("config.group:finance", "dim_accounts"),
            ("test_name:not_*", "not_null_stg_orders_id"),
            ("test_type:generic", "not_null_stg_orders_id fct_account_fk"),
            ("test_type:singular", "assert_orders"),
            ("test_type:data", "not_null_stg_orders_id fct_account_fk assert_orders"),
            ("test_type:unit", "kpi.ut_kpi"),
            ("resource_type:exposure", "weekly"),
            ("resource_type:metric", ""),
            ("exposure:acme.week*", "weekly"),
            ("unit_test:ut_kpi", "kpi.ut_kpi"),
            ("version:latest", "orders_v2.v2"),
            ("version:prerelease", "orders_v3.v3"),
            ("version:old", "orders_v1.v1"),
            ("metric:x", ""),
            ("semantic_model:*", ""),
        ],
        Indirect::Empty,
    );
}

#[test]
fn operators_walk_the_graph() {
    check(
        &[
            ("+fct_orders", "fct_orders dim_accounts stg_orders stg_accounts crm.accounts erp.orders"),
            ("1+fct_orders", "fct_orders dim_accounts stg_orders"),
            ("0+fct_orders", "fct_orders"),
            ("fct_orders+1", "fct_orders kpi fct_account_fk assert_orders"),
            ("@old", "old kpi fct_orders dim_accounts stg_orders stg_accounts crm.accounts erp.orders"),
            ("@snap_orders", "snap_orders erp.orders"),
            ("kpi+", "kpi old weekly kpi.ut_kpi"),
            ("dim_accounts fct_orders", "dim_accounts fct_orders"),
            ("+kpi,tag:staging", "stg_accounts stg_orders"),
            ("tag:staging, kpi", "kpi"),
            ("tag:staging,tag:pii kpi", "stg_accounts kpi"),
        ],
        Indirect::Empty,
    );
}

#[test]
fn tests_come_along_in_four_modes() {
    let all = [
        ("fct_orders", "fct_orders"),
        ("stg_orders", "stg_orders"),
        ("stg_orders fct_orders", "stg_orders fct_orders"),
        ("kpi", "kpi"),
        ("stg_orders,tag:staging fct_orders,marts", "stg_orders fct_orders"),
    ];
    check(&all, Indirect::Empty);
    let eager = [
        "fct_account_fk assert_orders",
        "not_null_stg_orders_id assert_orders",
        "not_null_stg_orders_id fct_account_fk assert_orders",
        "kpi.ut_kpi",
        "not_null_stg_orders_id fct_account_fk assert_orders",
    ];
    let cautious = [
        "",
        "not_null_stg_orders_id",
        "not_null_stg_orders_id assert_orders",
        "kpi.ut_kpi",
        "not_null_stg_orders_id assert_orders",
    ];
    // Everything that the tests need is upstream of fct_orders.
    let buildable = [
        "fct_account_fk assert_orders",
        "not_null_stg_orders_id",
        "not_null_stg_orders_id fct_account_fk assert_orders",
        "kpi.ut_kpi",
        "not_null_stg_orders_id fct_account_fk assert_orders",
    ];
    for (mode, tests) in [(Indirect::Eager, eager), (Indirect::Cautious, cautious), (Indirect::Buildable, buildable)] {
        for ((expression, nodes), tests) in all.iter().zip(tests) {
            check(&[(expression, &format!("{nodes} {tests}"))], mode);
        }
    }
}

#[test]
fn exclusions_and_types() {
    let manifest = acme();
    let inputs = Inputs::new(&manifest);
    let mut criteria =
        Criteria { exclude: vec!["resource_type:model".into(), "resource_type:test".into()], ..Criteria::default() };
    assert_eq!(names(&criteria, &inputs), Ok(set("crm.accounts erp.orders codes snap_orders weekly")));
    criteria.exclude_resource_types = vec![ResourceType::Source];
    assert_eq!(names(&criteria, &inputs), Ok(set("codes snap_orders weekly")));
    criteria.resource_types = vec![ResourceType::Seed, ResourceType::Source];
    assert_eq!(names(&criteria, &inputs), Ok(set("codes")));
    let criteria = Criteria { exclude: vec!["kpi".into()], ..selecting(&["+kpi", "old"]) };
    assert_eq!(
        names(&criteria, &inputs),
        Ok(set("fct_orders dim_accounts stg_orders stg_accounts crm.accounts erp.orders old
                not_null_stg_orders_id fct_account_fk assert_orders"))
    );
    let everything = select(&Criteria::default(), &inputs, &mut Diagnostics::default()).expect("all");
    assert_eq!(everything.nodes, manifest.ids().collect::<Vec<_>>());
}

#[test]
fn nothing_matched_is_a_warning_with_a_hint() {
    let manifest = acme();
    for (expression, note) in [
        ("stg_order", "`stg_orders` was probably meant"),
        ("gone", "model `gone` is disabled"),
        ("tag:stagin", "`staging` was probably meant"),
        ("tag:staging,", "expressions joined by a comma stand without blanks: `a,b`"),
        ("source:crm.acounts", "`crm.accounts` was probably meant"),
        ("config:table", "say which setting: `config.materialized:table`, `config.meta.owner:finance`"),
    ] {
        let mut found = Diagnostics::default();
        let selection =
            select(&selecting(&["kpi", expression]), &Inputs::new(&manifest), &mut found).expect("a selection");
        let warning = found.iter().next().expect("a warning");
        assert_eq!((warning.code, warning.is_error()), (codes::NOTHING_SELECTED, false));
        assert_eq!(warning.labels[0].span.text(), expression);
        assert_eq!(warning.notes.iter().chain(&warning.helps).next().map(String::as_str), Some(note));
        assert_eq!(selection.matched.iter().map(|matched| matched.nodes).collect::<Vec<_>>(), [2, 0]);
    }
}

#[test]
fn mistakes_are_errors_with_places() {
    let manifest = acme();
    for (expression, code, text) in [
        ("kpi foo:bar", codes::BAD_SELECTOR, "foo"),
        ("@kpi+", codes::BAD_SELECTOR, "@kpi+"),
        ("a,source:a.b.c.d", codes::BAD_SELECTOR, "source:a.b.c.d"),
        ("exposure:a.b.c", codes::BAD_SELECTOR, "exposure:a.b.c"),
        ("resource_type:modle", codes::BAD_SELECTOR, "resource_type:modle"),
        ("test_type:generik", codes::BAD_SELECTOR, "test_type:generik"),
        ("version:newest", codes::BAD_SELECTOR, "version:newest"),
        ("path:/models", codes::BAD_SELECTOR, "path:/models"),
        ("state:new", codes::BAD_ARGUMENT, "state:new"),
        ("result:error", codes::BAD_ARGUMENT, "result:error"),
        ("source_status:fresher", codes::BAD_ARGUMENT, "source_status:fresher"),
        ("selector:none", codes::BAD_ARGUMENT, "selector:none"),
    ] {
        let error = names(&selecting(&[expression]), &Inputs::new(&manifest)).expect_err(expression);
        assert_eq!((error.code, error.labels[0].span.text()), (code, text), "{expression}");
        assert!(!error.helps.is_empty(), "{expression}");
    }
}

const SELECTORS: &str = "
selectors:
  - name: cli_style
    definition: '1+tag:staging+1'
  - name: pair
    definition: {tag: staging}
  - name: depth
    definition: {method: fqn, value: stg_orders, children: true, children_depth: '1', indirect_selection: empty}
  - name: at
    definition: {method: fqn, value: old, childrens_parents: true, indirect_selection: empty}
  - name: number
    definition: {method: config.meta.tier, value: 1, indirect_selection: empty}
  - name: sets
    definition:
      union:
        - intersection: ['tag:staging', {tag: pii}]
        - method: path
          value: models/marts
          exclude: [{method: config.materialized, value: view}, 'resource_type:test']
        - exclude: ['dim_accounts']
  - name: inherits
    definition:
      union:
        - {method: selector, value: pair}
        - exclude: [{method: selector, value: at}]
  - name: cautious
    definition: {method: fqn, value: fct_orders, indirect_selection: cautious}
  - name: mode_of_the_command_line
    definition: {method: fqn, value: fct_orders}
";

#[test]
fn yaml_selectors() {
    let mut manifest = acme();
    manifest.selectors = selectors(SELECTORS);
    let mut found = Diagnostics::default();
    check_selectors(&manifest, &mut found);
    assert!(found.is_empty(), "{:?}", found.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert_eq!(list_selectors(&manifest).len(), 9);
    for (name, expected) in [
        (
            "cli_style",
            "stg_accounts stg_orders crm.accounts erp.orders dim_accounts fct_orders not_null_stg_orders_id assert_orders fct_account_fk",
        ),
        ("pair", "stg_accounts stg_orders not_null_stg_orders_id assert_orders"),
        ("depth", "stg_orders fct_orders not_null_stg_orders_id assert_orders"),
        ("at", "old kpi fct_orders dim_accounts stg_orders stg_accounts crm.accounts erp.orders"),
        ("number", "fct_orders"),
        ("sets", "stg_accounts fct_orders weekly"),
        ("inherits", "not_null_stg_orders_id assert_orders"),
        ("cautious", "fct_orders"),
        ("mode_of_the_command_line", "fct_orders fct_account_fk assert_orders"),
    ] {
        let criteria = Criteria { selector: Some(name.into()), ..Criteria::default() };
        let expected = set(expected);
        assert_eq!(names(&criteria, &Inputs::new(&manifest)), Ok(expected), "{name}");
    }
    // A selector brings the tests that it wants; names may have wildcards.
    assert_eq!(names(&selecting(&["selector:cautiou?"]), &Inputs::new(&manifest)), Ok(set("fct_orders")));
    assert_eq!(
        names(&Criteria { indirect: Indirect::Empty, ..selecting(&["1+selector:depth"]) }, &Inputs::new(&manifest)),
        Ok(set("stg_orders fct_orders not_null_stg_orders_id assert_orders erp.orders dim_accounts"))
    );
}

#[test]
fn the_default_selector_is_used_when_nothing_is_asked_for() {
    let mut manifest = acme();
    manifest.selectors = selectors("selectors: [{name: a, default: true, definition: {fqn: kpi}}]");
    let inputs = Inputs::new(&manifest);
    assert_eq!(names(&Criteria::default(), &inputs), Ok(set("kpi kpi.ut_kpi")));
    let selection = select(&Criteria::default(), &inputs, &mut Diagnostics::default()).expect("a selection");
    assert_eq!(selection.selector.as_deref(), Some("a"));
    assert_eq!(names(&selecting(&["old"]), &inputs), Ok(set("old")));
}

#[test]
fn mistakes_in_selectors_have_places() {
    for (text, place) in [
        ("selectors: [{name: a, definition: {tgs: x}}]", "tgs"),
        ("selectors: [{name: a, definition: 3}]", "3"),
        ("selectors: [{name: a, definition: [x]}]", "[x"),
        ("selectors: [{name: a}]", "{name: a"),
        ("selectors: [{name: a, definition: {union: 3}}]", "3"),
        ("selectors: [{name: a, definition: {union: [x], tag: y}}]", "tag"),
        ("selectors: [{name: a, definition: {union: [x, exclude: [y], exclude: [z]]}}]", "exclude: [z"),
        ("selectors: [{name: a, definition: {method: tag, valeu: x}}]", "{method: tag, valeu: x"),
        ("selectors: [{name: a, definition: {tag: [x]}}]", "[x"),
        ("selectors: [{name: a, definition: {method: tag, value: x, parents: 7}}]", "7"),
        ("selectors: [{name: a, definition: {method: tag, value: x, parents: true, parents_depth: -1}}]", "-1"),
        ("selectors: [{name: a, definition: {method: tag, value: x, indirect_selection: easy}}]", "easy"),
        (
            "selectors: [{name: a, definition: {method: tag, value: x, children: true, childrens_parents: true}}]",
            "{method: tag",
        ),
        ("selectors: [{name: a, definition: {method: selector, value: b}}]", "b"),
        ("selectors: [{name: a, definition: {method: selector, value: a}}]", "a"),
        ("selectors: [{name: a, default: true, definition: x}, {name: b, default: true, definition: x}]", "{name: b"),
        ("selectors: [{definition: x}]", "{definition: x"),
    ] {
        let mut manifest = acme();
        manifest.selectors = selectors(text);
        let mut found = Diagnostics::default();
        check_selectors(&manifest, &mut found);
        let error = found.iter().find(|diagnostic| diagnostic.is_error()).expect(text);
        assert!(error.labels[0].span.text().starts_with(place), "{text}: {:?}", error.labels[0].span.text());
        assert!(error.code == codes::BAD_SELECTOR || error.code == codes::BAD_ARGUMENT);
        let chosen = Criteria { selector: Some("a".into()), ..Criteria::default() };
        let is_about_a = !text.contains("default") && text.contains("name: a");
        assert!(
            !is_about_a || select(&chosen, &Inputs::new(&manifest), &mut Diagnostics::default()).is_err(),
            "{text}"
        );
    }
}

#[test]
fn results_and_freshness_of_earlier_runs() {
    let manifest = acme();
    let previous = PreviousState::parse(&StateTexts {
        folder: "old".into(),
        run_results: Some(
            r#"{"results": [{"unique_id": "model.acme.kpi", "status": "error"},
            {"unique_id": "model.acme.old", "status": "skipped"}]}"#
                .into(),
        ),
        sources: Some(
            r#"{"results": [{"unique_id": "source.acme.crm.accounts", "max_loaded_at": "2024-01-01T00:00:00Z"},
            {"unique_id": "source.acme.erp.orders", "max_loaded_at": "2024-01-01T00:00:00Z"}]}"#
                .into(),
        ),
        ..StateTexts::default()
    })
    .expect("a state");
    let current = SourceResults::parse(
        r#"{"results": [{"unique_id": "source.acme.crm.accounts", "max_loaded_at": "2024-01-02T00:00:00+00:00"},
            {"unique_id": "source.acme.erp.orders", "status": "runtime error"}]}"#,
        "sources.json",
    )
    .expect("sources");
    let inputs = Inputs { previous: Some(&previous), current_sources: Some(&current), ..Inputs::new(&manifest) };
    for (expression, expected) in [
        ("result:error", "kpi"),
        ("result:error+ result:skipped", "kpi old weekly kpi.ut_kpi"),
        ("result:fail", ""),
        ("source_status:fresher", "crm.accounts"),
        ("source_status:pass", ""),
    ] {
        let criteria = Criteria { indirect: Indirect::Empty, ..selecting(&[expression]) };
        assert_eq!(names(&criteria, &inputs), Ok(set(expected)), "{expression}");
    }
}
