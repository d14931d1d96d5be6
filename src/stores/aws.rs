//! Amazon S3 and what speaks its language.
//!
//! Credentials come as a set (key, secret, session token) from the first place that has any: the profile's options, the
//! environment, the files under `~/.aws`; after these object_store's own chain of web identity, ECS and EC2.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::{ClientConfigKey, ObjectStore};
use url::Url;

use super::cloud::{connector, retries, set_all, steady};
use super::ini::{self, Sections};
use super::machine::{self, Cloud};
use super::options::{Resolved, environment};
use super::store_error;
use crate::diag::{Diagnostic, Result, codes};

/// What a set of credentials is made of.
const KEYS: [AmazonS3ConfigKey; 3] =
    [AmazonS3ConfigKey::AccessKeyId, AmazonS3ConfigKey::SecretAccessKey, AmazonS3ConfigKey::Token];

/// Where settings come from.
pub(super) struct World {
    /// Variables, in lower case.
    pub(super) variables: BTreeMap<String, String>,
    /// The user's folder.
    pub(super) home: Option<PathBuf>,
    /// True on a machine of Amazon.
    pub(super) is_amazon: bool,
}

/// The store of a bucket.
pub(super) fn open(root: &Url, options: &Resolved) -> Result<Arc<dyn ObjectStore>> {
    let world = World {
        variables: environment(&["AWS_"]).into_iter().collect(),
        home: std::env::home_dir(),
        is_amazon: machine::is(Cloud::Amazon),
    };
    let builder = AmazonS3Builder::new().with_url(root.as_str()).with_http_connector(connector());
    let builder = settle(root, &options.cloud(), &world)?
        .into_iter()
        .fold(builder.with_retry(retries(options)?), |builder, (key, value)| builder.with_config(key, value));
    builder.build().map(steady).map_err(|error| store_error(root.as_str(), &error))
}

/// All settings of the store at `root`, the later ones winning.
///
/// # Errors
/// C5006 if there are no credentials, or they are of a kind that is not known here.
pub(super) fn settle(
    root: &Url,
    options: &[(String, String)],
    world: &World,
) -> Result<Vec<(AmazonS3ConfigKey, String)>> {
    let named = options.iter().find(|(key, _)| matches!(key.as_str(), "aws_profile" | "profile"));
    let profile = Profile::load(named.map(|(_, name)| name.as_str()), world)?;
    let layers: [Settings; 3] = [
        profile.settings(),
        set_all(world.variables.iter().map(|(key, value)| (key.clone(), value.clone()))),
        set_all(options.iter().cloned()),
    ];
    let has_keys = |layer: &Settings| layer.iter().any(|(key, _)| KEYS[..2].contains(key));
    // Half of one set and half of another would be no credentials at all.
    let owner = layers.iter().rposition(has_keys);
    let mut settings = Settings::new();
    for (at, layer) in layers.into_iter().enumerate() {
        settings.extend(layer.into_iter().filter(|(key, _)| owner == Some(at) || !KEYS.contains(key)));
    }
    add_region(&mut settings);
    allow_plain(&mut settings);
    if owner.is_none() && !tells(&settings) {
        profile.check()?;
        let says = |key: &str, wanted: &str| world.variables.get(key).is_some_and(|value| value == wanted);
        if let Some(endpoint) = world.variables.get("aws_ec2_metadata_service_endpoint") {
            settings.push((AmazonS3ConfigKey::MetadataEndpoint, endpoint.clone()));
        } else if !world.is_amazon || says("aws_ec2_metadata_disabled", "true") {
            return Err(no_credentials(root, &profile));
        }
    }
    Ok(settings)
}

/// The region of the tools for the command line has another name.
fn add_region(settings: &mut Settings) {
    if value(settings, AmazonS3ConfigKey::Region).is_none() {
        let region = value(settings, AmazonS3ConfigKey::DefaultRegion);
        settings.extend(region.map(|region| (AmazonS3ConfigKey::Region, region)));
    }
}

/// Who writes an endpoint with `http://` means it.
fn allow_plain(settings: &mut Settings) {
    let endpoint =
        value(settings, AmazonS3ConfigKey::S3Endpoint).or_else(|| value(settings, AmazonS3ConfigKey::Endpoint));
    if endpoint.is_some_and(|endpoint| endpoint.starts_with("http://")) {
        settings.push((AmazonS3ConfigKey::Client(ClientConfigKey::AllowHttp), "true".into()));
    }
}

/// True if something but a set of keys says who we are, or nothing has to.
fn tells(settings: &Settings) -> bool {
    let asks = [
        AmazonS3ConfigKey::WebIdentityTokenFile,
        AmazonS3ConfigKey::ContainerCredentialsRelativeUri,
        AmazonS3ConfigKey::ContainerCredentialsFullUri,
        AmazonS3ConfigKey::MetadataEndpoint,
    ];
    value(settings, AmazonS3ConfigKey::SkipSignature).is_some_and(|value| value.eq_ignore_ascii_case("true"))
        || asks.into_iter().any(|key| value(settings, key).is_some())
}

/// The value of `wanted` that wins.
fn value(settings: &Settings, wanted: AmazonS3ConfigKey) -> Option<String> {
    settings.iter().rev().find(|(key, _)| *key == wanted).map(|(_, value)| value.clone())
}

type Settings = Vec<(AmazonS3ConfigKey, String)>;

/// A profile of Amazon's configuration files.
struct Profile {
    name: String,
    values: BTreeMap<String, String>,
    looked: Vec<PathBuf>,
}

impl Profile {
    fn load(named: Option<&str>, world: &World) -> Result<Profile> {
        let variable = |key: &str| world.variables.get(key).map(String::as_str);
        let asked = named.or_else(|| variable("aws_profile")).filter(|name| !name.is_empty());
        let name = asked.or_else(|| variable("aws_default_profile")).unwrap_or("default").to_string();
        let file = |key: &str, default: &str| {
            let set = variable(key).map(PathBuf::from);
            set.or_else(|| Some(world.home.as_ref()?.join(".aws").join(default)))
        };
        let (config, credentials) =
            (file("aws_config_file", "config"), file("aws_shared_credentials_file", "credentials"));
        let config_sections = read(config.as_deref());
        let mut values = section(&config_sections, &[&format!("profile {name}"), &name]);
        values.extend(section(&read(credentials.as_deref()), &[&name]));
        if let Some(services) = values.get("services") {
            let services = section(&config_sections, &[&format!("services {services}")]);
            values.extend(services.get("s3.endpoint_url").map(|url| ("endpoint_url".to_string(), url.clone())));
        }
        let looked: Vec<PathBuf> = config.into_iter().chain(credentials).collect();
        if let (Some(asked), true) = (asked, values.is_empty()) {
            let found = Diagnostic::error(codes::STORE_ERROR, format!("there is no AWS profile `{asked}`"));
            return Err(looked_at(found, &looked)
                .help("it is named by `AWS_PROFILE`, or by `aws_profile` of `storage_options`"));
        }
        Ok(Profile { name, values, looked })
    }

    /// What it says to the store.
    fn settings(&self) -> Settings {
        let known = [
            ("aws_access_key_id", AmazonS3ConfigKey::AccessKeyId),
            ("aws_secret_access_key", AmazonS3ConfigKey::SecretAccessKey),
            ("aws_session_token", AmazonS3ConfigKey::Token),
            ("region", AmazonS3ConfigKey::Region),
            ("endpoint_url", AmazonS3ConfigKey::Endpoint),
        ];
        let mut settings: Settings =
            known.into_iter().filter_map(|(key, setting)| Some((setting, self.values.get(key)?.clone()))).collect();
        if let (Some(role), Some(token)) = (self.values.get("role_arn"), self.values.get("web_identity_token_file")) {
            settings.push((AmazonS3ConfigKey::RoleArn, role.clone()));
            settings.push((AmazonS3ConfigKey::WebIdentityTokenFile, token.clone()));
        }
        settings
    }

    /// An error for credentials that it has and that cannot be used here.
    fn check(&self) -> Result<()> {
        let has = |key: &str| self.values.contains_key(key);
        let what = if has("sso_session") || has("sso_start_url") || has("sso_account_id") {
            "single sign-on (`sso_*`)"
        } else if has("credential_process") {
            "`credential_process`"
        } else if has("role_arn") {
            "an assumed role (`role_arn`)"
        } else {
            return Ok(());
        };
        let name = &self.name;
        let found =
            Diagnostic::error(codes::STORE_ERROR, format!("the AWS profile `{name}` uses {what}, which c360 cannot"));
        Err(found.help(format!(
            "`aws configure export-credentials --profile {name} --format env` prints variables that c360 reads"
        )))
    }
}

fn read(file: Option<&Path>) -> Sections {
    file.and_then(|file| std::fs::read_to_string(file).ok()).map(|text| ini::parse(&text)).unwrap_or_default()
}

/// The first of `names` that is there.
fn section(sections: &Sections, names: &[&str]) -> BTreeMap<String, String> {
    names.iter().find_map(|name| sections.get(*name)).cloned().unwrap_or_default()
}

fn no_credentials(root: &Url, profile: &Profile) -> Box<Diagnostic> {
    let place = root.as_str().trim_end_matches('/');
    let found = Diagnostic::error(codes::STORE_ERROR, format!("there are no credentials for `{place}`"));
    let found = looked_at(found.note("no `AWS_ACCESS_KEY_ID`, no web identity, no container"), &profile.looked);
    found.note("this is no machine of Amazon's, so its metadata service was not asked").help(
        "set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or `AWS_PROFILE`, or `storage_options:` in profiles.yml; a \
         public bucket needs `storage_options: {skip_signature: true}`",
    )
}

fn looked_at(found: Box<Diagnostic>, files: &[PathBuf]) -> Box<Diagnostic> {
    let files: Vec<String> = files.iter().map(|file| format!("`{}`", file.display())).collect();
    found.note(format!("looked in {}", files.join(" and ")))
}
