//! One of the two states that are compared: a manifest and a lineage, as artifacts have them.

use std::collections::HashMap;
use std::path::Path;

use serde_json::Value as Json;

use crate::analyze::lineage::Lineage;
use crate::artifacts::{self, LineageDoc, ManifestMeta};
use crate::diag::{Diagnostic, Result, codes};
use crate::ops::{LINEAGE_FILE, Loaded, Options};
use crate::publish::PublishJob;

/// Sections of a manifest whose nodes are compared.
const SECTIONS: [&str; 2] = ["nodes", "sources"];

/// A state of the project.
pub(super) struct State {
    manifest: Json,
    pub(super) lineage: LineageDoc,
}

impl State {
    /// The state in the folder of `--state`.
    pub(super) fn read(options: &Options, loaded: &Loaded) -> Result<State> {
        let Some(stated) = &options.state else {
            return Err(Diagnostic::error(codes::BAD_ARGUMENT, "diff has nothing to compare with")
                .help("pass --state with a folder that holds manifest.json and lineage.json of the other state"));
        };
        let inside = loaded.project.root.root.join(stated);
        let folder = if inside.is_dir() { inside.as_path() } else { stated.as_path() };
        let manifest = read(folder, "manifest.json")?;
        let lineage = read(folder, LINEAGE_FILE)?;
        let lineage =
            serde_json::from_value(lineage).map_err(|error| unreadable(&folder.join(LINEAGE_FILE), &error))?;
        Ok(State { manifest, lineage })
    }

    /// The state that the project is in.
    pub(super) fn of(loaded: &Loaded, lineage: &Lineage) -> Result<State> {
        let made = crate::ops::artifacts::made(loaded);
        let target = &loaded.invocation.target;
        let (compiled, seed_checksums) = (HashMap::new(), crate::ops::artifacts::seed_checksums(loaded));
        let meta = ManifestMeta {
            made: made.clone(),
            database: &target.database,
            schema: &target.schema,
            compiled: &compiled,
            seed_checksums: &seed_checksums,
        };
        let manifest = serde_json::to_value(artifacts::manifest(&loaded.manifest, &meta))
            .map_err(|error| Diagnostic::error(codes::INTERNAL, format!("the manifest cannot be written: {error}")))?;
        Ok(State { manifest, lineage: artifacts::lineage(lineage, &made) })
    }

    /// The models, snapshots, seeds and sources.
    pub(super) fn nodes(&self) -> impl Iterator<Item = (&str, Entry<'_>)> {
        let sections = SECTIONS.iter().filter_map(|section| self.manifest.get(section)?.as_object());
        let entries = sections.flatten().map(|(id, entry)| (id.as_str(), Entry(entry)));
        entries.filter(|(_, entry)| matches!(entry.kind(), "model" | "snapshot" | "seed" | "source"))
    }

    /// A node.
    pub(super) fn node(&self, id: &str) -> Option<Entry<'_>> {
        SECTIONS.iter().find_map(|section| self.manifest.get(section)?.get(id)).map(Entry)
    }

    /// The name of a node; its id if it is not there.
    pub(super) fn name(&self, id: &str) -> String {
        self.node(id).map_or_else(|| id.to_string(), |entry| entry.name())
    }

    /// The exposures.
    pub(super) fn exposures(&self) -> impl Iterator<Item = (&str, Entry<'_>)> {
        let section = self.manifest.get("exposures").and_then(Json::as_object);
        section.into_iter().flatten().map(|(id, entry)| (id.as_str(), Entry(entry)))
    }
}

/// A node of a manifest.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a>(&'a Json);

impl<'a> Entry<'a> {
    /// A text of it.
    pub(super) fn text(self, key: &str) -> Option<&'a str> {
        self.0.get(key)?.as_str()
    }

    /// Its type of resource.
    pub(super) fn kind(self) -> &'a str {
        self.text("resource_type").unwrap_or_default()
    }

    /// Its name; of a source with the source's.
    pub(super) fn name(self) -> String {
        let name = self.text("name").unwrap_or_default();
        match (self.kind(), self.text("source_name"), self.0.get("version")) {
            ("source", Some(source), _) => format!("{source}.{name}"),
            (_, _, Some(version)) if !version.is_null() => format!("{name}.v{}", crate::node::plain(version)),
            _ => name.to_string(),
        }
    }

    /// A hash of its template or file.
    pub(super) fn checksum(self) -> Option<&'a str> {
        self.0.get("checksum")?.get("checksum")?.as_str()
    }

    /// A setting as it is written. What it renders to depends on the target, which is no change of the project.
    pub(super) fn setting(self, key: &str) -> Option<String> {
        let value = self.0.get("unrendered_config")?.get(key)?;
        (!value.is_null()).then(|| crate::node::plain(value))
    }

    /// The tables that it is published to, as `destination: table`, with all settings of the publish.
    pub(super) fn published(self) -> Vec<(String, String)> {
        let name = self.text("alias").or(self.text("name")).unwrap_or_default();
        let Some(config) = self.0.get("config").and_then(|config| config.get("publish")) else { return Vec::new() };
        let jobs = PublishJob::parse(name, name, config).unwrap_or_default();
        jobs.iter().map(|job| (format!("{}: {}", job.to, job.table), format!("{job:?}"))).collect()
    }

    /// What it depends on.
    pub(super) fn parents(self) -> impl Iterator<Item = &'a str> {
        let nodes = self.0.get("depends_on").and_then(|on| on.get("nodes")).and_then(Json::as_array);
        nodes.into_iter().flatten().filter_map(Json::as_str)
    }

    /// Name or address of who owns an exposure.
    pub(super) fn owner(self) -> Option<String> {
        let owner = self.0.get("owner")?;
        let text = |key: &str| owner.get(key).and_then(Json::as_str).map(str::to_string);
        text("name").or_else(|| text("email"))
    }
}

fn read(folder: &Path, name: &str) -> Result<Json> {
    let path = folder.join(name);
    match std::fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| unreadable(&path, &error)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(Diagnostic::error(codes::BAD_ARGUMENT, format!("the state `{}` has no {name}", folder.display()))
                .help("`c360 parse` and `c360 lineage`, run where the other state is, write manifest.json and lineage.json into the artifact folder"))
        }
        Err(error) => Err(unreadable(&path, &error)),
    }
}

fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> Box<Diagnostic> {
    Diagnostic::error(codes::FILE_UNREADABLE, format!("`{}` cannot be read: {error}", path.display()))
        .help("`c360 parse` and `c360 lineage` write it anew")
}
