//! What every publisher keeps to: the contract of `Publisher`, as one suite for all of them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clipkit::prelude::*;

use crate::support::with;

/// A target and how to look into it.
pub(crate) struct Stand {
    /// Makes the publisher anew, as another process does.
    pub(crate) publisher: Box<dyn Fn() -> Arc<dyn Publisher> + Send + Sync>,
    pub(crate) environment: Environment,
    /// The clips that the target has, each once.
    pub(crate) published: Box<dyn Fn() -> Vec<String> + Send + Sync>,
    /// What no receipt, error or document may show.
    pub(crate) secrets: Vec<String>,
}

pub(crate) fn environment(cache: &Path) -> Environment {
    with(Environment::default(), |it| {
        it.cache_folder = Some(cache.to_owned());
        it.config_folder = Some(cache.to_owned());
    })
}

pub(crate) fn context(environment: &Environment) -> Context {
    Context::builder().environment(environment.clone()).build().for_stage(Stage::Publish)
}

pub(crate) fn plan(start: f64, title: &str) -> ClipPlan {
    let span = Span::secs(start, start + 20.0).unwrap();
    let media = MediaRef::new("talk.mp4", ContentId::new("none", "a"));
    let source = PlanSource::new(media, 1920, 1080, Timestamp::from_secs(300.0));
    let scene = Scene::new(Span::secs(0.0, 20.0).unwrap(), Layout::Fill { crop: Crop::still(Rect::FULL) });
    ClipPlan::new(source, span, title, Score::default(), vec![scene], Output::h264(1080, 1920, FrameRate::new(30, 1)))
}

/// A post with all its files, of which the video has `bytes` bytes.
pub(crate) fn post(desk: &Path, rank: usize, plan: &ClipPlan, bytes: usize) -> Post {
    let file = |name: &str, content: &[u8]| -> PathBuf {
        let path = desk.join(format!("{}.{name}", plan.id()));
        std::fs::write(&path, content).unwrap();
        path
    };
    let video: Vec<u8> = (0..bytes).map(|n| (n * 7 + n / 251) as u8).collect();
    let mut files = PostFiles::new(file("mp4", &video));
    files.cover = Some(file("jpg", b"a picture"));
    files.captions = Some(file("srt", b"1\n00:00:00,000 --> 00:00:01,000\nHello\n"));
    files.plan = Some(file("json", plan.to_json().unwrap().as_bytes()));
    Post::new(rank, plan, files)
}

fn snapshot(post: &Post) -> Vec<(PathBuf, Vec<u8>)> {
    let PostFiles { video, cover, captions, plan, .. } = &post.files;
    let files = [Some(video), cover.as_ref(), captions.as_ref(), plan.as_ref()];
    files.into_iter().flatten().map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

pub(crate) async fn keeps_the_contract(stand: &Stand, bytes: usize) {
    let desk = tempfile::tempdir().unwrap();
    let first = post(desk.path(), 1, &plan(10.0, "Why clocks lie"), bytes);
    let files = snapshot(&first);
    let publisher = (stand.publisher)();

    // A cancelled publication ends within a second and leaves nothing that stands in the way.
    let cancelled = context(&stand.environment);
    cancelled.cancel();
    let begun = Instant::now();
    let error = publisher.publish(&cancelled, &first).await.unwrap_err();
    assert!(error.is_cancelled() && begun.elapsed() < Duration::from_secs(1), "{error}");
    assert_eq!((stand.published)(), [""; 0]);

    // A file that is missing is named.
    let mut lost = first.clone();
    lost.files.video = desk.path().join("no.mp4");
    let error = publisher.publish(&context(&stand.environment), &lost).await.unwrap_err();
    assert!(error.kind() == ErrorKind::NotFound && error.to_string().contains("no.mp4"), "{error}");
    assert_eq!((stand.published)(), [""; 0]);

    // Many at once, as in several processes, make one publication.
    let attempts = (0..4).map(|_| {
        let (publisher, cx, first) = ((stand.publisher)(), context(&stand.environment), first.clone());
        tokio::spawn(async move { publisher.publish(&cx, &first).await })
    });
    let mut receipts = Vec::new();
    for attempt in attempts.collect::<Vec<_>>() {
        receipts.push(attempt.await.unwrap().unwrap());
    }
    assert_eq!((stand.published)().len(), 1, "{:?}", (stand.published)());
    let same = |a: &Receipt, b: &Receipt| (&a.target, &a.id, &a.files, &a.account) == (&b.target, &b.id, &b.files, &b.account);
    assert!(receipts.iter().all(|receipt| same(receipt, &receipts[0])), "{receipts:?}");

    // The same clip again, with another rank and title, is the same publication.
    let mut renamed = post(desk.path(), 3, &plan(10.0, "Because"), bytes);
    assert_eq!(renamed.clip, first.clip);
    renamed.description = "Another text".into();
    (stand.publisher)().publish(&context(&stand.environment), &renamed).await.unwrap();
    assert_eq!((stand.published)().len(), 1, "{:?}", (stand.published)());

    // Another clip is another publication.
    let second = post(desk.path(), 2, &plan(50.0, "Other"), bytes / 2);
    let receipt = publisher.publish(&context(&stand.environment), &second).await.unwrap();
    assert!(!same(&receipt, &receipts[0]));
    assert_eq!((stand.published)().len(), 2, "{:?}", (stand.published)());

    // The files stay as they are, receipts name the target, and nothing shows a secret.
    assert_eq!(
        snapshot(&first).iter().map(|(path, _)| path.clone()).collect::<Vec<_>>(),
        files.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>()
    );
    assert_eq!(std::fs::read(&first.files.video).unwrap(), files[0].1);
    assert_eq!(receipts[0].target, publisher.target().name);
    assert!(!receipts[0].id.is_empty() && receipts[0].published_at.is_some(), "{receipts:?}");
    let shown = format!("{:?} {} {:?}", receipts, serde_json::to_string(&receipts).unwrap(), publisher.target());
    for secret in &stand.secrets {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_keeps_the_contract() {
    let (cache, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (folder, looked) = (out.path().to_owned(), out.path().to_owned());
    let stand = Stand {
        publisher: Box::new(move || Arc::new(Folder::new(&folder))),
        environment: environment(cache.path()),
        published: Box::new(move || mp4_files(&looked)),
        secrets: Vec::new(),
    };
    keeps_the_contract(&stand, 1000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_store_of_files_keeps_the_contract() {
    let (cache, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (url, looked) = (format!("file://{}", out.path().display()), out.path().to_owned());
    let stand = Stand {
        publisher: Box::new(move || Arc::new(ObjectStorePublisher::new(&url))),
        environment: environment(cache.path()),
        published: Box::new(move || mp4_files(&looked)),
        secrets: Vec::new(),
    };
    keeps_the_contract(&stand, 1000).await;
}

/// The MP4 files in a folder and the folders in it.
pub(crate) fn mp4_files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            match path.extension() {
                _ if path.is_dir() => open.push(path),
                Some(extension) if extension == "mp4" => found.push(path.display().to_string()),
                _ => {}
            }
        }
    }
    found
}
