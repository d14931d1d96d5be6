//! In the stores that `scripts/services env` names.

use super::*;

/// Publishes to a URL of a real store: versions, conflicts, and what is left.
#[expect(clippy::print_stderr, reason = "a skipped test must not look like one that passed")]
async fn store(variable: &str, url: Option<String>, options: &[(&str, String)]) {
    let Some(url) = url else {
        assert!(std::env::var_os("CI_REQUIRE_SERVICES").is_none_or(|flag| flag != "1"), "{variable} is not set");
        eprintln!("skipped: {variable} is not set; try: eval \"$(scripts/services env)\"");
        return;
    };
    let url = format!("{}/c360-files-{}", url.trim_end_matches('/'), uuid::Uuid::new_v4().simple());
    let options = crate::stores::StoreOptions::new(options.iter().map(|(key, value)| (key.to_string(), value.clone())));
    let settings = json!({"type": "files", "path": url, "format": "json", "max_file_rows": 15});
    let config = DestinationConfig::parse("out", &settings).expect("fine").with_stores(&options);
    let job = |config: Value| PublishJob::parse("mart", "mart", &config).expect("fine").remove(0);
    let append = job(json!({"to": "out", "mode": "append"}));
    let sources = [growing(1), growing(2), growing(2), growing(3)];
    for published in
        futures::future::join_all(sources.iter().map(|source| publish(&config, "out", &append, source, &|_| {}))).await
    {
        published.unwrap_or_else(|error| panic!("{error:?}"));
    }
    let DestinationConfig::Files(files) = &config else { panic!("files") };
    let place = Place { destination: "out".into(), server: "files".into(), table: "mart".into(), node: "mart".into() };
    let folder = Folder::open(files, &place).expect("opens");
    let check = async |rows: u64| {
        let bytes = folder.get(history::MANIFEST).await.expect("reads").expect("there");
        let manifest = Manifest::from_json(&bytes).expect("a manifest");
        let mut there: Vec<String> = folder.list("").await.expect("a list").into_iter().map(|(path, _)| path).collect();
        assert!(there.contains(&"_SUCCESS".to_string()), "{there:?}");
        there.retain(|path| !path.starts_with('_'));
        let mut listed: Vec<String> = manifest.files.iter().map(|file| file.path.clone()).collect();
        there.sort();
        listed.sort();
        assert_eq!(there, listed);
        let mut lines = 0;
        for path in &listed {
            let bytes = folder.get(path).await.expect("reads").expect("there");
            lines += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        }
        assert_eq!((manifest.rows, lines), (rows, rows));
    };
    check(30).await;
    publish(&config, "out", &job(json!("out")), &growing(4), &|_| {}).await.expect("published");
    check(40).await;
    super::super::super::ping(&config, "out").await.expect("answers");
    let all: Vec<String> = folder.list("").await.expect("a list").into_iter().map(|(path, _)| path).collect();
    folder.delete(&all).await;
}

#[tokio::test]
async fn s3_has_versions_too() {
    let variable = "C360_TEST_S3_ENDPOINT";
    let endpoint = std::env::var(variable).ok();
    let text = |name: &str, default: &str| std::env::var(name).unwrap_or_else(|_| default.to_string());
    let options = [
        ("aws_endpoint", endpoint.clone().unwrap_or_default()),
        ("aws_allow_http", "true".to_string()),
        ("aws_region", text("C360_TEST_S3_REGION", "us-east-1")),
        ("aws_access_key_id", text("C360_TEST_S3_KEY", "test")),
        ("aws_secret_access_key", text("C360_TEST_S3_SECRET", "test")),
    ];
    let url = endpoint.map(|_| format!("s3://{}", text("C360_TEST_S3_BUCKET", "c360-test")));
    store(variable, url, &options).await;
}

#[tokio::test]
async fn hdfs_has_versions_too() {
    let variable = "C360_TEST_HDFS_URL";
    store(variable, std::env::var(variable).ok(), &[]).await;
}
