//! `profiles.yml`: where a project runs.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json};

use super::yaml::{Kind, Yaml};
use super::{ClusterOptions, Render, check_keys, render_tree};
use crate::diag::{Diagnostic, Diagnostics, Result, SourceFile, codes};
use crate::stdx::closest;

/// A profile with its target chosen.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// The file that it was read from.
    pub path: PathBuf,
    /// The output that runs.
    pub target: Target,
}

/// One output of a profile.
#[derive(Clone)]
pub struct Target {
    /// Its name (`dev`).
    pub name: String,
    /// Path or URL of the warehouse, as written.
    pub warehouse: String,
    /// The name that stands for the warehouse in SQL.
    pub database: String,
    /// Schema of models that say nothing else.
    pub schema: String,
    /// Nodes that run at the same time.
    pub threads: usize,
    /// Bytes that all of them share; operators spill past it. None: three quarters of the machine's memory.
    pub memory_limit: Option<u64>,
    /// The cluster that runs plans: the address of a scheduler, or a mapping with more.
    pub cluster: Option<ClusterOptions>,
    /// Where marts are published: name to settings, secrets included.
    pub destinations: Map<String, Json>,
    /// Databases that sources alone read from: name to settings, secrets included.
    pub connections: Map<String, Json>,
    /// Options of all object stores.
    pub storage_options: Map<String, Json>,
    /// Options of the object stores under a URL.
    pub stores: Map<String, Json>,
    /// Everything as written and rendered, for the template variable `target`. Secrets included.
    pub raw: Map<String, Json>,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Target({})", self.name)
    }
}

/// Keys of an output.
pub(super) const KNOWN: &[&str] = &[
    "type",
    "warehouse",
    "database",
    "catalog",
    "schema",
    "threads",
    "memory_limit",
    "cluster",
    "destinations",
    "connections",
    "storage_options",
    "stores",
    "spill_dir",
    "column_profiles",
    "history",
    "openlineage",
];

impl Profile {
    /// Reads profile `name` from the first `profiles.yml` in `folders`; `target` overrides the file's choice.
    ///
    /// # Errors
    /// C1005, C1006, C1004 or whatever a template in the file raises.
    pub fn load(
        folders: &[PathBuf],
        name: &str,
        target: Option<&str>,
        render: &dyn Render,
        diagnostics: &mut Diagnostics,
    ) -> Result<Profile> {
        let Some(path) = folders.iter().map(|folder| folder.join("profiles.yml")).find(|path| path.is_file()) else {
            let looked: Vec<String> = folders.iter().map(|folder| format!("`{}`", folder.display())).collect();
            return Err(Diagnostic::error(codes::NO_PROFILE, "no profiles.yml found")
                .note(format!("looked in {}", looked.join(", ")))
                .help("`c360 init` writes one with the embedded default, which needs nothing installed"));
        };
        let text = std::fs::read_to_string(&path).map_err(|error| {
            Diagnostic::error(codes::FILE_UNREADABLE, format!("`{}` cannot be read: {error}", path.display()))
        })?;
        Self::of_text(path, text, name, target, render, diagnostics)
    }

    /// Reads profile `name` from the text of the `profiles.yml` at `path`.
    ///
    /// # Errors
    /// As [`Profile::load`].
    #[doc(hidden)]
    pub fn of_text(
        path: PathBuf,
        text: String,
        name: &str,
        target: Option<&str>,
        render: &dyn Render,
        diagnostics: &mut Diagnostics,
    ) -> Result<Profile> {
        let file = SourceFile::new(display_path(&path), text);
        let tree = Yaml::parse(&file, diagnostics)
            .ok_or_else(|| Diagnostic::error(codes::YAML_SYNTAX, format!("`{}` cannot be read", path.display())))?;
        let profile = tree.get(name).ok_or_else(|| no_profile(&tree, name, &path))?;
        let target_name = match target {
            Some(target) => target.to_string(),
            None => chosen_target(profile, render)?,
        };
        let outputs = profile.get("outputs").ok_or_else(|| {
            Diagnostic::error(codes::BAD_VALUE, format!("profile `{name}` has no `outputs`"))
                .label(profile.span.clone(), "")
        })?;
        let mut output = outputs.get(&target_name).cloned().ok_or_else(|| no_target(profile, name, &target_name))?;
        let mut found = Diagnostics::default();
        render_tree(&mut output, render, &|_| false, &mut found);
        if let Some(error) = found.into_iter().find(Diagnostic::is_error) {
            return Err(Box::new(error));
        }
        let target = Target::from_yaml(target_name, &output, diagnostics)?;
        Ok(Profile { name: name.to_string(), path, target })
    }
}

impl Target {
    /// Stands for the target while the profile is being read.
    pub fn unknown() -> Target {
        Target {
            name: String::new(),
            warehouse: String::new(),
            database: "c360".into(),
            schema: "main".into(),
            threads: 1,
            memory_limit: None,
            cluster: None,
            destinations: Map::new(),
            connections: Map::new(),
            storage_options: Map::new(),
            stores: Map::new(),
            raw: Map::new(),
        }
    }

    fn from_yaml(name: String, output: &Yaml, diagnostics: &mut Diagnostics) -> Result<Target> {
        check_type(&name, output)?;
        check_keys(output, KNOWN, "an output of a profile", diagnostics);
        let text = |key: &str| output.get(key).and_then(Yaml::scalar).map(std::borrow::Cow::into_owned);
        let object = |key: &str| match output.get(key).map(Yaml::to_json) {
            Some(Json::Object(map)) => map,
            _ => Map::new(),
        };
        let raw = match output.to_json() {
            Json::Object(map) => map,
            _ => Map::new(),
        };
        Ok(Target {
            warehouse: text("warehouse").unwrap_or_else(|| "warehouse".into()),
            database: text("database").or_else(|| text("catalog")).unwrap_or_else(|| "c360".into()),
            schema: text("schema").unwrap_or_else(|| "main".into()),
            threads: threads(output)?,
            memory_limit: output.get("memory_limit").map(memory_limit).transpose()?,
            cluster: output.get("cluster").map(ClusterOptions::parse).transpose()?.flatten(),
            destinations: object("destinations"),
            connections: object("connections"),
            storage_options: object("storage_options"),
            stores: object("stores"),
            raw,
            name,
        })
    }
}

fn check_type(name: &str, output: &Yaml) -> Result<()> {
    match output.get("type").and_then(Yaml::as_str) {
        Some("datafusion" | "c360") => Ok(()),
        Some(other) => Err(Diagnostic::error(codes::BAD_VALUE, format!("output `{name}` has the type `{other}`"))
            .label(output.get("type").map_or(output.span.clone(), |value| value.span.clone()), "")
            .help("c360 has its engine inside: write `type: datafusion` and a `warehouse:` folder or URL")),
        None => Err(Diagnostic::error(codes::BAD_VALUE, format!("output `{name}` has no `type`"))
            .label(output.span.clone(), "`type: datafusion` is expected here")),
    }
}

fn threads(output: &Yaml) -> Result<usize> {
    let Some(value) = output.get("threads") else { return Ok(4) };
    match value.scalar().and_then(|text| text.parse::<usize>().ok()) {
        Some(threads @ 1..=1024) => Ok(threads),
        _ => Err(Diagnostic::error(codes::BAD_VALUE, "`threads` has to be a number from 1 to 1024")
            .label(value.span.clone(), "")),
    }
}

fn memory_limit(value: &Yaml) -> Result<u64> {
    value.scalar().and_then(|text| parse_bytes(&text)).ok_or_else(|| {
        Diagnostic::error(codes::BAD_VALUE, "`memory_limit` has to be a size such as 512MB or 4GB")
            .label(value.span.clone(), "")
    })
}

/// `4GB`, `512 MiB`, `1000`: bytes, in powers of 1024.
pub fn parse_bytes(text: &str) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..split].parse().ok()?;
    let factor: u64 = match text[split..].trim() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        "t" | "tb" | "tib" => 1 << 40,
        _ => return None,
    };
    let bytes = number * factor as f64;
    (bytes >= 1.0 && bytes.is_finite()).then_some(bytes as u64)
}

fn chosen_target(profile: &Yaml, render: &dyn Render) -> Result<String> {
    let Some(value) = profile.get("target") else { return Ok("default".to_string()) };
    match &value.kind {
        Kind::Str(text) if text.contains("{{") => match render.render(text, &value.span)? {
            Json::String(text) => Ok(text),
            other => Ok(other.to_string()),
        },
        _ => Ok(value.scalar().map_or_else(|| "default".to_string(), std::borrow::Cow::into_owned)),
    }
}

fn no_profile(tree: &Yaml, name: &str, path: &Path) -> Box<Diagnostic> {
    let names: Vec<&str> =
        tree.entries().iter().map(|(key, _)| key.name.as_str()).filter(|key| *key != "config").collect();
    Diagnostic::error(codes::NO_PROFILE, format!("no profile `{name}` in `{}`", path.display()))
        .maybe_help(closest(name, names.iter().copied()).map(|name| format!("a profile named `{name}` exists")))
        .note(format!("profiles there: {}", names.join(", ")))
}

fn no_target(profile: &Yaml, name: &str, target: &str) -> Box<Diagnostic> {
    let outputs = profile.entries().iter().find(|(key, _)| key.name == "outputs");
    let names: Vec<&str> =
        outputs.iter().flat_map(|(_, all)| all.entries()).map(|(key, _)| key.name.as_str()).collect();
    Diagnostic::error(codes::NO_TARGET, format!("profile `{name}` has no output `{target}`"))
        .label(outputs.map_or(&profile.span, |(key, _)| &key.span).clone(), format!("there are: {}", names.join(", ")))
        .maybe_help(closest(target, names.iter().copied()).map(|name| format!("an output named `{name}` exists")))
}

fn display_path(path: &Path) -> String {
    let current = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(&current).unwrap_or(path).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::parse_bytes;

    #[test]
    fn sizes_are_read_in_powers_of_1024() {
        assert_eq!(parse_bytes("4GB"), Some(4 << 30));
        assert_eq!(parse_bytes("0.5 gib"), Some(1 << 29));
        assert_eq!(parse_bytes("200MB"), Some(200 << 20));
        assert_eq!(parse_bytes("lots"), None);
        assert_eq!(parse_bytes("0"), None);
    }
}
