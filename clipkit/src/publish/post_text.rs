//! The one text of a post on platforms without a title of their own. Pure.

use super::limits::{Unit, fitted};
use crate::model::Post;

/// What a platform accepts of the text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PostTextLimits {
    pub(crate) name: &'static str,
    pub(crate) longest: usize,
    pub(crate) unit: Unit,
    pub(crate) hashtags: usize,
    pub(crate) mentions: usize,
}

/// developers.tiktok.com/doc/content-posting-api-reference-direct-post, 2026-11: 2200 of UTF-16.
pub(crate) const TIKTOK_TEXT: PostTextLimits =
    PostTextLimits { name: "TikTok", longest: 2200, unit: Unit::Utf16, hashtags: usize::MAX, mentions: usize::MAX };

/// developers.facebook.com, reference of the node IG User, edge media, 2026-11. It does not say
/// what a character is, so the stricter count is used.
pub(crate) const INSTAGRAM_TEXT: PostTextLimits =
    PostTextLimits { name: "Instagram", longest: 2200, unit: Unit::Utf16, hashtags: 30, mentions: 20 };

/// Title, description and hashtags as one text, and warnings about what was changed.
pub(crate) fn post_text(post: &Post, limits: &PostTextLimits) -> (String, Vec<String>) {
    let PostTextLimits { name, longest, unit, hashtags, mentions } = *limits;
    let mut warnings = Vec::new();
    let title = post.title.trim();
    let body = match post.description.trim() {
        "" => title.to_owned(),
        description if description.starts_with(title) => description.to_owned(),
        description => format!("{title}\n\n{description}"),
    };
    let (body, cut) = fitted(&body, longest, unit, &[]);
    let (body, plain) = without_excess(body, [('#', hashtags), ('@', mentions)]);
    for (plain, most, what) in [(plain[0], hashtags, "hashtags"), (plain[1], mentions, "mentions")] {
        if plain > 0 {
            warnings.push(format!("{name} accepts {most} {what}: {plain} of the texts are plain words"));
        }
    }
    let room = hashtags.saturating_sub(marked(&body, '#').count());
    let (line, left_out) = hashtag_line(&post.tags, room, longest / 2, unit);
    if left_out > 0 {
        warnings.push(format!("{name} has no room for {left_out} of {} tags", post.tags.len()));
    }
    let separator = if line.is_empty() || body.is_empty() { "" } else { "\n\n" };
    let room = longest.saturating_sub(unit.length(&line) + separator.len());
    let (body, changed) = fitted(&body, room, unit, &[]);
    if cut || changed {
        warnings.push(format!("{name} accepts texts of {longest} characters: the post's text was changed"));
    }
    (format!("{body}{separator}{line}"), warnings)
}

/// The tags as hashtags, as many as there is room for, and how many were left out.
fn hashtag_line(tags: &[String], most: usize, longest: usize, unit: Unit) -> (String, usize) {
    let (mut line, mut count, mut left_out) = (String::new(), 0, 0);
    for tag in tags {
        let word: String = tag.chars().filter(|letter| letter.is_alphanumeric() || *letter == '_').collect();
        let space = if line.is_empty() { "" } else { " " };
        let longer = format!("{line}{space}#{word}");
        if word.is_empty() || count >= most || unit.length(&longer) > longest {
            left_out += 1;
            continue;
        }
        (line, count) = (longer, count + 1);
    }
    (line, left_out)
}

/// The positions of words that begin with the mark: not inside words, such as those of mail
/// addresses.
fn marked(text: &str, mark: char) -> impl Iterator<Item = usize> {
    text.match_indices(mark).map(|(at, _)| at).filter(move |at| {
        let before = text[..*at].chars().next_back();
        let after = text[at + mark.len_utf8()..].chars().next();
        before.is_none_or(|letter| !letter.is_alphanumeric()) && after.is_some_and(|letter| letter.is_alphanumeric() || letter == '_')
    })
}

/// The text without the marks of the words after the first `most` of each mark, and how many lost
/// theirs.
fn without_excess(mut text: String, limits: [(char, usize); 2]) -> (String, [usize; 2]) {
    let mut lost = [0; 2];
    // Of `##word` and `#@word`, the first mark counts when the second is gone.
    loop {
        let before = lost;
        for ((mark, most), lost) in limits.into_iter().zip(&mut lost) {
            let excess: Vec<usize> = marked(&text, mark).skip(most).collect();
            *lost += excess.len();
            text = text.char_indices().filter(|(at, _)| excess.binary_search(at).is_err()).map(|(_, letter)| letter).collect();
        }
        if lost == before {
            return (text, lost);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn post(title: &str, description: &str, tags: &[&str]) -> Post {
        let json = serde_json::json!({
            "clip": "0123456789abcdef0123456789abcdef", "title": title, "description": description, "tags": tags,
            "files": {"video": "a.mp4"},
        });
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn title_description_and_tags_become_one_text() {
        let text = |title, description, tags: &[&str]| post_text(&post(title, description, tags), &INSTAGRAM_TEXT);
        assert_eq!(
            text("Why clocks lie", "About time.", &["time", "atomic clocks"]).0,
            "Why clocks lie\n\nAbout time.\n\n#time #atomicclocks"
        );
        assert_eq!(text("Why", "", &[]), ("Why".into(), vec![]));
        assert_eq!(text("Why", "Why clocks lie", &[]).0, "Why clocks lie");
        assert_eq!(text("", "", &["\u{fc}ber", "#a"]).0, "#\u{fc}ber #a");
        let (kept, warnings) = text("Why", "", &["!", "a"]);
        assert!(kept == "Why\n\n#a" && warnings.len() == 1 && warnings[0].contains("1 of 2"), "{warnings:?}");
    }

    #[test]
    fn what_is_too_much_is_left_out_with_a_warning() {
        let tags: Vec<String> = (0..40).map(|n| format!("t{n}")).collect();
        let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
        let (text, warnings) = post_text(&post("Why #a #b", "me@host.org", &tags), &INSTAGRAM_TEXT);
        assert_eq!(marked(&text, '#').count(), 30);
        assert!(warnings.len() == 1 && warnings[0].contains("12 of 40"), "{warnings:?}");
        let crowd = (0..25).map(|n| format!("@u{n}")).collect::<Vec<_>>().join(" ");
        let (text, warnings) = post_text(&post("Hi", &crowd, &[]), &INSTAGRAM_TEXT);
        assert!(marked(&text, '@').count() == 20 && text.ends_with("@u19 u20 u21 u22 u23 u24"), "{text}");
        assert!(warnings.len() == 1 && warnings[0].contains("5 of the texts are plain words"), "{warnings:?}");
        let (text, warnings) = post_text(&post("Hi", &"\u{1F600} ".repeat(2000), &["a"]), &TIKTOK_TEXT);
        assert!(Unit::Utf16.length(&text) <= 2200 && text.ends_with("\u{2026}\n\n#a") && warnings.len() == 1, "{warnings:?}");
    }

    proptest! {
        #[test]
        fn every_text_fits(title in ".{0,300}", description in "(?s)(.|#[a-z]{1,3} |@[a-z]{1,3} ){0,1500}", tags in prop::collection::vec(".{0,60}", 0..60)) {
            let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
            for limits in [TIKTOK_TEXT, INSTAGRAM_TEXT] {
                let (text, _) = post_text(&post(&title, &description, &tags), &limits);
                prop_assert!(Unit::Utf16.length(&text) <= 2200);
                prop_assert!(marked(&text, '#').count() <= limits.hashtags && marked(&text, '@').count() <= limits.mentions);
            }
        }
    }
}
