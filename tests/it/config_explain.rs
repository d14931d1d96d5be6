//! `config explain`: every setting, and the places that set it.

use crate::harness::Project;

#[test]
fn each_setting_tells_its_places_the_strongest_first() {
    let project = Project::new()
        .file("dbt_project.yml", "name: shop\nversion: '1.0'\nprofile: shop\nmodels:\n  shop:\n    +tags: nightly\n    +materialized: view\n")
        .file("models/m.sql", "{{ config(materialized='table', tags=['kpi']) }}\nselect 1 as one")
        .file("models/m.yml", "models:\n  - name: m\n    config:\n      meta: {owner: sales}\n");
    let shown = project.ok(&["config", "explain", "m"]).stdout;
    let line = |key: &str| {
        let lines: Vec<&str> = shown.lines().collect();
        let at = lines
            .iter()
            .position(|line| line.trim_start().starts_with(key))
            .unwrap_or_else(|| panic!("{key}: {shown}"));
        (lines[at].split_whitespace().collect::<Vec<_>>().join(" "), lines[at + 1].trim().to_string())
    };
    assert!(shown.starts_with("model.shop.m\n"), "{shown}");
    assert_eq!(line("materialized"), ("materialized table models/m.sql:1:4".into(), "over dbt_project.yml:7:5".into()));
    let (tags, over) = line("tags");
    assert_eq!(
        (tags.as_str(), over.as_str()),
        ("tags [\"nightly\",\"kpi\"] models/m.sql:1:4", "over dbt_project.yml:6:5")
    );
    assert!(line("meta").0.contains("models/m.yml:4:"), "{shown}");
    assert!(line("enabled").0.ends_with("true default"), "{shown}");
}

#[test]
fn a_name_that_nothing_has_is_an_error() {
    let output = Project::models(&[("m", "select 1 as one")]).exits(2, &["config", "explain", "nothing"]);
    output.says(&["C1014", "c360 ls"]);
}
