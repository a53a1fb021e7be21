//! Planning as pure functions: `clipkit::plan` without a pipeline.

use crate::support::with;
use clipkit::model::LayoutChoice;
use clipkit::plan::snap::{SnapInput, snap};
use clipkit::plan::{PlanInput, PlanOptions, plan};
use clipkit::prelude::*;

use crate::fakes;

fn span() -> Span {
    Span::secs(20.0, 40.0).unwrap()
}

fn candidate() -> Candidate {
    Candidate::new(span(), Score::of(70.0), "A title", "a reason")
}

/// One shot with one face in the right part of the picture.
fn tracks() -> Tracks {
    let rect = Rect::new(0.75, 0.2, 0.1, 0.18);
    let samples = (20..40).map(|at| with(FaceSample::new(Timestamp::from_secs(f64::from(at)), rect, 0.9), |it| it.mouth = 0.1));
    Tracks::new(vec![Shot::new(span())], vec![FaceTrack::new(0, samples.collect())])
}

/// Plans with changed options, and returns the plan and the kinds of the warnings.
fn planned(transcript: &Transcript, change: impl FnOnce(&mut PlanOptions)) -> Result<(ClipPlan, Vec<WarningKind>)> {
    let mut options = PlanOptions::default();
    change(&mut options);
    let (media, tracks, candidate) = (fakes::media(), tracks(), candidate());
    let input = PlanInput::new(&media, transcript, &tracks, &candidate);
    let (clip, warnings) = plan(&input, &options)?;
    assert_eq!(plan(&input, &options)?.0, clip, "equal inputs give equal plans");
    clip.validate()?;
    Ok((clip, warnings.into_iter().map(|warning| warning.kind).collect()))
}

#[test]
fn a_plan_holds_what_the_input_and_the_options_say() {
    let (plan, warnings) = planned(&fakes::transcript(), |options| {
        options.size = (720, 1280);
        options.crf = 24;
        options.hook = Some(HookStyle::default());
        options.loudness = None;
    })
    .unwrap();
    assert!(warnings.is_empty(), "{warnings:?}");
    assert_eq!((plan.span, plan.title.as_str(), plan.score.total), (span(), "A title", 70.0));
    assert_eq!((plan.output.width, plan.output.height, plan.output.crf, plan.output.loudness), (720, 1280, 24, None));
    assert_eq!(plan.output.frame_rate, FrameRate::new(30_000, 1001));
    // Shots, faces and cues are on the clip's timeline.
    assert_eq!(plan.shots[0].span, Span::secs(0.0, 20.0).unwrap());
    assert_eq!(plan.faces[0].samples[0].at, Timestamp::ZERO);
    let captions = plan.captions.unwrap();
    assert_eq!(captions.cues[0].words[0].text, "word40");
    assert_eq!(plan.hook.unwrap().text, "A title");
    let window = plan.scenes[0].layout.panes()[0].0.at(Timestamp::ZERO);
    assert!(window.x <= 0.75 && 0.85 <= window.x + window.width, "{window:?}");
}

#[test]
fn parts_that_cannot_be_planned_are_left_out_with_a_typed_warning() {
    let transcript = fakes::transcript();
    let (plan, warnings) = planned(&Transcript::default(), |_| {}).unwrap();
    assert_eq!((plan.captions, warnings), (None, vec![WarningKind::Captions]));
    let (plan, warnings) = planned(&transcript, |options| options.layout = LayoutChoice::Split).unwrap();
    assert_eq!(warnings, [WarningKind::Layout]);
    assert!(matches!(plan.scenes[0].layout, Layout::Fill { .. }));
    let (plan, warnings) = planned(&transcript, |options| options.captions = Some(with(CaptionStyle::pop(), |it| it.size = 3.0))).unwrap();
    assert_eq!((plan.captions, warnings), (None, vec![WarningKind::Captions]));
    let (plan, warnings) = planned(&transcript, |options| options.hook = Some(with(HookStyle::default(), |it| it.size = 3.0))).unwrap();
    assert_eq!((plan.hook, warnings), (None, vec![WarningKind::Hook]));
    let (plan, warnings) = planned(&Transcript::default(), |options| options.captions = None).unwrap();
    assert_eq!((plan.captions, warnings), (None, vec![]));
}

#[test]
fn input_without_video_and_options_out_of_range_are_errors() {
    let odd = planned(&fakes::transcript(), |options| options.size = (721, 1280)).unwrap_err();
    assert_eq!(odd.kind(), ErrorKind::InvalidPlan);
    let mut media = fakes::media();
    media.video = None;
    let (transcript, tracks, candidate) = (fakes::transcript(), Tracks::default(), candidate());
    let error = plan(&PlanInput::new(&media, &transcript, &tracks, &candidate), &PlanOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
fn a_pipeline_plans_with_the_options_that_it_derives() {
    let options = with(ClipOptions::default(), |it| {
        it.crf = 30;
        it.captions = None;
        it.layout = LayoutChoice::Fit;
    });
    let derived = options.plan_options((1080, 1080));
    assert_eq!((derived.size, derived.crf, derived.layout), ((1080, 1080), 30, LayoutChoice::Fit));
    assert_eq!(derived.captions, None);
    assert_eq!(ClipOptions::default().plan_options((1080, 1920)), PlanOptions::default());
}

#[test]
fn snapping_needs_no_pipeline() {
    let words = [Word::new("cut", 19.8, 20.3), Word::new("word", 39.7, 40.1)];
    let voice = [Span::secs(19.8, 20.3).unwrap(), Span::secs(39.7, 40.1).unwrap()];
    let mut input = SnapInput::new(&words, Span::secs(0.0, 300.0).unwrap());
    input.voice = &voice;
    assert_eq!(snap(span(), &input), Span::secs(19.72, 40.26).unwrap());
    // The ends cannot grow, so they stay within the maximum length.
    input.max = std::time::Duration::from_secs(20);
    assert!(snap(span(), &input).duration() <= std::time::Duration::from_micros(20_000_002));
}
