//! `config.md`: every key that c360 knows, from the lists that the readers check against. What a key means stands in
//! `keys.txt` beside this file.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{check, table};
use crate::publish::{DestinationConfig, PublishJob};

const TEXTS: &str = include_str!("keys.txt");

/// The chapters: the family of keys, the heading, a sentence.
const CHAPTERS: &[(&str, &str, &str)] = &[
    (
        "project",
        "dbt_project.yml",
        "Settings of folders are written with a `+`: `models: {shop: {mart: {+tags: nightly}}}`.",
    ),
    (
        "settings",
        "Settings of nodes",
        "They stand in `config(...)` of a template, under `config:` of a properties file, and under folders in \
         `dbt_project.yml`. The nearest wins; tags add up, `meta` is merged, hooks are appended. Settings of your own belong \
         under `meta:`. `c360 config explain NODE` prints where each comes from.",
    ),
    (
        "publish",
        "Publish",
        "The setting `publish`: the name of a destination, a mapping with these keys, or a list of either. More: \
         [publish.md](../publish.md).",
    ),
    (
        "output",
        "profiles.yml",
        "`PROFILE: {target: dev, outputs: {dev: {...}}}`, where an output has these keys. Values may be templates with \
         `env_var`.",
    ),
    ("cluster", "The cluster of an output", "More: [cluster.md](../cluster.md)."),
    (
        "stores",
        "Options of stores",
        "Those that are written most, under `storage_options` or `stores`. More: [lakes.md](../lakes.md).",
    ),
    ("sqlite", "Destinations", "A destination of the type `sqlite`:"),
    ("mysql", "", "Of the type `mysql`:"),
    ("postgres", "", "Of the type `postgres`:"),
    ("files", "", "Of the type `files`:"),
    ("file", "Properties files", "Any `.yml` in the folders of the project."),
    ("model", "Models", "Seeds, snapshots, analyses and singular tests have the same keys."),
    ("column", "Columns", ""),
    ("source", "Sources", "More: [sources.md](../sources.md)."),
    ("table", "Tables of sources", ""),
    ("external", "External", "What the table of a source is made of."),
    ("path column", "Path columns", ""),
    ("exposure", "Exposures", ""),
    ("unit test", "Unit tests", ""),
    ("macro", "Macros", ""),
    ("group", "Groups", ""),
    ("package", "packages.yml", "Entries of `packages:`."),
    ("selector term", "selectors.yml", "Keys of a definition; `union` and `intersection` take lists of them."),
];

/// Every family of keys with the list of the code.
fn families() -> Vec<(&'static str, Vec<String>)> {
    let owned = |keys: &[&str]| keys.iter().map(|key| (*key).to_string()).collect::<Vec<_>>();
    let mut out: Vec<(&str, Vec<String>)> = Vec::new();
    let lists = crate::project::known_keys().into_iter().chain(crate::parse::known_keys());
    out.extend(lists.map(|(family, keys)| (family, owned(&keys))));
    out.push(("selector term", owned(crate::select::TERM_KEYS)));
    out.push(("stores", owned(&crate::stores::known_options())));
    out.push(("path column", owned(crate::engine::PATH_COLUMN_KEYS)));
    out.push(("publish", known(|value| PublishJob::parse("m", "m", value).map(drop), json!({"to": "bi"}))));
    let login = |kind: &str| json!({"type": kind, "user": "u", "database": "d"});
    let destination = |value: &Value| DestinationConfig::parse("bi", value).map(drop);
    out.push(("sqlite", known(destination, json!({"type": "sqlite", "path": "x"}))));
    out.push(("mysql", known(destination, login("mysql"))));
    out.push(("postgres", known(destination, login("postgres"))));
    out.push(("files", known(destination, json!({"type": "files", "path": "x"}))));
    out
}

/// The keys that a reader of settings knows: it names them when it meets one that is like none of them.
fn known(read: impl Fn(&Value) -> crate::diag::Result<()>, mut value: Value) -> Vec<String> {
    value["@".repeat(40)] = json!(1);
    let error = read(&value).expect_err("an unknown key");
    let keys = error.helps[0].strip_prefix("it can have ").expect("the keys").split(", ").map(str::to_string);
    let mut seen = BTreeSet::new();
    keys.filter(|key| seen.insert(key.clone())).collect()
}

/// `keys.txt`: family to key to text.
fn texts() -> BTreeMap<&'static str, BTreeMap<&'static str, &'static str>> {
    let mut out: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::new();
    let mut family = "";
    for line in TEXTS.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            Some(name) => family = name,
            None => {
                let (key, text) = line.split_once(": ").unwrap_or_else(|| panic!("no `key: text`: {line}"));
                let before = out.entry(family).or_default().insert(key, text.trim());
                assert!(before.is_none(), "`{key}` stands twice under [{family}] of keys.txt");
            }
        }
    }
    out
}

#[test]
fn keys_are_listed() {
    let (families, texts) = (families(), texts());
    let mut out = String::from(
        "# Configuration keys\n\nEvery key that c360 knows. A key that is not here is a warning with a suggestion \
         ([C1003](../codes/C1003.md)); in a destination or a `publish` it is an error ([C6006](../codes/C6006.md)). What \
         stands after a colon at the end of a line is the default.\n",
    );
    for (family, heading, sentence) in CHAPTERS {
        let keys = families.iter().find(|(name, _)| name == family).map(|(_, keys)| keys);
        let keys = keys.unwrap_or_else(|| panic!("the code has no list for {family}"));
        if !heading.is_empty() {
            out.push_str(&format!("\n## {heading}\n"));
        }
        if !sentence.is_empty() {
            out.push_str(&format!("\n{sentence}\n"));
        }
        let text = |key: &str| {
            let own = texts.get(family).and_then(|texts| texts.get(key)).or_else(|| texts["common"].get(key));
            *own.unwrap_or_else(|| panic!("keys.txt does not say what `{key}` of [{family}] is"))
        };
        let (idle, used): (Vec<_>, Vec<_>) = keys.iter().partition(|key| text(key) == "-");
        let rows: Vec<_> = used.iter().map(|key| vec![format!("`{key}`"), text(key).to_string()]).collect();
        out.push_str(&format!("\n{}", table(&["key", "what"], rows)));
        if !idle.is_empty() {
            let idle: Vec<_> = idle.iter().map(|key| format!("`{key}`")).collect();
            out.push_str(&format!("\nFor the sake of dbt, without effect: {}.\n", idle.join(", ")));
        }
    }
    check("config.md", &out);
}

#[test]
fn texts_are_about_keys() {
    let families = families();
    for (family, texts) in texts() {
        let keys = families.iter().filter(|(name, _)| *name == family || family == "common");
        let keys: BTreeSet<&str> = keys.flat_map(|(_, keys)| keys.iter().map(String::as_str)).collect();
        for key in texts.keys() {
            assert!(keys.contains(key), "keys.txt has `{key}` under [{family}], which no list of the code has");
        }
    }
    for (family, _) in &families {
        assert!(CHAPTERS.iter().any(|(name, _, _)| name == family), "config.md has no chapter for {family}");
    }
}
