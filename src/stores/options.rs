//! Options of stores: what the profile says.
//!
//! `storage_options:` of a target holds for all stores, `stores:` for those under a URL; the latter wins, and both win
//! over the environment. Keys are those of object_store (`aws_region`, `endpoint`, `azure_storage_account_name`,
//! `google_service_account`, `timeout`, ...) and, with a dot in them, of Hadoop (`dfs.ha.namenodes.lake`).

use std::collections::{BTreeMap, HashMap};

use object_store::aws::AmazonS3ConfigKey;
use object_store::azure::AzureConfigKey;
use object_store::gcp::GoogleConfigKey;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use url::Url;

use crate::diag::{Diagnostic, Result, codes};
use crate::node::plain;
use crate::project::Target;

/// Options of our own.
const OURS: &[&str] = &["aws_profile", "profile", "max_retries", "retry_timeout"];

/// Options as the profile gives them.
#[derive(Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StoreOptions {
    common: BTreeMap<String, String>,
    /// By the URL that a store's URL starts with.
    under: Vec<(String, BTreeMap<String, String>)>,
}

/// Nothing but names: values may be secret.
impl std::fmt::Debug for StoreOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let under: Vec<&String> = self.under.iter().map(|(url, _)| url).collect();
        f.debug_struct("StoreOptions").field("keys", &self.common.keys()).field("under", &under).finish()
    }
}

impl StoreOptions {
    /// Options of all stores.
    pub fn new(common: impl IntoIterator<Item = (String, String)>) -> StoreOptions {
        StoreOptions { common: common.into_iter().collect(), under: Vec::new() }
    }

    /// What a target of the profile says.
    pub fn of(target: &Target) -> StoreOptions {
        let texts = |options: &Map<String, Json>| -> Vec<(String, String)> {
            options.iter().map(|(key, value)| (key.clone(), plain(value))).collect()
        };
        let common = StoreOptions::new(texts(&target.storage_options));
        let under = target.stores.iter().filter_map(|(url, options)| Some((url, options.as_object()?)));
        under.fold(common, |all, (url, options)| all.with(url, texts(options)))
    }

    /// The same, with options of the stores under `url`.
    pub fn with(mut self, url: &str, options: impl IntoIterator<Item = (String, String)>) -> StoreOptions {
        self.under.push((url.to_string(), options.into_iter().collect()));
        // The longest prefix is applied last.
        self.under.sort_by_key(|(url, _)| url.len());
        self
    }

    /// Those that may be written down and sent to other machines.
    pub fn without_secrets(&self) -> StoreOptions {
        let open = |options: &BTreeMap<String, String>| -> BTreeMap<String, String> {
            options.iter().filter(|(key, _)| !is_secret(key)).map(|(key, value)| (key.clone(), value.clone())).collect()
        };
        let under = self.under.iter().map(|(url, options)| (url.clone(), open(options))).collect();
        StoreOptions { common: open(&self.common), under }
    }

    /// What holds for the store at `root`.
    pub(super) fn resolve(&self, root: &Url) -> Resolved {
        let root = root.as_str().trim_end_matches('/');
        let mut options = self.common.clone();
        for (url, own) in &self.under {
            let url = url.trim_end_matches('/');
            if root == url || url.ends_with(':') && root.starts_with(url) {
                options.extend(own.iter().map(|(key, value)| (key.clone(), value.clone())));
            }
        }
        Resolved(options)
    }
}

impl From<HashMap<String, String>> for StoreOptions {
    fn from(options: HashMap<String, String>) -> StoreOptions {
        StoreOptions::new(options)
    }
}

/// Options of one store.
#[derive(Clone)]
pub(super) struct Resolved(BTreeMap<String, String>);

impl Resolved {
    /// All of them, sorted.
    pub(super) fn sorted(&self) -> Vec<(String, String)> {
        self.0.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// The value of an option that is a number; `60s` is one.
    ///
    /// # Errors
    /// C1004 if it is none.
    pub(super) fn number(&self, key: &str) -> Result<Option<u64>> {
        let Some(value) = self.0.get(key) else { return Ok(None) };
        value
            .trim_end_matches('s')
            .parse()
            .map(Some)
            .map_err(|_| Diagnostic::error(codes::BAD_VALUE, format!("the store option `{key}` has to be a number")))
    }

    /// Fails for an option that no store knows.
    ///
    /// # Errors
    /// C1004 with a name that is near.
    pub(super) fn check(&self) -> Result<()> {
        let Some(unknown) = self.cloud().into_iter().map(|(key, _)| key).find(|key| !is_known(key)) else {
            return Ok(());
        };
        let near = crate::stdx::closest(&unknown, NEAR.iter().copied());
        Err(Diagnostic::error(codes::BAD_VALUE, format!("no store has the option `{unknown}`"))
            .maybe_help(near.map(|near| format!("an option named `{near}` exists"))))
    }

    /// Hadoop's properties.
    pub(super) fn hadoop(&self) -> Vec<(String, String)> {
        self.sorted().into_iter().filter(|(key, _)| key.contains('.')).collect()
    }

    /// Options of clouds, in lower case.
    pub(super) fn cloud(&self) -> Vec<(String, String)> {
        let cloud = self.0.iter().filter(|(key, _)| !key.contains('.'));
        cloud.map(|(key, value)| (key.to_ascii_lowercase(), value.clone())).collect()
    }
}

/// True for options whose values nobody else should know.
fn is_secret(key: &str) -> bool {
    let key = key.to_lowercase();
    ["key", "secret", "token", "password", "credential", "sas", "auth"].iter().any(|word| key.contains(word))
}

/// Options of our own and those that are written most: for the reference.
#[cfg(test)]
pub(crate) fn known_options() -> Vec<&'static str> {
    let more = OURS.iter().filter(|key| !NEAR.contains(key));
    NEAR.iter().chain(more).copied().collect()
}

/// Options that are written most, for suggestions.
const NEAR: &[&str] = &[
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "aws_region",
    "aws_profile",
    "aws_endpoint_url",
    "endpoint",
    "allow_http",
    "skip_signature",
    "virtual_hosted_style_request",
    "azure_storage_account_name",
    "azure_storage_account_key",
    "azure_storage_sas_token",
    "azure_client_id",
    "azure_client_secret",
    "azure_tenant_id",
    "use_azure_cli",
    "google_service_account",
    "google_service_account_key",
    "google_application_credentials",
    "timeout",
    "connect_timeout",
    "max_retries",
    "retry_timeout",
];

fn is_known(key: &str) -> bool {
    OURS.contains(&key)
        || key.parse::<AmazonS3ConfigKey>().is_ok()
        || key.parse::<AzureConfigKey>().is_ok()
        || key.parse::<GoogleConfigKey>().is_ok()
}

/// The variables of the environment that start with one of `prefixes`, with names in lower case.
pub(super) fn environment(prefixes: &[&str]) -> Vec<(String, String)> {
    let known = |key: &String| prefixes.iter().any(|prefix| key.starts_with(prefix));
    let lower = |(key, value): (String, String)| (key.to_ascii_lowercase(), value);
    // `vars` panics on what is no Unicode.
    let text = |(key, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((key.into_string().ok()?, value.into_string().ok()?))
    };
    // A variable without a value is how a shell takes one back.
    std::env::vars_os().filter_map(text).filter(|(key, value)| known(key) && !value.is_empty()).map(lower).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_stay_at_home() {
        let options = |keys: &[&str]| keys.iter().map(|key| (key.to_string(), "v".to_string())).collect::<Vec<_>>();
        let all = ["aws_secret_access_key", "AWS_SESSION_TOKEN", "azure_storage_sas_key", "endpoint", "aws_region"];
        let all = StoreOptions::new(options(&all)).with("s3://b", options(&["allow_http", "token"]));
        let open = StoreOptions::new(options(&["endpoint", "aws_region"])).with("s3://b", options(&["allow_http"]));
        assert_eq!(all.without_secrets(), open);
    }
}
