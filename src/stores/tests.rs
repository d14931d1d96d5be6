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
