//! Azure, Google, plain HTTP; and what all stores behind HTTP share: connections, retries, how long to wait.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::client::SpawnedReqwestConnector;
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::http::HttpBuilder;
use object_store::{BackoffConfig, ClientConfigKey, ObjectStore, RetryConfig};
use url::Url;

use super::machine::{self, Cloud};
use super::options::{Resolved, environment};
use super::steady::{CALL, Habits, Steady};
use super::{io, store_error};
use crate::diag::{Diagnostic, Result, codes};

/// How often a request is repeated, unless `max_retries` says otherwise.
const RETRIES: usize = 8;
/// How long a request is repeated, unless `retry_timeout` says otherwise. A server that restarts is back by then.
const RETRY_SECONDS: u64 = 60;

/// Connections that live on the threads for I/O.
pub(super) fn connector() -> SpawnedReqwestConnector {
    SpawnedReqwestConnector::new(io::handle())
}

/// How requests are repeated.
///
/// # Errors
/// C1004 for options that are no numbers.
pub(super) fn retries(options: &Resolved) -> Result<RetryConfig> {
    let max_retries = options.number("max_retries")?.map_or(RETRIES, |number| number as usize);
    let seconds = options.number("retry_timeout")?.unwrap_or(RETRY_SECONDS);
    let backoff = BackoffConfig { max_backoff: Duration::from_secs(5), ..Default::default() };
    Ok(RetryConfig { backoff, max_retries, retry_timeout: Duration::from_secs(seconds) })
}

/// The settings whose names a kind of store knows.
pub(super) fn set_all<K: FromStr>(values: impl IntoIterator<Item = (String, String)>) -> Vec<(K, String)> {
    values.into_iter().filter_map(|(key, value)| Some((key.parse().ok()?, value))).collect()
}

/// A store whose commits are made once.
pub(super) fn steady(store: impl ObjectStore) -> Arc<dyn ObjectStore> {
    Arc::new(Steady::new(Arc::new(store), Habits::Cloud, CALL))
}

/// A container of Azure.
pub(super) fn azure(root: &Url, options: &Resolved) -> Result<Arc<dyn ObjectStore>> {
    let mut settings: Vec<(AzureConfigKey, String)> = set_all(environment(&["AZURE_", "IDENTITY_ENDPOINT"]));
    settings.extend(set_all(options.cloud()));
    let has = |keys: &[AzureConfigKey]| settings.iter().any(|(key, _)| keys.contains(key));
    let emulates = has(&[AzureConfigKey::UseEmulator]);
    let tells = has(&[
        AzureConfigKey::AccessKey,
        AzureConfigKey::ClientSecret,
        AzureConfigKey::FederatedTokenFile,
        AzureConfigKey::SasKey,
        AzureConfigKey::Token,
        AzureConfigKey::MsiEndpoint,
        AzureConfigKey::UseAzureCli,
        AzureConfigKey::SkipSignature,
        AzureConfigKey::FabricTokenServiceUrl,
    ]);
    if !emulates && !tells && !machine::is(Cloud::Azure) {
        return Err(no_credentials(
            root,
            "no `AZURE_STORAGE_ACCOUNT_KEY`, no client secret, token or workload identity",
        )
        .help(
            "set `AZURE_STORAGE_ACCOUNT_NAME` and `AZURE_STORAGE_ACCOUNT_KEY`, or `AZURE_CLIENT_ID`, \
             `AZURE_TENANT_ID` and `AZURE_CLIENT_SECRET`; `storage_options: {use_azure_cli: true}` asks `az`",
        ));
    }
    let builder = MicrosoftAzureBuilder::new().with_url(with_user(root)).with_http_connector(connector());
    let builder = settings
        .into_iter()
        .fold(builder.with_retry(retries(options)?), |builder, (key, value)| builder.with_config(key, value));
    builder.build().map(steady).map_err(|error| store_error(root.as_str(), &error))
}

/// What follows the account in hosts of Azure.
const AZURE_HOSTS: [&str; 4] =
    ["dfs.core.windows.net", "blob.core.windows.net", "dfs.fabric.microsoft.com", "blob.fabric.microsoft.com"];

/// `container.account.dfs...`, as [`super::delta`] names stores, the way that Azure does: `container@account.dfs...`.
fn with_user(root: &Url) -> Url {
    let mut named = root.clone();
    let Some((container, host)) = root.host_str().and_then(|host| host.split_once('.')) else { return named };
    let known = host.split_once('.').is_some_and(|(_, rest)| AZURE_HOSTS.contains(&rest));
    let joined = root.username().is_empty() && known;
    if !joined || named.set_host(Some(host)).is_err() || named.set_username(container).is_err() {
        return root.clone();
    }
    named
}

/// A bucket of Google.
pub(super) fn google(root: &Url, options: &Resolved) -> Result<Arc<dyn ObjectStore>> {
    let mut settings: Vec<(GoogleConfigKey, String)> = set_all(environment(&["GOOGLE_"]));
    settings.extend(set_all(options.cloud()));
    let has = |keys: &[GoogleConfigKey]| settings.iter().any(|(key, _)| keys.contains(key));
    let tells = has(&[
        GoogleConfigKey::ServiceAccount,
        GoogleConfigKey::ServiceAccountKey,
        GoogleConfigKey::ApplicationCredentials,
        GoogleConfigKey::SkipSignature,
    ]);
    let default = std::env::home_dir().map(|home| home.join(".config/gcloud/application_default_credentials.json"));
    if !tells && !default.is_some_and(|file| file.exists()) && !machine::is(Cloud::Google) {
        return Err(no_credentials(root, "no `GOOGLE_APPLICATION_CREDENTIALS`, no application default credentials")
            .help(
                "set `GOOGLE_APPLICATION_CREDENTIALS` to the file of a service account, or run `gcloud auth \
             application-default login`",
            ));
    }
    let builder = GoogleCloudStorageBuilder::new().with_url(root.as_str()).with_http_connector(connector());
    let builder = settings
        .into_iter()
        .fold(builder.with_retry(retries(options)?), |builder, (key, value)| builder.with_config(key, value));
    builder.build().map(steady).map_err(|error| store_error(root.as_str(), &error))
}

/// A web server, to read from.
pub(super) fn http(root: &Url, options: &Resolved) -> Result<Arc<dyn ObjectStore>> {
    let settings: Vec<(ClientConfigKey, String)> = set_all(options.cloud());
    let allow = (ClientConfigKey::AllowHttp, (root.scheme() == "http").to_string());
    let builder = HttpBuilder::new().with_url(root.as_str()).with_http_connector(connector());
    let builder = settings
        .into_iter()
        .chain([allow])
        .fold(builder.with_retry(retries(options)?), |builder, (key, value)| builder.with_config(key, value));
    builder.build().map(|store| Arc::new(store) as _).map_err(|error| store_error(root.as_str(), &error))
}

fn no_credentials(root: &Url, looked: &str) -> Box<Diagnostic> {
    let place = root.as_str().trim_end_matches('/');
    Diagnostic::error(codes::STORE_ERROR, format!("there are no credentials for `{place}`"))
        .note(looked)
        .note("this is no machine of that cloud, so its metadata service was not asked")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_are_found_in_both_spellings() {
        let with_user = |url: &str| with_user(&Url::parse(url).expect("a URL")).to_string();
        let usual = "abfss://lake@shop.dfs.core.windows.net/";
        assert_eq!(with_user("abfss://lake.shop.dfs.core.windows.net/"), usual);
        assert_eq!(with_user(usual), usual);
        assert_eq!(with_user("az://lake/"), "az://lake/");
    }
}
