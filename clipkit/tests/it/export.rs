//! Exports of plans with a source file: the frames of a timeline are those of the rendered clip.

use clipkit::model::{CaptionStyle, CaptionTrack, ClipPlan, Cue, CueWord, Piece, Rect, Span, Timestamp, WarningKind};
use clipkit::plan::export::{ExportFormat, ExportOptions};
use clipkit::stage::{export, export_file};
use clipkit::{Context, ErrorKind};
use serde_json::Value;

use crate::pieces::{counted, many, numbers, planned, rendered};
use crate::render::{centred, fetch, made};
use crate::support::with;

const H264: &str = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac";

/// The source frames that an OpenTimelineIO document plays, in order.
fn played(text: &str) -> Vec<usize> {
    let document: Value = serde_json::from_str(text).unwrap();
    let clips = document["tracks"]["children"][0]["children"].as_array().unwrap();
    let frames = clips.iter().flat_map(|clip| {
        let value = |name: &str| clip["source_range"][name]["value"].as_f64().unwrap() as usize;
        value("start_time")..value("start_time") + value("duration")
    });
    frames.collect()
}

#[tokio::test]
async fn a_timeline_plays_the_frames_of_the_rendered_clip() {
    let folder = tempfile::tempdir().unwrap();
    let path = counted(&folder, "counted.mp4", 40, H264);
    let plan = planned(&path, many(40)).await;
    let text = export(&Context::new(), std::slice::from_ref(&plan), ExportFormat::Otio, &ExportOptions::default()).await.unwrap();
    let (clip, _cx) = rendered(&plan).await;
    assert_eq!(played(&text), numbers(&clip.video));
}

fn captioned(mut plan: ClipPlan) -> ClipPlan {
    let span = Span::secs(0.2, 0.9).unwrap();
    let cues = vec![Cue::new(span, vec![CueWord::new("Grüße", span)])];
    plan.captions = Some(CaptionTrack::new(CaptionStyle::karaoke(), Rect::new(0.1, 0.1, 0.8, 0.8), cues));
    plan
}

#[tokio::test]
async fn files_of_several_tracks_and_odd_names_are_named_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let sources = "-f lavfi -i testsrc2=s=160x90:r=30000/1001:d=2 -f lavfi -i sine=r=48000:d=2 -f lavfi -i sine=f=700:r=48000:d=2";
    let drawn = made(&folder, "drawn.mov", &format!("{sources} -map 0 -map 1 -map 2 -ac 2 {H264}"));
    let path = folder.path().join("Größe 100% & more.mov");
    std::fs::rename(drawn, &path).unwrap();
    let media = fetch(&path).await;
    let plan = captioned(with(centred(&media, Span::between(Timestamp::ZERO, media.duration), (90, 160)), |plan| {
        plan.source.audio_track = Some(1)
    }));
    let (cx, options) = (Context::new(), ExportOptions::default());
    let plans = [plan];
    let otio: Value = serde_json::from_str(&export(&cx, &plans, ExportFormat::Otio, &options).await.unwrap()).unwrap();
    let clip = |track: usize| &otio["tracks"]["children"][track]["children"][0];
    assert_eq!((&clip(1)["enabled"], &clip(2)["enabled"]), (&Value::Bool(false), &Value::Bool(true)));
    let url = clip(0)["media_references"]["DEFAULT_MEDIA"]["target_url"].as_str().unwrap();
    assert!(url.starts_with("file:///") && url.ends_with("/Gr%C3%B6%C3%9Fe%20100%25%20&%20more.mov"), "{url}");

    let to = folder.path().join("cut.xml");
    let relative = with(options.clone(), |options| options.relative_to = Some(folder.path().to_owned()));
    export_file(&cx, &plans, ExportFormat::Xmeml, &relative, &to).await.unwrap();
    let xml = std::fs::read_to_string(&to).unwrap();
    assert!(xml.contains("<pathurl>Gr%C3%B6%C3%9Fe%20100%25%20%26%20more.mov</pathurl>"), "{xml}");
    assert!(cx.warnings().is_empty(), "{:?}", cx.warnings());

    for format in ExportFormat::ALL {
        assert!(!export(&cx, &plans, format, &options).await.unwrap().is_empty(), "{format}");
    }
}

#[tokio::test]
async fn a_variable_rate_is_a_warning_and_a_missing_source_or_caption_an_error() {
    let folder = tempfile::tempdir().unwrap();
    // Every third frame of the second half is dropped.
    let picture = "-f lavfi -i testsrc2=s=160x90:r=30:d=4 -vf select='not(gt(t,2)*not(mod(n,3)))' -fps_mode vfr";
    let path = made(&folder, "phone.mp4", &format!("{picture} {H264}"));
    let media = fetch(&path).await;
    assert!(media.video.as_ref().unwrap().variable_rate);
    let plan = with(centred(&media, Span::secs(1.0, 3.0).unwrap(), (90, 160)), |plan| plan.pieces = vec![Piece::new(plan.span)]);
    let cx = Context::new();
    let options = ExportOptions::default();
    export(&cx, std::slice::from_ref(&plan), ExportFormat::Edl, &options).await.unwrap();
    let [warning] = &cx.warnings()[..] else { panic!("{:?}", cx.warnings()) };
    assert!(warning.kind == WarningKind::Export && warning.message.contains("varies"), "{warning:?}");

    let error = export(&cx, std::slice::from_ref(&plan), ExportFormat::Srt, &options).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    std::fs::remove_file(&path).unwrap();
    let to = folder.path().join("cut.edl");
    let error = export_file(&cx, &[plan], ExportFormat::Edl, &options, &to).await.unwrap_err();
    assert_eq!((error.kind(), to.exists()), (ErrorKind::NotFound, false));
}
