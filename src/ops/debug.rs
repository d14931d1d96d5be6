//! `debug`: what the program sees, and whether it can reach what it needs.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::session::{connections, destinations, source_connections};
use super::{Loaded, Options, Session};
use crate::diag::{Diagnostic, Result};
use crate::engine::{SourceSpec, source_spec};
use crate::publish::ping;
use crate::stdx::plural;
use crate::stores::{self, StoreOptions, probe};

/// One line of `debug`.
pub struct Check {
    /// What was looked at.
    pub name: String,
    /// What was found, or why it failed.
    pub found: Result<Found, Box<Diagnostic>>,
}

/// What `debug` finds.
pub enum Found {
    /// A fact.
    Fact(String),
    /// A store that works, and how fast.
    Store(probe::Report),
}

impl Check {
    /// As `--output json` has it.
    pub fn json(&self) -> Json {
        let speed = |speed: Option<f64>| speed.map(|speed| (speed / 1e5).round() / 10.0);
        match &self.found {
            Ok(Found::Fact(fact)) => json!({"name": self.name, "status": "ok", "found": fact}),
            Ok(Found::Store(report)) => json!({
                "name": self.name,
                "status": "ok",
                "found": report.place,
                "round_trip_ms": (report.milliseconds() * 10.0).round() / 10.0,
                "write_mb_per_second": speed(report.write),
                "read_mb_per_second": speed(report.read),
                "remark": report.remark,
            }),
            Err(error) => json!({
                "name": self.name,
                "status": "error",
                "code": error.code.id,
                "message": error.message,
                "notes": error.notes,
                "helps": error.helps,
            }),
        }
    }
}

/// Looks at the project, the profile, the warehouse, every store of a source and every destination.
pub async fn debug(options: &Options, loaded: &Loaded) -> Vec<Check> {
    let check =
        |name: &str, found: Result<String, Box<Diagnostic>>| Check { name: name.into(), found: found.map(Found::Fact) };
    let root = &loaded.project.root;
    let files =
        format!("{}, {}", plural(root.files.len() as u64, "file"), plural(loaded.manifest.nodes.len() as u64, "node"));
    let mut checks = vec![
        check("c360", Ok(env!("CARGO_PKG_VERSION").to_string())),
        check("project", Ok(format!("{} in {}", root.name(), root.root.display()))),
        check("files", Ok(files)),
        check("profile", Ok(format!("{} in {}", loaded.profile.name, loaded.profile.path.display()))),
        check("target", Ok(loaded.profile.target.name.clone())),
    ];
    let warehouse = match Session::open(options, loaded, Vec::new()).await {
        Ok(session) => session.engine.warehouse.probe().await,
        Err(error) => Err(error),
    };
    checks.push(Check { name: "warehouse".into(), found: warehouse.map(Found::Store) });
    let options = StoreOptions::of(&loaded.invocation.target);
    for (place, sources) in places(loaded) {
        let found = match stores::open(&place, &options) {
            Ok((store, folder)) => probe::read(&store, &folder, &place).await,
            Err(error) => Err(error),
        };
        let of = match sources.as_slice() {
            [source] => format!("source {source}"),
            more => format!("{} sources", more.len()),
        };
        checks.push(Check { name: of, found: found.map(Found::Store).map_err(|error| named(error, &sources)) });
    }
    let destinations = destinations(loaded).into_iter().map(|(name, config)| ("destination", name, config));
    let connections = source_connections(loaded).into_iter().map(|(name, config)| ("connection", name, config));
    for (what, name, config) in destinations.chain(connections) {
        let found = match config {
            Ok(config) => ping(&config, &name).await.map(|version| format!("{} at {}", version, config.place())),
            Err(error) => Err(error),
        };
        checks.push(check(&format!("{what} {name}"), found));
    }
    checks
}

/// The folders that sources are read from, those in one store and one folder together, with the names of the sources.
fn places(loaded: &Loaded) -> BTreeMap<String, Vec<String>> {
    let known = connections(loaded);
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for node in &loaded.manifest.nodes {
        let Some(external) = node.as_source().and_then(|source| source.external.as_ref()) else { continue };
        // What is wrong with a declaration is told by those who read the source.
        let spec = source_spec(node, external, &loaded.project.root.root, &known);
        let Ok(SourceSpec::Files(spec)) = spec else { continue };
        places.entry(folder(&spec.location)).or_default().push(spec.name.clone());
    }
    places
}

/// `location` up to the first part of its path with a wildcard.
fn folder(location: &str) -> String {
    let Some(wild) = location.find(['*', '?', '[', '{']) else { return location.to_string() };
    location[..wild].rfind('/').map_or_else(String::new, |slash| location[..=slash].to_string())
}

fn named(error: Box<Diagnostic>, sources: &[String]) -> Box<Diagnostic> {
    let names: Vec<String> = sources.iter().take(8).map(|name| format!("`{name}`")).collect();
    let more = if sources.len() > 8 { " and more" } else { "" };
    error.note(format!("read by {}{more}", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::folder;

    #[test]
    fn a_folder_is_what_precedes_the_wildcard() {
        assert_eq!(folder("s3://lake/orders/2026*/x.json"), "s3://lake/orders/");
        assert_eq!(folder("/lake/orders.csv"), "/lake/orders.csv");
        assert_eq!(folder("hdfs://nn:9000/lake/{a,b}/x"), "hdfs://nn:9000/lake/");
    }
}
