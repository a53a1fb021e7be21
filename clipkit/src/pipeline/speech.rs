//! Where somebody speaks in a medium, found once.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use crate::av;
use crate::context::Context;
use crate::error::Result;
use crate::model::{ContentId, Media, Span, Timestamp};
use crate::voice::VoiceDetector;

/// How many media's speech maps a pipeline remembers.
const REMEMBERED: usize = 8;

type Speech = Arc<OnceCell<Arc<Vec<Span>>>>;

/// The speech maps that a pipeline's steps share, newest last.
#[derive(Default)]
pub(super) struct SpeechMaps(Mutex<Vec<(ContentId, Speech)>>);

impl SpeechMaps {
    /// Where a voice is heard in the medium: spans on the source's timeline, in order and apart.
    /// The sound is decoded once, however many callers ask.
    ///
    /// Sound that cannot be read leaves a warning and gives an empty map, which is not remembered.
    pub(super) async fn of(&self, cx: &Context, media: &Media) -> Result<Arc<Vec<Span>>> {
        if media.audio.is_empty() {
            return Ok(Arc::default());
        }
        let known = self.cell(&media.id);
        match known.get_or_try_init(|| listen(cx, media)).await {
            Ok(spans) => Ok(spans.clone()),
            Err(error) if error.is_cancelled() => Err(error),
            Err(error) => {
                cx.warn_once_of(
                    crate::model::WarningKind::InputLost,
                    format!("the sound could not be read for voices: {error}; clips may start or end inside a word"),
                );
                Ok(Arc::default())
            }
        }
    }

    fn cell(&self, id: &ContentId) -> Speech {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, speech)) = known.iter().find(|(of, _)| of == id) {
            return speech.clone();
        }
        if known.len() >= REMEMBERED {
            known.remove(0);
        }
        let speech = Speech::default();
        known.push((id.clone(), speech.clone()));
        speech
    }
}

async fn listen(cx: &Context, media: &Media) -> Result<Arc<Vec<Span>>> {
    let media = media.clone();
    cx.blocking(move |cx| {
        let mut detector = VoiceDetector::open(cx, Timestamp::ZERO);
        av::listen(cx, &media, Span::between(Timestamp::ZERO, media.duration), &mut |piece| detector.push(piece))?;
        Ok(Arc::new(detector.finish().spans()))
    })
    .await
}
