//! Speech maps: the spans in which somebody speaks in a medium, computed once.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use crate::av;
use crate::context::Context;
use crate::error::Result;
use crate::layer::CacheLayer;
use crate::model::{ContentId, Media, Span, Timestamp, WarningKind};
use crate::store::{ArtifactKey, ArtifactStore};
use crate::voice::VoiceDetector;

/// How many speech maps a pipeline keeps in memory.
const REMEMBERED: usize = 8;

type Speech = Arc<OnceCell<Arc<Vec<Span>>>>;

/// The speech maps that the steps of a pipeline share: sorted, non-overlapping spans on the
/// source's timeline. They are kept in memory and, if there is one, in a cache.
#[derive(Default)]
pub(super) struct SpeechMaps {
    cache: Option<CacheLayer>,
    remembered: Mutex<Vec<(ContentId, Speech)>>,
}

impl SpeechMaps {
    pub(super) fn new(cache: Option<CacheLayer>) -> Self {
        SpeechMaps { cache, remembered: Mutex::default() }
    }

    /// The speech map of the medium. Concurrent callers share one computation.
    ///
    /// Sound that cannot be decoded leaves a warning and gives an empty map, which is not kept.
    pub(super) async fn of(&self, cx: &Context, media: &Media) -> Result<Arc<Vec<Span>>> {
        if media.audio.is_empty() {
            return Ok(Arc::default());
        }
        let known = self.cell(&media.id);
        match known.get_or_try_init(|| self.find_or_make(cx, media)).await {
            Ok(spans) => Ok(spans.clone()),
            Err(error) if error.is_cancelled() => Err(error),
            Err(error) => {
                cx.warn_once_of(
                    WarningKind::InputLost,
                    format!("the sound could not be searched for voices: {error}; clips may start or end inside a word"),
                );
                Ok(Arc::default())
            }
        }
    }

    fn cell(&self, id: &ContentId) -> Speech {
        let mut known = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
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

    async fn find_or_make(&self, cx: &Context, media: &Media) -> Result<Arc<Vec<Span>>> {
        let store = match &self.cache {
            Some(cache) => cache.store(cx).await.unwrap_or_else(|error| {
                unusable(cx, &error);
                None
            }),
            None => None,
        };
        if let Some(store) = &store {
            let network = cx.blocking(|cx| Ok(VoiceDetector::open(cx, Timestamp::ZERO).fingerprint())).await?;
            if let Some(found) = kept(cx, store, &key(media, network)).await {
                return Ok(Arc::new(found));
            }
        }
        let sound = media.clone();
        let (spans, network) = cx
            .blocking(move |cx| {
                let mut detector = VoiceDetector::open(cx, Timestamp::ZERO);
                let all = Span::between(Timestamp::ZERO, sound.duration);
                av::listen(cx, &sound, all, &mut |piece| detector.push(piece))?;
                let network = detector.fingerprint();
                Ok((detector.finish().spans(), network))
            })
            .await?;
        if let Some(store) = store
            && let Err(error) = store.put(&key(media, network), &spans).await
        {
            unusable(cx, &error);
        }
        Ok(Arc::new(spans))
    }
}

async fn kept(cx: &Context, store: &ArtifactStore, key: &ArtifactKey) -> Option<Vec<Span>> {
    match store.get(key).await {
        Ok(found) => found,
        Err(error) => {
            unusable(cx, &error);
            None
        }
    }
}

fn key(media: &Media, network: &str) -> ArtifactKey {
    ArtifactKey::of::<Vec<Span>>().text("media", media.id.as_str()).fingerprint(network)
}

fn unusable(cx: &Context, error: &crate::error::Error) {
    cx.warn_once_of(WarningKind::Store, format!("speech maps cannot be kept or found again: {error}"));
}
