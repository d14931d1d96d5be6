//! The setting `cluster:` of a target: where plans run when one machine is not enough.

use super::yaml::{Kind, Yaml};
use crate::diag::{Diagnostic, Result, codes};
use crate::stdx::closest;

/// The port of a scheduler unless its address says another.
const SCHEDULER_PORT: u16 = 50050;
/// Its keys, if it is a mapping.
pub(super) const KEYS: &[&str] = &["url", "partitions", "settings"];

/// A cluster, as a profile names it: `df://host:port`, or a mapping with `url`, `partitions` and `settings`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterOptions {
    /// The scheduler's host.
    pub host: String,
    /// The scheduler's port.
    pub port: u16,
    /// Into how many parts work is cut; none: by the number of executors.
    pub partitions: Option<usize>,
    /// Settings of DataFusion and Ballista, by their own names.
    pub settings: Vec<(String, String)>,
}

fn bad(what: String, at: &Yaml) -> Box<Diagnostic> {
    Diagnostic::error(codes::BAD_VALUE, what).label(at.span.clone(), "")
}

impl ClusterOptions {
    /// Reads the setting; none if it is empty, as a template may leave it.
    ///
    /// # Errors
    /// C1004 if it is no address.
    pub fn parse(setting: &Yaml) -> Result<Option<ClusterOptions>> {
        match &setting.kind {
            Kind::Map(_) => ClusterOptions::of_map(setting).map(Some),
            _ => match setting.scalar() {
                Some(text) if text.trim().is_empty() => Ok(None),
                Some(text) => ClusterOptions::of_url(&text, setting).map(Some),
                None => Err(bad("`cluster` has to be an address or a mapping".to_string(), setting)),
            },
        }
    }

    fn of_url(text: &str, at: &Yaml) -> Result<ClusterOptions> {
        let bad = || {
            bad(format!("`{text}` is no address of a scheduler"), at)
                .help("write `cluster: df://host:50050`; `c360 cluster scheduler` starts one")
        };
        let rest = text.trim().strip_prefix("df://").ok_or_else(bad)?.trim_end_matches('/');
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().map_err(|_| bad())?),
            _ => (rest, SCHEDULER_PORT),
        };
        if host.is_empty() || host.contains(['/', '@', ' ']) {
            return Err(bad());
        }
        Ok(ClusterOptions { host: host.to_string(), port, partitions: None, settings: Vec::new() })
    }

    fn of_map(setting: &Yaml) -> Result<ClusterOptions> {
        if let Some((key, _)) = setting.entries().iter().find(|(key, _)| !KEYS.contains(&key.name.as_str())) {
            let near = closest(&key.name, KEYS.iter().copied());
            return Err(Diagnostic::error(codes::BAD_VALUE, format!("`cluster` has no key `{}`", key.name))
                .label(key.span.clone(), "")
                .maybe_help(near.map(|near| format!("did you mean `{near}`?")))
                .help(format!("it has {}", KEYS.join(", "))));
        }
        let url = setting.get("url").ok_or_else(|| bad("`cluster` has no `url`".to_string(), setting))?;
        let mut options = ClusterOptions::of_url(&url.scalar().unwrap_or_default(), url)?;
        if let Some(partitions) = setting.get("partitions") {
            let number = partitions.scalar().and_then(|text| text.parse().ok());
            options.partitions = match number.filter(|number| (1..=100_000).contains(number)) {
                Some(number) => Some(number),
                None => return Err(bad("`partitions` has to be a number from 1 to 100000".to_string(), partitions)),
            };
        }
        for (key, value) in setting.get("settings").map(Yaml::entries).unwrap_or_default() {
            let text =
                value.scalar().ok_or_else(|| bad(format!("`{}` has to be a text or a number", key.name), value))?;
            // Booleans are spelled as the engine does.
            let text = value.as_bool().map_or_else(|| text.into_owned(), |value| value.to_string());
            options.settings.push((key.name.clone(), text));
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::{Diagnostics, SourceFile};

    fn parse(text: &str) -> Result<Option<ClusterOptions>> {
        let file = SourceFile::new("profiles.yml", text);
        let tree = Yaml::parse(&file, &mut Diagnostics::default()).expect("YAML");
        ClusterOptions::parse(tree.get("cluster").expect("a cluster"))
    }

    #[test]
    fn addresses_are_read() {
        let options = parse("cluster: df://scheduler:1234/").expect("an address").expect("a cluster");
        assert_eq!((options.host.as_str(), options.port, options.partitions), ("scheduler", 1234, None));
        assert_eq!(parse("cluster: df://h").expect("an address").map(|options| options.port), Some(SCHEDULER_PORT));
        assert_eq!(parse("cluster: ''").expect("nothing"), None);
        for bad in ["scheduler:1234", "df://", "df://h:port", "http://h:1", "df://u@h:1", "[a]", "1"] {
            let error = parse(&format!("cluster: {bad}")).expect_err(bad);
            assert_eq!((error.code, error.labels.len()), (codes::BAD_VALUE, 1), "{bad}");
        }
    }

    #[test]
    fn a_mapping_says_more() {
        let text = "cluster: {url: 'df://h:1', partitions: 12, settings: {a.batch: 99, a.hash: true}}";
        let options = parse(text).expect("options").expect("a cluster");
        assert_eq!(options.partitions, Some(12));
        let settings = [("a.batch", "99"), ("a.hash", "true")].map(|(key, value)| (key.to_string(), value.to_string()));
        assert_eq!(options.settings, settings);
        for bad in ["{url: 'df://h:1', partition: 1}", "{url: 'df://h:1', partitions: 0}", "{partitions: 1}"] {
            assert!(parse(&format!("cluster: {bad}")).is_err(), "{bad}");
        }
    }
}
