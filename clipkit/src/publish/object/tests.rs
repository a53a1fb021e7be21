use std::time::SystemTime;

use super::template::Template;
use super::*;

fn post(title: &str) -> Post {
    let json = serde_json::json!({"clip": "0123456789abcdef0123456789abcdef", "rank": 7, "title": title, "files": {"video": "a.mp4"}});
    serde_json::from_value(json).unwrap()
}

#[test]
fn keys_are_made_from_templates() {
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let key = |template: &str| Template::parse(template).unwrap().key(&post("Why \u{e9}lan?! ../x"), at);
    assert_eq!(key("{id}/{rank}-{slug}"), "0123456789abcdef0123456789abcdef/07-why-elan-x");
    assert_eq!(key("spring {date}/{slug}"), "spring 2027-01-15/why-elan-x");
    for wrong in ["", "{", "}", "{title}", "a}b", "{id", "/a", "a/", "./a", ".clipkit/x", "a\nb", "{}"] {
        assert_eq!(Template::parse(wrong).unwrap_err().kind(), ErrorKind::Config, "{wrong:?}");
    }
}

#[test]
fn the_target_is_the_kind_of_store_with_its_place() {
    for (url, expected) in [
        ("s3://bucket/clips/", "s3:bucket/clips"),
        ("S3A://bucket", "s3:bucket"),
        ("gs://bucket/a", "gs:bucket/a"),
        ("abfss://container@account/a", "az:account/a"),
        ("file:///srv/clips", "file:/srv/clips"),
        ("s3://me:hunter2@bucket/a?sig=hunter2", "s3:bucket/a"),
    ] {
        assert_eq!(ObjectStorePublisher::new(url).target().to_string(), expected, "{url}");
    }
}

#[test]
fn a_document_has_defaults_and_reads_back() {
    let read: ObjectStorePublisher = serde_json::from_str(r#"{"url": "s3://bucket/a"}"#).unwrap();
    assert_eq!(read, ObjectStorePublisher::new("s3://bucket/a"));
    let mut all = read;
    (all.link, all.cache_control) = (Some(Duration::from_millis(1500)), Some("no-store".into()));
    all.metadata.insert("a".into(), "b".into());
    let text = serde_json::to_string(&all).unwrap();
    assert!(text.contains("\"link\":1.5"), "{text}");
    assert_eq!(serde_json::from_str::<ObjectStorePublisher>(&text).unwrap(), all);
    assert!(serde_json::from_str::<ObjectStorePublisher>(r#"{"url": "s3://b", "links": 1}"#).is_err());
}
