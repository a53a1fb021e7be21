//! What in a cue is not speech: descriptions of sounds (`[Music]`), names of speakers (`ANNA:`) and
//! marks of a change of speaker (`>>`, `- `).

mod labels;
mod sounds;

use super::markup::{Role, Speakers, TimedChar};
use labels::{MAX_NAME, is_capitals, is_in_names, is_label, is_title};
use sounds::{is_sound, mark_events};

/// Sets the roles and speakers of a cue's characters.
pub(super) fn mark(characters: &mut [TimedChar], speakers: &mut Speakers) {
    mark_speakers(characters, speakers);
    mark_events(characters);
}

/// Finds names such as `Ann` that open many lines (`Ann: Hello`), for [`Speakers::labels`]. One
/// such line is no evidence: `Note: this is important`.
pub(super) fn gather_labels<'a>(texts: impl Iterator<Item = &'a str>, speakers: &mut Speakers) {
    const MAX_LABELS: usize = 10_000;
    /// As many `>>` are no accident.
    const TURNS: usize = 3;
    let mut turns = 0;
    let mut counts: std::collections::HashMap<&str, usize> = std::collections::HashMap::new();
    let (mut lines, mut labelled) = (0usize, 0usize);
    for text in texts {
        for line in text.lines().map(str::trim_start).filter(|line| !line.is_empty()) {
            lines += 1;
            turns += usize::from(line.contains(">>") || line.contains("&gt;&gt;"));
            let Some((name, rest)) = line.split_once([':', '\u{ff1a}']) else { continue };
            let name = name.trim_start_matches(['-', '>', '\u{2013}', ' ']);
            if is_title(name) && rest.starts_with(char::is_whitespace) && counts.len() < MAX_LABELS {
                labelled += 1;
                *counts.entry(name).or_default() += 1;
            }
        }
    }
    speakers.turning = turns >= TURNS;
    let twice = counts.values().filter(|count| **count >= 2).count();
    if labelled * 10 >= lines {
        let known = counts.into_iter().filter(|(_, count)| *count >= 3 || (*count == 2 && twice >= 2));
        speakers.labels.extend(known.map(|(name, _)| name.to_owned()));
    }
}

/// Marks names and changes of the speaker, at the start of a line and at each `>>`.
fn mark_speakers(characters: &mut [TimedChar], speakers: &mut Speakers) {
    let mut speaker = speakers.current;
    let (mut n, mut line_start) = (0, true);
    while n < characters.len() {
        let letter = characters[n].letter;
        let next = characters.get(n + 1).map(|character| character.letter);
        if letter == '>' && next == Some('>') {
            while let Some(character) = characters.get_mut(n).filter(|character| matches!(character.letter, '>' | ' ')) {
                character.role = Role::Label;
                n += 1;
            }
            let named = named_at(&characters[n..], speakers);
            speaker = match &named {
                Some((name, _)) => speakers.index_of(name),
                None => next_turn(speakers),
            };
            speakers.current = speaker.filter(|_| speakers.turning);
            n = label(characters, n, named.map_or(0, |(_, length)| length));
            line_start = false;
            continue;
        }
        if line_start && !letter.is_whitespace() {
            line_start = false;
            let dash = matches!(letter, '-' | '\u{2010}'..='\u{2013}')
                && next.is_some_and(|next| {
                    next == ' ' || next.is_alphabetic() && !next.is_lowercase() || matches!(next, '\u{bf}' | '\u{a1}' | '[')
                });
            let from = n + usize::from(dash);
            let blanks = if dash { characters[from..].iter().take_while(|character| character.letter == ' ').count() } else { 0 };
            let named = named_at(&characters[from + blanks..], speakers);
            if let Some((name, length)) = named {
                speaker = speakers.index_of(&name);
                n = label(characters, n, from + blanks - n + length);
                continue;
            }
            if dash {
                speaker = next_turn(speakers);
                n = label(characters, n, 1);
                continue;
            }
        }
        line_start |= letter == '\n';
        // A name in the markup is more exact.
        if characters[n].speaker.is_none() {
            characters[n].speaker = speaker;
        }
        n += 1;
    }
}

/// An unnamed speaker. Each turn has a label of its own: who it is, is not known.
fn next_turn(speakers: &mut Speakers) -> Option<usize> {
    speakers.turns += 1;
    let name = format!("turn {}", speakers.turns);
    speakers.index_of(&name)
}

/// Makes `length` characters from `from` on a label. Returns the place after it.
fn label(characters: &mut [TimedChar], from: usize, length: usize) -> usize {
    for character in &mut characters[from..from + length] {
        character.role = Role::Label;
    }
    from + length
}

/// The name at the start of these characters, and how many characters it takes: `[SPEAKER_00]:`,
/// `(SPEAKER 1)`, `SPEAKER_00|`, `Speaker 1:`, `ANNA:`.
fn named_at(characters: &[TimedChar], speakers: &Speakers) -> Option<(String, usize)> {
    let head: String = characters.iter().take(MAX_NAME + 3).map(|c| c.letter).take_while(|c| *c != '\n').collect();
    let closing = match head.chars().next()? {
        '[' => ']',
        '(' => ')',
        '\u{ff08}' => '\u{ff09}',
        '\u{3010}' => '\u{3011}',
        '<' => '>',
        _ => return name_before_colon(&head, speakers),
    };
    let name: String = head.chars().skip(1).take_while(|c| *c != closing).collect();
    let length = name.chars().count() + 2;
    let after = head.chars().nth(length);
    if head.chars().nth(length - 1) != Some(closing) {
        return None;
    }
    let colon = matches!(after, Some(':' | '\u{ff1a}'));
    let is_name = is_label(&name) || colon && !is_sound(&name) && name.split(' ').count() <= 4 && name.chars().all(is_in_names);
    is_name.then(|| (name.trim().trim_end_matches(':').to_owned(), length + usize::from(colon)))
}

fn name_before_colon(head: &str, speakers: &Speakers) -> Option<(String, usize)> {
    let at = head.find([':', '\u{ff1a}', '|'])?;
    let (name, rest) = head.split_at(at);
    let separator = rest.chars().next()?;
    let blank_after = rest[separator.len_utf8()..].chars().next().is_none_or(|c| c.is_whitespace() || separator != ':');
    let trimmed = name.trim_end();
    let is_name = match separator {
        '|' => is_label(trimmed) || is_capitals(trimmed),
        _ => is_label(trimmed) || blank_after && (is_capitals(trimmed) || speakers.labels.contains(trimmed)),
    };
    // `S: ...` may be a letter.
    (is_name && trimmed.chars().count() > 1).then(|| (trimmed.to_owned(), name.chars().count() + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;
    use crate::transcribe::markup::{Markup, lines};

    /// What is spoken and by whom: `name: text`, line by line.
    fn turns(text: &str) -> Vec<String> {
        let mut speakers = Speakers::default();
        gather_labels(std::iter::once(text), &mut speakers);
        let found = lines(text, Markup::WebVtt, Timestamp::ZERO, &mut speakers);
        let shown = |line: &Vec<TimedChar>| {
            let spoken: String = line.iter().filter(|c| c.is_spoken()).map(|c| c.letter).collect();
            let who = line.iter().find(|c| c.is_spoken() && c.letter.is_alphanumeric()).and_then(|c| speakers.name(c.speaker));
            format!("{}: {}", who.unwrap_or("?"), spoken.split_whitespace().collect::<Vec<_>>().join(" "))
        };
        found.iter().map(shown).collect()
    }

    #[test]
    fn names_of_speakers_are_not_spoken() {
        for (text, expected) in [
            ("[SPEAKER_00]: Hello there", "SPEAKER_00: Hello there"),
            ("[Speaker 1] Hello", "Speaker 1: Hello"),
            ("SPEAKER_00|Hello", "SPEAKER_00: Hello"),
            ("(SPEAKER 1) Hello", "SPEAKER 1: Hello"),
            ("Speaker 1: Hello", "Speaker 1: Hello"),
            ("Sprecher A: Hallo", "Sprecher A: Hallo"),
            ("spk_0: Hello", "spk_0: Hello"),
            ("ANNA: Hello", "ANNA: Hello"),
            ("DR. LEE: Hello", "DR. LEE: Hello"),
            ("[Anna]: Hello", "Anna: Hello"),
            (">> ANNA: Hello", "ANNA: Hello"),
            ("- Hello", "turn 1: Hello"),
            ("-Hello", "turn 1: Hello"),
            (">> Hello", "turn 1: Hello"),
            ("&gt;&gt; Hello", "turn 1: Hello"),
            ("<v.loud Ann Lee>Hi</v>", "Ann Lee: Hi"),
            ("- ANNA: Hello", "ANNA: Hello"),
        ] {
            assert_eq!(turns(text), [expected], "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_a_name_is_spoken() {
        for text in ["Note: this is it", "at 10:30 we go", "-dimensional", "-5 degrees", "A: or B", "so: yes", "a > b >c", "well | then"] {
            assert_eq!(turns(text), [format!("?: {text}")]);
        }
        assert_eq!(turns("Ann: a\nBob: b\nAnn: c\nBob: d"), ["Ann: a", "Bob: b", "Ann: c", "Bob: d"]);
    }

    #[test]
    fn a_speaker_stays_until_the_next_mark() {
        assert_eq!(turns(">> One\ntwo\n>> BOB: three >> four"), ["turn 1: One", "turn 1: two", "BOB: three four"]);
    }

    #[test]
    fn events_are_not_spoken() {
        let spoken = |text: &str| turns(text).join("|").replace("?: ", "");
        assert_eq!(spoken("[Music] So [ __ ] it goes (laughs) on <laughs> and"), "So it goes on and");
        assert_eq!(spoken("(a door opens)\nWho (if anyone) is there?"), "|Who (if anyone) is there?");
        assert_eq!(spoken("\u{266a} la la \u{266a} speech \u{266a} more"), "speech");
        assert_eq!(spoken("an [open bracket"), "an [open bracket");
        assert_eq!(spoken("so <this is it> then"), "so <this is it> then");
    }
}
