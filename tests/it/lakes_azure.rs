//! Lakes and warehouses on Azure: `scripts/services start azure` starts Azurite, `C360_TEST_AZURE_ENDPOINT` says where.
//! Without it these tests are skipped, loudly, unless `CI_REQUIRE_SERVICES=1` makes that a failure.

use std::sync::Arc;

use object_store::azure::MicrosoftAzureBuilder;
use object_store::path::Path as Location;

use crate::harness::{Project, without};
use crate::lakes::{Place, fails_and_loses_nothing, one_table, recovers, relations, the_job, two_writers};

const ENDPOINT: &str = "C360_TEST_AZURE_ENDPOINT";

fn env(name: &str) -> String {
    std::env::var(format!("C360_TEST_AZURE_{name}")).unwrap_or_else(|_| panic!("no C360_TEST_AZURE_{name}"))
}

/// Runs `test` in a folder of its own.
fn on_azure(name: &str, test: impl FnOnce(&Place)) {
    if without(ENDPOINT) {
        return;
    }
    let (container, folder) = (env("CONTAINER"), format!("c360-it/{name}-{}", std::process::id()));
    let store = MicrosoftAzureBuilder::new()
        .with_endpoint(env("ENDPOINT"))
        .with_account(env("ACCOUNT"))
        .with_access_key(env("KEY"))
        .with_container_name(&container)
        .with_allow_http(true)
        .build()
        .expect("a store");
    let settings = [
        ("AZURE_STORAGE_ENDPOINT", env("ENDPOINT")),
        ("AZURE_STORAGE_ACCOUNT_NAME", env("ACCOUNT")),
        ("AZURE_STORAGE_ACCOUNT_KEY", env("KEY")),
        ("AZURE_ALLOW_HTTP", "true".to_string()),
    ];
    let settings = settings.map(|(name, value)| (name.to_string(), value)).to_vec();
    let url = format!("az://{container}/{folder}");
    test(&Place { url, store: Arc::new(store), folder: Location::from(folder), settings });
}

#[test]
fn the_job_on_azure_gives_the_rows_of_the_local_one() {
    on_azure("job", the_job);
}

#[test]
fn every_kind_of_relation_lives_on_azure() {
    on_azure("relations", relations);
}

#[test]
fn no_commit_of_two_writers_is_lost_on_azure() {
    on_azure("writers", two_writers);
}

/// With a signature in the place of the account's key.
fn signed(project: Project, token: &str) -> Project {
    project.setting("AZURE_STORAGE_ACCOUNT_KEY", "").setting("AZURE_STORAGE_SAS_TOKEN", token)
}

#[test]
fn a_signature_that_may_only_read_is_one_error_and_loses_nothing() {
    on_azure("rights", |place| {
        let project = signed(one_table(place), &env("READER"));
        let output = fails_and_loses_nothing(place, &project, &["AuthorizationPermissionMismatch"]);
        let signature = env("READER");
        let signature = signature.split("sig=").nth(1).and_then(|rest| rest.split('&').next()).expect("a signature");
        assert!(!output.all().contains(signature), "{}", output.all());
    });
}

#[test]
fn a_wrong_key_and_a_container_that_is_not_there_are_named() {
    on_azure("credentials", |place| {
        let project = one_table(place).setting("AZURE_STORAGE_ACCOUNT_KEY", "YSBzZWNyZXQgdGhhdCBpcyB3cm9uZw==");
        let output = project.exits(1, &["build"]);
        output.says(&["credentials"]);
        assert!(!output.all().contains("YSBzZWNyZXQ"), "{}", output.all());
        let project = project.setting("AZURE_STORAGE_ACCOUNT_KEY", &env("KEY"));
        recovers(&project);
        project.edit("profiles.yml", &format!("az://{}/", env("CONTAINER")), "az://no-such-container/");
        project.exits(1, &["build"]).says(&["az://no-such-container", "ContainerNotFound"]);
    });
}
