//! Descriptions of sounds: `[Music]`, `(applause)`, text between musical notes.

use crate::transcribe::markup::{Role, TimedChar};

/// The longest description in brackets, in characters. It bounds the search on hostile input.
const MAX_REMARK: usize = 200;

/// Marks `[Music]`, `(applause)`, `*sighs*` and text between musical notes as events.
pub(super) fn mark_events(characters: &mut [TimedChar]) {
    let mut n = 0;
    while let Some(character) = characters.get(n) {
        let closing = match character.letter {
            _ if character.role == Role::Label => ' ',
            '[' => ']',
            '(' => ')',
            '<' => '>',
            '\u{ff08}' => '\u{ff09}',
            '\u{3010}' => '\u{3011}',
            '*' => '*',
            '\u{2669}'..='\u{266f}' => '\u{266a}',
            _ => ' ',
        };
        if closing == ' ' {
            n += 1;
            continue;
        }
        let limit = if closing == '\u{266a}' { usize::MAX } else { MAX_REMARK };
        let found = characters[n + 1..].iter().take(limit).position(|character| match closing {
            '\u{266a}' => matches!(character.letter, '\u{2669}'..='\u{266f}'),
            _ => character.letter == closing,
        });
        let end = match (found, closing) {
            (Some(length), _) => n + 1 + length,
            // The song continues in the next cue.
            (None, '\u{266a}') => characters.len() - 1,
            (None, _) => {
                n += 1;
                continue;
            }
        };
        let inside: String = characters.get(n + 1..end).unwrap_or_default().iter().map(|character| character.letter).collect();
        let unspoken = match closing {
            ']' | '\u{3011}' | '\u{266a}' => true,
            '*' | '>' => is_sound(&inside),
            _ => is_sound(&inside) || stands_alone(characters, n, end),
        };
        if unspoken {
            for character in &mut characters[n..=end] {
                character.role = Role::Event;
            }
        }
        n = end + 1;
    }
}

/// Whether the lines that contain the characters `from..=to` contain nothing else.
fn stands_alone(characters: &[TimedChar], from: usize, to: usize) -> bool {
    let blank = |side: &mut dyn Iterator<Item = &TimedChar>| {
        side.take_while(|character| character.letter != '\n').all(|character| {
            character.letter.is_whitespace() || character.role == Role::Label || matches!(character.letter, '-' | '\u{2013}' | '.' | '>')
        })
    };
    blank(&mut characters[..from].iter().rev()) && blank(&mut characters[to + 1..].iter())
}

/// Whether a remark in brackets describes a sound: at most four words, one of which starts with a
/// known stem.
pub(super) fn is_sound(remark: &str) -> bool {
    const SOUNDS: [&str; 57] = [
        "applau",
        "laugh",
        "music",
        "cheer",
        "chuckl",
        "sigh",
        "gasp",
        "cough",
        "silence",
        "inaudible",
        "crosstalk",
        "crowd",
        "clap",
        "giggl",
        "snort",
        "whistl",
        "sniff",
        "sob",
        "scream",
        "groan",
        "indistinct",
        "unintelligible",
        "noise",
        "beep",
        "static",
        "bell",
        "ringing",
        "blank_audio",
        "throat",
        "pause",
        "rire",
        "musique",
        "risas",
        "risa",
        "aplaus",
        "música",
        "gelächter",
        "lachen",
        "beifall",
        "musik",
        "gelach",
        "muziek",
        "risat",
        "аплодисмент",
        "смех",
        "смеёт",
        "музык",
        "śmiech",
        "muzyka",
        "oklaski",
        "音楽",
        "拍手",
        "笑",
        "音乐",
        "掌声",
        "음악",
        "박수",
    ];
    let lower = remark.to_lowercase();
    lower.split_whitespace().count() <= 4
        && lower.split_whitespace().any(|word| SOUNDS.iter().any(|sound| word.trim_start_matches(['(', '[']).starts_with(sound)))
}
