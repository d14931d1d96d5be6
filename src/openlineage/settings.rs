//! Where events go: the profile, or the environment variables that all programs with OpenLineage know.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Map, Value as Json};
use url::Url;

use crate::diag::{Diagnostic, Result, codes};
use crate::project::Target;
use crate::publish::Secret;
use crate::stdx::closest;

const KEYS: &[&str] = &["url", "endpoint", "api_key", "path", "namespace", "timeout", "enabled"];

/// The path of the API, if nobody says another one.
const ENDPOINT: &str = "api/v1/lineage";

/// Where events go.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The namespace of jobs.
    pub namespace: String,
    /// Where they are posted.
    pub url: Option<Url>,
    /// What logs in there.
    pub api_key: Option<Secret>,
    /// The file that they are added to, one a line.
    pub path: Option<PathBuf>,
    /// How long one request may take, and how long a run that has ended waits for all of them.
    pub timeout: Duration,
    /// The run that this one is a part of.
    pub parent: Option<Parent>,
}

/// A run of somebody else's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parent {
    /// The namespace of its job.
    pub namespace: String,
    /// The name of its job.
    pub name: String,
    /// Its id.
    pub run_id: String,
}

impl Settings {
    /// What the target and the environment say; none if events go nowhere. Relative paths start at `root`.
    ///
    /// # Errors
    /// C1004 for settings that cannot be right.
    pub fn read(target: &Target, env: &BTreeMap<String, String>, root: &Path) -> Result<Option<Settings>> {
        let var = |name: &str| env.get(name).map(String::as_str).map(str::trim).filter(|value| !value.is_empty());
        if var("OPENLINEAGE_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true") || value == "1") {
            return Ok(None);
        }
        let mut written = match target.raw.get("openlineage") {
            None | Some(Json::Null | Json::Bool(true)) => Map::new(),
            Some(Json::Bool(false)) => return Ok(None),
            Some(Json::Object(map)) => map.clone(),
            Some(_) => return Err(bad("`openlineage` has to be a mapping with a `url` or a `path`")),
        };
        if let Some(key) = written.keys().find(|key| !KEYS.contains(&key.as_str())) {
            let near = closest(key, KEYS.iter().copied());
            return Err(bad(format!("`openlineage` has no setting `{key}`"))
                .maybe_help(near.map(|near| format!("`{near}` was probably meant")))
                .help(format!("settings: {}", KEYS.join(", "))));
        }
        if written.get("enabled") == Some(&Json::Bool(false)) {
            return Ok(None);
        }
        // What the profile says counts more than the environment, and both more than the file of the environment.
        for (key, name) in [
            ("url", "OPENLINEAGE_URL"),
            ("endpoint", "OPENLINEAGE_ENDPOINT"),
            ("api_key", "OPENLINEAGE_API_KEY"),
            ("namespace", "OPENLINEAGE_NAMESPACE"),
        ] {
            if let Some(value) = var(name).filter(|_| !(key == "url" && written.contains_key("path"))) {
                written.entry(key.to_string()).or_insert_with(|| value.into());
            }
        }
        if let Some(file) = var("OPENLINEAGE_CONFIG").filter(|_| !goes_somewhere(&written)) {
            transport(&root.join(file), &mut written)?;
        }
        if !goes_somewhere(&written) {
            return Ok(None);
        }
        let parent = var("OPENLINEAGE_PARENT_ID").map(Parent::parse).transpose()?;
        Settings::new(&written, root, parent).map(Some)
    }

    fn new(written: &Map<String, Json>, root: &Path, parent: Option<Parent>) -> Result<Settings> {
        let text = |key: &str| written.get(key).map(crate::node::plain).filter(|text| !text.is_empty());
        let url = match text("url") {
            None => None,
            Some(url) => {
                let endpoint = text("endpoint").unwrap_or_else(|| ENDPOINT.into());
                let whole = format!("{}/{}", url.trim_end_matches('/'), endpoint.trim_start_matches('/'));
                // The address may hold a password: it is not shown.
                let parsed = Url::parse(&whole).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
                Some(parsed.ok_or_else(|| bad("the `url` of `openlineage` is no http:// or https:// address"))?)
            }
        };
        let timeout = match text("timeout") {
            None => Duration::from_secs(5),
            Some(text) => {
                let seconds = text.parse::<f64>().ok().filter(|seconds| (0.0..=3600.0).contains(seconds));
                Duration::from_secs_f64(seconds.ok_or_else(|| bad("the `timeout` of `openlineage` has to be seconds"))?)
            }
        };
        Ok(Settings {
            namespace: text("namespace").unwrap_or_else(|| "c360".into()),
            url,
            api_key: text("api_key").map(Secret::new),
            path: text("path").map(|path| root.join(path)),
            timeout,
            parent,
        })
    }
}

fn goes_somewhere(written: &Map<String, Json>) -> bool {
    written.contains_key("url") || written.contains_key("path")
}

/// The transport of the file that `OPENLINEAGE_CONFIG` names, as the clients of OpenLineage read it.
fn transport(path: &Path, written: &mut Map<String, Json>) -> Result<()> {
    let unreadable = |why: &dyn std::fmt::Display| {
        bad(format!("the file of OPENLINEAGE_CONFIG cannot be read: {why}")).note(format!("file `{}`", path.display()))
    };
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(&error))?;
    let config: Json = serde_yaml::from_str(&text).map_err(|error| unreadable(&error))?;
    let transport = &config["transport"];
    let mut take = |key: &str, value: &Json| {
        if let Some(value) =
            value.as_str().map(str::to_string).or_else(|| value.as_f64().map(|number| number.to_string()))
        {
            written.entry(key.to_string()).or_insert(Json::String(value));
        }
    };
    match transport["type"].as_str() {
        Some("http") => {
            take("url", &transport["url"]);
            take("endpoint", &transport["endpoint"]);
            take("timeout", &transport["timeout"]);
            take("api_key", &transport["auth"]["apiKey"]);
            take("api_key", &transport["auth"]["api_key"]);
        }
        Some("file") => take("path", &transport["log_file_path"]),
        // Nothing is to be sent.
        Some("noop") => {}
        other => {
            return Err(bad(format!("c360 has no OpenLineage transport `{}`", other.unwrap_or_default()))
                .help("transports: http, file, noop"));
        }
    }
    take("namespace", &config["namespace"]);
    Ok(())
}

impl Parent {
    /// `namespace/job/run id`; the job may have slashes.
    fn parse(text: &str) -> Result<Parent> {
        let parts = text.split_once('/').and_then(|(namespace, rest)| {
            let (name, run_id) = rest.rsplit_once('/')?;
            Some(Parent { namespace: namespace.into(), name: name.into(), run_id: run_id.into() })
        });
        parts
            .filter(|parent| uuid::Uuid::parse_str(&parent.run_id).is_ok())
            .ok_or_else(|| bad("OPENLINEAGE_PARENT_ID has to be `namespace/job/run`, and the run a UUID"))
    }
}

fn bad(message: impl Into<String>) -> Box<Diagnostic> {
    Diagnostic::error(codes::BAD_VALUE, message)
}
