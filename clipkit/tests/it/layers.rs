//! Layers around fake stages. The clock is paused: it advances when all tasks wait.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use clipkit::layer::{LimitLayer, Limiter, Permit};
use clipkit::prelude::*;
use tokio::time::Instant;

use crate::fakes::{Fake, media, transcript};
use crate::support::with;

const SECOND: Duration = Duration::from_secs(1);

/// A transcriber with a delay that fails the first calls and counts all of them.
#[derive(Clone, Default)]
pub(crate) struct Slow {
    pub(crate) takes: Duration,
    pub(crate) failures: Arc<Mutex<VecDeque<Error>>>,
    pub(crate) calls: Arc<AtomicUsize>,
    pub(crate) running: Arc<AtomicUsize>,
    pub(crate) most_running: Arc<AtomicUsize>,
    pub(crate) begun: Arc<Mutex<Vec<Instant>>>,
    /// The contexts of the calls.
    pub(crate) contexts: Arc<Mutex<Vec<Context>>>,
}

impl Slow {
    pub(crate) fn taking(takes: Duration) -> Self {
        Slow { takes, ..Slow::default() }
    }

    pub(crate) fn failing(failures: impl IntoIterator<Item = Error>) -> Self {
        let slow = Slow::default();
        slow.failures.lock().unwrap().extend(failures);
        slow
    }

    pub(crate) fn called(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// The start of each call, in seconds after `start`.
    fn begun_after(&self, start: Instant) -> Vec<u64> {
        self.begun.lock().unwrap().iter().map(|at| at.duration_since(start).as_secs()).collect()
    }
}

#[async_trait]
impl Transcriber for Slow {
    async fn transcribe(&self, cx: &Context, _media: &Media) -> Result<Transcript> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.begun.lock().unwrap().push(Instant::now());
        self.contexts.lock().unwrap().push(cx.clone());
        self.most_running.fetch_max(self.running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        cx.progress(0.5);
        let slept = cx.sleep(self.takes).await;
        self.running.fetch_sub(1, Ordering::SeqCst);
        slept?;
        let failure = self.failures.lock().unwrap().pop_front();
        failure.map_or_else(|| Ok(transcript()), Err)
    }

    fn fingerprint(&self, _environment: &Environment) -> Option<String> {
        Some("slow".to_owned())
    }
}

pub(crate) fn busy() -> Error {
    Error::new(ErrorKind::Network, "the server is busy").with_recovery(Recovery::Retry { after: None })
}

fn asking_for(seconds: u64) -> Error {
    busy().with_recovery(Recovery::Retry { after: Some(Duration::from_secs(seconds)) })
}

fn layers(json: &str) -> Vec<LayerConfig> {
    serde_json::from_str(json).unwrap()
}

/// A context for a stage, and the events that its listener receives.
pub(crate) fn listening() -> (Context, Arc<Mutex<Vec<Event>>>) {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ear = heard.clone();
    let cx = Context::builder().on_event(move |event| ear.lock().unwrap().push(event.clone())).build();
    (cx.for_stage(Stage::Transcribe), heard)
}

/// The durations of the reported waits, in seconds.
fn waits(heard: &Mutex<Vec<Event>>) -> Vec<f64> {
    let seconds = |event: &Event| match event {
        Event::Waiting { seconds, .. } => Some(*seconds),
        _ => None,
    };
    heard.lock().unwrap().iter().filter_map(seconds).collect()
}

// --- every layer around every stage --------------------------------------------------------------

/// Calls each of the six stages of `fake` inside these layers, or the three that a cache supports.
/// Returns the results as text.
async fn call_all(cx: &Context, fake: &Fake, layers: &[LayerConfig]) -> Vec<Result<String>> {
    fn text<T: std::fmt::Debug>(answer: Result<T>) -> Result<String> {
        answer.map(|answer| format!("{answer:?}"))
    }
    let fake = Arc::new(fake.clone());
    let transcriber = (fake.clone() as Arc<dyn Transcriber>).with_layers(layers).unwrap();
    let scorer = (fake.clone() as Arc<dyn Scorer>).with_layers(layers).unwrap();
    let tracker = (fake.clone() as Arc<dyn FaceTracker>).with_layers(layers).unwrap();
    let scoring = with(Scoring::new(transcript()), |it| it.media = Some(media()));
    let tracking = Tracking::new(media(), Span::secs(1.0, 2.0).unwrap());
    let mut answers = vec![
        text(transcriber.transcribe(cx, &media()).await),
        text(scorer.score(cx, &scoring).await),
        text(tracker.track(cx, &tracking).await),
    ];
    if !layers.iter().any(|layer| matches!(layer, LayerConfig::Cache(_))) {
        let plan = fake.pipeline().plan_all("talk.mp4").await.unwrap().plans.remove(0).plan;
        let clip = RenderedClip::new("x.mp4", "x.jpg", Timestamp::ZERO, 0);
        let source = (fake.clone() as Arc<dyn Source>).with_layers(layers).unwrap();
        let renderer = (fake.clone() as Arc<dyn Renderer>).with_layers(layers).unwrap();
        let publisher = (fake.clone() as Arc<dyn Publisher>).with_layers(layers).unwrap();
        answers.push(text(source.fetch(cx, "talk.mp4").await));
        answers.push(text(renderer.render(cx, &plan).await));
        answers.push(text(publisher.publish(cx, &Post::new(1, &plan, PostFiles::new(&clip.video))).await));
    }
    answers
}

const EACH: [&str; 6] = [
    r#"[{"retry": {}}]"#,
    r#"[{"rate_limit": {}}]"#,
    r#"[{"concurrency": {}}]"#,
    r#"[{"timeout": {}}]"#,
    r#"[{"cache": {"store": "memory:///", "about": "a fake"}}]"#,
    r#"[{"timeout": {}}, {"concurrency": {}}, {"rate_limit": {}}, {"retry": {}}, {"cache": {"store": "memory:///", "about": "a fake"}}]"#,
];

#[tokio::test(start_paused = true)]
async fn a_layer_changes_no_answer() {
    let fake = Fake::new();
    let bare = call_all(&Context::new(), &fake, &[]).await;
    assert_eq!(bare.len(), 6);
    for json in EACH {
        let answers = call_all(&Context::new(), &fake, &layers(json)).await;
        assert!(answers.len() >= 3);
        for (answer, bare) in answers.iter().zip(&bare) {
            assert_eq!(answer.as_ref().unwrap(), bare.as_ref().unwrap(), "{json}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_layer_passes_errors_on() {
    let mut fake = Fake::new();
    let refuse = || Error::new(ErrorKind::Denied, "no").with_path("talk.mp4").with_recovery(Recovery::RefreshCredentials);
    fake.transcript = Arc::new(move |_, _| Err(refuse()));
    fake.candidates = Arc::new(move |_, _| Err(refuse()));
    fake.tracks = Arc::new(move |_, _| Err(refuse()));
    for json in EACH {
        let begun = Instant::now();
        let error = |answer: Result<String>| answer.unwrap_err();
        let transcriber = (Arc::new(fake.clone()) as Arc<dyn Transcriber>).with_layers(&layers(json)).unwrap();
        let scorer = (Arc::new(fake.clone()) as Arc<dyn Scorer>).with_layers(&layers(json)).unwrap();
        let scoring = Scoring::new(transcript());
        let cx = Context::new();
        let answers = [
            transcriber.transcribe(&cx, &media()).await.map(|answer| format!("{answer:?}")),
            scorer.score(&cx, &scoring).await.map(|answer| format!("{answer:?}")),
        ];
        for error in answers.map(error) {
            assert_eq!((error.kind(), error.recovery()), (ErrorKind::Denied, &Recovery::RefreshCredentials), "{json}");
            assert_eq!((error.path(), error.to_string().as_str()), (Some(Path::new("talk.mp4")), "talk.mp4: no"));
        }
        assert_eq!(begun.elapsed(), Duration::ZERO, "{json} waited");
    }
}

#[tokio::test(start_paused = true)]
async fn a_cancel_ends_a_layered_call_within_a_second() {
    let all = EACH.iter().copied().chain([r#"[{"retry": {"first": 100}}]"#, r#"[{"rate_limit": {"per_minute": 1}}]"#]);
    for json in all {
        // The first call fails at once, so a retry waits. With other layers it works for an hour,
        // and the second call waits for it.
        let slow = if json.contains("100") { Slow::failing([busy(), busy()]) } else { Slow::taking(3600 * SECOND) };
        let stage = (Arc::new(slow) as Arc<dyn Transcriber>).with_layers(&layers(json)).unwrap();
        let cx = Context::new();
        let call = || {
            let (cx, stage) = (cx.clone(), stage.clone());
            tokio::spawn(async move { stage.transcribe(&cx, &media()).await })
        };
        let calls = [call(), call()];
        tokio::time::sleep(20 * SECOND).await;
        cx.cancel();
        let cancelled = Instant::now();
        for call in calls {
            assert!(call.await.unwrap().unwrap_err().is_cancelled(), "{json}");
        }
        assert!(cancelled.elapsed() < SECOND, "{json}: {:?}", cancelled.elapsed());
        // A later cancel has no effect.
        assert!(stage.transcribe(&cx, &media()).await.unwrap_err().is_cancelled(), "{json}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_else_a_stage_answers_is_passed_through() {
    let mut fake = Fake::new();
    fake.staging = Some("somewhere".into());
    let publisher = (Arc::new(fake.clone()) as Arc<dyn Publisher>).with_layers(&layers(r#"[{"retry": {}}, {"timeout": {}}]"#)).unwrap();
    assert_eq!(publisher.staging(), Some(Path::new("somewhere")));
    let renderer = FfmpegRenderer::vertical(108, 192).layer(Retry::default()).layer(Timeout::default());
    assert_eq!(Renderer::size(&renderer), Some((108, 192)));
    let manifest = fake.builder_without_publisher().publisher(publisher).build().unwrap().run("talk.mp4").await.unwrap();
    assert_eq!(*fake.concluded.lock().unwrap(), [manifest]);
    assert_eq!(
        Transcriber::fingerprint(&Slow::default().layer(Retry::default()).or(Slow::default()), &Environment::default()).as_deref(),
        Some("slow")
    );
}

// --- each layer ----------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn a_retry_waits_longer_each_time_and_says_so() {
    let slow = Slow::failing([busy(), busy(), busy(), busy()]);
    let begun = Instant::now();
    let (cx, heard) = listening();
    slow.clone().layer(Retry::times(5)).transcribe(&cx, &media()).await.unwrap();
    let waits = waits(&heard);
    assert_eq!((slow.called(), waits.len()), (5, 4));
    for (wait, least) in waits.iter().zip([5.0, 10.0, 20.0, 40.0]) {
        assert!((least..=least * 1.5).contains(wait), "{waits:?}");
    }
    assert!((begun.elapsed().as_secs_f64() - waits.iter().sum::<f64>()).abs() < 0.1);
    let told = format!("{:?}", heard.lock().unwrap());
    assert!(told.contains("attempt 1 of 5 failed: the server is busy"), "{told}");

    let slow = Slow::failing([busy(), busy(), busy()]);
    let error = slow.clone().layer(Retry::default()).transcribe(&cx, &media()).await.unwrap_err();
    assert_eq!((slow.called(), error.kind()), (3, ErrorKind::Network));
}

#[tokio::test(start_paused = true)]
async fn a_retry_does_as_the_other_side_says() {
    let begun = Instant::now();
    let slow = Slow::failing([asking_for(90)]);
    slow.layer(Retry::default()).transcribe(&Context::new(), &media()).await.unwrap();
    assert_eq!(begun.elapsed().as_secs(), 90);

    let begun = Instant::now();
    let moment = SystemTime::now() + 300 * SECOND;
    let slow = Slow::failing([busy().with_recovery(Recovery::WaitUntil(moment))]);
    slow.layer(Retry::default()).transcribe(&Context::new(), &media()).await.unwrap();
    assert!((295..=300).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());

    // Longer than the maximum wait: the error is returned to the caller.
    let begun = Instant::now();
    let tomorrow = SystemTime::now() + 86_400 * SECOND;
    for error in [asking_for(601), busy().with_recovery(Recovery::WaitUntil(tomorrow))] {
        let slow = Slow::failing([error]);
        let error = slow.clone().layer(Retry::default()).transcribe(&Context::new(), &media()).await.unwrap_err();
        assert_eq!((slow.called(), error.kind()), (1, ErrorKind::Network));
    }
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn what_will_fail_again_is_not_retried() {
    let hopeless = [
        Error::new(ErrorKind::Network, "gone for good"),
        busy().with_recovery(Recovery::RefreshCredentials),
        busy().with_recovery(Recovery::Reencode),
        Error::new(ErrorKind::Config, "wrong").with_recovery(Recovery::Retry { after: None }),
        Error::new(ErrorKind::InvalidInput, "wrong").with_recovery(Recovery::Retry { after: None }),
        Error::cancelled().with_recovery(Recovery::Retry { after: None }),
    ];
    for error in hopeless {
        let (kind, slow) = (error.kind(), Slow::failing([error]));
        let error = slow.clone().layer(Retry::default()).transcribe(&Context::new(), &media()).await.unwrap_err();
        assert_eq!((slow.called(), error.kind()), (1, kind));
    }
}

#[tokio::test(start_paused = true)]
async fn a_rate_holds_in_any_minute_for_callers_in_order() {
    let slow = Slow::taking(2 * SECOND);
    let stage = Arc::new(slow.clone().layer(RateLimit::per_minute(5)));
    let start = Instant::now();
    let (cx, heard) = listening();
    let calls: Vec<_> = (0..12)
        .map(|_| {
            let (cx, stage) = (cx.clone(), stage.clone());
            tokio::spawn(async move { stage.transcribe(&cx, &media()).await })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(slow.begun_after(start), [0, 0, 0, 0, 0, 60, 60, 60, 60, 60, 120, 120]);
    assert_eq!(waits(&heard), [60.0, 60.0, 60.0, 60.0, 60.0, 120.0, 120.0]);
}

#[tokio::test(start_paused = true)]
async fn stages_with_clones_of_a_built_rate_share_it_and_who_leaves_the_queue_gives_the_place_back() {
    let limit = RateLimit::per_minute(1).build();
    let (one, two) = (Slow::default(), Slow::default());
    let (first, second) = (one.clone().layer(limit.clone()), Arc::new(two.clone().layer(limit)));
    let start = Instant::now();
    first.transcribe(&Context::new(), &media()).await.unwrap();
    let cx = Context::new();
    let (leaving, stage) = (cx.clone(), second.clone());
    let leaver = tokio::spawn(async move { stage.transcribe(&leaving, &media()).await });
    tokio::time::sleep(SECOND).await;
    cx.cancel();
    assert!(leaver.await.unwrap().unwrap_err().is_cancelled());
    second.transcribe(&Context::new(), &media()).await.unwrap();
    assert_eq!((one.called(), two.begun_after(start)), (1, vec![60]));
}

#[tokio::test(start_paused = true)]
async fn stages_with_one_configuration_count_by_themselves() {
    let (rate, places) = (RateLimit::per_minute(1), Concurrency::of(1));
    let slow = Slow::taking(SECOND);
    let stage = || Arc::new(slow.clone().layer(rate).layer(places));
    let calls = [stage(), stage()].map(|stage| tokio::spawn(async move { stage.transcribe(&Context::new(), &media()).await }));
    let begun = Instant::now();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!((begun.elapsed(), slow.most_running.load(Ordering::SeqCst)), (SECOND, 2));
}

/// Like two processes that use one server: each has its own handle, and the count is shared.
#[tokio::test(start_paused = true)]
async fn processes_share_a_limiter_of_their_own() {
    /// The server: limits the concurrent calls and records their start.
    #[derive(Default)]
    struct Server {
        running: AtomicUsize,
        asked: AtomicUsize,
    }

    struct Handle(Arc<Server>);
    struct Place(Arc<Server>);

    impl Drop for Place {
        fn drop(&mut self) {
            self.0.running.fetch_sub(1, Ordering::SeqCst);
        }
    }

    #[async_trait]
    impl Limiter for Handle {
        async fn acquire(&self, cx: &Context) -> Result<Permit> {
            self.0.asked.fetch_add(1, Ordering::SeqCst);
            while self.0.running.compare_exchange(0, 1, Ordering::SeqCst, Ordering::SeqCst).is_err() {
                cx.sleep(SECOND / 10).await?;
            }
            Ok(Permit::holding(Place(self.0.clone())))
        }
    }

    let (server, slow) = (Arc::new(Server::default()), Slow::taking(SECOND));
    let calls: Vec<_> = (0..4)
        .map(|_| {
            let limit = LimitLayer::over(Arc::new(Handle(server.clone())));
            let stage = slow.clone().layer(limit);
            tokio::spawn(async move { stage.transcribe(&Context::new(), &media()).await })
        })
        .collect();
    let begun = Instant::now();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!((slow.called(), slow.most_running.load(Ordering::SeqCst)), (4, 1));
    assert!(begun.elapsed() >= 4 * SECOND);
    assert_eq!((server.running.load(Ordering::SeqCst), server.asked.load(Ordering::SeqCst)), (0, 4));

    // If the limiter fails, the call returns its error, and the stage is not called.
    struct Broken;

    #[async_trait]
    impl Limiter for Broken {
        async fn acquire(&self, _: &Context) -> Result<Permit> {
            Err(busy())
        }
    }

    let error = slow.clone().layer(LimitLayer::over(Arc::new(Broken))).transcribe(&listening().0, &media()).await.unwrap_err();
    assert_eq!((error.kind(), error.stage(), slow.called()), (ErrorKind::Network, Some(Stage::Transcribe), 4));
}

#[tokio::test(start_paused = true)]
async fn a_day_that_is_used_up_says_when_there_is_more() {
    let slow = Slow::default();
    let stage = slow.clone().layer(RateLimit::per_minute(2).and_per_day(3));
    for _ in 0..3 {
        stage.transcribe(&Context::new(), &media()).await.unwrap();
    }
    let error = stage.transcribe(&Context::new(), &media()).await.unwrap_err();
    assert_eq!((error.kind(), slow.called()), (ErrorKind::RateLimited, 3));
    let Recovery::WaitUntil(moment) = error.recovery() else { panic!("{error:?}") };
    let wait = moment.duration_since(SystemTime::now()).unwrap().as_secs();
    // The third call was a minute after the first.
    assert!((86_330..=86_340).contains(&wait), "{wait}");
    tokio::time::sleep(Duration::from_secs(86_341)).await;
    stage.transcribe(&Context::new(), &media()).await.unwrap();
    assert_eq!(slow.called(), 4);
}

#[tokio::test(start_paused = true)]
async fn only_so_many_calls_run_at_a_time() {
    let slow = Slow::taking(SECOND);
    let stage = Arc::new(slow.clone().layer(Concurrency::of(2)));
    let begun = Instant::now();
    let calls: Vec<_> = (0..6)
        .map(|_| {
            let stage = stage.clone();
            tokio::spawn(async move { stage.transcribe(&Context::new(), &media()).await })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!((slow.called(), slow.most_running.load(Ordering::SeqCst)), (6, 2));
    assert_eq!(begun.elapsed().as_secs(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_takes_too_long_is_stopped_and_may_be_retried() {
    let slow = Slow::taking(3600 * SECOND);
    let begun = Instant::now();
    let (cx, _) = listening();
    let error = slow.clone().layer(Timeout::after(10 * SECOND)).transcribe(&cx, &media()).await.unwrap_err();
    assert_eq!((error.kind(), error.recovery()), (ErrorKind::TimedOut, &Recovery::Retry { after: None }));
    assert_eq!((error.stage(), begun.elapsed().as_secs()), (Some(Stage::Transcribe), 10));
    assert!(slow.contexts.lock().unwrap()[0].is_cancelled() && !cx.is_cancelled());
    assert_eq!(slow.running.load(Ordering::SeqCst), 0);

    let error = slow.clone().layer(Timeout::after(10 * SECOND)).layer(Retry::times(2)).transcribe(&cx, &media()).await.unwrap_err();
    assert_eq!((error.kind(), slow.called()), (ErrorKind::TimedOut, 3));
}

#[tokio::test(start_paused = true)]
async fn work_that_ignores_a_timeout_is_left_and_work_that_is_just_done_is_not_lost() {
    /// Ignores cancellation.
    struct Deaf(Duration);

    #[async_trait]
    impl Source for Deaf {
        async fn fetch(&self, _cx: &Context, _uri: &str) -> Result<Media> {
            tokio::time::sleep(self.0).await;
            Ok(media())
        }
    }

    let begun = Instant::now();
    let error = Deaf(60 * SECOND).layer(Timeout::after(10 * SECOND)).fetch(&Context::new(), "x").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(begun.elapsed() < 11 * SECOND, "{:?}", begun.elapsed());
    Deaf(Duration::from_millis(10_300)).layer(Timeout::after(10 * SECOND)).fetch(&Context::new(), "x").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_fallback_takes_over_when_the_layers_have_given_up() {
    let cx = Context::new();
    let slow = Slow::failing([busy(), busy(), busy()]);
    let second = Slow::default();
    slow.clone().layer(Retry::times(3)).or(second.clone()).transcribe(&cx, &media()).await.unwrap();
    assert_eq!((slow.called(), second.called()), (3, 1));
    assert!(cx.warnings()[0].message.contains("the server is busy; going on with Slow"), "{:?}", cx.warnings());

    // In the other order, the retry does not see the failure.
    let (slow, second) = (Slow::failing([busy()]), Slow::default());
    slow.clone().or(second.clone()).layer(Retry::times(3)).transcribe(&cx, &media()).await.unwrap();
    assert_eq!((slow.called(), second.called()), (1, 1));
}

/// Layers and fallbacks of a type with all six stages need no type annotation.
#[tokio::test]
async fn layers_fit_a_type_that_is_several_stages() {
    let fake = Fake::new();
    macro_rules! layered {
        () => {
            fake.clone().layer(Retry::default()).layer(RateLimit::per_minute(60)).or(fake.clone().layer(Timeout::default()))
        };
    }
    let pipeline = fake
        .builder_without_publisher()
        .source(layered!())
        .transcriber(layered!())
        .scorer(layered!())
        .tracker(layered!().layer(Cache::at("memory:///").about("fake")))
        .renderer(layered!())
        .publisher(layered!())
        .build()
        .unwrap();
    assert_eq!(pipeline.run("talk.mp4").await.unwrap().clips.len(), 3);
    fake.clone().layer(Retry::default()).transcribe(&Context::new(), &media()).await.unwrap();
}

#[tokio::test]
async fn the_end_of_a_run_goes_to_each_publisher_that_published_in_it() {
    let failing_for = |ranks: &'static [usize]| {
        let mut fake = Fake::new();
        let receipt = fake.receipt.clone();
        fake.receipt = Arc::new(move |cx, post| if ranks.contains(&post.rank) { Err(busy()) } else { receipt(cx, post) });
        fake
    };
    let told = |fake: &Fake| std::mem::take(&mut *fake.concluded.lock().unwrap()).len();
    let (mixed, second) = (failing_for(&[2]), Fake::new());
    let pipeline = mixed.builder_without_publisher().publisher(mixed.clone().or(second.clone())).build().unwrap();
    pipeline.run("talk.mp4").await.unwrap();
    assert_eq!((told(&mixed), told(&second)), (1, 1), "both published");

    let (down, second) = (failing_for(&[1, 2, 3]), Fake::new());
    let publisher = Arc::new(down.clone().or(second.clone()).layer(Retry::times(1)));
    down.builder_without_publisher().publisher(publisher).build().unwrap().run("talk.mp4").await.unwrap();
    assert_eq!((told(&down), told(&second)), (0, 1), "the second alone published");

    // Concurrent runs with a shared publisher are kept apart.
    let (fine, second) = (Fake::new(), Fake::new());
    let mut publisher = fine.clone();
    publisher.receipt = Arc::new(|_, post| if post.title.is_empty() { Err(busy()) } else { Ok(Receipt::new("fake", "1.mp4")) });
    let shared: Arc<dyn Publisher> = Arc::new(publisher.or(second.clone()));
    let (bare, titled) = (Context::new(), Context::new());
    let plan = fine.pipeline().plan_all("talk.mp4").await.unwrap().plans.remove(0).plan;
    let post = |title: &str| with(Post::new(1, &plan, PostFiles::new("x.mp4")), |post| post.title = title.to_owned());
    let manifest = fine.pipeline().run("talk.mp4").await.unwrap();
    told(&fine);
    shared.publish(&titled, &post("x")).await.unwrap();
    shared.publish(&bare, &post("")).await.unwrap();
    shared.conclude(&titled, &manifest).await.unwrap();
    assert_eq!((told(&fine), told(&second)), (1, 0));
    shared.conclude(&bare, &manifest).await.unwrap();
    assert_eq!((told(&fine), told(&second)), (0, 1));
    // Nothing was published: the first publisher is concluded, as without a fallback.
    shared.conclude(&Context::new(), &manifest).await.unwrap();
    assert_eq!((told(&fine), told(&second)), (1, 0));
}

// --- as JSON -------------------------------------------------------------------------------------

#[test]
fn layers_read_back_as_they_were_written() {
    let text = r#"[{"retry": {"attempts": 5, "first": 0.5}}, {"rate_limit": {"per_day": 100}}, {"concurrency": {"at_once": 2}},
        {"timeout": {"seconds": 30}}, {"cache": {"store": "s3://bucket/x", "keep": 3600, "about": "mine"}}]"#;
    let read = layers(text);
    assert_eq!(read[0], LayerConfig::Retry(Retry::times(5).first(SECOND / 2)));
    // `per_minute` is not set, so the default applies.
    assert_eq!(read[1], LayerConfig::RateLimit(RateLimit::per_minute(5).and_per_day(100)));
    assert_eq!(read[2], LayerConfig::Concurrency(Concurrency::of(2)));
    assert_eq!(read[3], LayerConfig::Timeout(Timeout::after(30 * SECOND)));
    assert_eq!(read[4], LayerConfig::Cache(Cache::at("s3://bucket/x").keep(3600 * SECOND).about("mine")));
    let daily = LayerConfig::RateLimit(RateLimit::per_day(9));
    for written in [read, vec![daily]] {
        assert_eq!(layers(&serde_json::to_string(&written).unwrap()), written);
    }
    for wrong in [r#"[{"retries": {}}]"#, r#"[{"retry": {"tries": 1}}]"#, r#"[{"timeout": {"seconds": -1}}]"#, r#"["cache"]"#] {
        assert!(serde_json::from_str::<Vec<LayerConfig>>(wrong).is_err(), "{wrong}");
    }
}

async fn refused(layers: &str) -> Error {
    let config = PipelineConfig::from_json(&format!(r#"{{"tracker": {{"kind": "center"}}, "layers": {layers}}}"#)).unwrap();
    Pipeline::from_config(&Context::new(), &config).await.err().unwrap_or_else(|| panic!("{layers} was not refused"))
}

#[tokio::test]
async fn a_pipelines_layers_are_checked_before_any_work() {
    for (layers, said) in [
        (r#"{"plan": [{"retry": {}}]}"#, "no stage"),
        (r#"{"publish": [{"cache": {}}]}"#, "only transcribers"),
        (r#"{"render": [{"cache": {"about": "x"}}]}"#, "only transcribers"),
        (r#"{"source": [{"cache": {}}]}"#, "only transcribers"),
        (r#"{"source": [{"retry": {"attempts": 0}}]}"#, "0 attempts"),
        (r#"{"source": [{"retry": {"factor": 0.5}}]}"#, "at least 1"),
        (r#"{"score": [{"rate_limit": {"per_minute": 0}}]}"#, "0 lets no call"),
        (r#"{"transcribe": [{"concurrency": {"at_once": 0}}]}"#, "0 lets no call"),
        (r#"{"track": [{"timeout": {"seconds": 0}}]}"#, "0 s"),
        (r#"{"track": [{"cache": {"keep": 0}}]}"#, "0 s"),
        (r#"{"track": [{"cache": {"store": "nonsense://x"}}]}"#, "no store at this address"),
        (r#"{"track": [{"cache": {"store": ""}}]}"#, "no name"),
    ] {
        let error = refused(layers).await;
        assert_eq!(error.kind(), ErrorKind::Config, "{layers}");
        assert!(error.to_string().contains(said), "{layers}: {error}");
    }
    let captions = r#"{"transcriber": {"kind": "captions"}, "layers": {"transcribe": [{"cache": {}}]}}"#;
    let error = Pipeline::from_config(&Context::new(), &PipelineConfig::from_json(captions).unwrap()).await.err().unwrap();
    assert!(error.to_string().contains("cannot be cached"), "{error}");
    let good = r#"{"layers": {"transcribe": [{"retry": {}}, {"cache": {}}], "score": [{"cache": {}}], "track": [],
        "publish": [{"rate_limit": {"per_minute": 2, "per_day": 50}}, {"retry": {}}]}}"#;
    let config = PipelineConfig::from_json(good).unwrap();
    Pipeline::from_config(&Context::new(), &config).await.unwrap();
    assert_eq!(PipelineConfig::from_json(&serde_json::to_string(&config).unwrap()).unwrap(), config);
}

#[tokio::test(start_paused = true)]
async fn two_stages_of_one_document_count_by_themselves() {
    let config = layers(r#"[{"rate_limit": {"per_minute": 1}}]"#);
    let (one, two) = (Slow::default(), Slow::default());
    let begun = Instant::now();
    for slow in [one, two] {
        let stage = (Arc::new(slow) as Arc<dyn Transcriber>).with_layers(&config).unwrap();
        stage.transcribe(&Context::new(), &media()).await.unwrap();
    }
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn stages_of_any_kind_share_a_layer_that_was_built_from_a_name() {
    let built = layers(r#"[{"rate_limit": {"per_minute": 1}}]"#)[0].build().unwrap();
    let slow = Slow::default();
    let transcriber = (Arc::new(slow.clone()) as Arc<dyn Transcriber>).with_layer(&built).unwrap();
    let source = (Arc::new(Fake::new()) as Arc<dyn Source>).with_layer(&built).unwrap();
    let begun = Instant::now();
    source.fetch(&Context::new(), "talk.mp4").await.unwrap();
    transcriber.transcribe(&Context::new(), &media()).await.unwrap();
    assert_eq!(begun.elapsed().as_secs(), 60);
    let cache = layers(r#"[{"cache": {}}]"#)[0].build().unwrap();
    let refused = (Arc::new(Fake::new()) as Arc<dyn Source>).with_layer(&cache).err().unwrap();
    assert!(refused.to_string().contains("only transcribers"), "{refused}");
}
