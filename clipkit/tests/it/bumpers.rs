//! Intro and outro in rendered clips: their frames, their samples, and files that cannot be used.

use std::path::Path;
use std::sync::Arc;

use clipkit::plan::Brand;
use clipkit::plan::export::{ExportFormat, ExportOptions};
use clipkit::prelude::*;
use image::{Rgba, RgbaImage};

use crate::overlays::{Frames, grey, near};
use crate::pieces::{counted, numbers, offset, planned, rendered};
use crate::render::{centred, fetch, made};
use crate::support::{loudness, probe_json, samples, with};

fn span(start: f64, end: f64) -> Span {
    Span::secs(start, end).unwrap()
}

fn bumper(path: &Path) -> Bumper {
    Bumper::new(path.to_str().unwrap())
}

fn rms(samples: &[f32]) -> f64 {
    (samples.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / samples.len() as f64).sqrt()
}

async fn drawn(plan: &ClipPlan) -> (Frames, RenderedClip) {
    let (clip, _cx) = rendered(plan).await;
    (Frames::of(&clip.video), clip)
}

#[tokio::test]
async fn joins_are_exact_to_the_frame_and_to_the_sample() {
    let folder = tempfile::tempdir().unwrap();
    let codecs = "-c:v libx264 -preset ultrafast -qp 12 -bf 2 -g 60 -c:a pcm_s16le";
    let source = counted(&folder, "counted.mov", 30, codecs);
    let whole = samples(&source);
    let pieces = vec![Piece::new(span(10.0, 11.0)), Piece::new(span(20.0, 20.71))];
    let clip = planned(&source, pieces).await;
    let mut intro = bumper(&source).during(span(2.0, 3.51));
    let outro = bumper(&source).during(span(5.0, 5.8));
    for (rate, has_outro) in [(FrameRate::new(30, 1), true), (FrameRate::new(30_000, 1001), true), (FrameRate::new(30, 1), false)] {
        intro.fade_in = 0.0;
        let plan = with(clip.clone(), |plan| {
            (plan.intro, plan.outro) = (Some(intro.clone()), has_outro.then(|| outro.clone()));
            plan.output.frame_rate = rate;
        });
        let parts = plan.parts().unwrap();
        assert_eq!((parts.intro_frames(), parts.clip_frames()), (45, 51));
        let (clip, _cx) = rendered(&plan).await;
        let found = numbers(&clip.video);
        assert_eq!((found.len() as u64, clip.frames), (parts.frames(), parts.frames()));
        let due = |n: usize| n as f64 / rate.fps();
        for (n, found) in found.iter().enumerate() {
            let at = due(n);
            let into = |from: u64| at - due(from as usize);
            let source = match n as u64 {
                n if n < 45 => 2.0 + at,
                n if n < 96 && into(45) + 0.0005 < 1.0 => 10.0 + into(45),
                n if n < 96 => 20.0 + into(45) - 1.0,
                _ => 5.0 + into(96),
            };
            // A frame may be due a moment before its piece.
            assert_eq!(*found, ((source + 0.0005) * 30.0).floor() as usize, "frame {n} at {rate}");
        }
        let heard = samples(&clip.video);
        let sample = |frame: u64| (due(frame as usize) * 48_000.0).round() as usize;
        let ends = if has_outro { sample(parts.frames()) } else { sample(45) + (1.71f64 * 48_000.0).round() as usize };
        assert!(heard.len().abs_diff(ends) < 1025, "{} samples, not {ends}", heard.len());
        let stretches = [
            (0, sample(45), 2.0, "intro"),
            (sample(45), sample(45) + 48_000, 10.0, "first piece"),
            (sample(45) + 48_000, sample(96).min(ends), 20.0, "second piece"),
            (sample(96), ends, 5.0, "outro"),
        ];
        for (from, to, source, what) in stretches.into_iter().take(if has_outro { 4 } else { 3 }) {
            let start = (source * 48_000.0f64).round() as usize;
            let (off, fit) = offset(&heard, &whole, from + 480, start + 480, to - from - 960);
            assert!(off == 0 && fit > 0.95, "{what} at {rate}: {off} samples off ({fit:.3})");
            // Right up to the crossfades.
            for (at, from_source) in [(from + 240, start + 240), (to - 240 - 480, start + (to - from) - 240 - 480)] {
                let edge = offset(&heard, &whole, at, from_source, 480);
                assert!(at < 480 || to == ends || (edge.0 == 0 && edge.1 > 0.9), "{what} at {rate}: {edge:?}");
            }
        }
        let streams = probe_json(&clip.video);
        let streams = streams["streams"].as_array().unwrap();
        let lasts = |kind: &str| {
            let stream = streams.iter().find(|stream| stream["codec_type"] == kind).unwrap();
            stream["duration"].as_str().unwrap().parse::<f64>().unwrap()
        };
        assert!((lasts("video") - lasts("audio")).abs() <= 1.0 / 30.0 + 0.022, "{} {}", lasts("video"), lasts("audio"));
        assert_eq!(streams.len(), 2);
    }
}

#[tokio::test]
async fn a_join_does_not_click() {
    let folder = tempfile::tempdir().unwrap();
    let tone = "-f lavfi -i color=gray:s=64x64:r=25:d=4 -f lavfi -i aevalsrc=0.5*sin(2*PI*200*t):s=48000:d=4 -c:v libx264 -c:a pcm_f32le";
    let source = made(&folder, "tone.mov", tone);
    let media = fetch(&source).await;
    let plan = with(centred(&media, span(0.501_25, 2.0), (64, 64)), |plan| {
        plan.output.frame_rate = FrameRate::new(25, 1);
        (plan.output.loudness, plan.output.audio_bitrate) = (None, 320_000);
        // Joins at opposite phases: without a fade, steps of up to 1.
        plan.intro = Some(bumper(&source).during(span(0.0, 1.0)));
        plan.outro = Some(bumper(&source).during(span(1.002_5, 2.0)));
        // Music that starts and ends with the clip.
        plan.sound = vec![with(Sound::new(source.to_str().unwrap()), |it| (it.gain, it.offset) = (-20.0, Timestamp::from_secs(0.001)))];
    });
    let (clip, _cx) = rendered(&plan).await;
    let heard = samples(&clip.video);
    let step = heard.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
    let of_tone = 1.1 * 0.5 * 2.0 * std::f32::consts::PI * 200.0 / 48_000.0;
    assert!(step < 1.15 * of_tone, "{step}, a tone has {of_tone}");
}

#[tokio::test]
async fn pictures_of_other_shapes_are_fitted_and_images_have_their_background() {
    let folder = tempfile::tempdir().unwrap();
    let red = made(&folder, "red.mp4", "-f lavfi -i color=red:s=160x90:r=30:d=1 -c:v libx264 -crf 4");
    let image = folder.path().join("card.png");
    // Half transparent white above, nothing in the middle, blue below.
    RgbaImage::from_fn(90, 90, |_, y| match y / 30 {
        0 => Rgba([255, 255, 255, 128]),
        1 => Rgba([9, 200, 9, 0]),
        _ => Rgba([0, 0, 255, 255]),
    })
    .save(&image)
    .unwrap();
    let plan = grey(&folder).await;
    let framed = |fit: BumperFit, background: Option<Rgb>| {
        with(plan.clone(), |plan| {
            plan.intro = Some(with(bumper(&red), |it| (it.fit, it.background) = (fit, background)));
            let card = Bumper::image(image.to_str().unwrap(), Timestamp::from_secs(0.8));
            plan.outro = Some(with(card, |it| (it.fit, it.background) = (fit, background)));
        })
    };
    let (red, grey, blue, black) = ([63, 102, 240], [126, 128, 128], [32, 240, 118], [16, 128, 128]);
    let (green, whitish) = ([173, 42, 26], [205, 85, 76]);
    let lime = Some(Rgb(0, 255, 0));

    let (frames, clip) = drawn(&framed(BumperFit::Contain, lime)).await;
    // One second, four seconds, 0.8 seconds at 25 frames per second.
    assert_eq!((frames.0.len(), clip.frames), (145, 145));
    for n in [0, 12, 24] {
        // The picture has 270 x 152 pixels.
        near(frames.pixel(n, 135, 240), red);
        near(frames.pixel(n, 135, 168), red);
        near(frames.pixel(n, 135, 310), red);
        near(frames.pixel(n, 135, 158), green);
        near(frames.pixel(n, 5, 470), green);
    }
    [25, 80, 124].into_iter().for_each(|n| near(frames.pixel(n, 135, 240), grey));
    for n in [125, 144] {
        near(frames.pixel(n, 20, 60), green);
        near(frames.pixel(n, 20, 130), whitish);
        near(frames.pixel(n, 135, 240), green);
        near(frames.pixel(n, 200, 350), blue);
        near(frames.pixel(n, 135, 420), green);
    }

    let (frames, _) = drawn(&framed(BumperFit::Contain, None)).await;
    near(frames.pixel(12, 135, 240), red);
    // The blurred copy has half the luma and three quarters of the chroma.
    near(frames.pixel(12, 135, 50), [40, 108, 212]);
    near(frames.pixel(130, 135, 240), black);
    near(frames.pixel(130, 20, 130), [126, 128, 128]);

    let (frames, _) = drawn(&framed(BumperFit::Cover, lime)).await;
    [(2, 2), (135, 240), (267, 477)].into_iter().for_each(|(x, y)| near(frames.pixel(12, x, y), red));
    near(frames.pixel(130, 135, 470), blue);
    near(frames.pixel(130, 135, 10), whitish);
    near(frames.pixel(130, 135, 240), green);
}

#[tokio::test]
async fn odd_sources_are_converted_and_a_silent_one_gives_silence() {
    let folder = tempfile::tempdir().unwrap();
    let talk =
        made(&folder, "talk.mp4", "-f lavfi -i color=gray:s=64x64:r=30:d=3 -f lavfi -i sine=f=700:r=48000:d=3 -c:v libx264 -c:a aac");
    let media = fetch(&talk).await;
    let plan = with(centred(&media, span(0.0, 2.0), (270, 480)), |plan| plan.output.crf = 8);
    let h264 = "-c:v libx264 -crf 4 -pix_fmt yuv420p";
    let (picture, boxed) = ("-f lavfi -i color=red:s=160x90:r=25:d=2", "-vf drawbox=w=80:h=91:c=blue:t=fill");
    let halves = &format!("{picture} {boxed}");
    let turned = made(&folder, "plain.mp4", &format!("{halves} {h264}"));
    let turned = made(&folder, "turned.mp4", &format!("-i {} -c copy -metadata:s:v rotate=90", turned.display()));
    let files = [
        ("turned", turned, 60),
        ("film", made(&folder, "film.mp4", &format!("{} {h264}", halves.replace("r=25", "r=24000/1001"))), 60),
        (
            "odd",
            made(&folder, "odd.mkv", &halves.replace("160x90:r=25:d=2", "161x91:r=10:d=1.3").replace("-vf", "-pix_fmt yuv444p -vf")),
            39,
        ),
        ("variable", made(&folder, "vfr.mp4", &format!("{halves},select='not(gt(t,1)*not(mod(n,3)))' -fps_mode vfr {h264}")), 60),
        (
            "interlaced",
            made(&folder, "ntsc.mkv", "-f lavfi -i testsrc2=s=160x90:r=50:d=2 -vf interlace -c:v mpeg2video -flags +ildct+ilme"),
            60,
        ),
        ("mono", made(&folder, "mono.mov", &format!("{picture} -f lavfi -i sine=r=22050:d=2 {boxed} {h264} -ac 1 -c:a pcm_s16le")), 60),
        ("hdr", made(&folder, "ten.mkv", &format!("{halves} -c:v libx264 -pix_fmt yuv420p10le")), 60),
    ];
    for (name, file, count) in files {
        let plan = with(plan.clone(), |plan| plan.intro = Some(bumper(&file)));
        let cx = Context::new();
        let clip = FfmpegRenderer::new().render(&cx, &plan).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(cx.warnings().is_empty(), "{name}: {:?}", cx.warnings());
        assert!(clip.frames.abs_diff(count + 60) <= 1, "{name}: {} frames", clip.frames);
        let frames = Frames::of(&clip.video);
        assert_eq!(frames.0.len() as u64, clip.frames, "{name}");
        let intro = clip.frames as usize - 60;
        let heard = samples(&clip.video);
        let silent = rms(&heard[..(intro as f64 / 30.0 * 48_000.0) as usize - 2000]) < 1e-4;
        assert_eq!(silent, name != "mono", "{name}");
        assert!(rms(&heard[(intro as f64 / 30.0 * 48_000.0) as usize + 2000..]) > 0.05, "{name}");
        // Red and blue beside each other; above each other where the picture is turned.
        let (blue, red) = ([32, 240, 118], [63, 102, 240]);
        if name == "turned" {
            let (top, bottom) = (frames.pixel(10, 135, 60), frames.pixel(10, 135, 420));
            assert!(top[1].abs_diff(bottom[1]) > 100, "{top:?} {bottom:?}");
        } else if !["interlaced", "hdr"].contains(&name) {
            near(frames.pixel(10, 60, 240), blue);
            near(frames.pixel(10, 210, 240), red);
        }
        near(frames.pixel(intro, 135, 240), frames.pixel(clip.frames as usize - 1, 135, 240));
    }
    // Transparency in a video.
    let half = folder.path().join("half.png");
    RgbaImage::from_fn(90, 160, |x, _| if x < 45 { Rgba([0, 0, 255, 255]) } else { Rgba([255, 0, 0, 0]) }).save(&half).unwrap();
    let clear = made(&folder, "clear.mov", &format!("-loop 1 -framerate 25 -t 1 -i {} -c:v qtrle -pix_fmt argb", half.display()));
    let plan = with(plan, |plan| plan.outro = Some(with(bumper(&clear), |it| it.background = Some(Rgb(255, 255, 255)))));
    let (frames, clip) = drawn(&plan).await;
    assert_eq!(clip.frames, 90);
    near(frames.pixel(70, 60, 240), [32, 240, 118]);
    near(frames.pixel(70, 210, 240), [235, 128, 128]);
}

#[tokio::test]
async fn files_that_cannot_be_used_are_named_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let plan = grey(&folder).await;
    let sound = made(&folder, "sound.mp3", "-f lavfi -i sine=d=1");
    let image = made(&folder, "image.png", "-f lavfi -i color=red:s=64x64 -frames:v 1");
    let video = made(&folder, "video.mp4", "-f lavfi -i color=red:s=64x64:r=10:d=2 -c:v libx264");
    let long = made(&folder, "long.mp4", "-f lavfi -i color=red:s=64x64:r=1:d=400 -c:v libx264 -preset ultrafast");
    let text = folder.path().join("text.mp4");
    std::fs::write(&text, "this is no video").unwrap();
    let pipe = folder.path().join("pipe.mp4");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let shown = |path: &Path| Bumper::image(path.to_str().unwrap(), Timestamp::from_secs(1.0));
    let cases = [
        (bumper(&folder.path().join("none.mp4")), ErrorKind::NotFound, "does not exist", "remove the intro"),
        (bumper(&sound), ErrorKind::InvalidInput, "no picture", "video stream"),
        (bumper(&text), ErrorKind::InvalidInput, "", ""),
        (bumper(&image), ErrorKind::InvalidInput, "this is an image", "intro.duration"),
        (shown(&video), ErrorKind::InvalidInput, "no PNG, WebP or JPEG", "PNG"),
        (bumper(&long), ErrorKind::InvalidInput, "lasts at most 5:00", "intro.span"),
        (bumper(&video).during(span(1.0, 2.5)), ErrorKind::InvalidInput, "passes the end of the file", "intro.span"),
        (bumper(folder.path()), ErrorKind::InvalidInput, "not a file", ""),
        (bumper(&pipe), ErrorKind::InvalidInput, "not a file", ""),
        (Bumper::new("https://example.com/intro.mp4"), ErrorKind::NotFound, "does not exist", "remove the intro"),
        (Bumper::new("concat:/etc/passwd|/etc/group"), ErrorKind::NotFound, "does not exist", ""),
    ];
    for (intro, kind, message, advice) in cases {
        let file = intro.file.clone();
        let plan = with(plan.clone(), |plan| plan.intro = Some(intro));
        let renderer = FfmpegRenderer::new();
        let call = tokio::time::timeout(std::time::Duration::from_secs(20), async { renderer.render(&Context::new(), &plan).await });
        let error = call.await.unwrap_or_else(|_| panic!("{file} hangs")).unwrap_err();
        assert_eq!(error.kind(), kind, "{file}: {error}");
        assert!(error.message().starts_with("the intro: ") && error.message().contains(message), "{file}: {error}");
        assert!(error.advice().is_some_and(|text| text.contains(advice)), "{file}: {:?}", error.advice());
        assert_eq!(error.path().and_then(Path::to_str), Some(file.as_str()), "{error}");
    }
    let cx = Context::builder().limits(with(Limits::default(), |limits| limits.plan_secs = 5)).build();
    let plan = with(plan, |plan| plan.outro = Some(bumper(&video)));
    assert_eq!(FfmpegRenderer::new().render(&cx, &plan).await.unwrap_err().kind(), ErrorKind::TooLarge);
}

#[tokio::test]
async fn each_part_has_the_plans_loudness_then_its_gain() {
    let folder = tempfile::tempdir().unwrap();
    let quiet = "-f lavfi -i color=gray:s=64x64:r=30:d=4 -f lavfi -i anoisesrc=c=pink:a=0.3:d=4:r=48000:seed=3 -c:v libx264 -c:a pcm_s16le";
    let talk = made(&folder, "quiet.mov", quiet);
    let loud = made(&folder, "loud.mov", &quiet.replace("a=0.3", "a=0.9").replace("d=4", "d=3"));
    let media = fetch(&talk).await;
    let plan = centred(&media, span(0.0, 4.0), (64, 64));
    let levels = |heard: &[f32]| (rms(&heard[24_000..120_000]), rms(&heard[168_000..312_000]));
    let decibels = |a: f64, b: f64| 20.0 * (a / b).log10();
    for gain in [0.0, -12.0] {
        let plan = with(plan.clone(), |plan| plan.intro = Some(with(bumper(&loud), |it| it.gain = gain)));
        let (clip, _cx) = rendered(&plan).await;
        let (intro, talk) = levels(&samples(&clip.video));
        assert!((decibels(intro, talk) - gain).abs() < 1.0, "gain {gain}: {:.2} dB", decibels(intro, talk));
        if gain == 0.0 {
            let (integrated, peak) = loudness(&clip.video);
            assert!((integrated + 14.0).abs() < 0.7 && peak <= -0.9, "{integrated} LUFS, {peak} dBTP");
        }
    }
    // Without a loudness, both have their own level.
    let plan = with(plan, |plan| {
        plan.intro = Some(with(bumper(&loud), |it| it.gain = -6.0));
        plan.output.loudness = None;
    });
    let (clip, _cx) = rendered(&plan).await;
    let (intro, talk) = levels(&samples(&clip.video));
    let own = decibels(0.9, 0.3) - 6.0;
    assert!((decibels(intro, talk) - own).abs() < 1.0, "{:.2} dB, not {own:.2}", decibels(intro, talk));
}

#[tokio::test]
async fn a_bumper_fades_and_the_clips_own_things_stay_out_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let white = made(
        &folder,
        "white.mp4",
        "-f lavfi -i color=white:s=270x480:r=25:d=2 -f lavfi -i anoisesrc=a=0.3:d=2:r=48000 -c:v libx264 -c:a aac",
    );
    let plan = with(grey(&folder).await, |plan| {
        plan.intro = Some(with(bumper(&white), |it| (it.fade_in, it.fade_out) = (0.4, 0.8)));
        plan.outro = Some(with(bumper(&white), |it| it.fade_out = 2.0));
        let place = OverlayPlace::new(Anchor::TopLeft).with_area(Rect::FULL).with_width(1.0).with_height(0.2);
        plan.overlays = vec![Overlay::progress_bar(Rgb(0, 0, 0), place)];
        plan.sound = vec![with(Sound::new(white.to_str().unwrap()), |it| it.repeat = true)];
    });
    let (clip, _cx) = rendered(&plan).await;
    let frames = Frames::of(&clip.video);
    assert_eq!(clip.frames, 200);
    let luma = |n: usize| i32::from(frames.luma(n, 135, 240));
    for (n, expected) in
        [(0, 27), (4, 114), (9, 224), (10, 235), (29, 235), (40, 120), (49, 21), (50, 126), (149, 126), (150, 233), (175, 123), (199, 18)]
    {
        assert!((luma(n) - expected).abs() <= 6, "frame {n}: {}, not {expected}", luma(n));
    }
    // The bar grows during the clip only.
    assert!([5, 25, 49, 150, 175].iter().all(|n| (i32::from(frames.luma(*n, 4, 10)) - luma(*n)).abs() <= 4));
    let dark = |n: usize| (0..270).filter(|x| frames.luma(n, *x, 10) < 60).count();
    assert!(dark(99).abs_diff(135) <= 2 && dark(149) == 270, "{} {}", dark(99), dark(149));
    let heard = samples(&clip.video);
    let level = |secs: f64| rms(&heard[((secs - 0.02) * 48_000.0) as usize..((secs + 0.02) * 48_000.0) as usize]);
    assert!(level(0.2) < 0.7 * level(1.0) && level(1.6) < 0.7 * level(1.0) && level(1.97) < 0.2 * level(1.0));
    assert!(level(7.0) < 0.7 * level(6.1) && level(7.97) < 0.1 * level(6.1));
}

#[tokio::test]
async fn cancelling_during_the_intro_stops_within_a_second() {
    let folder = tempfile::tempdir().unwrap();
    let long = made(&folder, "long.mp4", "-f lavfi -i testsrc2=s=1280x720:r=30:d=30 -c:v libx264 -preset ultrafast");
    let media = fetch(&long).await;
    let mut plan = centred(&media, span(0.0, 2.0), (1080, 1920));
    plan.intro = Some(bumper(&long));
    let cx = Context::new();
    let work = cx.clone();
    let task = tokio::spawn(async move { FfmpegRenderer::new().render(&work, &plan).await });
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    let asked = std::time::Instant::now();
    cx.cancel();
    assert!(task.await.unwrap().unwrap_err().is_cancelled());
    assert!(asked.elapsed().as_secs_f64() < 1.0, "it took {:?}", asked.elapsed());
}

fn captioned(plan: &mut ClipPlan) {
    let span = span(0.25, 1.0);
    let cues = vec![Cue::new(span, vec![CueWord::new("Hello", span)])];
    plan.captions = Some(CaptionTrack::new(CaptionStyle::karaoke(), Rect::new(0.1, 0.1, 0.8, 0.8), cues));
}

#[tokio::test]
async fn exports_follow_the_rendered_file() {
    let folder = tempfile::tempdir().unwrap();
    let intro = made(&folder, "intro.mp4", "-f lavfi -i color=red:s=160x90:r=30:d=1.5 -f lavfi -i sine=d=1.5 -c:v libx264 -c:a aac");
    let card = folder.path().join("card.png");
    RgbaImage::from_pixel(100, 100, Rgba([0, 0, 255, 255])).save(&card).unwrap();
    let plan = with(grey(&folder).await, |plan| {
        plan.intro = Some(with(bumper(&intro), |it| it.gain = -3.0));
        plan.outro = Some(Bumper::image(card.to_str().unwrap(), Timestamp::from_secs(2.0)));
        captioned(plan);
    });
    // Nobody has measured the intro.
    let error = clipkit::plan::export::captions(&[&plan], ExportFormat::Srt).unwrap_err();
    assert!(error.kind() == ErrorKind::InvalidPlan && error.to_string().contains("intro.mp4") && error.advice().is_some(), "{error}");
    let text = |format: ExportFormat| {
        let plan = plan.clone();
        async move {
            let cx = Context::new();
            let text = export(&cx, &[plan.clone(), plan], format, &ExportOptions::default()).await.unwrap();
            (text, cx.warnings())
        }
    };
    // 38 frames of intro, 100 of clip, 50 of outro.
    let (srt, _) = text(ExportFormat::Srt).await;
    assert!(srt.starts_with("1\n00:00:01,770 --> 00:00:02,520\nHello\n\n2\n00:00:09,290 --> 00:00:10,040\n"), "{srt}");
    let (vtt, _) = text(ExportFormat::Vtt).await;
    assert!(vtt.contains("00:00:01.770 --> 00:00:02.520"), "{vtt}");
    let ass = export(&Context::new(), std::slice::from_ref(&plan), ExportFormat::Ass, &ExportOptions::default()).await.unwrap();
    assert!(ass.contains(",0:00:01.77,") && !ass.contains(",0:00:00.25,"), "{ass}");

    let (otio, warnings) = text(ExportFormat::Otio).await;
    let otio: serde_json::Value = serde_json::from_str(&otio).unwrap();
    let clips = otio["tracks"]["children"][0]["children"].as_array().unwrap();
    let found: Vec<(&str, f64)> =
        clips.iter().map(|clip| (clip["name"].as_str().unwrap(), clip["source_range"]["duration"]["value"].as_f64().unwrap())).collect();
    assert_eq!(found, [("Intro", 38.0), ("A title", 100.0), ("Outro", 50.0)].repeat(2));
    let url = |n: usize| clips[n]["media_references"]["DEFAULT_MEDIA"]["target_url"].as_str().unwrap();
    assert!(url(0).ends_with("/intro.mp4") && url(1).ends_with("/grey.mp4") && url(2).ends_with("/card.png"));
    let marker = otio["tracks"]["markers"].as_array().unwrap().iter().find(|marker| marker["name"] == "Hello").unwrap();
    // 0.25 s is nearest to the frame 6, behind 38.
    assert_eq!(marker["marked_range"]["start_time"]["value"], 44.0);
    let messages: Vec<&str> = warnings.iter().map(|warning| warning.message.as_str()).collect();
    assert!(messages.iter().any(|text| text.contains("30.000 frames a second")), "{messages:?}");
    assert!(messages.iter().any(|text| text.contains("gain and fades of the intro")), "{messages:?}");
    for format in [ExportFormat::Fcpxml, ExportFormat::Xmeml, ExportFormat::Edl] {
        let (text, _) = text(format).await;
        for file in ["intro.mp4", "grey.mp4", "card.png"] {
            assert!(text.contains(file), "{format}: {text}");
        }
    }
    let (fcpxml, _) = text(ExportFormat::Fcpxml).await;
    assert_eq!((fcpxml.matches("<asset ").count(), fcpxml.matches("<video ").count()), (3, 2), "{fcpxml}");
}

#[tokio::test]
async fn previews_show_intro_and_outro() {
    let folder = tempfile::tempdir().unwrap();
    let intro = made(&folder, "intro.mp4", "-f lavfi -i color=red:s=160x90:r=25:d=1 -c:v libx264");
    let plan = grey(&folder).await;
    let with_intro = with(plan.clone(), |plan| {
        plan.intro = Some(with(bumper(&intro), |it| it.fit = BumperFit::Cover));
        plan.outro = Some(bumper(&intro));
    });
    let draft = folder.path().join("draft.mp4");
    preview(&Context::new(), &with_intro, &draft).await.unwrap();
    // Every second of 150 frames; each part is rounded to whole frames.
    let frames: u32 = probe_json(&draft)["streams"][0]["nb_frames"].as_str().unwrap().parse().unwrap();
    assert!((74..=76).contains(&frames), "{frames}");
    let (plain, sheet) = (folder.path().join("plain.png"), folder.path().join("sheet.png"));
    preview(&Context::new(), &plan, &plain).await.unwrap();
    preview(&Context::new(), &with_intro, &sheet).await.unwrap();
    let reds = |file: &Path| {
        image::open(file).unwrap().into_rgb8().pixels().filter(|pixel| pixel[0] > 200 && pixel[1] < 60 && pixel[2] < 60).count()
    };
    // A tile of the intro has 152 x 270 pixels, and the outro has a part of them.
    assert!(reds(&plain) == 0 && reds(&sheet) > 40_000, "{} {}", reds(&plain), reds(&sheet));
}

#[tokio::test]
async fn a_brand_gives_every_clip_its_intro_and_the_files_beside_it_fit() {
    let folder = tempfile::tempdir().unwrap();
    let intro = made(&folder, "intro.mp4", "-f lavfi -i color=red:s=160x90:r=30:d=1 -c:v libx264");
    let talk = made(&folder, "talk.mp4", "-f lavfi -i testsrc2=s=160x90:r=30:d=8 -f lavfi -i sine=d=8 -c:v libx264 -c:a aac");
    std::fs::write(folder.path().join("brand.json"), r#"{"intro": {"file": "intro.mp4", "fit": "cover"}, "outro": {"file": "intro.mp4"}}"#)
        .unwrap();
    let brand = Brand::from_json(&std::fs::read_to_string(folder.path().join("brand.json")).unwrap()).unwrap().below(folder.path());
    assert_eq!(brand.intro.as_ref().map(|it| it.file.as_str()), intro.to_str());
    let media = fetch(&talk).await;
    let edited = clipkit::plan::edit::edit(
        &centred(&media, span(1.0, 5.0), (90, 160)),
        &[clipkit::plan::edit::EditOp::Brand { brand: Box::new(brand) }],
        &clipkit::plan::edit::EditSources::new(),
    );
    let plan = with(edited.unwrap().plan, captioned);
    assert!(plan.intro.is_some() && plan.outro.is_some());
    let fake = crate::fakes::Fake::new();
    let pipeline = Pipeline::builder()
        .source(FileSource::new())
        .transcriber(Arc::new(crate::fakes::Fake::new()))
        .scorer(Arc::new(fake))
        .tracker(CenterTracker)
        .renderer(FfmpegRenderer::new())
        .publisher(Folder::new(folder.path().join("out")))
        .build()
        .unwrap();
    let cx = Context::new();
    let post = pipeline.render_post(&cx, 1, &plan).await.unwrap();
    assert_eq!(post.clip, plan.id());
    let srt = std::fs::read_to_string(post.files.captions.as_ref().unwrap()).unwrap();
    assert!(srt.starts_with("1\n00:00:01,250 --> 00:00:02,000\n"), "{srt}");
    let written = ClipPlan::from_json(&std::fs::read_to_string(post.files.plan.as_ref().unwrap()).unwrap()).unwrap();
    assert_eq!(written.intro.as_ref().unwrap().length, Some(Timestamp::from_secs(1.0)));
    assert_eq!(written.id(), plan.id());
    let parts = written.parts().unwrap();
    assert_eq!((parts.frames(), parts.clip_start(), parts.end()), (180, Timestamp::from_secs(1.0), Timestamp::from_secs(6.0)));
    assert_eq!(probe_json(&post.files.video)["streams"][0]["nb_frames"], "180");
    // The cover is a frame of the clip, not of the red intro.
    let cover = image::open(post.files.cover.as_ref().unwrap()).unwrap().into_rgb8();
    let red = cover.pixels().filter(|pixel| pixel[0] > 200 && pixel[1] < 60 && pixel[2] < 60).count();
    assert!(red * 2 < cover.pixels().len(), "{red}");
    assert!(written.output.width == 90 && probe_json(&post.files.video)["streams"][1]["sample_rate"] == "48000");
}

#[tokio::test]
async fn a_bumper_decides_the_clips_id_by_its_content_if_that_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let plan = grey(&folder).await;
    let with_intro = |change: fn(&mut Bumper)| with(plan.clone(), |plan| plan.intro = Some(with(Bumper::new("a.mp4"), change))).id();
    let usual = with_intro(|_| {});
    assert_ne!(usual, plan.id());
    assert_eq!(usual, with_intro(|it| it.length = Some(Timestamp::from_secs(2.0))));
    for change in [
        (|it| it.file = "b.mp4".into()) as fn(&mut Bumper),
        |it| it.gain = 1.0,
        |it| it.fit = BumperFit::Cover,
        |it| it.background = Some(Rgb(1, 2, 3)),
        |it| it.span = Some(Span::secs(0.0, 1.0).unwrap()),
        |it| it.fade_out = 0.5,
    ] {
        assert_ne!(usual, with_intro(change));
    }
    let known = with_intro(|it| it.id = Some(clipkit::model::ContentId::new("blake3", "00")));
    assert_ne!(known, usual);
    assert_eq!(known, with_intro(|it| (it.file, it.id) = ("b.mp4".into(), Some(clipkit::model::ContentId::new("blake3", "00")))));
    let outro = with(plan.clone(), |plan| plan.outro = Some(Bumper::new("a.mp4")));
    assert_ne!(outro.id(), usual);

    // With its hash, a file is found in the media store, and another content leaves a warning.
    let red = made(&folder, "red.mp4", "-f lavfi -i color=red:s=160x90:r=25:d=1 -c:v libx264");
    let other = made(&folder, "other.mp4", "-f lavfi -i color=blue:s=160x90:r=25:d=1 -c:v libx264");
    let id = fetch(&other).await.reference().id;
    let cx = Context::new();
    let changed = with(plan, |plan| plan.intro = Some(with(bumper(&red), |it| it.id = Some(id))));
    FfmpegRenderer::new().render(&cx, &changed).await.unwrap();
    let changed = cx.warnings().iter().filter(|warning| warning.kind == WarningKind::SourceChanged).count();
    assert_eq!(changed, 1, "{:?}", cx.warnings());
}

#[tokio::test]
async fn operations_set_and_remove_intro_and_outro() {
    use clipkit::plan::edit::{EditOp, EditSources, edit};
    let folder = tempfile::tempdir().unwrap();
    let plan = grey(&folder).await;
    let ops = |text: &str| serde_json::from_str::<Vec<EditOp>>(text).unwrap();
    let edited = |plan: &ClipPlan, text: &str| edit(plan, &ops(text), &EditSources::new());
    let set = r##"[{"op": "intro", "bumper": {"file": "a.mp4", "span": {"start": 1, "end": 3}}},
                  {"op": "outro", "bumper": {"file": "b.png", "duration": 2, "background": "#102030"}}]"##;
    let both = edited(&plan, set).unwrap();
    assert_eq!(both.plan.intro, Some(Bumper::new("a.mp4").during(span(1.0, 3.0))));
    assert_eq!(both.plan.outro.as_ref().and_then(|it| it.background), Some(Rgb(16, 32, 48)));
    // Times of the clip stay as they are.
    assert_eq!((both.plan.timeline().end(), both.changes.after.duration), (plan.timeline().end(), plan.timeline().end()));
    assert_eq!(both.plan.parts().unwrap().end(), Timestamp::from_secs(8.0));
    let written = both.plan.to_json().unwrap();
    assert_eq!(ClipPlan::from_json(&written).unwrap(), both.plan);
    assert!(written.contains(r#""intro": {"#) && written.contains(&format!(r#""version": {}"#, ClipPlan::VERSION)));

    let removed = edited(&both.plan, r#"[{"op": "intro", "bumper": null}, {"op": "outro"}]"#).unwrap();
    assert_eq!(removed.plan, plan);
    assert!(!plan.to_json().unwrap().contains("intro"));
    // A brand without an intro leaves that of the plan, one with an intro replaces it.
    let branded = edited(&both.plan, r#"[{"op": "brand", "brand": {"outro": {"file": "c.mp4"}}}]"#).unwrap().plan;
    assert_eq!((&branded.intro, branded.outro), (&both.plan.intro, Some(Bumper::new("c.mp4"))));
    for (op, part) in [
        (r#"[{"op": "intro", "bumper": {"file": ""}}]"#, "operation 0 (intro): intro.file is not a path"),
        (r#"[{"op": "outro", "bumper": {"file": "a.mp4", "gain": 99}}]"#, "operation 0 (outro): outro.gain is 99"),
        (r#"[{"op": "intro", "bumper": {"file": "a.mp4", "span": {"start": 0, "end": 301}}}]"#, "give 0.04 to 300 s"),
    ] {
        let error = edited(&plan, op).unwrap_err();
        assert!(error.kind() == ErrorKind::InvalidPlan && error.message().contains(part), "{error}");
    }
    assert!(serde_json::from_str::<Vec<EditOp>>(r#"[{"op": "intro", "bumper": {"file": "a.mp4", "loop": true}}]"#).is_err());
}
