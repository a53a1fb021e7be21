//! The cache: what it keeps, for which callers, and for how long.

use crate::support::with;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use clipkit::prelude::*;
use clipkit::store::ArtifactStore;
use clipkit::store::object_store::memory::InMemory;
use clipkit::store::object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use futures::StreamExt;
use tokio::time::Instant;

use crate::fakes::{Fake, media, transcript};
use crate::layers::{Slow, busy, listening};
use crate::support::ffmpeg;

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The entries of a store by key.
async fn entries(store: &InMemory) -> Vec<(object_store::path::Path, String)> {
    let mut found = Vec::new();
    let mut listed = store.list(None);
    while let Some(meta) = listed.next().await {
        let place = meta.unwrap().location;
        let bytes = store.get(&place).await.unwrap().bytes().await.unwrap();
        found.push((place, String::from_utf8(bytes.to_vec()).unwrap()));
    }
    found
}

fn files(folder: &std::path::Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

#[tokio::test(start_paused = true)]
async fn ten_jobs_on_one_video_transcribe_once() {
    let slow = Slow::taking(30 * SECOND);
    let shared: Arc<dyn Transcriber> = Arc::new(slow.clone().layer(Cache::at("memory:///")));
    let jobs: Vec<_> = (0..10)
        .map(|n| {
            // Each job has its own pipeline and its own file name for the video.
            let mut fake = Fake::new();
            fake.media = Arc::new(move |_, _| {
                Ok(with(media(), |it| {
                    it.path = format!("copy-{n}.mp4").into();
                }))
            });
            let pipeline = fake.builder().transcriber(shared.clone()).build().unwrap();
            tokio::spawn(async move { pipeline.plan_all("talk.mp4").await })
        })
        .collect();
    let begun = Instant::now();
    for job in jobs {
        assert_eq!(job.await.unwrap().unwrap().plans.len(), 3);
    }
    assert_eq!(slow.called(), 1);
    assert!(begun.elapsed() < 40 * SECOND, "{:?}", begun.elapsed());
}

/// As on a server: each job builds its pipeline from the same document.
#[tokio::test(flavor = "multi_thread")]
async fn ten_jobs_from_one_document_ask_the_api_once() {
    let folder = tempfile::tempdir().unwrap();
    let video = folder.path().join("talk.mp4");
    ffmpeg(&format!(
        "-f lavfi -i testsrc2=s=64x64:r=5:d=40 -f lavfi -i sine=r=16000:d=40 -c:v libx264 -pix_fmt yuv420p -c:a aac {}",
        video.display()
    ));
    let server = wiremock::MockServer::start().await;
    let words = transcript().words.into_iter().take(80);
    let words: Vec<_> = words.map(|word| serde_json::json!([word.text, word.start.secs(), word.end.secs()])).collect();
    let answer = wiremock::ResponseTemplate::new(200).set_delay(Duration::from_secs(2));
    let answer = answer.set_body_json(serde_json::json!({"text": "", "words": words}));
    wiremock::Mock::given(wiremock::matchers::any()).respond_with(answer).mount(&server).await;
    let document = serde_json::json!({
        "transcriber": {"kind": "openai", "server": {"base_url": server.uri()}}, "scorer": {"kind": "heuristic"}, "tracker": {"kind": "center"},
        "layers": {"transcribe": [{"cache": {"store": folder.path().join("kept")}}]}, "options": {"clips": 1}
    });
    let document = PipelineConfig::from_json(&document.to_string()).unwrap();
    let job = || {
        let (document, video) = (document.clone(), video.to_str().unwrap().to_owned());
        tokio::spawn(async move {
            let cx = Context::new();
            Pipeline::from_config(&cx, &document).await.unwrap().plan_all_with(&cx, &video).await
        })
    };
    let jobs: Vec<_> = (0..10).map(|_| job()).collect();
    for job in jobs {
        assert_eq!(job.await.unwrap().unwrap().plans.len(), 1);
    }
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}

/// The cache of the fallback's first stage has the same store and key as that of the fallback.
#[tokio::test(start_paused = true)]
async fn a_cache_in_a_cache_in_one_place_does_not_wait_for_itself() {
    let folder = tempfile::tempdir().unwrap();
    let cache = || Cache::at(folder.path().to_str().unwrap());
    let slow = Slow::taking(SECOND);
    let nested = slow.clone().layer(cache()).or(slow.clone()).layer(cache());
    let answer = tokio::time::timeout(30 * SECOND, nested.transcribe(&Context::new(), &media())).await;
    answer.expect("it waits for itself").unwrap();
    nested.transcribe(&Context::new(), &media()).await.unwrap();
    assert_eq!(slow.called(), 1);
}

#[tokio::test]
async fn a_second_run_of_a_job_makes_no_request_and_gives_the_same_plans() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().to_str().unwrap();
    let fake = Fake::new();
    let job = || {
        // As in a new process: only the folder is shared.
        let cache = || Cache::at(at).about("fake");
        let (transcriber, scorer, tracker) = (fake.clone().layer(cache()), fake.clone().layer(cache()), fake.clone().layer(cache()));
        fake.builder().transcriber(transcriber).scorer(scorer).tracker(tracker).build().unwrap()
    };
    let first = job().plan_all("talk.mp4").await.unwrap();
    let count = |stage: &str| fake.calls.lock().unwrap().iter().filter(|call| *call == stage).count();
    assert_eq!((count("transcribe"), count("score"), count("track")), (1, 1, 3));
    let second = job().plan_all("talk.mp4").await.unwrap();
    assert_eq!((count("transcribe"), count("score"), count("track")), (1, 1, 3));
    assert_eq!(second, first);
}

#[tokio::test(start_paused = true)]
async fn who_leaves_does_not_take_the_work_along() {
    let slow = Slow::taking(30 * SECOND);
    let stage = Arc::new(slow.clone().layer(Cache::at("memory:///")));
    let call = |cx: &Context| {
        let (cx, stage) = (cx.clone(), stage.clone());
        tokio::spawn(async move { stage.transcribe(&cx, &media()).await })
    };
    let (first, second, third) = (Context::new(), Context::new(), Context::new());
    let calls = [call(&first), call(&second), call(&third)];
    tokio::time::sleep(SECOND).await;
    first.cancel();
    calls[2].abort();
    let [one, two, _] = calls;
    let begun = Instant::now();
    assert!(one.await.unwrap().unwrap_err().is_cancelled());
    assert_eq!(begun.elapsed(), Duration::ZERO);
    assert_eq!(two.await.unwrap().unwrap(), transcript());
    assert_eq!(slow.called(), 1);
}

#[tokio::test(start_paused = true)]
async fn work_that_nobody_waits_for_is_stopped() {
    let slow = Slow::taking(30 * SECOND);
    let stage = Arc::new(slow.clone().layer(Cache::at("memory:///")));
    let cx = Context::new();
    let calls = [(); 2].map(|()| {
        let (cx, stage) = (cx.clone(), stage.clone());
        tokio::spawn(async move { stage.transcribe(&cx, &media()).await })
    });
    tokio::time::sleep(SECOND).await;
    let work = slow.contexts.lock().unwrap()[0].clone();
    assert!(!work.is_cancelled());
    cx.cancel();
    for call in calls {
        assert!(call.await.unwrap().unwrap_err().is_cancelled());
    }
    assert!(work.is_cancelled());
    // The next caller starts the work again.
    stage.transcribe(&Context::new(), &media()).await.unwrap();
    assert_eq!(slow.called(), 2);
}

#[tokio::test(start_paused = true)]
async fn who_joins_hears_of_progress_waits_and_warnings() {
    /// A stage that emits every kind of message.
    struct Talkative;

    #[async_trait]
    impl FaceTracker for Talkative {
        async fn track(&self, cx: &Context, _: &Tracking) -> Result<Tracks> {
            cx.sleep(SECOND).await?;
            cx.progress(0.25);
            cx.waiting(SECOND, "the model is busy");
            cx.warn("it was dark");
            Ok(Tracks::default())
        }
    }

    let stage = Arc::new(Talkative.layer(Cache::at("memory:///").about("1")));
    let tracking = Tracking::new(media(), Span::secs(0.0, 1.0).unwrap());
    let (one, heard_by_one) = listening();
    let (two, heard_by_two) = listening();
    let calls = [one.for_clip(1), two.for_clip(2)].map(|cx| {
        let (stage, tracking) = (stage.clone(), tracking.clone());
        tokio::spawn(async move { stage.track(&cx, &tracking).await })
    });
    for call in calls {
        call.await.unwrap().unwrap();
    }
    let (three, heard_by_three) = listening();
    stage.track(&three.for_clip(3), &tracking).await.unwrap();
    for (heard, clip, at_work) in [(heard_by_one, 1, true), (heard_by_two, 2, true), (heard_by_three, 3, false)] {
        let (stage, clip) = (Stage::Transcribe, Some(clip));
        let heard = heard.lock().unwrap().clone();
        let warning = with(Warning::new(WarningKind::Other, stage, "it was dark"), |it| it.clip = clip);
        assert!(heard.contains(&Event::Warning(warning)), "{heard:?}");
        assert_eq!(heard.contains(&Event::Progress { stage, clip, fraction: 0.25 }), at_work);
        let wait = Event::Waiting { stage, clip, seconds: 1.0, reason: "the model is busy".into() };
        assert_eq!(heard.contains(&wait), at_work);
    }
}

#[tokio::test(start_paused = true)]
async fn failures_are_shared_but_not_kept() {
    let slow = Slow::failing([busy()]);
    let slow = Slow { takes: SECOND, ..slow };
    let stage = Arc::new(slow.clone().layer(Cache::at("memory:///")));
    let calls = [(); 3].map(|()| {
        let stage = stage.clone();
        tokio::spawn(async move { stage.transcribe(&Context::new(), &media()).await })
    });
    for call in calls {
        let error = call.await.unwrap().unwrap_err();
        assert_eq!((error.kind(), error.recovery()), (ErrorKind::Network, &Recovery::Retry { after: None }));
    }
    assert_eq!(slow.called(), 1);
    stage.transcribe(&Context::new(), &media()).await.unwrap();
    stage.transcribe(&Context::new(), &media()).await.unwrap();
    assert_eq!(slow.called(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_an_error_for_all_who_wait() {
    struct Broken;

    #[async_trait]
    impl Transcriber for Broken {
        async fn transcribe(&self, cx: &Context, _: &Media) -> Result<Transcript> {
            cx.sleep(SECOND).await?;
            panic!("a bug")
        }
    }

    let stage = Arc::new(Broken.layer(Cache::at("memory:///").about("1")));
    let calls = [(); 2].map(|()| {
        let stage = stage.clone();
        tokio::spawn(async move { stage.transcribe(&Context::new(), &media()).await })
    });
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap_err().kind(), ErrorKind::Contract);
    }
}

#[tokio::test(start_paused = true)]
async fn what_stood_in_is_not_kept() {
    let (first, second) = (Slow::failing([busy()]), Slow::default());
    let store = Arc::new(InMemory::new());
    let stage = first.clone().layer(Timeout::default()).or(second.clone()).layer(Cache::default().over(ArtifactStore::over(store.clone())));
    let cx = Context::new();
    stage.transcribe(&cx, &media()).await.unwrap();
    assert_eq!((first.called(), second.called(), cx.warnings().len()), (1, 1, 1));
    assert!(entries(&store).await.is_empty());
    // The next run calls the first stage again. Its result is kept, without the old warning.
    for _ in 0..2 {
        let cx = Context::new();
        stage.transcribe(&cx, &media()).await.unwrap();
        assert!(cx.warnings().is_empty());
    }
    assert_eq!((first.called(), second.called()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_cache_around_a_cache_keeps_no_stand_in_either() {
    let (first, second) = (Slow::failing([busy()]), Slow::default());
    let stage = first.clone().or(second).layer(Cache::at("memory:///")).layer(Cache::at("memory:///"));
    for _ in 0..2 {
        stage.transcribe(&Context::new(), &media()).await.unwrap();
    }
    assert_eq!(first.called(), 2);
}

#[tokio::test(start_paused = true)]
async fn damaged_and_foreign_entries_are_as_good_as_none() {
    let (slow, store) = (Slow::default(), Arc::new(InMemory::new()));
    let stage = slow.clone().layer(Cache::default().over(ArtifactStore::over(store.clone())));
    stage.transcribe(&Context::new(), &media()).await.unwrap();
    let [(place, whole)] = &entries(&store).await[..] else { panic!() };
    for (n, damaged) in
        ["", "{", "null", r#"{"document": 7}"#, r#"{"document": {"words": [{"text": 1}]}}"#, &whole[..whole.len() / 2]].iter().enumerate()
    {
        store.put(place, PutPayload::from((*damaged).to_owned())).await.unwrap();
        assert_eq!(stage.transcribe(&Context::new(), &media()).await.unwrap(), transcript());
        assert_eq!(slow.called(), n + 2, "{damaged}");
    }
    assert_eq!(entries(&store).await[0].1, *whole);
}

#[tokio::test]
async fn an_answer_is_kept_for_a_week_and_then_removed() {
    let folder = tempfile::tempdir().unwrap();
    let (slow, at) = (Slow::default(), folder.path().to_str().unwrap());
    let age = |path: &PathBuf, age: Duration| {
        std::fs::File::options().append(true).open(path).unwrap().set_modified(SystemTime::now() - age).unwrap();
    };
    let ask = async |id: &str| {
        let of = with(media(), |it| {
            it.id = ContentId::new("fake", id);
        });
        // As in a new process.
        slow.clone().layer(Cache::at(at)).transcribe(&Context::new(), &of).await.unwrap();
        slow.called()
    };
    assert_eq!((ask("a").await, ask("a").await), (1, 1));
    let [kept] = &files(folder.path())[..] else { panic!() };
    age(kept, 7 * DAY - 60 * SECOND);
    assert_eq!(ask("a").await, 1);
    age(kept, 7 * DAY + 60 * SECOND);
    assert_eq!(ask("a").await, 2);

    // New entries remove expired ones, but no other files.
    age(kept, 8 * DAY);
    let foreign = [folder.path().join("holiday.json"), kept.with_file_name("notes.txt"), folder.path().join("v2").join("x.json")];
    for path in &foreign {
        std::fs::write(path, "mine").unwrap();
        age(path, 100 * DAY);
    }
    ask("b").await;
    assert!(!kept.exists() && foreign.iter().all(|path| path.exists()));
    assert_eq!(files(folder.path()).len(), 4);

    let short = slow.clone().layer(Cache::at(at).keep(60 * SECOND));
    let of_b = with(media(), |it| {
        it.id = ContentId::new("fake", "b");
    });
    let before = slow.called();
    short.transcribe(&Context::new(), &of_b).await.unwrap();
    assert_eq!(slow.called(), before);
    files(folder.path()).iter().for_each(|path| age(path, 61 * SECOND));
    short.transcribe(&Context::new(), &of_b).await.unwrap();
    assert_eq!(slow.called(), before + 1);
}

#[tokio::test(start_paused = true)]
async fn nothing_of_the_key_can_be_read_in_a_store() {
    let store = Arc::new(InMemory::new());
    let fake = Fake::new();
    let stage = fake.layer(Cache::default().about("sk-secret").over(ArtifactStore::over(store.clone())));
    let of = with(media(), |it| {
        it.path = "/home/me/secret.mp4".into();
        it.id = ContentId::new("fake", "c0ffee");
    });
    stage.transcribe(&Context::new(), &of).await.unwrap();
    let [(place, text)] = &entries(&store).await[..] else { panic!() };
    for secret in ["secret", "c0ffee"] {
        assert!(!place.to_string().contains(secret) && !text.contains(secret), "{place}: {text}");
    }
    assert!(!format!("{:?}", Cache::at("https://me:secret@host/x").about("secret")).contains("secret"));
}

#[tokio::test]
async fn a_stage_that_does_not_say_what_decides_its_answers_is_refused() {
    let error = Fake::new().layer(Cache::at("memory:///")).transcribe(&Context::new(), &media()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("Cache::about"), "{error}");
}

#[tokio::test]
async fn stages_and_models_do_not_share_answers() {
    let store = ArtifactStore::open("memory:///").await.unwrap();
    let about = |model: &str| Cache::default().about(model).over(store.clone());
    let (a, b) = (Slow::default(), Slow::default());
    let (one, two) = (a.clone().layer(about("model 1")), b.clone().layer(about("model 2")));
    one.transcribe(&Context::new(), &media()).await.unwrap();
    two.transcribe(&Context::new(), &media()).await.unwrap();
    assert_eq!((a.called(), b.called()), (1, 1));
    // Another stage with the same fingerprint and store.
    let fake = Fake::new();
    let tracker = fake.clone().layer(about("model 1"));
    tracker.track(&Context::new(), &Tracking::new(media(), Span::secs(0.0, 1.0).unwrap())).await.unwrap();
    assert_eq!(*fake.calls.lock().unwrap(), ["track"]);
}

#[tokio::test]
async fn a_store_that_cannot_be_used_costs_a_warning_and_no_answer() {
    let folder = tempfile::tempdir().unwrap();
    let in_the_way = folder.path().join("file");
    std::fs::write(&in_the_way, "").unwrap();
    let fake = Fake::new();
    let cache = Cache::at(in_the_way.join("cache").to_str().unwrap()).about("fake");
    let pipeline = fake.builder().tracker(fake.clone().layer(cache)).build().unwrap();
    let planned = pipeline.plan_all("talk.mp4").await.unwrap();
    assert_eq!(planned.plans.len(), 3);
    // The warning is given once per run.
    let said: Vec<&Warning> = planned.warnings.iter().filter(|warning| warning.stage == Stage::Track).collect();
    let [warning] = said[..] else { panic!("{said:?}") };
    assert!(warning.message.contains("cannot be kept") && warning.clip.is_none(), "{warning:?}");
}

#[tokio::test]
async fn an_address_that_no_store_can_have_is_an_error() {
    let slow = Slow::default();
    for place in ["nonsense://x", "://", "memory://host/", ""] {
        let error = slow.clone().layer(Cache::at(place)).transcribe(&Context::new(), &media()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{place}");
    }
    assert_eq!(slow.called(), 0);
}

#[tokio::test]
async fn builtin_stages_say_what_decides_their_answers() {
    let server = |key: &str| {
        with(OpenAiServer::default(), |it| {
            it.base_url = Some("http://localhost:1/v1".into());
            it.api_key = Some(key.into());
        })
    };
    let scorer = |model: &str, key: &str| {
        with(OpenAiScorer::default(), |it| {
            it.server = server(key);
            it.model = model.into();
        })
    };
    let environment = &Environment::default();
    let said = Scorer::fingerprint(&scorer("m", "sk-1"), environment).unwrap();
    assert!(said.contains("localhost:1") && !said.contains("sk-1"), "{said}");
    assert_eq!(Scorer::fingerprint(&scorer("m", "sk-2"), environment), Some(said.clone()));
    assert_ne!(Scorer::fingerprint(&scorer("n", "sk-1"), environment), Some(said));
    let transcriber = |language: &str| {
        with(OpenAiTranscriber::default(), |it| {
            it.server = server("sk-1");
            it.language = Some(language.into());
        })
    };
    assert_ne!(transcriber("en").fingerprint(environment), transcriber("de").fingerprint(environment));
    assert!(!transcriber("en").fingerprint(environment).unwrap().contains("sk-1"));
    assert!(Heuristic::default().fingerprint(environment).is_some() && FaceTracker::fingerprint(&CenterTracker, environment).is_some());
    // What the settings leave open is the context's environment.
    let named = with(Environment::default(), |it| it.openai_base_url = Some("http://localhost:2/v1".into()));
    let open = OpenAiScorer::default();
    assert_ne!(Scorer::fingerprint(&open, environment), Scorer::fingerprint(&open, &named));
    // It reads files that may change.
    assert_eq!(Captions::auto().fingerprint(environment), None);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_is_not_waited_for() {
    use clipkit::store::object_store::throttle::{ThrottleConfig, ThrottledStore};
    let config = ThrottleConfig { wait_get_per_call: 3600 * SECOND, wait_put_per_call: 3600 * SECOND, ..ThrottleConfig::default() };
    let slow = Slow::default();
    let stage = slow.clone().layer(Cache::default().over(ArtifactStore::over(Arc::new(ThrottledStore::new(InMemory::new(), config)))));
    let (begun, cx) = (Instant::now(), Context::new());
    stage.transcribe(&cx, &media()).await.unwrap();
    assert!(begun.elapsed() <= 60 * SECOND, "{:?}", begun.elapsed());
    assert!(cx.warnings().iter().any(|warning| warning.message.contains("takes longer")), "{:?}", cx.warnings());
}

#[tokio::test]
async fn an_answer_of_a_cache_is_counted_by_no_layer_inside() {
    let counted = Arc::new(AtomicUsize::new(0));
    let order = Arc::new(Mutex::new(Vec::new()));

    struct Count(Arc<AtomicUsize>, Arc<Mutex<Vec<&'static str>>>, &'static str);

    #[async_trait]
    impl<I: ?Sized + Sync, O: Send> Layer<I, O> for Count {
        async fn call(&self, cx: &Context, input: &I, next: &Next<I, O>) -> Result<O> {
            self.0.fetch_add(1, Ordering::SeqCst);
            self.1.lock().unwrap().push(self.2);
            next.call(cx, input).await
        }
    }

    let inside = Count(counted.clone(), order.clone(), "inside");
    let outside = Count(counted.clone(), order.clone(), "outside");
    let stage = Slow::default().layer(inside).layer(Cache::at("memory:///")).layer(outside);
    for _ in 0..2 {
        stage.transcribe(&Context::new(), &media()).await.unwrap();
    }
    assert_eq!(*order.lock().unwrap(), ["outside", "inside", "outside"]);
    assert_eq!(counted.load(Ordering::SeqCst), 3);
}

#[tokio::test(start_paused = true)]
async fn stages_share_a_cache_that_was_built_and_not_its_configuration() {
    let config = Cache::at("memory:///");
    let slow = Slow::default();
    for _ in 0..2 {
        slow.clone().layer(config.clone()).transcribe(&Context::new(), &media()).await.unwrap();
    }
    assert_eq!(slow.called(), 2, "each stage has a store of its own");
    let built = config.build();
    for _ in 0..2 {
        slow.clone().layer(built.clone()).transcribe(&Context::new(), &media()).await.unwrap();
    }
    assert_eq!(slow.called(), 3);
}
