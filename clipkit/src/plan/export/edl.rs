//! CMX 3600 edit decision lists.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::cut::{Cut, CutClip};
use super::source_file::SourceFile;
use super::timecode::Timecode;
use super::warning;
use crate::model::Warning;

/// The most events that the format numbers with three digits.
const MAX_EVENTS: usize = 999;

/// The cut as an edit decision list.
pub(super) fn write(cut: &Cut, warnings: &mut Vec<Warning>) -> String {
    let fcm = if cut.drop { "DROP FRAME" } else { "NON-DROP FRAME" };
    let mut out = format!("TITLE: {}\nFCM: {fcm}\n", line(&cut.name));
    if cut.clips.len() > MAX_EVENTS {
        warnings.push(warning(format!("the list has {} events; some readers know {MAX_EVENTS}", cut.clips.len())));
    }
    if !cut.insets.is_empty() {
        warnings.push(warning(format!("an edit decision list has one picture: the {} insets are left out", cut.insets.len())));
    }
    let reels = reels(&cut.files);
    let code = |frame: u64| Timecode::of(frame, cut.rate, cut.drop);
    for (n, clip) in cut.clips.iter().enumerate() {
        let (Some(file), Some(reel)) = (cut.files.get(clip.file), reels.get(clip.file)) else { continue };
        let source = file.start() + clip.source_in..file.start() + clip.source_in + clip.source_frames;
        let record = clip.record.start + cut.start..clip.record.end + cut.start;
        // A file's own labels, which can be of another kind than the timeline's.
        let source_code = |frame: u64| Timecode::of(frame, cut.rate, file.is_drop_frame().unwrap_or(cut.drop));
        // Writing to a string cannot fail.
        let _ = write!(
            out,
            "\n{:03}  {reel:<8} {:<5} C        {} {} {} {}\n",
            n + 1,
            channels(clip, file),
            source_code(source.start),
            source_code(source.end),
            code(record.start),
            code(record.end)
        );
        if clip.is_retimed() {
            // The speed as frames a second, and the source frame from which it holds.
            let entry = source_code(source.start).to_string().replace(';', ":");
            let _ = writeln!(out, "M2   {reel:<8} {:05.1}                {entry}", cut.rate.fps() * clip.speed);
        }
        let _ = writeln!(out, "* FROM CLIP NAME: {}", line(&file.reference.name));
        let _ = writeln!(out, "* SOURCE FILE: {}", line(&file.reference.path));
        for note in cut.markers.iter().filter(|note| clip.record.contains(&note.record.start)) {
            let (at, color) = (code(note.record.start + cut.start), note.kind.color());
            let _ = writeln!(out, "* LOC: {at} {color:<7} {}", line(&note.title()));
        }
    }
    out
}

/// The tracks of an event: the picture, and one or two channels of the rendered sound.
fn channels(clip: &CutClip, file: &SourceFile) -> &'static str {
    match file.audio.get(clip.audio_track).map(|audio| audio.channels) {
        None => "V",
        Some(0 | 1) => "B",
        Some(_) => "AA/V",
    }
}

/// A reel name for each file: at most eight capital letters and digits, each name once.
fn reels(files: &[SourceFile]) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let mut all = Vec::new();
    for file in files {
        let stem = file.reference.name.rsplit_once('.').map_or(file.reference.name.as_str(), |(stem, _)| stem);
        let letters = stem.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_uppercase());
        let mut name: String = letters.take(8).collect();
        // BL and AX are the names of black and of a source without a reel.
        if name.is_empty() || name == "BL" || name == "AX" {
            name = "CLIP".into();
        }
        let mut number = 1;
        let mut unique = name.clone();
        while !taken.insert(unique.clone()) {
            number += 1;
            let digits = number.to_string();
            unique = format!("{}{digits}", name.chars().take(8 - digits.len().min(7)).collect::<String>());
        }
        all.push(unique);
    }
    all
}

/// A text as one line.
fn line(text: &str) -> String {
    text.replace(char::is_control, " ").trim().to_owned()
}
