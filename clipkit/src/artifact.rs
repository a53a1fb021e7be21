//! Results that cost time, kept in the user's cache folder and found again by what they were made from.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use etcetera::BaseStrategy;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::context::Context;
use crate::error::Result;
use crate::model::{Media, Tracks, Transcript};
use crate::track::{FaceTracker, Tracking};
use crate::transcribe::Transcriber;

/// What nobody asked for in so long is removed.
const KEPT: Duration = Duration::from_secs(90 * 24 * 3600);

/// A folder of JSON documents, named by a hash of their inputs. Losing one costs time and nothing else, so no failure here is an error.
#[derive(Clone, Debug)]
pub(crate) struct Artifacts {
    /// None on a machine without a home folder: nothing is kept.
    folder: Option<PathBuf>,
}

impl Artifacts {
    /// `clipkit/artifacts` in `XDG_CACHE_HOME` or the platform's cache folder.
    pub(crate) fn of_the_user() -> Self {
        Artifacts { folder: etcetera::choose_base_strategy().ok().map(|base| base.cache_dir().join("clipkit").join("artifacts")) }
    }

    #[cfg(test)]
    fn below(folder: &Path) -> Self {
        Artifacts { folder: Some(folder.to_owned()) }
    }

    /// The document of `kind` made from these inputs, if it was kept and can be read.
    pub(crate) fn load<T: DeserializeOwned>(&self, kind: &str, made_from: &[&str]) -> Option<T> {
        let path = self.path(kind, made_from)?;
        let document = serde_json::from_slice(&fs::read(&path).ok()?).ok()?;
        // Used again, so kept longer.
        let _ = fs::File::options().append(true).open(&path).and_then(|file| file.set_modified(SystemTime::now()));
        Some(document)
    }

    /// Keeps a document.
    pub(crate) fn save<T: Serialize>(&self, kind: &str, made_from: &[&str], document: &T) {
        let Some(path) = self.path(kind, made_from) else { return };
        let Some(folder) = path.parent() else { return };
        let keep = || {
            fs::create_dir_all(folder)?;
            remove_old(folder);
            let mut file = crate::scratch::beside(folder)?;
            file.write_all(&serde_json::to_vec(document)?)?;
            file.persist(&path).map_err(|error| error.error)
        };
        if let Err(error) = keep() {
            tracing::debug!(path = %path.display(), %error, "a result could not be kept");
        }
    }

    fn path(&self, kind: &str, made_from: &[&str]) -> Option<PathBuf> {
        let mut hasher = blake3::Hasher::new();
        for part in made_from {
            // With their lengths, so that no two lists of parts run together into the same bytes.
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        Some(self.folder.as_ref()?.join(kind).join(format!("{}.json", hasher.finalize().to_hex())))
    }
}

fn remove_old(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        if modified.is_ok_and(|modified| modified.elapsed().is_ok_and(|age| age > KEPT)) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// A stage that does the same work once: its answers are kept.
pub(crate) struct Remembered<T> {
    stage: T,
    artifacts: Artifacts,
    /// What decides the stage's answers besides its input: its model, settings and version.
    about: String,
}

impl<T> Remembered<T> {
    pub(crate) fn new(stage: T, artifacts: Artifacts, about: String) -> Self {
        Remembered { stage, artifacts, about }
    }

    /// The answer of `kind` about `input` that was kept, else the one that `work` gives now. Failures are not kept.
    async fn recall<D>(&self, cx: &Context, kind: &'static str, input: String, work: impl Future<Output = Result<D>> + Send) -> Result<D>
    where
        D: Serialize + DeserializeOwned + Clone + Send + 'static,
    {
        let made_from = [input, self.about.clone()];
        let (store, key) = (self.artifacts.clone(), made_from.clone());
        let kept = cx.blocking(move |_| Ok(store.load::<D>(kind, &key.each_ref().map(String::as_str)))).await?;
        if let Some(answer) = kept {
            cx.progress(1.0);
            return Ok(answer);
        }
        let answer = work.await?;
        let (store, document) = (self.artifacts.clone(), answer.clone());
        cx.blocking(move |_| {
            store.save(kind, &made_from.each_ref().map(String::as_str), &document);
            Ok(())
        })
        .await?;
        Ok(answer)
    }
}

#[async_trait]
impl<T: FaceTracker> FaceTracker for Remembered<T> {
    async fn track(&self, cx: &Context, tracking: &Tracking) -> Result<Tracks> {
        let input = format!("{} {:?}", tracking.media.id, tracking.span);
        self.recall(cx, "tracks", input, self.stage.track(cx, tracking)).await
    }
}

#[async_trait]
impl<T: Transcriber> Transcriber for Remembered<T> {
    async fn transcribe(&self, cx: &Context, media: &Media) -> Result<Transcript> {
        self.recall(cx, "transcripts", media.id.to_string(), self.stage.transcribe(cx, media)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Error, ErrorKind};
    use crate::model::{ContentId, Shot, Span, Timestamp};
    use std::sync::atomic::{AtomicUsize, Ordering};

    struct Counting(AtomicUsize);

    #[async_trait]
    impl FaceTracker for Counting {
        async fn track(&self, _cx: &Context, tracking: &Tracking) -> Result<Tracks> {
            match self.0.fetch_add(1, Ordering::SeqCst) {
                0 => Err(Error::new(ErrorKind::Decode, "at first it fails")),
                _ => Ok(Tracks { shots: vec![Shot::new(tracking.span)], faces: Vec::new(), ..Tracks::default() }),
            }
        }
    }

    #[tokio::test]
    async fn a_span_is_looked_at_once_and_failures_are_not_kept() {
        let root = tempfile::tempdir().unwrap();
        let tracker = Remembered::new(Counting(AtomicUsize::new(0)), Artifacts::below(root.path()), "a".into());
        let media = Media {
            path: "talk.mp4".into(),
            id: ContentId::new("none", "1"),
            container: String::new(),
            duration: Timestamp::from_secs(60.0),
            video: None,
            audio: Vec::new(),
            subtitles: Vec::new(),
        };
        let cx = Context::new();
        let at = |start| Tracking { media: media.clone(), span: Span::secs(start, start + 20.0).unwrap() };
        assert!(tracker.track(&cx, &at(0.0)).await.is_err());
        for _ in 0..3 {
            let tracks = tracker.track(&cx, &at(0.0)).await.unwrap();
            assert_eq!(tracks.shots[0].span, at(0.0).span);
        }
        assert_eq!(tracker.stage.0.load(Ordering::SeqCst), 2);
        tracker.track(&cx, &at(1.0)).await.unwrap();
        assert_eq!(tracker.stage.0.load(Ordering::SeqCst), 3);

        // A damaged document is as good as none.
        let kept: Vec<PathBuf> = fs::read_dir(root.path().join("tracks")).unwrap().map(|entry| entry.unwrap().path()).collect();
        kept.iter().for_each(|path| fs::write(path, "{").unwrap());
        tracker.track(&cx, &at(0.0)).await.unwrap();
        assert_eq!(tracker.stage.0.load(Ordering::SeqCst), 4);
    }

    #[test]
    fn parts_do_not_run_together() {
        let artifacts = Artifacts::below(Path::new("x"));
        assert_ne!(artifacts.path("k", &["ab", "c"]), artifacts.path("k", &["a", "bc"]));
    }
}
