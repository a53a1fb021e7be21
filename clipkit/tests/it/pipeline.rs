//! The pipeline with fake stages: order, fallbacks, invalid output, cancellation.

use crate::support::with;
use std::num::NonZero;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use clipkit::prelude::*;

use crate::fakes::{Fake, candidate, media, transcript};

fn failure(kind: ErrorKind) -> Error {
    Error::new(kind, "it broke").with_path("talk.mp4")
}

#[tokio::test]
async fn stages_run_in_order_and_the_manifest_is_ranked() {
    let fake = Fake::new();
    let manifest = fake.pipeline().run("talk.mp4").await.unwrap();
    let calls = fake.calls.lock().unwrap().clone();
    assert_eq!(calls[..3], ["source", "transcribe", "score"]);
    assert_eq!(calls.last().unwrap(), "conclude");
    assert_eq!(calls.iter().filter(|call| *call == "publish").count(), 3);
    let files: Vec<&str> = manifest.clips.iter().map(|clip| clip.file.as_str()).collect();
    assert_eq!(files, ["1.mp4", "2.mp4", "3.mp4"]);
    assert_eq!((manifest.version, manifest.warnings.len()), (2, 0));
    assert_eq!((manifest.source.width, manifest.source.height), (1920, 1080));
    assert!(manifest.timings.stages[&Stage::Render] >= 0.03 && manifest.timings.total > 0.0);
    assert_eq!(*fake.concluded.lock().unwrap(), [manifest]);
}

#[tokio::test]
async fn plans_are_complete_and_rendering_obeys_them() {
    let mut fake = Fake::new();
    fake.tracks = Arc::new(|_, tracking| {
        let at = tracking.span.start();
        let sample = with(FaceSample::new(at, Rect::new(0.4, 0.2, 0.1, 0.2), 0.9), |it| it.mouth = 0.1);
        Ok(Tracks::new(vec![Shot::new(tracking.span)], vec![FaceTrack::new(7, vec![sample])]))
    });
    let pipeline = fake.pipeline();
    let planned = pipeline.plan_all("talk.mp4").await.unwrap();
    assert_eq!(planned.plans.len(), 3);
    assert!(!fake.calls.lock().unwrap().iter().any(|call| call == "render"));
    let RankedPlan { rank, plan, .. } = &planned.plans[1];
    plan.validate().unwrap();
    assert_eq!((*rank, plan.span), (2, Span::secs(100.0, 130.5).unwrap()));
    assert_eq!(plan.output.frame_rate, FrameRate::new(30_000, 1001));
    assert_eq!((plan.output.width, plan.output.height), (1080, 1920));
    assert_eq!(plan.faces[0].samples[0].at, Timestamp::ZERO);
    assert_eq!(plan.shots[0].span, Span::secs(0.0, 30.5).unwrap());
    assert!(!plan.captions.as_ref().unwrap().cues.is_empty());
    assert_eq!(ClipPlan::from_json(&plan.to_json().unwrap()).unwrap(), *plan);

    let manifest = pipeline.render_all(&planned.plans[1..]).await.unwrap();
    let files: Vec<&str> = manifest.clips.iter().map(|clip| clip.file.as_str()).collect();
    assert_eq!(files, ["2.mp4", "3.mp4"]);
}

#[tokio::test]
async fn ends_that_cut_a_word_move_unless_spans_are_meant_exactly() {
    let mut fake = Fake::new();
    fake.candidates = Arc::new(|_, _| Ok(vec![candidate(10.15, 40.25, 90.0), candidate(70.45, 100.0, 80.0)]));
    let spans = async |snap| {
        let options = with(ClipOptions::default(), |it| it.snap = snap);
        let planned = fake.builder().options(options).build().unwrap().plan_all("talk.mp4").await.unwrap();
        planned.plans.iter().map(|ranked| ranked.plan.span).collect::<Vec<_>>()
    };
    assert_eq!(spans(false).await, [Span::secs(10.15, 40.25).unwrap(), Span::secs(70.45, 100.0).unwrap()]);
    // Each word starts at a half second and lasts 0.4 s.
    assert_eq!(spans(true).await, [Span::secs(10.0, 40.4).unwrap(), Span::secs(70.45, 100.0).unwrap()]);
}

#[tokio::test]
async fn a_plan_of_a_changed_file_is_rendered_with_a_warning() {
    let fake = Fake::new();
    let mut plans = fake.pipeline().plan_all("talk.mp4").await.unwrap().plans;
    plans[0].plan.source.media.id = ContentId::new("fake", "11");
    let manifest = fake.pipeline().render_all(&plans).await.unwrap();
    assert!(manifest.clips[0].warnings[0].message.contains("not the file"));
    assert!(manifest.clips[1].warnings.is_empty());
    assert_eq!(fake.pipeline().render_all(&[]).await.unwrap_err().kind(), ErrorKind::NothingFound);
}

#[tokio::test]
async fn source_and_transcript_failures_fail_the_run() {
    let mut fake = Fake::new();
    fake.media = Arc::new(|_, _| Err(failure(ErrorKind::NotFound)));
    let error = fake.pipeline().run("talk.mp4").await.unwrap_err();
    assert_eq!((error.kind(), error.stage()), (ErrorKind::NotFound, Some(Stage::Source)));

    let mut fake = Fake::new();
    fake.transcript = Arc::new(|_, _| Err(failure(ErrorKind::NoTranscript)));
    let error = fake.pipeline().run("talk.mp4").await.unwrap_err();
    assert_eq!((error.kind(), error.stage()), (ErrorKind::NoTranscript, Some(Stage::Transcribe)));
}

#[tokio::test]
async fn sound_only_and_empty_videos_are_refused() {
    for broken in [
        with(media(), |it| {
            it.video = None;
        }),
        with(media(), |it| {
            it.duration = Timestamp::ZERO;
        }),
    ] {
        let mut fake = Fake::new();
        fake.media = Arc::new(move |_, _| Ok(broken.clone()));
        let error = fake.pipeline().run("talk.mp4").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().starts_with("talk.mp4: "), "{error}");
    }
}

#[tokio::test]
async fn nothing_worth_a_clip_says_why() {
    let mut fake = Fake::new();
    fake.candidates = Arc::new(|_, _| Ok(Vec::new()));
    let error = fake.pipeline().run("talk.mp4").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NothingFound);
    assert!(error.to_string().contains("among the 600 words"), "{error}");

    fake.transcript = Arc::new(|_, _| Ok(Transcript::default()));
    let error = fake.pipeline().run("talk.mp4").await.unwrap_err();
    assert!(error.to_string().contains("nothing is said"), "{error}");
}

/// Options with fallbacks for custom stages, too.
fn degrading() -> ClipOptions {
    with(ClipOptions::default(), |it| it.degrade = Some(Degrade::ALWAYS))
}

#[tokio::test]
async fn where_it_is_asked_for_a_failed_tracker_gives_a_centre_crop_and_warnings() {
    let mut fake = Fake::new();
    fake.tracks = Arc::new(|_, tracking| {
        if tracking.span.start() < Timestamp::from_secs(50.0) { Err(failure(ErrorKind::Io)) } else { panic!("a bug in a tracker") }
    });
    let pipeline = fake.builder().options(degrading()).build().unwrap();
    let planned = pipeline.plan_all("talk.mp4").await.unwrap();
    assert_eq!(planned.plans.len(), 3);
    let Layout::Fill { crop } = &planned.plans[0].plan.scenes[0].layout else { panic!() };
    assert!((crop.path[0].x + crop.width / 2.0 - 0.5).abs() < 0.01);
    let manifest = pipeline.run("talk.mp4").await.unwrap();
    for clip in &manifest.clips {
        // The motion tracker fails, too, because the file does not exist.
        assert!(clip.warnings.iter().all(|it| (it.stage, it.kind) == (Stage::Track, WarningKind::StandIn)));
        assert!(clip.warnings[0].message.contains("the crop follows what moves"), "{:?}", clip.warnings);
    }
    assert!(planned.warnings.iter().any(|it| it.message.contains("the crop stays in the middle")));
}

#[tokio::test]
async fn the_error_of_a_users_stage_is_the_runs_error() {
    #[derive(Debug, thiserror::Error)]
    #[error("a bug")]
    struct Bug;
    let bug = || Error::new(ErrorKind::Network, "it broke").with_source(Bug);
    let is_bug = |error: &Error| std::error::Error::source(error).is_some_and(|cause| cause.is::<Bug>());

    let mut fake = Fake::new();
    fake.candidates = Arc::new(move |_, _| Err(bug()));
    let error = fake.pipeline().run("talk.mp4").await.unwrap_err();
    assert!(is_bug(&error) && error.stage() == Some(Stage::Score), "{error:?}");
    assert!(!fake.calls.lock().unwrap().iter().any(|call| call == "track"));

    let mut fake = Fake::new();
    fake.tracks = Arc::new(move |_, _| Err(bug()));
    let error = fake.pipeline().run("talk.mp4").await.unwrap_err();
    assert!(is_bug(&error) && error.stage() == Some(Stage::Track), "{error:?}");
}

#[tokio::test]
async fn a_step_answers_its_error_and_a_run_degrades_for_clipkits_own_stages() {
    // The file does not exist, so a built-in tracker fails.
    let pipeline = |options| Fake::new().builder().tracker(MotionTracker::default()).options(options).build().unwrap();
    let run = pipeline(ClipOptions::default()).run("talk.mp4").await.unwrap();
    assert_eq!(run.clips.len(), 3);
    let kinds: Vec<_> = run.warnings.iter().map(|it| (it.kind, it.stage)).collect();
    assert!(kinds.contains(&(WarningKind::StandIn, Stage::Track)), "{kinds:?}");

    let cx = Context::new();
    let span = Span::secs(10.0, 40.0).unwrap();
    pipeline(ClipOptions::default()).track(&cx, &media(), span).await.unwrap_err();
    let tracks = pipeline(degrading()).track(&cx, &media(), span).await.unwrap();
    assert_eq!(tracks, Tracks::default());
    let never = with(ClipOptions::default(), |it| it.degrade = Some(Degrade::NEVER));
    pipeline(never).run("talk.mp4").await.unwrap_err();
}

#[tokio::test]
async fn a_layout_that_cannot_be_is_replaced_with_a_warning() {
    let planned = |layout| async move {
        let options = with(ClipOptions::default(), |it| it.layout = layout);
        let cx = Context::new();
        let planned = Fake::new().builder().options(options).build().unwrap().plan_all_with(&cx, "talk.mp4").await.unwrap();
        // The fake video has no audio, which leaves another warning.
        let warnings: Vec<_> = cx.warnings().into_iter().filter(|warning| warning.message.contains("layout")).collect();
        (planned.plans[0].plan.scenes[0].layout.clone(), warnings)
    };
    let (layout, warnings) = planned(LayoutChoice::Fit).await;
    assert!(matches!(layout, Layout::Fit { .. }) && warnings.is_empty(), "{warnings:?}");
    let (layout, warnings) = planned(LayoutChoice::Split).await;
    assert!(matches!(layout, Layout::Fill { .. }), "{layout:?}");
    let mut clips: Vec<_> = warnings.iter().map(|warning| warning.clip).collect();
    clips.sort();
    assert_eq!(clips, [Some(1), Some(2), Some(3)]);
    for warning in &warnings {
        assert!(warning.stage == Stage::Plan && warning.message.starts_with("the layout split needs two people"), "{warning:?}");
    }
}

#[tokio::test]
async fn where_it_is_asked_for_a_failed_scorer_gives_the_heuristics_spans_and_a_warning() {
    let text = "Why do clocks lie? Because time is not the same for everyone, and that is the strange truth. The faster you move, the \
        slower your clock ticks. We measured it with two planes and four clocks. The clocks disagreed, exactly as the theory said. \
        So the next time you are late, blame your speed. It is the best excuse that physics has to offer. Nobody will believe you.";
    let mut at = 10.0;
    let words = text.split_whitespace().map(|word| {
        at += 0.35;
        Word::new(word, at - 0.35, at - 0.05)
    });
    let transcript = Transcript::new(words.collect());
    let mut fake = Fake::new();
    fake.transcript = Arc::new(move |_, _| Ok(transcript.clone()));
    fake.candidates = Arc::new(|_, _| Err(failure(ErrorKind::Network)));
    let manifest = fake.builder().options(degrading()).build().unwrap().run("talk.mp4").await.unwrap();
    assert!(!manifest.clips.is_empty());
    let [warning] = &manifest.warnings[..] else { panic!("{:?}", manifest.warnings) };
    assert!(warning.stage == Stage::Score && warning.message.contains("heuristic"), "{}", warning.message);
}

#[tokio::test]
async fn captions_that_cannot_be_drawn_leave_a_clip_without_where_the_renderer_says_so() {
    let mut fake = Fake::new();
    fake.transcript = Arc::new(|_, _| Ok(Transcript::new(vec![Word::new("hello", 12.0, 13.0)])));
    let failing = |kind| {
        move |_: &Context, plan: &ClipPlan| match plan.captions {
            Some(_) => Err(failure(kind)),
            None => Ok(RenderedClip::new("x.mp4", "x.jpg", Timestamp::ZERO, plan.frames())),
        }
    };
    fake.clip = Arc::new(failing(ErrorKind::Captions));
    let pipeline = fake.builder().options(degrading()).build().unwrap();
    let manifest = pipeline.run("talk.mp4").await.unwrap();
    assert!(manifest.clips[0].warnings[0].message.contains("captions could not be drawn"));
    assert!(manifest.clips[1].warnings[0].message.contains("no words are said"));
    // Other errors are not treated as caption errors.
    fake.clip = Arc::new(failing(ErrorKind::Encode));
    let manifest = fake.builder().options(degrading()).build().unwrap().run("talk.mp4").await.unwrap();
    assert_eq!((manifest.clips.len(), manifest.failed.len()), (2, 1));
}

#[tokio::test]
async fn of_text_that_cannot_be_drawn_the_title_stays_where_it_can_be() {
    let drawn = Arc::new(Mutex::new(Vec::new()));
    for titles_fail in [false, true] {
        let mut fake = Fake::new();
        let seen = drawn.clone();
        fake.candidates = Arc::new(|_, _| Ok(vec![candidate(10.0, 40.0, 90.0)]));
        fake.clip = Arc::new(move |_, plan| {
            seen.lock().unwrap().push((plan.captions.is_some(), plan.hook.is_some()));
            match plan.captions.is_some() || (titles_fail && plan.hook.is_some()) {
                true => Err(failure(ErrorKind::Captions)),
                false => Ok(RenderedClip::new("x.mp4", "x.jpg", Timestamp::ZERO, plan.frames())),
            }
        });
        let options = with(degrading(), |it| it.hook = Some(HookStyle::default()));
        let manifest = fake.builder().options(options).build().unwrap().run("talk.mp4").await.unwrap();
        assert_eq!(manifest.clips[0].warnings.iter().filter(|warning| warning.kind == WarningKind::StandIn).count(), 1);
    }
    assert_eq!(*drawn.lock().unwrap(), [(true, true), (false, true), (true, true), (false, true), (false, false)]);
}

#[tokio::test]
async fn one_bad_clip_does_not_fail_the_rest_and_is_listed_with_its_error() {
    let mut fake = Fake::new();
    fake.receipt = Arc::new(|_, post| match post.rank {
        2 => Err(failure(ErrorKind::Io).with_recovery(Recovery::Retry { after: None })),
        rank => Ok(Receipt::new("fake", format!("{rank}.mp4"))),
    });
    let manifest = fake.pipeline().run("talk.mp4").await.unwrap();
    assert_eq!((manifest.clips.len(), manifest.warnings.len()), (2, 0));
    let [failed] = &manifest.failed[..] else { panic!("{:?}", manifest.failed) };
    assert_eq!((failed.rank, failed.title.as_str()), (2, "From 100"));
    assert_eq!(failed.span, Span::secs(100.0, 130.5).unwrap());
    let ErrorReport { kind, stage, message, recovery, path, .. } = &failed.error;
    assert_eq!((*kind, *stage, message.as_str()), (ErrorKind::Io, Some(Stage::Publish), "it broke"));
    assert_eq!((recovery, path.as_deref()), (&Recovery::Retry { after: None }, Some("talk.mp4".as_ref())));
    let read: Manifest = serde_json::from_str(&serde_json::to_string(&manifest).unwrap()).unwrap();
    assert_eq!(read.failed, manifest.failed);
}

/// A publisher with a name that records the keys, publishes nothing, and fails on request.
#[derive(Clone)]
struct Named(&'static str, bool, Arc<Mutex<Vec<String>>>);

#[async_trait::async_trait]
impl Publisher for Named {
    async fn publish(&self, cx: &Context, _post: &Post) -> Result<Receipt> {
        self.2.lock().unwrap().push(cx.idempotency_key().unwrap().to_owned());
        if self.1 { Err(failure(ErrorKind::Network)) } else { Ok(Receipt::new(self.0, "1")) }
    }

    fn target(&self) -> Target {
        Target::new(self.0)
    }

    async fn conclude(&self, _cx: &Context, _manifest: &Manifest) -> Result<()> {
        if self.1 { Err(failure(ErrorKind::Io)) } else { Ok(()) }
    }
}

#[tokio::test]
async fn a_clip_goes_to_every_publisher_and_one_that_fails_costs_no_receipt() {
    let keys = Arc::new(Mutex::new(Vec::new()));
    let publisher = |name, fails| Named(name, fails, keys.clone());
    let builder = || {
        let fake = Fake::new();
        let builder = Pipeline::builder().source(fake.clone()).transcriber(fake.clone()).scorer(fake.clone());
        builder.tracker(fake.clone()).renderer(fake)
    };
    let pipeline = builder().publisher(publisher("one", false)).publisher(publisher("two", true)).build().unwrap();
    let manifest = pipeline.run("talk.mp4").await.unwrap();
    assert_eq!(manifest.clips.len(), 3);
    for clip in &manifest.clips {
        assert_eq!(clip.receipts.iter().map(|receipt| receipt.target.as_str()).collect::<Vec<_>>(), ["one"]);
        assert_eq!((clip.unpublished[0].target.as_str(), clip.unpublished[0].error.kind), ("two", ErrorKind::Network));
        assert_eq!(clip.warnings.iter().filter(|it| it.kind == WarningKind::Publish).count(), 1);
    }
    // The second publisher's manifest could not be written, either.
    assert!(manifest.warnings.iter().any(|it| it.kind == WarningKind::Publish && it.message.contains("manifest")));
    let mut seen = keys.lock().unwrap().clone();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 6, "one key for each clip and target");

    let two = builder().publisher(publisher("one", false)).publisher(publisher("one", false));
    assert!(two.build().unwrap_err().to_string().contains("two publishers have the target one"));
}

#[tokio::test]
async fn where_all_clips_fail_the_first_error_is_the_runs() {
    let mut fake = Fake::new();
    fake.clip = Arc::new(|_, plan| Err(Error::new(ErrorKind::Encode, plan.title.clone())));
    let error = fake.pipeline().run("talk.mp4").await.unwrap_err();
    assert_eq!((error.kind(), error.stage()), (ErrorKind::Encode, Some(Stage::Render)));
    assert!(error.to_string().contains("From 10"));
    assert!(fake.concluded.lock().unwrap().is_empty());
}

#[tokio::test]
async fn odd_answers_are_set_right_with_warnings() {
    let mut fake = Fake::new();
    fake.transcript = Arc::new(|_, _| {
        let mut late = transcript();
        late.words.push(Word::new("late", 400.0, 401.0));
        Ok(late)
    });
    fake.candidates = Arc::new(|_, _| {
        Ok(vec![
            candidate(0.0, 300.0, 99.0),
            candidate(20.0, 50.0, f64::NAN),
            candidate(100.0, 130.0, 50.0),
            candidate(110.0, 140.0, 40.0),
            candidate(400.0, 430.0, 30.0),
        ])
    });
    fake.tracks = Arc::new(|_, _| {
        let sample = with(FaceSample::new(Timestamp::ZERO, Rect::new(f64::NAN, 0.0, 1.0, 9.0), 2.0), |it| it.mouth = -1.0);
        let shots = vec![Shot::new(Span::secs(0.0, 1.0).unwrap())];
        Ok(Tracks::new(shots, vec![FaceTrack::new(1, vec![sample]), FaceTrack::new(1, vec![])]))
    });
    let manifest = fake.pipeline().run("talk.mp4").await.unwrap();
    let starts: Vec<f64> = manifest.clips.iter().map(|clip| clip.span.start().secs()).collect();
    assert_eq!(starts, [100.0, 20.0]);
    assert_eq!(manifest.clips[1].score.total, 0.0);
    assert_eq!(manifest.warnings.len(), 6, "{:#?}", manifest.warnings);
    assert!(manifest.clips[0].warnings.iter().all(|warning| warning.stage == Stage::Track));
}

#[tokio::test]
async fn clips_run_side_by_side_up_to_the_limit() {
    for jobs in [1, 2] {
        let fake = Fake { render_takes: Duration::from_millis(80), ..Fake::new() };
        let options = with(ClipOptions::default(), |it| it.jobs = NonZero::new(jobs));
        fake.builder().options(options).build().unwrap().run("talk.mp4").await.unwrap();
        assert_eq!(fake.most_rendering.load(Ordering::SeqCst), jobs);
    }
}

#[tokio::test]
async fn a_stage_takes_only_as_many_clips_at_once_as_it_is_given() {
    let fake = Fake { render_takes: Duration::from_millis(80), ..Fake::new() };
    let options: ClipOptions = serde_json::from_str(r#"{"jobs": 2, "at_once": {"render": 1}}"#).unwrap();
    let manifest = fake.builder().options(options).build().unwrap().run("talk.mp4").await.unwrap();
    assert!(manifest.clips.len() >= 2);
    assert_eq!(fake.most_rendering.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_ends_even_a_hanging_stage_within_a_second() {
    let fake = Fake { render_takes: Duration::from_secs(3600), ..Fake::new() };
    let cx = Context::new();
    let (run, canceller) = (fake.pipeline(), cx.clone());
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(100)).await;
        canceller.cancel();
    });
    let begun = Instant::now();
    let error = run.run_with(&cx, "talk.mp4").await.unwrap_err();
    assert!(error.is_cancelled(), "{error}");
    assert!(begun.elapsed() < Duration::from_millis(1100), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cancel_ends_a_stage_that_blocks_its_thread() {
    let mut fake = Fake::new();
    fake.candidates = Arc::new(|_, _| {
        std::thread::sleep(Duration::from_secs(2));
        Ok(Vec::new())
    });
    let cx = Context::new();
    let canceller = cx.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(100)).await;
        canceller.cancel();
    });
    let begun = Instant::now();
    let pipeline = fake.pipeline();
    let error = tokio::spawn(async move { pipeline.run_with(&cx, "talk.mp4").await }).await.unwrap().unwrap_err();
    assert!(error.is_cancelled(), "{error}");
    assert!(begun.elapsed() < Duration::from_millis(1100), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn dropping_the_run_stops_its_work_and_removes_its_scratch_space() {
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().join("clips");
    let seen: Arc<Mutex<Option<Context>>> = Arc::default();
    let keep = seen.clone();
    let mut fake = Fake { staging: Some(folder.clone()), render_takes: Duration::from_secs(3600), ..Fake::new() };
    fake.tracks = Arc::new(move |cx, _| {
        std::fs::write(cx.scratch()?.join("half.mp4"), b"half").unwrap();
        *keep.lock().unwrap() = Some(cx.clone());
        Ok(Tracks::default())
    });
    let run = tokio::time::timeout(Duration::from_millis(200), async { fake.pipeline().run("talk.mp4").await });
    assert!(run.await.is_err());
    assert!(seen.lock().unwrap().as_ref().unwrap().is_cancelled());
    assert!(!folder.exists(), "scratch space is left");
}

#[tokio::test]
async fn events_tell_of_every_stage_and_clip() {
    let events: Arc<Mutex<Vec<Event>>> = Arc::default();
    let heard = events.clone();
    let cx = Context::builder().on_event(move |event| heard.lock().unwrap().push(event.clone())).build();
    Fake::new().pipeline().run_with(&cx, "talk.mp4").await.unwrap();
    let events = events.lock().unwrap();
    assert_eq!(events[0], Event::Started { stage: Stage::Source, clip: None });
    assert!(events.contains(&Event::Planned { clips: 3 }));
    for rank in 1..=3 {
        for stage in [Stage::Track, Stage::Plan, Stage::Render, Stage::Publish] {
            let place = |event: &Event| events.iter().position(|other| other == event).unwrap();
            assert!(place(&Event::Started { stage, clip: Some(rank) }) < place(&Event::Finished { stage, clip: Some(rank) }));
        }
    }
    assert_eq!(events.iter().filter(|event| matches!(event, Event::Clip(_))).count(), 3);
    let line = serde_json::to_value(&events[0]).unwrap();
    assert_eq!(line, serde_json::json!({"event": "started", "stage": "source"}));
}

#[tokio::test]
async fn one_context_serves_several_runs_without_mixing_their_warnings() {
    let mut fake = Fake::new();
    fake.tracks = Arc::new(|cx, _| {
        cx.warn("dark picture");
        Ok(Tracks::default())
    });
    let (pipeline, cx) = (fake.pipeline(), Context::new());
    let (first, second) = tokio::join!(pipeline.run_with(&cx, "a.mp4"), pipeline.run_with(&cx, "b.mp4"));
    for manifest in [first.unwrap(), second.unwrap()] {
        assert!(manifest.clips.iter().all(|clip| clip.warnings.len() == 1));
        assert!(manifest.warnings.is_empty());
    }
    assert_eq!(cx.warnings().len(), 6);
}

#[tokio::test]
async fn what_a_caller_brings_is_found_in_its_stages() {
    struct Request(u32);
    let mut fake = Fake::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (in_score, in_track) = (seen.clone(), seen.clone());
    let well = fake.candidates.clone();
    fake.candidates = Arc::new(move |cx, scoring| {
        in_score.lock().unwrap().push(cx.extension::<Request>().map(|request| request.0));
        assert!(cx.extension::<String>().is_none());
        well(cx, scoring)
    });
    fake.tracks = Arc::new(move |cx, _| {
        in_track.lock().unwrap().push(cx.child().extension::<Request>().map(|request| request.0));
        Ok(Tracks::default())
    });
    let cx = Context::new();
    fake.pipeline().plan_all_with(&cx.with_extension(Arc::new(Request(7))), "talk.mp4").await.unwrap();
    assert_eq!(*seen.lock().unwrap(), [Some(7); 4]);
    assert!(cx.extension::<Request>().is_none());
}

#[tokio::test]
async fn a_document_completes_what_was_not_given() {
    let fake = Fake::new();
    let config = PipelineConfig::from_json(
        r#"{"tracker": {"kind": "center"}, "publishers": [{"kind": "folder", "path": "clips"}], "options": {"clips": 2, "crf": 30}}"#,
    );
    let builder = Pipeline::builder().source(fake.clone()).transcriber(fake.clone()).scorer(fake.clone());
    let pipeline = builder.complete(&Context::new(), &config.unwrap()).await.unwrap();
    assert_eq!(pipeline.staging(), Some(std::path::Path::new("clips")));
    let planned = pipeline.plan_all("talk.mp4").await.unwrap();
    assert_eq!((planned.plans.len(), planned.plans[0].plan.output.crf), (2, 30));
    assert_eq!(*fake.calls.lock().unwrap(), ["source", "transcribe", "score"]);
}

#[tokio::test]
async fn a_pipeline_without_a_stage_or_with_impossible_options_is_refused() {
    let error = Pipeline::builder().source(FileSource::default()).build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("no transcriber"), "{error}");
    let options = with(ClipOptions::default(), |it| it.clips = 0);
    assert_eq!(Fake::new().builder().options(options).build().unwrap_err().kind(), ErrorKind::Config);
}

#[tokio::test]
async fn the_renderers_size_decides_over_the_aspect() {
    struct Small;
    #[async_trait::async_trait]
    impl Renderer for Small {
        async fn render(&self, _cx: &Context, _plan: &ClipPlan) -> Result<RenderedClip> {
            Err(failure(ErrorKind::Encode))
        }
        fn size(&self) -> Option<(u32, u32)> {
            Some((540, 960))
        }
    }
    let planned = Fake::new().builder().renderer(Small.or(Small)).build().unwrap().plan_all("talk.mp4").await.unwrap();
    assert_eq!((planned.plans[0].plan.output.width, planned.plans[0].plan.output.height), (540, 960));
}

/// The first two seconds.
struct Start;

#[async_trait::async_trait]
impl Scorer for Start {
    async fn score(&self, _cx: &Context, _scoring: &Scoring) -> Result<Vec<Candidate>> {
        Ok(vec![candidate(0.0, 2.0, 90.0)])
    }
}

#[tokio::test]
async fn the_whole_is_one_call() {
    let desk = tempfile::tempdir().unwrap();
    let (talk, words, out) = (desk.path().join("talk.mp4"), desk.path().join("said.json"), desk.path().join("out"));
    crate::support::ffmpeg(&format!("-f lavfi -i testsrc2=s=320x180:r=25:d=3 -c:v libx264 -preset ultrafast {}", talk.display()));
    std::fs::write(&words, r#"[["Hello", 0.2, 0.6]]"#).unwrap();
    let options = with(ClipOptions::default(), |it| {
        it.min = Duration::from_secs(1);
        it.aspect = Aspect::Square;
        it.captions = None;
        it.preset = X264Preset::Ultrafast;
    });
    let cx = Context::new();
    let call = clip(talk.to_str().unwrap()).out(&out).transcript(&words).scorer(Start).tracker(CenterTracker).options(options).under(&cx);
    let manifest = call.await.unwrap();
    let [made] = &manifest.clips[..] else { panic!("{manifest:?}") };
    assert_eq!((made.path(), made.score.total), (out.join(&made.file), 90.0));
    assert!(made.path().is_file());
    // An address is not changed.
    let remote = with(made.clone(), |it| {
        it.file = "s3://bucket/1.mp4".into();
    });
    assert_eq!(remote.path(), std::path::Path::new("s3://bucket/1.mp4"));
    cx.cancel();
    assert!(clip(talk.to_str().unwrap()).out(&out).under(&cx).await.unwrap_err().is_cancelled());
}
