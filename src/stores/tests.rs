//! Where options and credentials come from, and what errors say.

use super::*;

fn options(pairs: &[(&str, &str)]) -> StoreOptions {
    StoreOptions::new(pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())))
}

#[test]
fn local_paths_and_urls_share_one_store() {
    let (by_path, path) = open("/tmp/a b", &StoreOptions::default()).expect("a store");
    let (by_url, same) = open("file:///tmp/a%20b", &StoreOptions::default()).expect("a store");
    assert!(Arc::ptr_eq(&by_path, &by_url));
    assert_eq!((path.as_ref(), same.as_ref()), ("tmp/a b", "tmp/a b"));
}

#[test]
fn one_store_serves_all_locations_with_the_same_authority_and_options() {
    let keys = options(&[("aws_access_key_id", "a"), ("aws_secret_access_key", "b")]);
    let (lake, path) = open("s3://one/lake/x", &keys).expect("a store");
    assert_eq!(path.as_ref(), "lake/x");
    assert!(Arc::ptr_eq(&lake, &open("s3://one/warehouse", &keys).expect("a store").0));
    assert!(!Arc::ptr_eq(&lake, &open("s3://two/lake", &keys).expect("a store").0));
    let others = options(&[("aws_access_key_id", "c"), ("aws_secret_access_key", "d")]);
    assert!(!Arc::ptr_eq(&lake, &open("s3://one/lake", &others).expect("a store").0));
}

/// A home folder with Amazon's files in it, and what is read from there.
fn amazon(config: &str, credentials: &str, variables: &[(&str, &str)]) -> (tempfile::TempDir, aws::World) {
    let home = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(home.path().join(".aws")).expect("a folder");
    std::fs::write(home.path().join(".aws/config"), config).expect("written");
    std::fs::write(home.path().join(".aws/credentials"), credentials).expect("written");
    let variables = variables.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
    let world = aws::World { variables, home: Some(home.path().to_path_buf()), is_amazon: false };
    (home, world)
}

/// What the store gets in the end, as `key=value` in the order of keys; of several values the last one.
fn settled(world: &aws::World, given: &[(&str, &str)]) -> Result<String> {
    let root = Url::parse("s3://lake/").expect("a URL");
    let given: Vec<(String, String)> = given.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
    let settings = aws::settle(&root, &given, world)?;
    let last: std::collections::BTreeMap<String, String> =
        settings.into_iter().map(|(key, value)| (key.as_ref().to_string(), value)).collect();
    Ok(last.into_iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" "))
}

const CONFIG: &str = "[default]\nregion = eu-west-1\n[profile lake]\nregion = ap-southeast-1\nservices = local\n[services \
                      local]\ns3 =\n  endpoint_url = http://127.0.0.1:9000\n[profile org]\nsso_session = org\n[profile \
                      admin]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = default\n";
const CREDENTIALS: &str = "[default]\naws_access_key_id = D\naws_secret_access_key = DS\n[lake]\naws_access_key_id = \
                           L\naws_secret_access_key = LS\naws_session_token = LT\n";

#[test]
fn credentials_of_amazon_come_as_a_set_from_the_first_place_that_has_any() {
    let (_home, world) = amazon(CONFIG, CREDENTIALS, &[]);
    assert_eq!(
        settled(&world, &[]),
        Ok("aws_access_key_id=D aws_region=eu-west-1 aws_secret_access_key=DS".to_string())
    );
    // The environment has keys and no session token: that of the file does not go with them.
    let variables = [("aws_profile", "lake"), ("aws_access_key_id", "E"), ("aws_secret_access_key", "ES")];
    let (_home, world) = amazon(CONFIG, CREDENTIALS, &variables);
    assert_eq!(
        settled(&world, &[]),
        Ok("allow_http=true aws_access_key_id=E aws_endpoint=http://127.0.0.1:9000 aws_region=ap-southeast-1 \
            aws_secret_access_key=ES"
            .to_string())
    );
    // The profile's options win over both.
    let given = [("access_key_id", "O"), ("secret_access_key", "OS"), ("aws_region", "x")];
    let (_home, world) = amazon(CONFIG, CREDENTIALS, &[("aws_access_key_id", "E"), ("aws_session_token", "ET")]);
    assert_eq!(settled(&world, &given), Ok("aws_access_key_id=O aws_region=x aws_secret_access_key=OS".to_string()));
}

#[test]
fn a_profile_of_amazon_is_named_by_the_environment_or_by_an_option() {
    let (_home, world) = amazon(CONFIG, CREDENTIALS, &[("aws_profile", "default")]);
    let by_option = settled(&world, &[("aws_profile", "lake")]).expect("settled");
    assert!(by_option.contains("aws_access_key_id=L") && by_option.contains("aws_session_token=LT"), "{by_option}");
    let missing = settled(&world, &[("aws_profile", "none")]).expect_err("no such profile");
    assert_eq!(missing.message, "there is no AWS profile `none`");
}

#[test]
fn credentials_that_cannot_be_used_are_named() {
    for (profile, what) in [("org", "single sign-on"), ("admin", "an assumed role")] {
        let (_home, world) = amazon(CONFIG, "", &[("aws_profile", profile)]);
        let error = settled(&world, &[]).expect_err("no credentials");
        assert!(error.message.contains(what) && error.message.contains(profile), "{}", error.message);
        assert!(error.helps[0].contains("export-credentials"), "{:?}", error.helps);
    }
}

#[test]
fn the_metadata_service_is_asked_on_machines_of_amazon_alone() {
    let (_home, mut world) = amazon("", "", &[]);
    let error = settled(&world, &[]).expect_err("no credentials");
    assert_eq!((error.code, error.message.as_str()), (codes::STORE_ERROR, "there are no credentials for `s3://lake`"));
    assert_eq!(settled(&world, &[("skip_signature", "true")]), Ok("aws_skip_signature=true".to_string()));
    world.is_amazon = true;
    assert_eq!(settled(&world, &[]), Ok(String::new()));
    world.variables.insert("aws_ec2_metadata_disabled".to_string(), "true".to_string());
    assert!(settled(&world, &[]).is_err());
}

#[test]
fn options_under_a_url_win_and_unknown_ones_are_refused() {
    let common = options(&[("aws_region", "a"), ("dfs.replication", "1")]);
    let both = common.with("s3://lake/", [("aws_region".to_string(), "b".to_string())]);
    let of = |url: &str| both.resolve(&Url::parse(url).expect("a URL")).cloud();
    assert_eq!(of("s3://lake/"), [("aws_region".to_string(), "b".to_string())]);
    assert_eq!(of("s3://lakes/"), [("aws_region".to_string(), "a".to_string())]);
    assert_eq!(both.resolve(&Url::parse("hdfs://nn/").expect("a URL")).hadoop().len(), 1);
    let error = open("s3://lake/x", &options(&[("aws_acces_key_id", "secret")])).expect_err("a typing error");
    assert_eq!(error.code, codes::BAD_VALUE);
    assert_eq!(error.helps, ["an option named `aws_access_key_id` exists"]);
}

#[test]
fn secrets_are_not_shown() {
    let secret = options(&[("aws_secret_access_key", "hush")]).with("s3://a", [("token".into(), "hush".into())]);
    assert!(!format!("{secret:?}").contains("hush"));
    let keys = options(&[("aws_access_key_id", "a"), ("aws_secret_access_key", "hush"), ("aws_session_token", "hush")]);
    let (store, _) = open("s3://hidden/x", &keys).expect("a store");
    assert_eq!(format!("{store:?}"), "AmazonS3(hidden)");
    let error = open("s3://key:hush@lake/x", &StoreOptions::default()).expect_err("refused");
    assert!(!format!("{error:?}").contains("hush"), "{error:?}");
    assert_eq!(
        clean("GET https://a.blob.core.windows.net/c/d?sv=1&sig=hush failed"),
        "GET https://a.blob.core.windows.net/c/d?... failed"
    );
    assert_eq!(
        clean("http://me:hush@host/x, and abfss://c@a.dfs.core.windows.net/y"),
        "http://me@host/x, and abfss://c@a.dfs.core.windows.net/y"
    );
    assert_eq!(clean("s3://lake/day=?.csv"), "s3://lake/day=?.csv");
}

#[test]
fn causes_are_told_in_one_line_with_a_help() {
    let generic = |text: &str| object_store::Error::Generic { store: "S3", source: text.to_string().into() };
    let cases = [
        (
            "Error performing GET http://h/b/k?list-type=2 in 3ms - Server returned non-2xx status code: 403 Forbidden: <?xml \
             version=\"1.0\"?><Error><Code>InvalidAccessKeyId</Code><Message>The key does not exist.</Message>\
             <AWSAccessKeyId>hush</AWSAccessKeyId></Error>",
            Cause::Credentials,
            "InvalidAccessKeyId: The key does not exist",
        ),
        (
            "RPC error: org.apache.hadoop.security.AccessControlException Permission denied: user=me, access=WRITE\n\tat org.x",
            Cause::Permission,
            "Permission denied: user=me, access=WRITE",
        ),
        (
            "RPC error: org.apache.hadoop.hdfs.server.namenode.SafeModeException Cannot create file/x. Name node is in safe \
             mode.\nIt was turned on manually.",
            Cause::Locked,
            "Cannot create file/x. Name node is in safe mode.",
        ),
        (
            "RPC error: org.apache.hadoop.hdfs.protocol.DSQuotaExceededException The DiskSpace quota of /w is exceeded",
            Cause::Quota,
            "The DiskSpace quota of /w is exceeded",
        ),
        (
            "IO error occurred while communicating with HDFS: Connection refused (os error 111)",
            Cause::Unreachable,
            "IO error occurred while communicating with HDFS: Connection refused (os error 111)",
        ),
        ("invalid argument: No NameNode hosts found", Cause::NameService, "invalid argument: No NameNode hosts found"),
    ];
    for (text, cause, shown) in cases {
        let error = generic(text);
        assert_eq!(Cause::of(&error), cause, "{text}");
        let found = store_error("hdfs://nn:9000/", &error);
        assert_eq!((found.code, found.message.as_str()), (codes::STORE_ERROR, "`hdfs://nn:9000` cannot be reached"));
        assert_eq!(found.notes, [shown]);
        assert_eq!(found.helps.len(), 1, "{text}");
        assert!(!format!("{found:?}").contains("hush"));
    }
}
