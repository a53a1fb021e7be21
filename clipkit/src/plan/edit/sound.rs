//! Operations on sounds and censored words.

use super::EditSources;
use super::words::{ClipWord, of_clip, of_transcript};
use crate::error::Result;
use crate::model::{CensorSound, ClipPlan, Span};
use crate::plan::censor::{self, Censor, Matcher};

/// Censors words.
pub(super) fn censor(plan: &mut ClipPlan, sources: &EditSources<'_>, words: &[String], with: CensorSound) -> Result<()> {
    let list = Censor::new(words);
    list.check()?;
    let matcher = Matcher::of(&list, None);
    // Captions can lack a word that is heard, and be corrected where the transcript is wrong.
    let said = sources.transcript.map_or_else(Vec::new, |transcript| of_transcript(plan, transcript));
    let shown = of_clip(plan, sources);
    for words in [said, shown] {
        let words: Vec<(&str, Span)> = words.iter().map(|ClipWord { text, span }| (text.as_str(), *span)).collect();
        censor::censor(plan, &words, &matcher, with);
    }
    Ok(())
}
