//! Overlays in rendered clips: their pixels, their times, and images that cannot be read.

use std::path::Path;
use std::sync::Arc;

use clipkit::prelude::*;
use image::{Rgba, RgbaImage};

use crate::fakes::Fake;
use crate::render::{centred, fetch, made};
use crate::support::{ffmpeg_bytes, with};

const SIZE: (usize, usize) = (270, 480);
/// How much the encoder may change a sample.
const CODED: u8 = 4;

/// A clip of four seconds of plain grey, whose luma is 126.
async fn grey(folder: &tempfile::TempDir) -> ClipPlan {
    let source = made(folder, "grey.mp4", "-f lavfi -i color=0x808080:s=270x480:r=25:d=5 -c:v libx264 -preset ultrafast -crf 4");
    let media = fetch(&source).await;
    with(centred(&media, Span::secs(0.0, 4.0).unwrap(), (270, 480)), |plan| {
        plan.output.frame_rate = FrameRate::new(25, 1);
        plan.output.crf = 8;
    })
}

/// A square picture: opaque red in its left half, half transparent white in the right half's upper
/// part, and nothing in the lower part.
fn logo(folder: &tempfile::TempDir, ending: &str) -> String {
    let picture = RgbaImage::from_fn(400, 400, |x, y| match (x < 200, y < 200) {
        (true, _) => Rgba([255, 0, 0, 255]),
        (false, true) => Rgba([255, 255, 255, 128]),
        (false, false) => Rgba([0, 255, 0, 0]),
    });
    let path = folder.path().join(format!("logo.{ending}"));
    picture.save(&path).unwrap();
    path.to_str().unwrap().to_owned()
}

fn everywhere(anchor: Anchor) -> OverlayPlace {
    OverlayPlace::new(anchor).with_area(Rect::FULL)
}

/// The frames of a clip: Y, Cb and Cr.
struct Frames(Vec<Vec<u8>>);

impl Frames {
    fn of(file: &Path) -> Self {
        let bytes = ffmpeg_bytes(file, "-an -fps_mode passthrough -f rawvideo -pix_fmt yuv420p -");
        Frames(bytes.chunks(SIZE.0 * SIZE.1 * 3 / 2).map(<[u8]>::to_vec).collect())
    }

    fn luma(&self, n: usize, x: usize, y: usize) -> u8 {
        self.0[n][y * SIZE.0 + x]
    }

    fn pixel(&self, n: usize, x: usize, y: usize) -> [u8; 3] {
        let (wide, high) = (SIZE.0 / 2, SIZE.1 / 2);
        let chroma = SIZE.0 * SIZE.1 + y / 2 * wide + x / 2;
        [self.luma(n, x, y), self.0[n][chroma], self.0[n][chroma + wide * high]]
    }
}

#[track_caller]
fn near(found: [u8; 3], expected: [u8; 3]) {
    assert!(found.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= CODED), "{found:?}, not {expected:?}");
}

async fn rendered(plan: &ClipPlan) -> (Frames, Vec<Warning>) {
    let cx = Context::new();
    let clip = FfmpegRenderer::new().render(&cx, plan).await.unwrap_or_else(|error| panic!("{error}"));
    (Frames::of(&clip.video), cx.warnings())
}

#[tokio::test]
async fn a_logo_with_alpha_and_a_progress_bar_have_their_pixels() {
    let folder = tempfile::tempdir().unwrap();
    let mut plan = grey(&folder).await;
    for ending in ["png", "webp"] {
        let mut image =
            Overlay::image(logo(&folder, ending), everywhere(Anchor::TopRight).with_width(0.4)).during(Span::secs(1.0, 3.0).unwrap());
        image.fade_in = 0.4;
        let mut bar = Overlay::progress_bar(Rgb(255, 255, 255), everywhere(Anchor::Bottom).with_height(0.05));
        if let OverlayContent::ProgressBar { back, .. } = &mut bar.content {
            *back = Some(Rgb(0, 0, 0));
        }
        plan.overlays = vec![image, bar];
        let (frames, warnings) = rendered(&plan).await;
        assert!(warnings.is_empty() && frames.0.len() == 100, "{warnings:?}");
        // The logo has 108 x 108 pixels: columns 162 to 269, rows 0 to 107.
        let (red, white, grey) = ([63, 102, 240], [181, 128, 128], [126, 128, 128]);
        for (n, inside) in [(10, false), (24, false), (50, true), (74, true), (75, false), (90, false)] {
            near(frames.pixel(n, 190, 60), if inside { red } else { grey });
            near(frames.pixel(n, 242, 26), if inside { white } else { grey });
            near(frames.pixel(n, 242, 80), grey);
            near(frames.pixel(n, 150, 60), grey);
            near(frames.pixel(n, 190, 118), grey);
        }
        // Half of the fade: frame 30 is shown at 1.2 s.
        near(frames.pixel(30, 190, 60), [95, 115, 184]);
        // The bar covers rows 456 to 479, and grows by 2.7 pixels a frame.
        for (n, part) in [(24, 0.25), (49, 0.5), (74, 0.75), (99, 1.0)] {
            for y in [460, 475] {
                let lit = (0..SIZE.0).filter(|x| frames.luma(n, *x, y) > 126).count() as f64;
                assert!((lit - 270.0 * part).abs() <= 1.0, "{part}: {lit}");
            }
            near(frames.pixel(n, 30, 468), [235, 128, 128]);
            near(frames.pixel(n, 30, 450), grey);
        }
        near(frames.pixel(49, 200, 468), [16, 128, 128]);
    }
}

#[tokio::test]
async fn a_card_may_cover_the_whole_picture_with_black() {
    let folder = tempfile::tempdir().unwrap();
    let mut plan = grey(&folder).await;
    let card = folder.path().join("card.png");
    RgbaImage::from_pixel(27, 48, Rgba([0, 0, 0, 255])).save(&card).unwrap();
    plan.overlays =
        vec![Overlay::image(card.to_str().unwrap(), everywhere(Anchor::Center).with_width(1.0)).during(Span::secs(0.0, 2.0).unwrap())];
    let (frames, warnings) = rendered(&plan).await;
    assert!(warnings.is_empty(), "{warnings:?}");
    near(frames.pixel(20, 4, 4), [16, 128, 128]);
    near(frames.pixel(60, 4, 4), [126, 128, 128]);
}

#[tokio::test]
async fn a_text_stands_in_its_corner_and_fades() {
    let folder = tempfile::tempdir().unwrap();
    let mut plan = grey(&folder).await;
    let mut card =
        Overlay::text("Ada Lovelace\nCountess", everywhere(Anchor::BottomLeft).with_width(0.9)).during(Span::secs(1.0, 3.0).unwrap());
    (card.fade_in, card.fade_out) = (0.4, 0.4);
    if let OverlayContent::Text { style, .. } = &mut card.content {
        (style.size, style.plate) = (0.06, Some(Rgb(0, 0, 0)));
    }
    plan.overlays = vec![card];
    let (frames, warnings) = rendered(&plan).await;
    assert!(warnings.is_empty(), "{warnings:?}");
    let count = |n: usize, is: &dyn Fn(u8) -> bool| {
        (0..SIZE.1).flat_map(|y| (0..SIZE.0).map(move |x| (x, y))).filter(|(x, y)| is(frames.luma(n, *x, *y))).count()
    };
    let (dark, light) = (|luma: u8| luma < 30, |luma: u8| luma > 220);
    assert_eq!((count(10, &dark), count(10, &light), count(90, &dark)), (0, 0, 0));
    assert!(count(50, &dark) > 4000 && count(50, &light) > 300, "{} {}", count(50, &dark), count(50, &light));
    // The plate touches the corner, and nothing of it is in the other corners.
    assert!(frames.luma(50, 2, 477) < 40 && frames.luma(50, 267, 477) > 110 && frames.luma(50, 2, 380) > 110);
    // The plate and the words fade together.
    let middle = frames.luma(30, 3, 476);
    assert!((50..95).contains(&middle), "{middle}");
    assert_eq!(count(30, &light), 0);
}

#[tokio::test]
async fn an_image_that_cannot_be_read_is_an_error_or_a_warning_as_the_policy_says() {
    let folder = tempfile::tempdir().unwrap();
    let mut plan = grey(&folder).await;
    let missing = folder.path().join("none.png");
    let bar = Overlay::progress_bar(Rgb(255, 255, 255), everywhere(Anchor::Bottom).with_height(0.05));
    plan.overlays = vec![
        Overlay::image(missing.to_str().unwrap(), everywhere(Anchor::Top)),
        Overlay::image(logo(&folder, "png"), everywhere(Anchor::Center).with_width(0.4)),
        bar,
    ];
    let error = FfmpegRenderer::new().render(&Context::new(), &plan).await.unwrap_err();
    assert_eq!((error.kind(), error.path()), (ErrorKind::Overlay, Some(missing.as_path())), "{error}");
    assert!(error.advice().is_some_and(|advice| advice.contains("remove the overlay")), "{error}");

    let pipeline = |degrade| {
        let options = with(ClipOptions::default(), |it| it.degrade = degrade);
        Fake::new().builder().renderer(FfmpegRenderer::new()).options(options).build().unwrap()
    };
    for degrade in [None, Some(Degrade::NEVER), Some(with(Degrade::ALWAYS, |it| it.overlays = StandIn::Never))] {
        let error = pipeline(degrade).render(&Context::new(), &plan).await.unwrap_err();
        assert_eq!((error.kind(), error.stage()), (ErrorKind::Overlay, Some(Stage::Render)), "{error}");
    }
    let cx = Context::new();
    let clip = pipeline(Some(Degrade::default())).render(&cx, &plan).await.unwrap();
    let warnings = cx.warnings();
    let [warning] = &warnings[..] else { panic!("{warnings:?}") };
    assert_eq!((warning.kind, warning.stage), (WarningKind::Overlay, Stage::Render));
    assert!(warning.message.contains("none.png") && warning.message.contains("the clip is made without it"), "{warning:?}");
    let frames = Frames::of(&clip.video);
    near(frames.pixel(99, 20, 468), [235, 128, 128]);
    near(frames.pixel(99, 110, 240), [63, 102, 240]);
}

#[tokio::test]
async fn a_renderer_of_the_users_says_which_image_it_lacks() {
    let folder = tempfile::tempdir().unwrap();
    let plan = with(grey(&folder).await, |plan| {
        plan.overlays = ["a.png", "b.png"].map(|file| Overlay::image(file, everywhere(Anchor::Top))).to_vec();
        plan.overlays.push(Overlay::text("Ada", everywhere(Anchor::Top)));
    });
    for (named, left) in [(true, vec![vec!["a.png", "b.png"], vec!["a.png"]]), (false, vec![vec!["a.png", "b.png"], vec![]])] {
        let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
        let mut fake = Fake::new();
        let drawn = seen.clone();
        fake.clip = Arc::new(move |_, plan| {
            let files: Vec<String> = plan.overlays.iter().filter_map(Overlay::file).map(str::to_owned).collect();
            let fails = files.len() == 2;
            drawn.lock().unwrap().push(files);
            let error = Error::new(ErrorKind::Overlay, "no such picture");
            match fails {
                true => Err(if named { error.with_path("b.png") } else { error }),
                false => Ok(RenderedClip::new("x.mp4", "x.jpg", Timestamp::ZERO, plan.frames())),
            }
        });
        let options = with(ClipOptions::default(), |it| it.degrade = Some(Degrade::ALWAYS));
        fake.builder().options(options).build().unwrap().render(&Context::new(), &plan).await.unwrap();
        assert_eq!(*seen.lock().unwrap(), left);
    }
}
