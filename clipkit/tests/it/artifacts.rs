//! The artifact store, in memory and in a folder.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use clipkit::model::SpeechMap;
use clipkit::prelude::*;
use clipkit::store::object_store::memory::InMemory;
use clipkit::store::object_store::path::Path as Location;
use clipkit::store::object_store::throttle::{ThrottleConfig, ThrottledStore};
use clipkit::store::object_store::{ObjectStoreExt, PutPayload};
use clipkit::store::{ArtifactKey, ArtifactStore, Document};

use crate::fakes::{Fake, candidate, transcript};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn key<D: Document>(id: &str) -> ArtifactKey {
    ArtifactKey::of::<D>().text("media", id).fingerprint("model 1")
}

fn receipt() -> Receipt {
    Receipt::new("fake", "1.mp4")
}

/// Writes a document, reads it back, and finds nothing under another key.
async fn keeps<D: Document + PartialEq + std::fmt::Debug>(store: &ArtifactStore, document: D) {
    store.put(&key::<D>("a"), &document).await.unwrap();
    assert_eq!(store.get::<D>(&key::<D>("a")).await.unwrap().as_ref(), Some(&document));
    assert_eq!(store.get::<D>(&key::<D>("b")).await.unwrap(), None);
    assert!(!store.put_new(&key::<D>("a"), &document).await.unwrap());
    assert!(store.put_new(&key::<D>("b"), &document).await.unwrap());
    assert_eq!(store.get::<D>(&key::<D>("b")).await.unwrap(), Some(document));
}

#[tokio::test]
async fn every_kind_of_document_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Fake::new().pipeline().plan_all("talk.mp4").await.unwrap().plans.remove(0).plan;
    for store in [
        ArtifactStore::open("memory:///").await.unwrap(),
        ArtifactStore::open(folder.path().to_str().unwrap()).await.unwrap(),
        ArtifactStore::over(Arc::new(InMemory::new())),
    ] {
        keeps(&store, transcript()).await;
        keeps(&store, vec![candidate(1.0, 20.0, 50.0)]).await;
        keeps(&store, Tracks::default()).await;
        keeps(&store, SpeechMap::new(vec![Span::secs(0.0, 1.5).unwrap()], vec![40; 30])).await;
        keeps(&store, plan.clone()).await;
        keeps(&store, receipt()).await;
    }
    // As in another process, after the folder was moved.
    let moved = folder.path().with_extension("moved");
    std::fs::rename(folder.path(), &moved).unwrap();
    let store = ArtifactStore::in_folder(&moved).await.unwrap();
    assert_eq!(store.get::<Transcript>(&key::<Transcript>("a")).await.unwrap(), Some(transcript()));
    std::fs::remove_dir_all(moved).unwrap();
}

#[tokio::test]
async fn of_many_who_write_at_once_one_is_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let writers: Vec<_> = (0..8)
        .map(|_| {
            let folder = folder.path().to_owned();
            tokio::spawn(async move {
                let store = ArtifactStore::in_folder(&folder).await.unwrap();
                store.put_new(&key::<Receipt>("a"), &receipt()).await.unwrap()
            })
        })
        .collect();
    let mut first = 0;
    for writer in writers {
        first += usize::from(writer.await.unwrap());
    }
    assert_eq!(first, 1);
}

#[tokio::test]
async fn old_documents_go_and_plans_and_receipts_stay() {
    let folder = tempfile::tempdir().unwrap();
    let store = ArtifactStore::in_folder(folder.path()).await.unwrap().keep(DAY);
    store.put(&key::<Tracks>("a"), &Tracks::default()).await.unwrap();
    store.put(&key::<Receipt>("a"), &receipt()).await.unwrap();
    let path = |key: ArtifactKey| folder.path().join("v2").join(format!("{key}.json"));
    let (tracks, receipt) = (path(key::<Tracks>("a")), path(key::<Receipt>("a")));
    let foreign = folder.path().join("v2/tracks/notes.json");
    std::fs::write(&foreign, "mine").unwrap();
    for path in [&tracks, &receipt, &foreign] {
        let file = std::fs::File::options().append(true).open(path).unwrap();
        file.set_modified(SystemTime::now() - 2 * DAY).unwrap();
    }
    assert_eq!(store.get::<Tracks>(&key::<Tracks>("a")).await.unwrap(), None);
    assert!(store.clone().keep(3 * DAY).get::<Tracks>(&key::<Tracks>("a")).await.unwrap().is_some());
    assert!(store.get::<Receipt>(&key::<Receipt>("a")).await.unwrap().is_some());
    assert_eq!(store.sweep().await.unwrap(), 1);
    assert!(!tracks.exists() && receipt.exists() && foreign.exists());
}

#[tokio::test]
async fn damage_counts_as_absent() {
    let memory = Arc::new(InMemory::new());
    let store = ArtifactStore::over(memory.clone());
    let key = key::<Transcript>("a");
    for damaged in ["", "{", "null", r#"{"document": {"words": 1}}"#] {
        memory.put(&Location::from(format!("v2/{key}.json")), PutPayload::from(damaged.to_owned())).await.unwrap();
        assert_eq!(store.get::<Transcript>(&key).await.unwrap(), None, "{damaged}");
    }
    store.put(&key, &transcript()).await.unwrap();
    assert_eq!(store.get::<Transcript>(&key).await.unwrap(), Some(transcript()));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_is_an_error_that_may_be_retried() {
    let hour = Duration::from_secs(3600);
    let config = ThrottleConfig { wait_get_per_call: hour, wait_put_per_call: hour, ..ThrottleConfig::default() };
    let store = ArtifactStore::over(Arc::new(ThrottledStore::new(InMemory::new(), config)));
    let begun = tokio::time::Instant::now();
    for error in [
        store.get::<Tracks>(&key::<Tracks>("a")).await.unwrap_err(),
        store.put(&key::<Tracks>("a"), &Tracks::default()).await.unwrap_err(),
        store.put_new(&key::<Tracks>("a"), &Tracks::default()).await.unwrap_err(),
    ] {
        assert_eq!((error.kind(), error.recovery()), (ErrorKind::TimedOut, &Recovery::Retry { after: None }));
    }
    assert!(begun.elapsed() <= Duration::from_secs(61));
}
