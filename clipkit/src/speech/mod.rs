//! Speech maps: the spans in which somebody speaks in a medium and its loudness, found in one
//! decoding pass and shared by all stages.

mod listen;
pub(crate) mod track;

use std::sync::{Arc, Mutex, PoisonError};

use futures::future::BoxFuture;
use tokio::sync::OnceCell;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::model::{ContentId, Media, SpeechMap, Timestamp, WarningKind};
use crate::store::{ArtifactKey, ArtifactStore};
use crate::voice::VoiceDetector;

/// How many speech maps a pipeline keeps in memory.
const REMEMBERED: usize = 8;

/// A medium and its audio track.
type Sound = (ContentId, Option<usize>);
type Cell = Arc<OnceCell<Arc<SpeechMap>>>;
/// Opens the store for speech maps; `None` if there is none on this machine.
type OpenStore = dyn Fn(Context) -> BoxFuture<'static, Result<Option<ArtifactStore>>> + Send + Sync;

/// The speech maps that the stages of a pipeline share. They are kept in memory and, if there is
/// one, in a store.
#[derive(Default)]
pub(crate) struct SpeechMaps {
    store: Option<Box<OpenStore>>,
    remembered: Mutex<Vec<(Sound, Cell)>>,
}

/// The speech map of the medium: the pipeline's if `cx` shares its maps, else a new one.
///
/// Fails if the sound cannot be decoded.
pub(crate) async fn speech_map(cx: &Context, media: &Media) -> Result<Arc<SpeechMap>> {
    match cx.shared_value::<SpeechMaps>() {
        Some(maps) => maps.of(cx, media).await,
        None => Ok(Arc::new(listen::to(cx, media).await?.0)),
    }
}

impl SpeechMaps {
    /// Maps that are kept in memory and in the store that `open` opens.
    pub(crate) fn kept_in(open: Box<OpenStore>) -> Self {
        SpeechMaps { store: Some(open), ..SpeechMaps::default() }
    }

    /// The speech map of the medium. Concurrent callers share one computation.
    ///
    /// Fails if the sound cannot be decoded. A failure is not kept.
    pub(crate) async fn of(&self, cx: &Context, media: &Media) -> Result<Arc<SpeechMap>> {
        if media.audio.is_empty() {
            return Ok(Arc::default());
        }
        let cell = self.cell((media.id.clone(), media.audio_track));
        cell.get_or_try_init(|| self.find_or_make(cx, media)).await.cloned()
    }

    fn cell(&self, sound: Sound) -> Cell {
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, cell)) = remembered.iter().find(|(of, _)| *of == sound) {
            return cell.clone();
        }
        if remembered.len() >= REMEMBERED {
            remembered.remove(0);
        }
        let cell = Cell::default();
        remembered.push((sound, cell.clone()));
        cell
    }

    async fn find_or_make(&self, cx: &Context, media: &Media) -> Result<Arc<SpeechMap>> {
        let store = match &self.store {
            Some(open) => open(cx.clone()).await.unwrap_or_else(|error| {
                warn_unusable(cx, &error);
                None
            }),
            None => None,
        };
        // Open until all parts are listened to, each of which shares it.
        let (network, _model) = cx
            .blocking(|cx| {
                let detector = VoiceDetector::open(cx, Timestamp::ZERO);
                Ok((detector.fingerprint(), detector.keep_open()))
            })
            .await?;
        if let Some(store) = &store {
            match store.get::<SpeechMap>(&key(media, network)).await {
                Ok(Some(found)) => return Ok(Arc::new(found)),
                Ok(None) => {}
                Err(error) => warn_unusable(cx, &error),
            }
        }
        let (map, network) = listen::to(cx, media).await?;
        if let Some(store) = store
            && let Err(error) = store.put(&key(media, network), &map).await
        {
            warn_unusable(cx, &error);
        }
        Ok(Arc::new(map))
    }
}

fn key(media: &Media, network: &str) -> ArtifactKey {
    ArtifactKey::of::<SpeechMap>().media(media).fingerprint(network)
}

fn warn_unusable(cx: &Context, error: &Error) {
    cx.warn_once_of(WarningKind::Store, format!("speech maps cannot be kept or found again: {error}"));
}
