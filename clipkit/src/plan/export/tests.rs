//! Timelines and captions of a made plan, as snapshots and as properties of all plans.

use proptest::prelude::*;
use quick_xml::events::Event;

use super::*;
use crate::model::{
    AudioStream, CaptionStyle, CaptionTrack, ContentId, Crop, CropKey, Cue, CueWord, FrameRate, Hook, HookStyle, Layout, MediaRef, Output,
    Piece, PlanSource, Rect, Scene, Score, Span, Timestamp, VideoStream,
};

const NTSC: FrameRate = FrameRate::new(30_000, 1001);
const FILM: FrameRate = FrameRate::new(24_000, 1001);

fn span(start: f64, end: f64) -> Span {
    Span::secs(start, end).unwrap()
}

fn at(secs: f64) -> Timestamp {
    Timestamp::from_secs(secs)
}

fn media(path: &str, rate: FrameRate) -> Media {
    let mut media = Media::new(path, ContentId::new("blake3", "00"));
    media.duration = at(300.0);
    media.video = Some(VideoStream::new(0, "h264", 1920, 1080, rate));
    media.audio = vec![AudioStream::new(1, "aac", 48_000, 2)];
    media
}

fn cue(start: f64, words: &str) -> Cue {
    let words: Vec<CueWord> = (0..)
        .zip(words.split(' '))
        .map(|(n, word)| CueWord::new(word, span(start + 0.4 * f64::from(n), start + 0.4 * f64::from(n) + 0.3)))
        .collect();
    let end = words.last().unwrap().span.end();
    Cue::new(Span::between(at(start), end), words)
}

/// Six seconds in three pieces, the second one faster, the third from before: a moving crop, a
/// split, captions and a title.
fn plan() -> ClipPlan {
    let mut source = PlanSource::new(MediaRef::new("talk.mp4", ContentId::new("blake3", "00")), 1920, 1080, at(300.0));
    source.audio_track = Some(1);
    let key = |secs: f64, x: f64| CropKey { at: at(secs), x, y: 0.0 };
    let moving = Crop::new(0.316_406_25, 1.0, vec![key(0.5, 0.1), key(1.5, 0.4)]);
    let half = |x: f64| Crop::still(Rect::new(x, 0.1, 0.5, 0.8));
    let scenes = vec![
        Scene::new(span(0.0, 3.0), Layout::Fill { crop: moving }),
        Scene::new(span(3.0, 6.0), Layout::Split { top: half(0.0), bottom: half(0.5), speaking: Vec::new() }),
    ];
    let mut plan =
        ClipPlan::new(source, span(5.0, 60.0), "Why clocks <lie> & more", Score::of(80.0), scenes, Output::h264(1080, 1920, NTSC));
    plan.pieces = vec![Piece::new(span(10.0, 12.0)), Piece::new(span(20.0, 23.0)).at_speed(1.5), Piece::new(span(5.0, 7.0))];
    let cues = vec![cue(0.1, "Every clock <is> wrong."), cue(2.1, "Tom & \"Ann\""), cue(4.0, "Größe zählt!")];
    plan.captions = Some(CaptionTrack::new(CaptionStyle::karaoke(), Rect::new(0.05, 0.1, 0.9, 0.6), cues));
    plan.hook = Some(Hook::new("Clocks lie", span(0.0, 2.5), Rect::new(0.1, 0.1, 0.8, 0.2), HookStyle::default()));
    plan.validate().unwrap();
    plan
}

fn two_streams() -> Media {
    let mut media = media("/v/Größe 100% & more.mp4", NTSC);
    media.audio.push(AudioStream::new(2, "aac", 48_000, 1));
    media
}

fn written(format: ExportFormat) -> String {
    let (plan, media) = (plan(), two_streams());
    let exported = timeline(&[PlanOfMedia::new(&plan, &media)], format, &ExportOptions::default()).unwrap();
    let lost = usize::from(format == ExportFormat::Edl);
    assert_eq!(exported.warnings.len(), lost, "{:?}", exported.warnings);
    exported.text
}

#[test]
fn a_timeline_in_every_format() {
    for format in [ExportFormat::Otio, ExportFormat::Fcpxml, ExportFormat::Xmeml, ExportFormat::Edl] {
        insta::assert_snapshot!(format!("timeline_{format}"), written(format));
    }
}

#[test]
fn captions_in_every_format() {
    let plan = plan();
    for format in [ExportFormat::Srt, ExportFormat::Vtt, ExportFormat::Txt, ExportFormat::Json] {
        insta::assert_snapshot!(format!("captions_{format}"), captions(&[&plan], format).unwrap().unwrap());
    }
    let mut silent = plan.clone();
    silent.captions = None;
    assert_eq!(captions(&[&silent], ExportFormat::Srt).unwrap(), None);
    assert_eq!(captions(&[&plan], ExportFormat::Edl).unwrap_err().kind(), ErrorKind::Config);
}

#[test]
fn several_plans_follow_each_other() {
    let (plan, media) = (plan(), two_streams());
    let both = captions(&[&plan, &plan], ExportFormat::Srt).unwrap().unwrap();
    assert!(both.contains("00:00:06,100 --> 00:00:07,600\nEvery clock <is> wrong.\n"), "{both}");
    let one = PlanOfMedia::new(&plan, &media);
    let (cut, _) = cut::Cut::of(&[one, one], ExportFormat::Otio, &ExportOptions::default()).unwrap();
    assert_eq!((cut.frames, cut.files.len(), cut.clips.len(), cut.clips[3].record.start), (360, 1, 6, 180));
    assert_eq!(cut.markers.iter().filter(|note| note.kind == cut::NoteKind::Clip).count(), 2);
    let other = self::media("/v/other.mp4", FrameRate::new(25, 1));
    let error = timeline(&[one, PlanOfMedia::new(&plan, &other)], ExportFormat::Otio, &ExportOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
fn a_source_without_sound_has_no_audio_tracks() {
    let (mut plan, mut media) = (plan(), two_streams());
    media.audio.clear();
    plan.source.audio_track = None;
    let write = |format| timeline(&[PlanOfMedia::new(&plan, &media)], format, &ExportOptions::default()).unwrap().text;
    assert!(!write(ExportFormat::Otio).contains("\"Audio\""));
    let xmeml = write(ExportFormat::Xmeml);
    assert!(!xmeml.contains("<audio>") && !xmeml.contains("<link>"));
    assert!(write(ExportFormat::Edl).contains(" V     C "));
    assert!(!write(ExportFormat::Fcpxml).contains("hasAudio"));
}

#[test]
fn a_variable_rate_is_said_and_its_nearest_constant_one_is_used() {
    let (plan, mut media) = (plan(), two_streams());
    let video = media.video.as_mut().unwrap();
    (video.frame_rate, video.variable_rate) = (FrameRate::new(2871, 100), true);
    let exported = timeline(&[PlanOfMedia::new(&plan, &media)], ExportFormat::Otio, &ExportOptions::default()).unwrap();
    let [warning] = &exported.warnings[..] else { panic!("{:?}", exported.warnings) };
    assert!(warning.kind == WarningKind::Export && warning.message.contains("varies"), "{warning:?}");
    assert!(exported.text.contains("\"rate\": 29.97002997002997"));
}

#[test]
fn a_start_that_the_rate_does_not_have_is_refused() {
    let (plan, media) = (plan(), media("/v/talk.mp4", FrameRate::new(25, 1)));
    let mut options = ExportOptions::default();
    options.start = "01:00:00;00".parse().unwrap();
    let error = timeline(&[PlanOfMedia::new(&plan, &media)], ExportFormat::Edl, &options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    options.start = "23:59:58:00".parse().unwrap();
    let error = timeline(&[PlanOfMedia::new(&plan, &media)], ExportFormat::Edl, &options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
fn a_late_picture_counts_from_its_first_frame() {
    let (mut plan, mut media) = (plan(), media("/v/talk.mp4", FrameRate::new(25, 1)));
    plan.pieces = vec![Piece::new(span(10.0, 16.0))];
    media.video.as_mut().unwrap().start = at(0.2);
    let (cut, _) = cut::Cut::of(&[PlanOfMedia::new(&plan, &media)], ExportFormat::Otio, &ExportOptions::default()).unwrap();
    assert_eq!((cut.clips[0].source_in, cut.clips[0].source_frames), (245, 150));
}

#[test]
fn a_time_code_that_no_frame_has_is_a_warning() {
    let mut media = two_streams();
    for code in ["00:00:00:30", "00:01:00;00", "soon"] {
        media.video.as_mut().unwrap().timecode = Some(code.into());
        let exported = timeline(&[PlanOfMedia::new(&plan(), &media)], ExportFormat::Edl, &ExportOptions::default()).unwrap();
        let found = exported.warnings.iter().filter(|warning| warning.message.contains("its frames count from 0"));
        assert!(matches!(&found.collect::<Vec<_>>()[..], [warning] if warning.message.contains(code)), "{:?}", exported.warnings);
    }
}

/// A plan of pieces in one scene.
fn of_pieces(pieces: Vec<Piece>) -> ClipPlan {
    let source = PlanSource::new(MediaRef::new("talk.mp4", ContentId::new("blake3", "00")), 1920, 1080, at(6000.0));
    let whole = Scene::new(span(0.0, 1.0), Layout::Fill { crop: Crop::still(Rect::new(0.3, 0.0, 0.316_406_25, 1.0)) });
    let mut plan = ClipPlan::new(source, span(0.0, 6000.0), "Cut", Score::of(1.0), vec![whole], Output::h264(1080, 1920, NTSC));
    plan.pieces = pieces;
    let end = plan.timeline().end();
    plan.scenes[0].span = Span::between(Timestamp::ZERO, end);
    plan.validate().unwrap();
    plan
}

/// The source frame that the renderer shows at a frame of the clip: the last one that starts by
/// then, with that so many microseconds later. Written apart from the code under test, with
/// fractions of a second.
fn shown(plan: &ClipPlan, rate: FrameRate, frame: u64, later: i64) -> u64 {
    let timeline = plan.timeline();
    let time = rate.frame_start(frame);
    let piece = timeline.pieces()[timeline.index_at(time.plus(0.0005))];
    let due = piece.source_time(time).plus(0.0005).offset(Timestamp::from_micros(later));
    let mut found = ((due.secs() * rate.fps()) as u64).saturating_sub(2);
    while rate.frame_start(found + 1) <= due {
        found += 1;
    }
    found
}

fn rates() -> impl Strategy<Value = FrameRate> {
    prop::sample::select(vec![
        NTSC,
        FILM,
        FrameRate::new(24, 1),
        FrameRate::new(25, 1),
        FrameRate::new(30, 1),
        FrameRate::new(50, 1),
        FrameRate::new(60_000, 1001),
    ])
}

fn pieces(retimed: bool) -> impl Strategy<Value = Vec<Piece>> {
    let one = (0..5_000_000_000_i64, 90_000..9_000_000_i64, 0.5..2.0_f64, any::<bool>());
    prop::collection::vec(one, 1..40).prop_map(move |raw| {
        let made = raw.into_iter().map(|(start, long, speed, plain)| {
            let span = Span::between(Timestamp::from_micros(start), Timestamp::from_micros(start + long));
            Piece::new(span).at_speed(if plain || !retimed { 1.0 } else { speed })
        });
        made.collect()
    })
}

/// The attributes of the clips of an FCPXML document, in frames.
fn fcpxml_clips(text: &str, rate: FrameRate) -> Vec<(u64, u64, u64)> {
    let frames = |value: &str| {
        let (num, den) = value.trim_end_matches('s').split_once('/').unwrap_or((value.trim_end_matches('s'), "1"));
        let (num, den): (u128, u128) = (num.parse().unwrap(), den.parse().unwrap());
        let (whole, part) = (num * u128::from(rate.num), den * u128::from(rate.den));
        assert_eq!(whole % part, 0, "{value} is not on a frame");
        (whole / part) as u64
    };
    let mut reader = quick_xml::Reader::from_str(text);
    let mut clips = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Start(tag) if tag.name().as_ref() == b"asset-clip" => {
                let value = |name: &str| {
                    let found = tag.try_get_attribute(name).unwrap().unwrap();
                    frames(std::str::from_utf8(&found.value).unwrap())
                };
                clips.push((value("offset"), value("start"), value("duration")));
            }
            Event::Eof => return clips,
            _ => {}
        }
    }
}

proptest! {
    #[test]
    fn clips_follow_each_other_and_show_what_the_renderer_shows(pieces in pieces(false), rate in rates()) {
        let (plan, mut media) = (of_pieces(pieces), media("/v/talk.mp4", rate));
        media.duration = at(6000.0);
        let (cut, warnings) = cut::Cut::of(&[PlanOfMedia::new(&plan, &media)], ExportFormat::Otio, &ExportOptions::default()).unwrap();
        prop_assert!(warnings.is_empty());
        prop_assert_eq!(cut.frames, plan.timeline().frames(rate));
        prop_assert_eq!(cut.clips.iter().map(cut::CutClip::frames).sum::<u64>(), cut.frames);
        let mut before = 0;
        for clip in &cut.clips {
            prop_assert_eq!(clip.record.start, before);
            before = clip.record.end;
            prop_assert_eq!(clip.source_frames, clip.frames());
            for frame in [clip.record.start, clip.record.start + clip.frames() / 2, clip.record.end - 1] {
                // Times are whole microseconds, frames are not: a tie may go either way.
                let found = clip.source_in + frame - clip.record.start;
                // A first frame that is due before its piece shows the piece's start in the
                // renderer, which then repeats it.
                let early = if frame == clip.record.start { -502 } else { -2 };
                let (least, most) = (shown(&plan, rate, frame, early), shown(&plan, rate, frame, 2));
                prop_assert!((least..=most).contains(&found), "frame {frame}: {found} is not in {least}..={most}");
            }
        }
    }

    #[test]
    fn every_format_says_the_same_frames(pieces in pieces(true), rate in rates()) {
        let (plan, mut media) = (of_pieces(pieces), media("/v/talk.mp4", rate));
        media.duration = at(6000.0);
        let input = [PlanOfMedia::new(&plan, &media)];
        let options = ExportOptions::default();
        let (cut, _) = cut::Cut::of(&input, ExportFormat::Edl, &options).unwrap();
        let text = |format| timeline(&input, format, &options).unwrap().text;
        // Out points and durations of retimed clips are right to half a frame.
        for clip in &cut.clips {
            prop_assert!((clip.source_frames as f64 - clip.frames() as f64 * clip.speed).abs() <= 0.5);
        }
        let edl = text(ExportFormat::Edl);
        let events: Vec<Vec<u64>> = edl
            .lines()
            .filter(|line| line.starts_with(|letter: char| letter.is_ascii_digit()))
            .map(|line| line.split_whitespace().skip(4).map(|code| code.parse::<Timecode>().unwrap().frames(rate).unwrap()).collect())
            .collect();
        let expected: Vec<Vec<u64>> = cut
            .clips
            .iter()
            .map(|clip| vec![clip.source_in, clip.source_in + clip.source_frames, cut.start + clip.record.start, cut.start + clip.record.end])
            .collect();
        prop_assert_eq!(events, expected);
        let found = fcpxml_clips(&text(ExportFormat::Fcpxml), rate);
        prop_assert_eq!(found.len(), cut.clips.len());
        for ((offset, start, duration), clip) in found.into_iter().zip(&cut.clips) {
            prop_assert_eq!((offset, duration), (cut.start + clip.record.start, clip.frames()));
            prop_assert!(clip.is_retimed() || start == clip.source_in);
        }
    }

    #[test]
    fn captions_stay_at_their_words_after_any_cuts(pieces in pieces(true), rate in rates(), cues in prop::collection::vec((0..400_000_i64, 100_000..900_000_i64), 1..30)) {
        let mut plan = of_pieces(pieces);
        let (mut time, end) = (0, plan.timeline().end().micros());
        let mut made = Vec::new();
        for (gap, long) in cues {
            let span = Span::between(Timestamp::from_micros(time + gap), Timestamp::from_micros(time + gap + long));
            time = span.end().micros();
            if time < end {
                made.push(Cue::new(span, vec![CueWord::new("word", span)]));
            }
        }
        plan.captions = Some(CaptionTrack::new(CaptionStyle::pop(), Rect::new(0.05, 0.1, 0.9, 0.6), made.clone()));
        let mut media = media("/v/talk.mp4", rate);
        media.duration = at(6000.0);
        let (cut, _) = cut::Cut::of(&[PlanOfMedia::new(&plan, &media)], ExportFormat::Fcpxml, &ExportOptions::default()).unwrap();
        prop_assert_eq!(cut.captions.len(), made.len());
        let half = 0.5 / rate.fps() + 1e-6;
        for (note, cue) in cut.captions.iter().zip(&made) {
            prop_assert!((note.record.start as f64 / rate.fps() - cue.span.start().secs()).abs() <= half);
            prop_assert!((note.record.end as f64 / rate.fps() - cue.span.end().secs()).abs() <= half);
        }
        prop_assert!(cut.captions.windows(2).all(|pair| pair[0].record.end <= pair[1].record.start));
    }
}
