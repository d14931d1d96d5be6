//! Lakes and warehouses behind an S3 API, and how it refuses: `scripts/services start s3` starts a server,
//! `C360_TEST_S3_ENDPOINT` says where. Without it these tests are skipped, loudly, unless `CI_REQUIRE_SERVICES=1` makes
//! that a failure.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use object_store::aws::AmazonS3Builder;
use object_store::path::Path as Location;

use crate::harness::{Project, without};
use crate::lakes::{Place, fails_and_loses_nothing, one_table, recovers, relations, the_job, two_writers};

const ENDPOINT: &str = "C360_TEST_S3_ENDPOINT";

fn env(name: &str) -> String {
    std::env::var(format!("C360_TEST_S3_{name}")).unwrap_or_else(|_| panic!("no C360_TEST_S3_{name}"))
}

/// Runs `test` in a folder of its own.
fn on_s3(name: &str, test: impl FnOnce(&Place)) {
    if without(ENDPOINT) {
        return;
    }
    let (bucket, folder) = (env("BUCKET"), format!("c360-it/{name}-{}", std::process::id()));
    let store = AmazonS3Builder::new()
        .with_endpoint(env("ENDPOINT"))
        .with_bucket_name(&bucket)
        .with_region(env("REGION"))
        .with_access_key_id(env("KEY"))
        .with_secret_access_key(env("SECRET"))
        .with_allow_http(true)
        .build()
        .expect("a store");
    let settings = [
        ("AWS_ENDPOINT_URL", env("ENDPOINT")),
        ("AWS_REGION", env("REGION")),
        ("AWS_ALLOW_HTTP", "true".to_string()),
        ("AWS_ACCESS_KEY_ID", env("KEY")),
        ("AWS_SECRET_ACCESS_KEY", env("SECRET")),
    ];
    let settings = settings.map(|(name, value)| (name.to_string(), value)).to_vec();
    let url = format!("s3://{bucket}/{folder}");
    test(&Place { url, store: Arc::new(store), folder: Location::from(folder), settings });
}

/// Asks the server to answer requests for this place with an error; `count` of them, or all.
fn fault(place: &Place, method: &str, status: u16, code: &str, count: Option<usize>) {
    let path = format!("/{}/{}", env("BUCKET"), place.folder);
    let fault = serde_json::json!({"method": method, "path": path, "status": status, "code": code, "count": count});
    faults("POST", &fault.to_string());
}

/// Lets the faults of a place end with it.
fn end_of_faults(place: &Place) {
    faults("DELETE", &format!("/{}/{}", env("BUCKET"), place.folder));
}

fn faults(method: &str, body: &str) -> String {
    let address = env("ENDPOINT").trim_start_matches("http://").to_string();
    let mut stream = TcpStream::connect(address).expect("the server");
    write!(stream, "{method} /_faults HTTP/1.0\r\nContent-Length: {}\r\n\r\n{body}", body.len()).expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.contains(" 200 "), "{answer}");
    answer
}

#[test]
fn the_job_on_s3_gives_the_rows_of_the_local_one() {
    on_s3("job", the_job);
}

#[test]
fn every_kind_of_relation_lives_on_s3() {
    on_s3("relations", relations);
}

#[test]
fn no_commit_of_two_writers_is_lost_on_s3() {
    on_s3("writers", two_writers);
}

/// With other keys.
fn with_keys(project: Project, key: &str, secret: &str) -> Project {
    project.setting("AWS_ACCESS_KEY_ID", key).setting("AWS_SECRET_ACCESS_KEY", secret)
}

#[test]
fn keys_that_may_only_read_are_one_error_and_lose_nothing() {
    on_s3("rights", |place| {
        let project = with_keys(one_table(place), &env("READER_KEY"), &env("READER_SECRET"));
        fails_and_loses_nothing(place, &project, &["AccessDenied"]);
        recovers(&with_keys(project, &env("KEY"), &env("SECRET")));
    });
}

#[test]
fn a_full_store_is_one_error_and_loses_nothing() {
    on_s3("full", |place| {
        let project = one_table(place);
        fault(place, "PUT", 403, "QuotaExceeded", None);
        fails_and_loses_nothing(place, &project, &["QuotaExceeded", "quota"]);
        end_of_faults(place);
        recovers(&project);
    });
}

#[test]
fn a_busy_store_is_asked_again() {
    on_s3("busy", |place| {
        let project = one_table(place);
        fault(place, "PUT", 503, "SlowDown", Some(3));
        fault(place, "GET", 500, "InternalError", Some(3));
        recovers(&project);
        end_of_faults(place);
    });
}

#[test]
fn wrong_credentials_are_named_and_not_shown() {
    on_s3("credentials", |place| {
        let project = with_keys(one_table(place), &env("KEY"), "a-secret-that-is-wrong");
        let output = project.exits(1, &["build"]);
        output.says(&["SignatureDoesNotMatch", "credentials"]);
        assert!(!output.all().contains("a-secret-that-is-wrong"), "{}", output.all());
        let project = with_keys(project, "NOBODY", &env("SECRET"));
        let output = project.exits(1, &["build"]);
        output.says(&["InvalidAccessKeyId", "credentials"]);
        assert!(!output.all().contains(&env("SECRET")), "{}", output.all());
    });
}

#[test]
fn a_bucket_that_is_not_there_is_named() {
    on_s3("bucket", |place| {
        let project = one_table(place);
        project.edit("profiles.yml", &format!("s3://{}/", env("BUCKET")), "s3://no-such-bucket/");
        project.exits(1, &["build"]).says(&["s3://no-such-bucket", "NoSuchBucket", "make the bucket first"]);
    });
}
