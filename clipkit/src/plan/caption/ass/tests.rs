use proptest::prelude::*;

use super::super::cues;
use super::super::fonts::Estimate;
use super::*;
use crate::model::{Aspect, CueWord, Emphasis, HookStyle, Platform, Span, Word};

fn track(style: CaptionStyle, words: &[Word], secs: f64) -> CaptionTrack {
    let cues = cues(words, words, &style, Span::secs(0.0, secs).unwrap());
    CaptionTrack { style, safe_area: Platform::Generic.safe_area(Aspect::Vertical), cues }
}

fn ass(track: &CaptionTrack) -> String {
    document(Some(track), None, &[], (1080, 1920), &Estimate).text
}

fn events(document: &str) -> Vec<&str> {
    document.lines().skip_while(|line| *line != "[Events]").skip(2).collect()
}

fn transcript() -> Vec<Word> {
    [
        ("Every", 0.1, 0.4),
        ("clock", 0.4, 0.9),
        ("you", 1.0, 1.2),
        ("own", 1.2, 1.6),
        ("is", 1.6, 1.75),
        ("wrong.", 1.75, 2.3),
        ("{\\b1}", 3.5, 4.0),
        ("C:\\Now\n}", 4.0, 4.6),
        ("Nobody", 6.0, 6.4),
        ("understands", 6.4, 7.1),
        ("extraordinary", 7.1, 7.9),
        ("measurements,", 7.9, 8.7),
        ("still", 8.7, 9.1),
    ]
    .map(|(text, start, end)| Word::new(text, start, end))
    .to_vec()
}

#[test]
fn documents_match_their_snapshots() {
    for name in CaptionStyle::NAMES {
        let document = ass(&track(CaptionStyle::named(name).unwrap(), &transcript(), 10.0));
        insta::assert_snapshot!(format!("ass_{name}"), document);
    }
}

#[test]
fn keywords_stand_out_in_every_style() {
    let emphasis = Some(Emphasis { color: Rgb(255, 90, 54), scale: 1.25, words: vec!["clock".into()] });
    let mut out = String::new();
    for name in CaptionStyle::NAMES {
        let style = CaptionStyle { emphasis: emphasis.clone(), ..CaptionStyle::named(name).unwrap() };
        let document = ass(&track(style, &transcript()[..2], 2.0));
        out.push_str(&format!("{name}\n{}\n", events(&document).join("\n")));
    }
    insta::assert_snapshot!("ass_keywords", out);
}

#[test]
fn right_to_left_lines_have_direction_marks() {
    let words: Vec<Word> = ["iPhone", "هذا", "جديد", "جدا", "(2026)"]
        .iter()
        .enumerate()
        .map(|(n, text)| Word::new(*text, n as f64 * 0.4, n as f64 * 0.4 + 0.4))
        .collect();
    let mut out = String::new();
    for name in CaptionStyle::NAMES {
        let document = ass(&track(CaptionStyle::named(name).unwrap(), &words, 3.0));
        out.push_str(&format!("{name}\n{}\n", events(&document).join("\n").replace('\u{200f}', "<RLM>")));
    }
    insta::assert_snapshot!("ass_right_to_left", out);
}

#[test]
fn a_title_is_inside_its_area() {
    let area = Rect::new(0.1, 0.2, 0.8, 0.1);
    let mut hook =
        Hook { text: "Why {\\b1}every clock\n is wrong".into(), span: Span::secs(0.0, 3.0).unwrap(), area, style: HookStyle::default() };
    let plated = document(None, Some(&hook), &[], (1080, 1920), &Estimate).text;
    hook.style.plate = None;
    let normalized = document(None, Some(&hook), &[], (1080, 1920), &Estimate).text;
    insta::assert_snapshot!("ass_title", format!("{plated}\n{normalized}"));
    hook.text = "\u{200b} \n".into();
    assert!(events(&document(None, Some(&hook), &[], (1080, 1920), &Estimate).text).is_empty());
}

#[test]
fn karaoke_durations_do_not_drift() {
    let words: Vec<Word> = (0..5).map(|n| Word::new("word", f64::from(n) * 0.3333, f64::from(n) * 0.3333 + 0.3333)).collect();
    let document = ass(&track(CaptionStyle::karaoke(), &words, 3.0));
    let sum: i64 = document.split("\\kf").skip(1).filter_map(|part| part.split('}').next()?.parse::<i64>().ok()).sum();
    assert_eq!(sum, 167);
}

#[test]
fn captions_stay_inside_the_safe_area_at_every_position() {
    for platform in [Platform::Generic, Platform::Shorts, Platform::Tiktok, Platform::Reels] {
        for aspect in [Aspect::Vertical, Aspect::Square, Aspect::Portrait, Aspect::Wide] {
            let (width, height) = (f64::from(aspect.size().0), f64::from(aspect.size().1));
            let safe = platform.safe_area(aspect);
            for style in CaptionStyle::NAMES.map(|name| CaptionStyle::named(name).unwrap()) {
                let frame = TextArea::of(&style, safe, width, height);
                let beyond = reach(&style) * style.size * height;
                for place in [0.0, 0.3, 0.5, 0.99].into_iter().flat_map(|at| [CuePlace::Bottom(at), CuePlace::Middle(at)]) {
                    let text = 2.0 * style.size * height;
                    let bottom = height - frame.below(place, text, height);
                    assert!(bottom + beyond <= (safe.y + safe.height) * height + 1e-6, "{platform:?} {aspect} {place:?}");
                    assert!(bottom - text - beyond >= safe.y * height - 1e-6, "{platform:?} {aspect} {place:?}");
                }
                assert!(frame.side >= safe.x * width - 1e-9 && width - frame.side <= (safe.x + safe.width) * width + 1e-9);
                assert!(frame.room + 2.0 * beyond <= width - 2.0 * frame.side);
            }
        }
    }
}

#[test]
fn a_cue_is_placed_where_the_plan_says() {
    let mut track = track(CaptionStyle::block(), &transcript()[..2], 2.0);
    let margin = |track: &CaptionTrack| {
        let document = ass(track);
        events(&document)[0].split(',').nth(7).unwrap().parse::<f64>().unwrap()
    };
    assert_eq!(margin(&track), 0.0, "the style's own margin");
    track.cues[0].place = Some(CuePlace::Bottom(0.5));
    assert_eq!(margin(&track), 960.0);
    track.cues[0].place = Some(CuePlace::Middle(0.5));
    assert_eq!(margin(&track), (960.0 - 0.5 * 0.034 * 1920.0_f64).round());
}

#[test]
fn a_long_word_shrinks() {
    let words = [Word::new("Donaudampfschifffahrtsgesellschaftskapitän", 0.0, 1.0)];
    let document = ass(&track(CaptionStyle::pop(), &words, 2.0));
    let size: f64 = document.split("\\fs").nth(1).and_then(|rest| rest.split('}').next()).unwrap().parse().unwrap();
    assert!(size < 50.0, "{size}");
}

/// Splits an event's text into tags and visible text by the rules of libass.
fn apart(text: &str) -> (Vec<String>, String) {
    let (mut tags, mut shown) = (Vec::new(), String::new());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '{' => tags.push(letters.by_ref().take_while(|letter| *letter != '}').collect()),
            '\\' => match letters.peek().copied() {
                Some('N' | 'n') => {
                    letters.next();
                    shown.push('\n');
                }
                Some('h') => {
                    letters.next();
                    shown.push('\u{a0}');
                }
                Some(brace @ ('{' | '}')) => {
                    letters.next();
                    shown.push(brace);
                }
                _ => shown.push('\\'),
            },
            '\u{200e}' | '\u{200f}' | '\u{2060}' => {}
            letter => shown.push(letter),
        }
    }
    (tags, shown)
}

/// Whether an override block contains only the tags that this crate writes.
fn is_ours(block: &str) -> bool {
    let known = ["\\kf", "\\k", "\\r", "\\t(", "\\1c", "\\fscx", "\\fscy", "\\fs", "\\alpha&H", "\\fn", "\\b", "\\pos("];
    block.starts_with('\\')
        && block.split('\\').skip(1).all(|tag| known.iter().any(|name| format!("\\{tag}").starts_with(name)) && !tag.contains('{'))
}

proptest! {
    #[test]
    fn words_cannot_inject_tags_or_events(
        texts in prop::collection::vec("([\\\\{}Nnhk,a-z\n\r\u{0}:&;今م\u{202e}\u{200b}\u{2028}\u{2060}]|\\{\\\\[a-z]{1,4}[0-9]*\\}){0,9}", 1..12),
        style in 0..4usize,
        emphasized in any::<bool>(),
    ) {
        let emphasis = emphasized.then(|| Emphasis { color: Rgb(1, 2, 3), scale: 1.1, words: Vec::new() });
        let style = CaptionStyle { emphasis, ..CaptionStyle::named(CaptionStyle::NAMES[style]).unwrap() };
        let safe_area = Platform::Generic.safe_area(Aspect::Vertical);
        let cue = |(n, text): (usize, &String)| {
            let span = Span::secs(n as f64, n as f64 + 1.0).unwrap();
            Cue::new(span, vec![CueWord { emphasized, ..CueWord::new(text.as_str(), span) }, CueWord::new("z", span)])
        };
        let track = CaptionTrack { style, safe_area, cues: texts.iter().enumerate().map(cue).collect() };
        let hook = Hook { text: texts.join(" "), span: Span::secs(0.0, 1.0).unwrap(), area: safe_area, style: HookStyle::default() };
        let document = document(Some(&track), Some(&hook), &[], (1080, 1920), &Estimate).text;
        for line in events(&document) {
            let fields: Vec<&str> = line.splitn(10, ',').collect();
            prop_assert!(fields.len() == 10 && fields[0].starts_with("Dialogue: "), "{}", line);
            let (tags, text) = apart(fields[9]);
            prop_assert!(tags.iter().all(|block| is_ours(block)), "{}", line);
            if fields[3] == "Words" {
                // The remaining text equals the word.
                let second: usize = fields[1].split([':', '.']).nth(2).unwrap().parse().unwrap();
                let flat = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
                let said = visible_text(&texts[second], track.style.uppercase);
                let last = if track.style.uppercase { "Z" } else { "z" };
                prop_assert_eq!(flat(&text), flat(&said) + last);
            }
        }
    }
}
