//! Subtitle markup to plain glyphs: tags, entities and descriptions of sounds go, word times and voices stay.

use crate::av::subtitle::Markup;
use crate::model::Timestamp;

/// A letter of a cue.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Glyph {
    pub(super) letter: char,
    /// The moment at which the sound of this letter starts, where the markup says so.
    pub(super) at: Option<Timestamp>,
    /// False for what is written but not said: `[Music]`.
    pub(super) said: bool,
    /// Who says it: a place in [`Voices`].
    pub(super) voice: Option<usize>,
}

/// The names of those who speak, each once.
#[derive(Debug, Default)]
pub(super) struct Voices(Vec<String>);

impl Voices {
    /// More names than this are noise.
    const MOST: usize = 1000;

    fn number(&mut self, name: &str) -> Option<usize> {
        let name = name.trim();
        if name.is_empty() || name.len() > 100 {
            return None;
        }
        self.0.iter().position(|known| known == name).or_else(|| {
            (self.0.len() < Voices::MOST).then(|| {
                self.0.push(name.to_owned());
                self.0.len() - 1
            })
        })
    }

    pub(super) fn name(&self, number: Option<usize>) -> Option<&str> {
        number.and_then(|number| self.0.get(number)).map(String::as_str)
    }
}

/// Nobody reads more in one cue. It also bounds the work on hostile text.
const LONGEST_CUE: usize = 10_000;

/// A cue's text as lines of glyphs. Blank lines are left out.
pub(super) fn lines(text: &str, markup: Markup, voices: &mut Voices) -> Vec<Vec<Glyph>> {
    let text = &text[..text.floor_char_boundary(LONGEST_CUE)];
    let mut glyphs = glyphs(text, markup, voices);
    mute_descriptions(&mut glyphs);
    mute_speaker_marks(&mut glyphs, voices);
    glyphs
        .split(|glyph| glyph.letter == '\n')
        .filter(|line| line.iter().any(|glyph| !glyph.letter.is_whitespace()))
        .map(<[Glyph]>::to_vec)
        .collect()
}

fn glyphs(text: &str, markup: Markup, voices: &mut Voices) -> Vec<Glyph> {
    let html = matches!(markup, Markup::WebVtt | Markup::SubRip);
    let overrides = matches!(markup, Markup::Ass | Markup::SubRip);
    let mut glyphs: Vec<Glyph> = Vec::with_capacity(text.len());
    let (mut at, mut voice, mut drawing) = (None, None, false);
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
                        voice = None;
                    } else if tag.starts_with("v.") || tag.starts_with("v ") {
                        voice = tag.split_once(' ').and_then(|(_, name)| voices.number(name));
                    }
                }
            }
            '{' if markup == Markup::Ass || (overrides && rest.starts_with("{\\")) => {
                if let Some(end) = rest.find('}') {
                    taken = end + 1;
                    shown = None;
                    // `\p1` starts a drawing, whose text is coordinates.
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
            glyphs.push(Glyph { letter, at: at.take(), said: true, voice });
        }
    }
    glyphs
}

/// A letter as it goes on, none where nobody sees it: controls, byte order marks, direction overrides.
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

/// The tag at the start of `text` and its length in bytes; none where `<` is just a sign.
fn tag(text: &str) -> Option<(&str, usize)> {
    const LONGEST: usize = 300;
    let end = text.bytes().take(LONGEST).position(|byte| byte == b'>')?;
    let inside = &text[1..end];
    let known = inside.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/') && !inside.contains('<');
    known.then_some((inside, end + 1))
}

/// `01:02:03.500` or `02:03.500`.
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

/// Marks `[Music]`, `(applause)`, `*sighs*` and what stands between notes as not said.
fn mute_descriptions(glyphs: &mut [Glyph]) {
    let mut n = 0;
    while let Some(glyph) = glyphs.get(n) {
        let closing = match glyph.letter {
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
        let found = glyphs[n + 1..].iter().position(|glyph| match closing {
            '\u{266a}' => matches!(glyph.letter, '\u{2669}'..='\u{266f}'),
            _ => glyph.letter == closing,
        });
        let end = match (found, closing) {
            (Some(length), _) => n + 1 + length,
            // A song goes on in the next cue.
            (None, '\u{266a}') => glyphs.len() - 1,
            (None, _) => {
                n += 1;
                continue;
            }
        };
        let inside: String = glyphs.get(n + 1..end).unwrap_or_default().iter().map(|glyph| glyph.letter).collect();
        let unsaid = match closing {
            ']' | '\u{3011}' | '\u{266a}' => true,
            '*' => is_sound(&inside),
            _ => is_sound(&inside) || stands_alone(glyphs, n, end),
        };
        if unsaid {
            for glyph in &mut glyphs[n..=end] {
                glyph.said = false;
            }
        }
        n = end + 1;
    }
}

/// Whether nothing else stands in the lines from glyph `from` to glyph `to`.
fn stands_alone(glyphs: &[Glyph], from: usize, to: usize) -> bool {
    let blank = |side: &mut dyn Iterator<Item = &Glyph>| {
        side.take_while(|glyph| glyph.letter != '\n')
            .all(|glyph| glyph.letter.is_whitespace() || matches!(glyph.letter, '-' | '\u{2013}' | '.' | '>'))
    };
    blank(&mut glyphs[..from].iter().rev()) && blank(&mut glyphs[to + 1..].iter())
}

/// Whether a remark in brackets describes a sound.
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

/// `>> Hello`, `>> ANNA: Hello`: marks of a change of speaker are not said; a name is kept as the voice.
fn mute_speaker_marks(glyphs: &mut [Glyph], voices: &mut Voices) {
    let mut n = 0;
    while n + 1 < glyphs.len() {
        if glyphs[n].letter != '>' || glyphs[n + 1].letter != '>' {
            n += 1;
            continue;
        }
        while let Some(glyph) = glyphs.get_mut(n).filter(|glyph| glyph.letter == '>' || glyph.letter == ' ') {
            glyph.said = false;
            n += 1;
        }
        let head: String =
            glyphs[n..].iter().take(40).take_while(|glyph| !matches!(glyph.letter, '\n' | '>')).map(|glyph| glyph.letter).collect();
        let Some((name, _)) = head.split_once(':') else { continue };
        let is_name = name.chars().any(char::is_uppercase) && !name.chars().any(char::is_lowercase) && name.split(' ').count() <= 3;
        if let Some(voice) = is_name.then(|| voices.number(name)).flatten() {
            let length = name.chars().count() + 1;
            for (k, glyph) in glyphs[n..].iter_mut().enumerate() {
                glyph.said &= k >= length;
                glyph.voice = Some(voice);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str, markup: Markup) -> String {
        let lines = lines(text, markup, &mut Voices::default());
        let text: Vec<String> =
            lines.iter().map(|line| line.iter().filter(|glyph| glyph.said).map(|glyph| glyph.letter).collect::<String>()).collect();
        text.join("|").split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn markup_goes_and_text_stays() {
        assert_eq!(said("{\\an8}<i>Hello</i> <font color=\"#fff\">you</font>\r\nthere", Markup::SubRip), "Hello you |there");
        assert_eq!(said("a &lt;b&gt; &amp;&nbsp;c &#39;d&#x27; &bogus; x < y > z", Markup::WebVtt), "a <b> & c 'd' &bogus; x < y > z");
        assert_eq!(said("{\\pos(1,2)}One\\Ntwo\\hthree {note}", Markup::Ass), "One|two three");
        assert_eq!(said("{\\p1}m 0 0 l 10 10{\\p0}Shown", Markup::Ass), "Shown");
        assert_eq!(said("plain <b> {x} &amp;", Markup::Plain), "plain <b> {x} &amp;");
        assert_eq!(said("<unclosed {\\unclosed", Markup::SubRip), "<unclosed {\\unclosed");
    }

    #[test]
    fn sounds_are_not_said() {
        assert_eq!(said("[Music] So [ __ ] it goes (laughs) on", Markup::WebVtt), "So it goes on");
        assert_eq!(said("(a door opens)\nWho (if anyone) is there?", Markup::SubRip), "|Who (if anyone) is there?");
        assert_eq!(said("\u{266a} la la \u{266a} speech \u{266a} more", Markup::SubRip), "speech");
        assert_eq!(said("an [open bracket", Markup::SubRip), "an [open bracket");
    }

    #[test]
    fn voices_are_kept() {
        let mut voices = Voices::default();
        let found = lines("<v.loud Ann Lee>Hi</v> x\n>> BOB: yes\n&gt;&gt; And then: no", Markup::WebVtt, &mut voices);
        let voice = |line: usize, letter: char| {
            found[line].iter().find(|glyph| glyph.letter == letter).and_then(|glyph| voices.name(glyph.voice)).map(str::to_owned)
        };
        assert_eq!(voice(0, 'H').as_deref(), Some("Ann Lee"));
        assert_eq!(voice(0, 'x'), None);
        assert_eq!(voice(1, 'y').as_deref(), Some("BOB"));
        assert_eq!(found[2].iter().filter(|glyph| glyph.said).map(|glyph| glyph.letter).collect::<String>(), "And then: no");
    }
}
