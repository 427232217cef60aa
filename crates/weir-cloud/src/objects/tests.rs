//! Buckets in a local directory.

use bytes::Bytes;
use object_store::ObjectStoreExt;
use object_store::path::Path as Key;
use weir_base::time::Timestamp;

use super::*;

fn objects(directory: &tempfile::TempDir) -> Objects {
    Objects::new(ObjectsConfig::Local(directory.path().join("objects")))
}

#[tokio::test]
async fn a_bucket_is_made_used_and_removed() {
    let directory = tempfile::tempdir().unwrap();
    let objects = objects(&directory);
    assert!(matches!(objects.bucket("b-1").await, Err(ObjectsError::NoBucket(_))));
    assert!(objects.list_buckets().await.unwrap().is_empty());
    objects.create_bucket("b-1").await.unwrap();
    assert!(matches!(objects.create_bucket("b-1").await, Err(ObjectsError::BucketExists(_))));

    objects.put("b-1", "a/b.txt", Bytes::from_static(b"text")).await.unwrap();
    assert_eq!(objects.get("b-1", "a/b.txt").await.unwrap(), Bytes::from_static(b"text"));
    let file = directory.path().join("objects/b-1/a/b.txt");
    assert_eq!(std::fs::read(file).unwrap(), b"text");
    assert!(matches!(objects.delete_bucket("b-1").await, Err(ObjectsError::NotEmpty(_))));

    let store = objects.bucket("b-1").await.unwrap();
    store.delete(&Key::from("a/b.txt")).await.unwrap();
    objects.delete_bucket("b-1").await.unwrap();
    assert!(!objects.bucket_exists("b-1").await.unwrap());
    assert!(matches!(objects.delete_bucket("b-1").await, Err(ObjectsError::NoBucket(_))));
}

#[tokio::test]
async fn a_bucket_that_was_removed_behind_our_back_is_noticed() {
    let directory = tempfile::tempdir().unwrap();
    let objects = objects(&directory);
    objects.create_bucket("b-1").await.unwrap();
    objects.bucket("b-1").await.unwrap();
    std::fs::remove_dir(directory.path().join("objects/b-1")).unwrap();
    assert!(matches!(objects.bucket("b-1").await, Err(ObjectsError::NoBucket(_))));
}

#[tokio::test]
async fn empty_folders_do_not_keep_a_bucket() {
    let directory = tempfile::tempdir().unwrap();
    let objects = objects(&directory);
    objects.create_bucket("b-1").await.unwrap();
    std::fs::create_dir_all(directory.path().join("objects/b-1/x/y")).unwrap();
    objects.delete_bucket("b-1").await.unwrap();
}

#[tokio::test]
async fn what_a_killed_writer_has_not_finished_goes_in_time() {
    let directory = tempfile::tempdir().unwrap();
    let objects = objects(&directory);
    let (past, future) = (Timestamp(0), Timestamp(i64::MAX));
    assert_eq!(objects.remove_unfinished(future).await.unwrap(), 0, "there is no bucket yet");
    objects.create_bucket("b-1").await.unwrap();
    objects.put("b-1", "a/manifest.json", Bytes::from_static(b"{}")).await.unwrap();
    let unfinished = directory.path().join("objects/b-1/a/manifest.json#1");
    std::fs::write(&unfinished, b"{").unwrap();
    assert_eq!(objects.remove_unfinished(past).await.unwrap(), 0, "it may be in the making");
    assert!(unfinished.exists());
    assert_eq!(objects.remove_unfinished(future).await.unwrap(), 1);
    assert!(!unfinished.exists());
    assert_eq!(objects.get("b-1", "a/manifest.json").await.unwrap(), Bytes::from_static(b"{}"));
}

#[tokio::test]
async fn names_and_keys_cannot_leave_the_directory() {
    let directory = tempfile::tempdir().unwrap();
    let objects = objects(&directory);
    objects.create_bucket("b-1").await.unwrap();
    for name in ["..", "../b-1", ".hidden", "a/b"] {
        assert!(matches!(objects.bucket(name).await, Err(ObjectsError::InvalidName(_))), "{name}");
        assert!(matches!(objects.create_bucket(name).await, Err(ObjectsError::InvalidName(_))), "{name}");
    }
    for key in ["../x", "a/../../x", "a//b"] {
        let put = objects.put("b-1", key, Bytes::new()).await;
        assert!(matches!(put, Err(ObjectsError::InvalidKey { .. })), "{key}");
    }
}

#[tokio::test]
async fn buckets_are_listed_by_name_and_other_entries_are_not() {
    let directory = tempfile::tempdir().unwrap();
    let objects = objects(&directory);
    for name in ["b-2", "b-1"] {
        objects.create_bucket(name).await.unwrap();
    }
    std::fs::create_dir(directory.path().join("objects/.uploads")).unwrap();
    std::fs::write(directory.path().join("objects/file"), b"").unwrap();
    let names: Vec<String> = objects.list_buckets().await.unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(names, ["b-1", "b-2"]);
}

#[test]
fn a_configuration_shows_no_secret() {
    let config = S3Config {
        endpoint: "http://127.0.0.1:1".into(),
        region: "r".into(),
        access_key: "AKX".into(),
        secret_key: "SKX".into(),
        runtime: None,
    };
    let shown = format!("{:?}", ObjectsConfig::S3(config));
    assert!(!shown.contains("SKX"), "{shown}");
}

#[tokio::test]
async fn buckets_out_of_reach_are_as_if_they_were_not_there() {
    let directory = tempfile::tempdir().unwrap();
    let all = objects(&directory);
    for name in ["b-1", "b-2"] {
        all.create_bucket(name).await.unwrap();
        all.put(name, "k", Bytes::from_static(b"text")).await.unwrap();
    }
    let some = all.within(["b-1".to_string(), "b-3".to_string()].into());
    assert_eq!(some.get("b-1", "k").await.unwrap(), Bytes::from_static(b"text"));
    assert!(some.path_exists("b-1/k").await.unwrap() && !some.path_exists("b-2/k").await.unwrap());
    assert!(!some.bucket_exists("b-2").await.unwrap());
    assert!(matches!(some.get("b-2", "k").await, Err(ObjectsError::NoBucket(_))));
    assert!(matches!(some.put("b-2", "k", Bytes::new()).await, Err(ObjectsError::NoBucket(_))));
    assert!(matches!(some.create_bucket("b-4").await, Err(ObjectsError::NoBucket(_))));
    assert!(matches!(some.delete_bucket("b-2").await, Err(ObjectsError::NoBucket(_))));
    assert_eq!(
        some.list_buckets().await.unwrap().iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["b-1"]
    );
    assert_eq!(all.list_buckets().await.unwrap().len(), 2);
    assert_eq!(some.and("b-2").get("b-2", "k").await.unwrap(), Bytes::from_static(b"text"));
    assert!(some.get("b-2", "k").await.is_err());
}
