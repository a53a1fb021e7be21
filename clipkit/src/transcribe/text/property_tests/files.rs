//! Good files of each format, and the damage that is done to them.

/// A format of a good file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Srt,
    WebVtt,
    Sbv,
    /// `[00:00:00.500 --> 00:00:02.500]  text`, as whisper.cpp prints it.
    Bracketed,
    Ass,
    Lrc,
    /// `0:03` above the text, as it is copied from a player.
    Stamped,
    Tsv,
    Csv,
    Ttml,
    YouTubeXml,
    JsonLines,
    /// Segments of Whisper, one field a line.
    JsonSegments,
    /// A list of words, one field a line.
    JsonWords,
}

pub(super) const KINDS: [Kind; 14] = [
    Kind::Srt,
    Kind::WebVtt,
    Kind::Sbv,
    Kind::Bracketed,
    Kind::Ass,
    Kind::Lrc,
    Kind::Stamped,
    Kind::Tsv,
    Kind::Csv,
    Kind::Ttml,
    Kind::YouTubeXml,
    Kind::JsonLines,
    Kind::JsonSegments,
    Kind::JsonWords,
];

/// A file with the words `w000`, `w001` ..., three in a cue.
pub(super) fn good_file(kind: Kind, cues: usize) -> String {
    let (head, tail) = match kind {
        Kind::WebVtt => ("WEBVTT\n\n", ""),
        Kind::Ass => ("[Script Info]\n\n[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n", ""),
        Kind::Tsv => ("start\tend\ttext\n", ""),
        Kind::Csv => ("start,end,text\n", ""),
        Kind::Ttml => ("<tt><body><div>\n", "</div></body></tt>\n"),
        Kind::YouTubeXml => ("<transcript>\n", "</transcript>\n"),
        Kind::JsonSegments => ("{\n\"segments\": [\n", "{\"id\": 0, \"start\": 900.0, \"end\": 901.0, \"text\": \"w999\"}\n]\n}\n"),
        Kind::JsonWords => ("{\n\"words\": [\n", "{\"id\": 0, \"start\": 900.0, \"end\": 901.0, \"word\": \"w999\"}\n]\n}\n"),
        _ => ("", ""),
    };
    head.to_owned() + &(0..cues).map(|n| cue(kind, n)).collect::<String>() + tail
}

fn cue(kind: Kind, n: usize) -> String {
    let (start, end) = (n * 3, n * 3 + 2);
    let clock = |seconds: usize, point: char| format!("00:{:02}:{:02}{point}500", seconds / 60, seconds % 60);
    let text = format!("w{:03} w{:03} w{:03}.", n * 3, n * 3 + 1, n * 3 + 2);
    match kind {
        Kind::Srt => format!("{}\n{} --> {}\n{text}\n\n", n + 1, clock(start, ','), clock(end, ',')),
        Kind::WebVtt => format!("{} --> {} align:start\n{text}\n\n", clock(start, '.'), clock(end, '.')),
        Kind::Sbv => format!("{},{}\n{text}\n\n", clock(start, '.'), clock(end, '.')),
        Kind::Bracketed => format!("[{} --> {}]  {text}\n", clock(start, '.'), clock(end, '.')),
        Kind::Ass => format!("Dialogue: 0,{},{},Default,,0,0,0,,{text}\n", &clock(start, '.')[1..11], &clock(end, '.')[1..11]),
        Kind::Lrc => format!("[{:02}:{:02}.50]{text}\n", start / 60, start % 60),
        Kind::Stamped => format!("{}:{:02}\n{text}\n", start / 60, start % 60),
        Kind::Tsv => format!("{}\t{}\t{text}\n", start * 1000 + 500, end * 1000 + 500),
        Kind::Csv => format!("{start}.5,{end}.5,{text}\n"),
        Kind::Ttml => format!("<p begin=\"{}\" end=\"{}\">{text}</p>\n", clock(start, '.'), clock(end, '.')),
        Kind::YouTubeXml => format!("<text start=\"{start}.5\" dur=\"2\">{text}</text>\n"),
        Kind::JsonLines => format!("{{\"start\": {start}.5, \"end\": {end}.5, \"text\": \"{text}\"}}\n"),
        Kind::JsonSegments => format!("{{\n\"text\": \"{text}\",\n\"start\": {start}.5,\n\"end\": {end}.5,\n\"id\": {n}\n}},\n"),
        Kind::JsonWords => {
            let word = |k: usize| {
                format!(
                    "{{\n\"word\": \"w{:03}\",\n\"start\": {start}.{},\n\"end\": {start}.{},\n\"id\": {k}\n}},\n",
                    n * 3 + k,
                    k * 3,
                    k * 3 + 2
                )
            };
            (0..3).map(word).collect()
        }
    }
}

/// The words `w000` ... in a text.
pub(super) fn tokens(text: &str) -> Vec<&str> {
    let is_token = |word: &&str| word.len() == 4 && word.starts_with('w') && word[1..].bytes().all(|byte| byte.is_ascii_digit());
    text.split(|c: char| !c.is_alphanumeric()).filter(is_token).collect()
}

/// What is done to a file: a kind of damage, and the two lines or places that it concerns.
pub(super) type Damage = (usize, usize, usize);

/// How many kinds of damage there are: lines are removed, swapped, broken, and repeated.
pub(super) const DAMAGES: usize = 4;
pub(super) const REPEATS: usize = 3;

/// Damages a file. Text is broken between words, all else anywhere.
pub(super) fn damaged(text: &str, damage: &[Damage]) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for (what, at, place) in damage {
        let (n, other) = (at % lines.len(), place % lines.len());
        match *what {
            0 if lines.len() > 1 => {
                lines.remove(n);
            }
            1 => lines.swap(n, other),
            REPEATS => lines.insert(n, lines[n].clone()),
            _ => {
                let line = lines[n].clone();
                let head = tokens(&line).first().and_then(|word| line.find(word)).unwrap_or(line.len());
                let cuts: Vec<usize> = (0..=head).chain(line.match_indices(' ').map(|(at, _)| at).filter(|at| *at > head)).collect();
                let (before, after) = line.split_at(cuts[place % cuts.len()]);
                lines[n] = before.to_owned();
                lines.insert(n + 1, after.to_owned());
            }
        }
    }
    lines.join("\n") + "\n"
}
