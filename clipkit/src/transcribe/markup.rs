//! Parsing of subtitle markup: tags and entities are resolved, sound descriptions are marked as not
//! spoken, word times and speakers are kept.

use crate::av::subtitle::Markup;
use crate::model::Timestamp;

/// A character of a cue.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TimedChar {
    pub(super) letter: char,
    /// The time at which the word or syllable that starts here is spoken, if the markup gives it.
    pub(super) at: Option<Timestamp>,
    /// False for text that is not spoken, such as `[Music]`.
    pub(super) spoken: bool,
    /// The speaker, as an index into [`Speakers`].
    pub(super) speaker: Option<usize>,
}

/// The names of the speakers, without duplicates.
#[derive(Debug, Default)]
pub(super) struct Speakers(Vec<String>);

impl Speakers {
    /// The most names that are kept. More are noise.
    const MAX_NAMES: usize = 1000;

    /// The index of `name`, which is added if it is new.
    fn index_of(&mut self, name: &str) -> Option<usize> {
        let name = name.trim();
        if name.is_empty() || name.len() > 100 {
            return None;
        }
        self.0.iter().position(|known| known == name).or_else(|| {
            (self.0.len() < Speakers::MAX_NAMES).then(|| {
                self.0.push(name.to_owned());
                self.0.len() - 1
            })
        })
    }

    pub(super) fn name(&self, index: Option<usize>) -> Option<&str> {
        index.and_then(|index| self.0.get(index)).map(String::as_str)
    }
}

/// The longest text of a cue, in bytes; the rest is dropped. It bounds the work on hostile input.
const MAX_CUE_BYTES: usize = 10_000;

/// Parses a cue's text into lines. Blank lines are left out.
pub(super) fn lines(text: &str, markup: Markup, speakers: &mut Speakers) -> Vec<Vec<TimedChar>> {
    let text = &text[..text.floor_char_boundary(MAX_CUE_BYTES)];
    let mut characters = characters(text, markup, speakers);
    mark_sound_descriptions(&mut characters);
    mark_speaker_changes(&mut characters, speakers);
    characters
        .split(|character| character.letter == '\n')
        .filter(|line| line.iter().any(|character| !character.letter.is_whitespace()))
        .map(<[TimedChar]>::to_vec)
        .collect()
}

/// Parses `text` into characters, line breaks included.
fn characters(text: &str, markup: Markup, speakers: &mut Speakers) -> Vec<TimedChar> {
    let html = matches!(markup, Markup::WebVtt | Markup::SubRip);
    let overrides = matches!(markup, Markup::Ass | Markup::SubRip);
    let mut characters: Vec<TimedChar> = Vec::with_capacity(text.len());
    let (mut at, mut speaker, mut drawing) = (None, None, false);
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let mut taken = letter.len_utf8();
        let mut shown = Some(letter);
        match letter {
            '<' if html => {
                if let Some((tag, length)) = tag(rest) {
                    taken = length;
                    shown = None;
                    if let Some(time) = clock(tag) {
                        at = Some(time);
                    } else if tag == "/v" {
                        speaker = None;
                    } else if tag.starts_with("v.") || tag.starts_with("v ") {
                        speaker = tag.split_once(' ').and_then(|(_, name)| speakers.index_of(name));
                    }
                }
            }
            '{' if markup == Markup::Ass || (overrides && rest.starts_with("{\\")) => {
                if let Some(end) = rest.find('}') {
                    taken = end + 1;
                    shown = None;
                    // `\p1` starts a vector drawing, whose text is coordinates; `\p0` ends it.
                    for code in rest[1..end].split('\\') {
                        if let Some(Ok(scale)) = code.strip_prefix('p').map(str::parse::<u32>) {
                            drawing = scale > 0;
                        }
                    }
                }
            }
            '\\' if overrides && (rest.starts_with("\\N") || rest.starts_with("\\n")) => (taken, shown) = (2, Some('\n')),
            '\\' if overrides && rest.starts_with("\\h") => (taken, shown) = (2, Some(' ')),
            '&' if html => {
                if let Some((decoded, length)) = entity(rest) {
                    (taken, shown) = (length, Some(decoded));
                }
            }
            _ => {}
        }
        rest = &rest[taken..];
        if let Some(letter) = shown.filter(|letter| *letter == '\n' || !drawing).and_then(printable) {
            characters.push(TimedChar { letter, at: at.take(), spoken: true, speaker });
        }
    }
    characters
}

/// Normalizes a character: white space becomes a space. `None` for invisible characters: controls,
/// byte order marks, zero-width spaces, direction overrides.
pub(super) fn printable(letter: char) -> Option<char> {
    match letter {
        '\n' => Some('\n'),
        letter if letter.is_whitespace() => Some(' '),
        '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffc}' => {
            None
        }
        letter if letter.is_control() => None,
        letter => Some(letter),
    }
}

/// The tag at the start of `text` and its length in bytes. `None` if the `<` starts no tag.
fn tag(text: &str) -> Option<(&str, usize)> {
    const MAX_BYTES: usize = 300;
    let end = text.bytes().take(MAX_BYTES).position(|byte| byte == b'>')?;
    let inside = &text[1..end];
    let known = inside.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/') && !inside.contains('<');
    known.then_some((inside, end + 1))
}

/// Parses a timestamp: `01:02:03.500` or `02:03.500`.
fn clock(text: &str) -> Option<Timestamp> {
    let mut seconds = 0.0;
    let mut parts = 0;
    for part in text.split(':') {
        if part.is_empty() || part.len() > 8 || !part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            return None;
        }
        seconds = seconds * 60.0 + part.parse::<f64>().ok()?;
        parts += 1;
    }
    (2..=3).contains(&parts).then(|| Timestamp::from_secs(seconds))
}

/// The character of the HTML entity at the start of `text`, and the entity's length in bytes.
fn entity(text: &str) -> Option<(char, usize)> {
    let end = text.bytes().take(12).position(|byte| byte == b';')?;
    let name = &text[1..end];
    let decoded = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "lrm" => '\u{200e}',
        "rlm" => '\u{200f}',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    };
    Some((decoded, end + 1))
}

/// Marks `[Music]`, `(applause)`, `*sighs*` and text between musical notes as not spoken.
fn mark_sound_descriptions(characters: &mut [TimedChar]) {
    let mut n = 0;
    while let Some(character) = characters.get(n) {
        let closing = match character.letter {
            '[' => ']',
            '(' => ')',
            '\u{ff08}' => '\u{ff09}',
            '\u{3010}' => '\u{3011}',
            '*' => '*',
            '\u{2669}'..='\u{266f}' => '\u{266a}',
            _ => {
                n += 1;
                continue;
            }
        };
        let found = characters[n + 1..].iter().position(|character| match closing {
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
            '*' => is_sound(&inside),
            _ => is_sound(&inside) || stands_alone(characters, n, end),
        };
        if unspoken {
            for character in &mut characters[n..=end] {
                character.spoken = false;
            }
        }
        n = end + 1;
    }
}

/// Whether the lines that contain the characters `from..=to` contain nothing else.
fn stands_alone(characters: &[TimedChar], from: usize, to: usize) -> bool {
    let blank = |side: &mut dyn Iterator<Item = &TimedChar>| {
        side.take_while(|character| character.letter != '\n')
            .all(|character| character.letter.is_whitespace() || matches!(character.letter, '-' | '\u{2013}' | '.' | '>'))
    };
    blank(&mut characters[..from].iter().rev()) && blank(&mut characters[to + 1..].iter())
}

/// Whether a remark in brackets describes a sound: at most four words, one of which starts with a
/// known stem.
fn is_sound(remark: &str) -> bool {
    const SOUNDS: [&str; 26] = [
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
        "rire",
        "risas",
        "aplaus",
        "gelächter",
    ];
    let lower = remark.to_lowercase();
    lower.split_whitespace().count() <= 4 && lower.split_whitespace().any(|word| SOUNDS.iter().any(|sound| word.starts_with(sound)))
}

/// Marks speaker changes as not spoken: `>> Hello`, `>> ANNA: Hello`. A name in capitals is kept as
/// the speaker.
fn mark_speaker_changes(characters: &mut [TimedChar], speakers: &mut Speakers) {
    let mut n = 0;
    while n + 1 < characters.len() {
        if characters[n].letter != '>' || characters[n + 1].letter != '>' {
            n += 1;
            continue;
        }
        while let Some(character) = characters.get_mut(n).filter(|character| character.letter == '>' || character.letter == ' ') {
            character.spoken = false;
            n += 1;
        }
        let head: String = characters[n..]
            .iter()
            .take(40)
            .take_while(|character| !matches!(character.letter, '\n' | '>'))
            .map(|character| character.letter)
            .collect();
        let Some((name, _)) = head.split_once(':') else { continue };
        let is_name = name.chars().any(char::is_uppercase) && !name.chars().any(char::is_lowercase) && name.split(' ').count() <= 3;
        if let Some(speaker) = is_name.then(|| speakers.index_of(name)).flatten() {
            let length = name.chars().count() + 1;
            for (k, character) in characters[n..].iter_mut().enumerate() {
                character.spoken &= k >= length;
                character.speaker = Some(speaker);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spoken_text(text: &str, markup: Markup) -> String {
        let lines = lines(text, markup, &mut Speakers::default());
        let text: Vec<String> = lines
            .iter()
            .map(|line| line.iter().filter(|character| character.spoken).map(|character| character.letter).collect::<String>())
            .collect();
        text.join("|").split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn markup_is_removed_and_text_is_kept() {
        assert_eq!(spoken_text("{\\an8}<i>Hello</i> <font color=\"#fff\">you</font>\r\nthere", Markup::SubRip), "Hello you |there");
        assert_eq!(
            spoken_text("a &lt;b&gt; &amp;&nbsp;c &#39;d&#x27; &bogus; x < y > z", Markup::WebVtt),
            "a <b> & c 'd' &bogus; x < y > z"
        );
        assert_eq!(spoken_text("{\\pos(1,2)}One\\Ntwo\\hthree {note}", Markup::Ass), "One|two three");
        assert_eq!(spoken_text("{\\p1}m 0 0 l 10 10{\\p0}Shown", Markup::Ass), "Shown");
        assert_eq!(spoken_text("plain <b> {x} &amp;", Markup::Plain), "plain <b> {x} &amp;");
        assert_eq!(spoken_text("<unclosed {\\unclosed", Markup::SubRip), "<unclosed {\\unclosed");
    }

    #[test]
    fn sound_descriptions_are_not_spoken() {
        assert_eq!(spoken_text("[Music] So [ __ ] it goes (laughs) on", Markup::WebVtt), "So it goes on");
        assert_eq!(spoken_text("(a door opens)\nWho (if anyone) is there?", Markup::SubRip), "|Who (if anyone) is there?");
        assert_eq!(spoken_text("\u{266a} la la \u{266a} speech \u{266a} more", Markup::SubRip), "speech");
        assert_eq!(spoken_text("an [open bracket", Markup::SubRip), "an [open bracket");
    }

    #[test]
    fn speakers_are_kept() {
        let mut speakers = Speakers::default();
        let found = lines("<v.loud Ann Lee>Hi</v> x\n>> BOB: yes\n&gt;&gt; And then: no", Markup::WebVtt, &mut speakers);
        let speaker = |line: usize, letter: char| {
            found[line]
                .iter()
                .find(|character| character.letter == letter)
                .and_then(|character| speakers.name(character.speaker))
                .map(str::to_owned)
        };
        assert_eq!(speaker(0, 'H').as_deref(), Some("Ann Lee"));
        assert_eq!(speaker(0, 'x'), None);
        assert_eq!(speaker(1, 'y').as_deref(), Some("BOB"));
        assert_eq!(
            found[2].iter().filter(|character| character.spoken).map(|character| character.letter).collect::<String>(),
            "And then: no"
        );
    }
}
