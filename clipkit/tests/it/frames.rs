//! Decoded frames for custom stages.

use crate::support::with;
use clipkit::model::{Media, Span};
use clipkit::stage::{Frame, FrameOptions, Frames};
use clipkit::{Context, ErrorKind};

use crate::render::fetch;
use crate::support::ffmpeg;

/// A video of 2 s at 25 frames per second. Frame `n` is grey with level `4 n`.
async fn greys(folder: &tempfile::TempDir) -> Media {
    let file = folder.path().join("greys.mp4");
    let draw = "-f lavfi -i color=black:s=320x180:r=25:d=2,format=gray,geq=lum=4*N,format=yuv420p -c:v libx264 -crf 4 -g 10";
    ffmpeg(&format!("{draw} {}", file.display()));
    fetch(&file).await
}

fn frames(media: &Media, span: Span, options: FrameOptions) -> Vec<Frame> {
    Frames::open(&Context::new(), media, span, options).unwrap().collect::<Result<_, _>>().unwrap()
}

/// The number of a grey frame.
fn number(frame: &Frame) -> u32 {
    let middle = frame.pixels[3 * (frame.width * frame.height / 2) as usize];
    (f64::from(middle) / 4.0).round() as u32
}

#[tokio::test]
async fn every_frame_of_a_span_is_answered_once() {
    let folder = tempfile::tempdir().unwrap();
    let media = greys(&folder).await;
    // 0.5 s is in the middle of frame 12.
    let all = frames(&media, Span::secs(0.5, 1.0).unwrap(), FrameOptions::default());
    let secs: Vec<f64> = all.iter().map(|frame| frame.at.secs()).collect();
    assert_eq!(secs.len(), 13, "{secs:?}");
    assert_eq!((secs[0], secs[1], secs[12]), (0.5, 0.52, 0.96));
    assert!(all.iter().all(|frame| (frame.width, frame.height, frame.pixels.len()) == (320, 180, 320 * 180 * 3)));
    let numbers: Vec<u32> = all.iter().map(number).collect();
    let levels: Vec<i64> = numbers.windows(2).map(|pair| i64::from(pair[1]) - i64::from(pair[0])).collect();
    assert!(levels.iter().all(|step| (0..=2).contains(step)) && numbers[12] > numbers[0] + 9, "{numbers:?}");
}

#[tokio::test]
async fn pictures_come_at_the_rate_and_size_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let media = greys(&folder).await;
    let options = with(FrameOptions::default(), |it| {
        it.per_second = Some(5.0);
        it.longest = Some(160);
    });
    let some = frames(&media, Span::secs(0.0, 2.0).unwrap(), options);
    let secs: Vec<f64> = some.iter().map(|frame| frame.at.secs()).collect();
    let wanted: Vec<f64> = (0..10).map(|n| f64::from(n) / 5.0).collect();
    assert!(secs.iter().zip(&wanted).all(|(at, due)| (0.0..0.04).contains(&(at - due + 1e-6))) && secs.len() == 10, "{secs:?}");
    assert!(some.iter().all(|frame| (frame.width, frame.height) == (160, 90)));
    // A count above the number of frames returns all frames.
    let all = frames(
        &media,
        Span::secs(0.0, 2.0).unwrap(),
        with(FrameOptions::default(), |it| {
            it.per_second = Some(1000.0);
            it.longest = Some(16);
        }),
    );
    assert_eq!(all.len(), 50);
}

#[tokio::test]
async fn colours_are_the_same_however_they_are_stored() {
    let folder = tempfile::tempdir().unwrap();
    for (matrix, range, format) in
        [("bt709", "tv", "yuv420p"), ("smpte170m", "tv", "yuv420p"), ("bt709", "pc", "yuv420p"), ("bt709", "tv", "yuv444p10le")]
    {
        let file = folder.path().join(format!("{matrix}-{range}-{format}.mp4"));
        let scale = format!("scale=out_color_matrix={matrix}:out_range={range}:flags=accurate_rnd+full_chroma_int");
        ffmpeg(&format!(
            "-f lavfi -i color=0xc83c14:s=320x180:r=25:d=1,format=rgb24,{scale},format={format} -colorspace {matrix} -color_range {range} -c:v libx264 -crf 2 {}",
            file.display()
        ));
        let media = fetch(&file).await;
        for longest in [None, Some(160), Some(123)] {
            let options = with(FrameOptions::default(), |it| {
                it.per_second = Some(1.0);
                it.longest = longest;
            });
            let frame = &frames(&media, Span::secs(0.0, 1.0).unwrap(), options)[0];
            let middle = 3 * (frame.width * (frame.height / 2) + frame.width / 2) as usize;
            let color = &frame.pixels[middle..middle + 3];
            let near = color.iter().zip([0xc8_u8, 0x3c, 0x14]).all(|(a, b)| a.abs_diff(b) <= 4);
            assert!(near, "{matrix} {range} {format} {longest:?}: {color:?}");
        }
    }
}

#[tokio::test]
async fn invalid_options_and_cancellation_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let media = greys(&folder).await;
    let (cx, span) = (Context::new(), Span::secs(0.0, 2.0).unwrap());
    for options in [
        with(FrameOptions::default(), |it| {
            it.per_second = Some(0.0);
            it.longest = None;
        }),
        with(FrameOptions::default(), |it| {
            it.per_second = None;
            it.longest = Some(0);
        }),
    ] {
        assert_eq!(Frames::open(&cx, &media, span, options).unwrap_err().kind(), ErrorKind::Config);
    }
    let mut opened = Frames::open(&cx, &media, span, FrameOptions::default()).unwrap();
    opened.next().unwrap().unwrap();
    cx.cancel();
    assert_eq!(opened.next().unwrap().unwrap_err().kind(), ErrorKind::Cancelled);
    assert!(opened.next().is_none());
    let silent = with(media, |it| {
        it.video = None;
    });
    assert_eq!(Frames::open(&Context::new(), &silent, span, FrameOptions::default()).unwrap_err().kind(), ErrorKind::InvalidInput);
}
