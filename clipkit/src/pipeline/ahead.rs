//! What is done with a video's words while its media still come in.

use tokio::sync::oneshot::Receiver;

use super::{Pipeline, Run, check};
use crate::error::{Error, Result};
use crate::model::{Candidate, Media, Stage, Timestamp, Transcript};

/// The platform's duration may differ from that of the file by so much, in seconds.
const SAME_DURATION: f64 = 2.0;

/// Words and candidates from captions that came before the media.
pub(super) struct Ahead {
    duration: Timestamp,
    transcript: Transcript,
    candidates: Vec<Candidate>,
}

impl Ahead {
    /// What holds for the media that came. `None` if they last longer or shorter than announced.
    pub(super) fn for_media(self, pipeline: &Pipeline, run: &Run, media: &Media) -> Option<(Transcript, Vec<Candidate>)> {
        if media.duration.since(self.duration).secs().abs() > SAME_DURATION {
            return None;
        }
        let transcript = check::transcript(&run.speaking_for(Stage::Transcribe, None), self.transcript, media.duration);
        let options = pipeline.options.scoring();
        let candidates = check::candidates(&run.speaking_for(Stage::Score, None), self.candidates, &options, media.duration);
        (!candidates.is_empty()).then_some((transcript, candidates))
    }
}

impl Pipeline {
    /// Transcribes and scores from announced captions. `None` if nothing is announced, if the
    /// stages need the media, or if it fails: then it is done when the media are here.
    pub(super) async fn ahead(&self, run: &Run, announced: Receiver<Media>) -> Result<Option<Ahead>> {
        // A stage that the user brought may read the file.
        if !self.stages.transcriber.reads_captions() || !self.stages.scorer.is_builtin() {
            return Ok(None);
        }
        let Ok(media) = announced.await else { return Ok(None) };
        let media = &media;
        let transcript = run.step(Stage::Transcribe, None, |cx| async move { self.transcribed(&cx, media.clone()).await }).await;
        let Some(transcript) = unless_cancelled(transcript)? else { return Ok(None) };
        let said = &transcript;
        let candidates = run.step(Stage::Score, None, |cx| async move { self.candidates(&cx, media, said).await }).await;
        let candidates = unless_cancelled(candidates)?;
        Ok(candidates.map(|candidates| Ahead { duration: media.duration, transcript, candidates }))
    }
}

fn unless_cancelled<T>(answer: Result<T>) -> Result<Option<T>> {
    match answer {
        Err(error) if Error::is_cancelled(&error) => Err(error),
        answer => Ok(answer.ok()),
    }
}
