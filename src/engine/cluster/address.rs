//! The setting `cluster:` of a target.

use serde_json::{Map, Value as Json};

use crate::diag::{Diagnostic, Result, codes};
use crate::node::plain;

/// The port of a scheduler unless its address says another.
pub(super) const SCHEDULER_PORT: u16 = 50050;

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

impl ClusterOptions {
    /// Reads the setting.
    ///
    /// # Errors
    /// C1004 if it is no address.
    pub fn parse(setting: &Json) -> Result<ClusterOptions> {
        match setting {
            Json::Object(map) => ClusterOptions::of_map(map),
            other => ClusterOptions::of_url(&plain(other)),
        }
    }

    fn of_url(text: &str) -> Result<ClusterOptions> {
        let bad = || {
            Diagnostic::error(codes::BAD_VALUE, format!("`cluster: {text}` is no address of a scheduler"))
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

    fn of_map(map: &Map<String, Json>) -> Result<ClusterOptions> {
        let bad = |text: String| Diagnostic::error(codes::BAD_VALUE, text);
        if let Some(key) = map.keys().find(|key| !["url", "partitions", "settings"].contains(&key.as_str())) {
            let error = bad(format!("`cluster` has no key `{key}`"));
            return Err(error.help("it has url, partitions and settings"));
        }
        let url = map.get("url").map(plain).ok_or_else(|| bad("`cluster` has no `url`".to_string()))?;
        let mut options = ClusterOptions::of_url(&url)?;
        if let Some(partitions) = map.get("partitions") {
            let number = plain(partitions).parse().ok().filter(|number| (1..=100_000).contains(number));
            let number =
                number.ok_or_else(|| bad("`partitions` of `cluster` has to be a number from 1".to_string()))?;
            options.partitions = Some(number);
        }
        match map.get("settings") {
            None | Some(Json::Null) => {}
            Some(Json::Object(settings)) => {
                options.settings = settings.iter().map(|(key, value)| (key.clone(), plain(value))).collect();
            }
            Some(_) => return Err(bad("`settings` of `cluster` has to be a mapping of names to values".to_string())),
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn addresses_are_read() {
        let options = ClusterOptions::parse(&json!("df://scheduler:1234/")).expect("an address");
        assert_eq!((options.host.as_str(), options.port, options.partitions), ("scheduler", 1234, None));
        assert_eq!(ClusterOptions::parse(&json!("df://h")).expect("an address").port, SCHEDULER_PORT);
        for bad in ["scheduler:1234", "df://", "df://h:port", "http://h:1", "df://u@h:1"] {
            let error = ClusterOptions::parse(&json!(bad)).expect_err(bad);
            assert_eq!(error.code, codes::BAD_VALUE);
        }
    }

    #[test]
    fn a_mapping_says_more() {
        let setting = json!({"url": "df://h:1", "partitions": 12, "settings": {"datafusion.execution.batch_size": 99}});
        let options = ClusterOptions::parse(&setting).expect("options");
        assert_eq!(options.partitions, Some(12));
        assert_eq!(options.settings, [("datafusion.execution.batch_size".to_string(), "99".to_string())]);
        assert!(ClusterOptions::parse(&json!({"url": "df://h:1", "partition": 1})).is_err());
        assert!(ClusterOptions::parse(&json!({"url": "df://h:1", "partitions": 0})).is_err());
    }
}
