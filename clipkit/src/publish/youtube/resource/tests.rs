use std::time::Duration;

use super::*;
use crate::model::{ClipId, PostFiles};

fn post() -> Post {
    let json = serde_json::json!({"clip": "0123456789abcdef0123456789abcdef", "title": "Why clocks lie", "files": {"video": "a.mp4"}});
    serde_json::from_value(json).unwrap()
}

const NOW: SystemTime = SystemTime::UNIX_EPOCH;

#[test]
fn a_clip_is_public_now_or_private_until_its_time() {
    let to = YouTube::new("main");
    let (now, warnings) = video(&to, &post(), "clipkit-1", NOW);
    assert!(warnings.is_empty(), "{warnings:?}");
    assert_eq!(
        now["status"],
        serde_json::json!({"privacyStatus": "public", "selfDeclaredMadeForKids": false, "containsSyntheticMedia": false})
    );
    assert_eq!(now["snippet"]["categoryId"], "22");
    let mut later = post();
    (later.publish_at, later.made_for_kids, later.synthetic) = (Some(NOW + Duration::from_micros(3_600_500_000)), true, true);
    later.language = Some("de".into());
    let (scheduled, _) = video(&to, &later, "clipkit-1", NOW);
    let expected = serde_json::json!({
        "privacyStatus": "private", "publishAt": "1970-01-01T01:00:00Z", "selfDeclaredMadeForKids": true, "containsSyntheticMedia": true,
    });
    assert_eq!((&scheduled["status"], scheduled["snippet"]["defaultLanguage"].as_str()), (&expected, Some("de")));
    assert_eq!(receipt(&to, &later, "x", NOW).status, PublishStatus::Scheduled);
    // A time in the past means now.
    let (past, _) = video(&to, &later, "clipkit-1", NOW + Duration::from_secs(7200));
    assert_eq!(past["status"]["privacyStatus"], "public");
    later.privacy = Privacy::Unlisted;
    let (unlisted, warnings) = video(&to, &later, "clipkit-1", NOW);
    assert!(unlisted["status"].get("publishAt").is_none() && warnings.len() == 1, "{warnings:?}");
}

#[test]
fn texts_are_made_to_fit_with_a_warning_each() {
    let mut post = post();
    post.title = format!("<b> {}", "long ".repeat(40));
    post.description = "\u{e9}".repeat(3000);
    post.tags = vec!["#clocks, and more".into(), "a".repeat(300), "b".repeat(300), "time".into(), "<>".into()];
    let (body, warnings) = video(&YouTube::new("main"), &post, "clipkit-1", NOW);
    let snippet = &body["snippet"];
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    assert!(snippet["title"].as_str().unwrap().chars().count() <= 100 && !snippet["title"].as_str().unwrap().contains('<'));
    assert!(snippet["description"].as_str().unwrap().len() <= 5000);
    let tags: Vec<&str> = snippet["tags"].as_array().unwrap().iter().map(|tag| tag.as_str().unwrap()).collect();
    assert_eq!((tags[0], tags[1], tags.last()), ("clipkit-1", "clocks  and more", Some(&"time")));
    assert_eq!(tags.len(), 4);
    post.title = "<>".into();
    assert_eq!(video(&YouTube::new("main"), &post, "m", NOW).0["snippet"]["title"], "Clip");
    let _ = (ClipId::new("0"), PostFiles::new("a"));
}

#[test]
fn ids_and_ranges_are_read_strictly() {
    assert!(is_id("dQw4w9WgXcQ") && !is_id("") && !is_id("a/b") && !is_id("a b") && !is_id(&"a".repeat(65)));
    assert_eq!(next_byte(None), Some(0));
    assert_eq!(next_byte(Some("bytes=0-262143")), Some(262_144));
    for wrong in ["", "bytes=1-5", "0-5", "bytes=0-", "bytes=0-x", "bytes=0-18446744073709551615"] {
        assert_eq!(next_byte(Some(wrong)), None, "{wrong}");
    }
    assert_eq!(marker("0123456789abcdef0123456789abcdef"), "clipkit-0123456789abcdef");
}
