//! Parsing of subtitle markup: tags and entities are resolved, word times, speakers and highlights
//! are kept. [`marks`](super::marks) finds out what of the text is spoken.

use super::marks;
use crate::model::Timestamp;

/// The markup of a cue's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Markup {
    /// WebVTT cue text.
    WebVtt,
    /// SubRip: a subset of HTML, sometimes with ASS override tags.
    SubRip,
    /// The text field of an ASS event.
    Ass,
    /// No markup.
    Plain,
}

/// What a character is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Spoken,
    /// A sound that is described: `[Music]`.
    Event,
    /// A speaker's name or a mark of another speaker: `ANNA:`, `>>`.
    Label,
}

/// A character of a cue.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TimedChar {
    pub(super) letter: char,
    /// The time at which the word or syllable that starts here is spoken, if the markup gives it.
    pub(super) at: Option<Timestamp>,
    pub(super) role: Role,
    /// The speaker, as an index into [`Speakers`].
    pub(super) speaker: Option<usize>,
    /// Whether the markup distinguishes it from the rest of the cue: `<u>word</u>`.
    pub(super) highlighted: bool,
}

impl TimedChar {
    pub(super) fn is_spoken(&self) -> bool {
        self.role == Role::Spoken
    }
}

/// The names of the speakers, without duplicates.
#[derive(Debug, Default)]
pub(super) struct Speakers {
    names: Vec<String>,
    /// Names such as `Ann` that open enough lines of the file (`Ann: Hello`) to be speakers.
    pub(super) labels: std::collections::HashSet<String>,
    /// What is added to the times in the markup.
    pub(super) offset: Timestamp,
    /// Whether the file says with `>>` when the speaker changes.
    pub(super) turning: bool,
    /// The speaker since the last `>>`.
    pub(super) current: Option<usize>,
    /// How many times an unnamed speaker has begun.
    pub(super) turns: usize,
}

impl Speakers {
    /// The most names that are kept. More are noise.
    const MAX_NAMES: usize = 1000;

    /// The index of `name`, which is added if it is new.
    pub(super) fn index_of(&mut self, name: &str) -> Option<usize> {
        let name = name.trim();
        if name.is_empty() || name.len() > 100 {
            return None;
        }
        self.names.iter().position(|known| known == name).or_else(|| {
            (self.names.len() < Speakers::MAX_NAMES).then(|| {
                self.names.push(name.to_owned());
                self.names.len() - 1
            })
        })
    }

    pub(super) fn name(&self, index: Option<usize>) -> Option<&str> {
        index.and_then(|index| self.names.get(index)).map(String::as_str)
    }
}

/// Parses a cue's text into lines. Blank lines are left out. `start` is the cue's start, from which
/// karaoke times count.
pub(super) fn lines(text: &str, markup: Markup, start: Timestamp, speakers: &mut Speakers) -> Vec<Vec<TimedChar>> {
    let mut characters = characters(text, markup, start, speakers);
    marks::mark(&mut characters, speakers);
    characters
        .split(|character| character.letter == '\n')
        .filter(|line| line.iter().any(|character| !character.letter.is_whitespace()))
        .map(<[TimedChar]>::to_vec)
        .collect()
}

/// The state of the markup at one place of a cue.
struct Styles {
    at: Option<Timestamp>,
    /// Where the next karaoke syllable starts.
    syllable: Timestamp,
    speaker: Option<usize>,
    drawing: bool,
    /// How many tags that distinguish a part of the text are open.
    highlights: usize,
}

/// Parses `text` into characters, line breaks included.
fn characters(text: &str, markup: Markup, start: Timestamp, speakers: &mut Speakers) -> Vec<TimedChar> {
    let html = matches!(markup, Markup::WebVtt | Markup::SubRip);
    let overrides = matches!(markup, Markup::Ass | Markup::SubRip);
    let mut characters: Vec<TimedChar> = Vec::with_capacity(text.len());
    let mut styles = Styles { at: None, syllable: start, speaker: None, drawing: false, highlights: 0 };
    // Behind it, no search for the end of a block can succeed.
    let last_brace = text.rfind('}').unwrap_or(0);
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let mut taken = letter.len_utf8();
        let mut shown = Some(letter);
        match letter {
            '<' if html => {
                if let Some((tag, length)) = tag(rest) {
                    taken = length;
                    shown = styles.html(tag, speakers).then_some('\n');
                }
            }
            '{' if markup == Markup::Ass || (overrides && rest.starts_with("{\\")) => {
                if let Some(end) = (text.len() - rest.len() < last_brace).then(|| rest.find('}')).flatten() {
                    taken = end + 1;
                    shown = None;
                    styles.ass(&rest[1..end]);
                }
            }
            '\\' if overrides && (rest.starts_with("\\N") || rest.starts_with("\\n")) => (taken, shown) = (2, Some('\n')),
            '\\' if overrides && rest.starts_with("\\h") => (taken, shown) = (2, Some(' ')),
            '&' if html => {
                if let Some((decoded, length)) = entity(rest) {
                    (taken, shown) = (length, Some(decoded));
                }
            }
            '\r' => shown = Some('\n').filter(|_| !rest.starts_with("\r\n")),
            _ => {}
        }
        rest = &rest[taken..];
        if let Some(letter) = shown.filter(|letter| *letter == '\n' || !styles.drawing).and_then(printable) {
            let (speaker, highlighted) = (styles.speaker, styles.highlights > 0);
            characters.push(TimedChar { letter, at: styles.at.take(), role: Role::Spoken, speaker, highlighted });
        }
    }
    characters
}

impl Styles {
    /// Takes an HTML tag. Returns whether it breaks the line.
    fn html(&mut self, tag: &str, speakers: &mut Speakers) -> bool {
        if let Some(time) = super::text::clock(tag) {
            self.at = Some(time.offset(speakers.offset));
            return false;
        }
        let name = tag.trim_start_matches('/').split([' ', '.', '/', '\t']).next().unwrap_or_default().to_ascii_lowercase();
        match (tag.starts_with('/'), name.as_str()) {
            (true, "v") => self.speaker = None,
            (false, "v") => self.speaker = tag.split_once([' ', '\t']).and_then(|(_, name)| speakers.index_of(name)),
            (false, "u" | "b" | "font" | "c" | "mark" | "strong") => self.highlights += 1,
            (true, "u" | "b" | "font" | "c" | "mark" | "strong") => self.highlights = self.highlights.saturating_sub(1),
            (false, "br") => return true,
            _ => {}
        }
        false
    }

    /// Takes a block of ASS override codes: `\k21` gives a syllable's length in hundredths of a
    /// second, `\p1` starts a vector drawing, whose text is coordinates, and `\p0` ends it.
    fn ass(&mut self, block: &str) {
        for code in block.split('\\').skip(1) {
            let split = code.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(code.len());
            let (name, value) = code.split_at(split);
            let number = || value.trim().parse::<f64>().ok().filter(|number| number.abs() < 1e7);
            match name {
                "k" | "K" | "kf" | "ko" => {
                    self.at = Some(self.syllable);
                    self.syllable = self.syllable.plus(number().unwrap_or(0.0) / 100.0);
                }
                "p" => self.drawing = number().is_some_and(|scale| scale > 0.0),
                _ => {}
            }
        }
    }
}

/// Normalizes a character: white space becomes a space. `None` for invisible characters: controls,
/// byte order marks, zero-width spaces, direction overrides.
pub(super) fn printable(letter: char) -> Option<char> {
    match letter {
        '\n' | '\u{2028}' | '\u{2029}' | '\u{85}' => Some('\n'),
        letter if letter.is_whitespace() => Some(' '),
        '\u{ad}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => None,
        '\u{fff9}'..='\u{fffc}' => None,
        letter if letter.is_control() => None,
        letter => Some(letter),
    }
}

/// The tag at the start of `text` and its length in bytes. `None` if the `<` starts no tag: text in
/// angle brackets is text.
fn tag(text: &str) -> Option<(&str, usize)> {
    const MAX_BYTES: usize = 300;
    const NAMES: [&str; 25] = [
        "i", "b", "u", "s", "c", "v", "font", "span", "lang", "ruby", "rt", "em", "strong", "mark", "br", "p", "div", "a", "sub", "sup",
        "small", "big", "tt", "strike", "text",
    ];
    let end = text.bytes().take(MAX_BYTES).position(|byte| byte == b'>')?;
    let inside = &text[1..end];
    let bare = inside.trim_start_matches('/');
    let name = bare.split([' ', '.', '/', '\t', '=']).next().unwrap_or_default();
    let known = NAMES.contains(&name.to_ascii_lowercase().as_str()) || super::text::clock(inside).is_some();
    (known && !inside.contains('<')).then_some((inside, end + 1))
}

/// The character of the HTML entity at the start of `text`, and the entity's length in bytes. An
/// ampersand that was escaped several times is one entity: `&amp;amp;`, `&amp;nbsp;`.
pub(super) fn entity(text: &str) -> Option<(char, usize)> {
    let mut start = 1;
    while text[start..].starts_with("amp;") && start < 20 {
        start += 4;
    }
    let plain = (start > 1).then_some(('&', start));
    let Some(end) = text[start..].bytes().take(12).position(|byte| byte == b';').map(|length| start + length) else { return plain };
    let name = &text[start..end];
    let decoded = match name {
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "lrm" => '\u{200e}',
        "rlm" => '\u{200f}',
        "hellip" => '\u{2026}',
        "ndash" => '\u{2013}',
        "mdash" => '\u{2014}',
        "lsquo" => '\u{2018}',
        "rsquo" => '\u{2019}',
        "ldquo" => '\u{201c}',
        "rdquo" => '\u{201d}',
        "laquo" => '\u{ab}',
        "raquo" => '\u{bb}',
        _ => {
            let Some(number) = name.strip_prefix('#') else { return plain };
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok(),
                None => number.parse().ok(),
            };
            match code.and_then(char::from_u32) {
                Some(letter) => letter,
                None => return plain,
            }
        }
    };
    Some((decoded, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spoken_text(text: &str, markup: Markup) -> String {
        let lines = lines(text, markup, Timestamp::ZERO, &mut Speakers::default());
        let text: Vec<String> = lines
            .iter()
            .map(|line| line.iter().filter(|character| character.is_spoken()).map(|character| character.letter).collect::<String>())
            .collect();
        text.join("|").split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn markup_is_removed_and_text_is_kept() {
        assert_eq!(spoken_text("{\\an8}<i>Hello</i> <font color=\"#fff\">you</font>\r\nthere", Markup::SubRip), "Hello you|there");
        assert_eq!(
            spoken_text("a &lt;b&gt; &amp;&nbsp;c &#39;d&#x27; &bogus; x < y > z", Markup::WebVtt),
            "a <b> & c 'd' &bogus; x < y > z"
        );
        assert_eq!(spoken_text("{\\pos(1,2)}One\\Ntwo\\hthree {note}", Markup::Ass), "One|two three");
        assert_eq!(spoken_text("{\\p1}m 0 0 l 10 10{\\p0}Shown", Markup::Ass), "Shown");
        assert_eq!(spoken_text("plain <b> {x} &amp;", Markup::Plain), "plain <b> {x} &amp;");
        assert_eq!(spoken_text("<unclosed {\\unclosed", Markup::SubRip), "<unclosed {\\unclosed");
        assert_eq!(spoken_text("so <this is spoken> and <br/>this", Markup::SubRip), "so <this is spoken> and |this");
    }

    #[test]
    fn entities_that_were_escaped_twice_are_resolved() {
        assert_eq!(spoken_text("a &amp;amp; b&amp;nbsp;c &amp;#39;d &amp;amp;amp; e &amp;x", Markup::WebVtt), "a & b c 'd & e &x");
    }

    #[test]
    fn karaoke_codes_are_times() {
        let start = Timestamp::from_secs(10.0);
        let found = lines("{\\k20}One {\\kf30\\b1}two {\\k}th{\\ko50}ree", Markup::Ass, start, &mut Speakers::default());
        let times: Vec<(char, f64)> = found[0].iter().filter_map(|c| c.at.map(|at| (c.letter, at.secs()))).collect();
        assert_eq!(times, [('O', 10.0), ('t', 10.2), ('t', 10.5), ('r', 10.5)]);
    }
}
