//! Overlays in rendered clips: their pixels, their times, and images that cannot be read.

use std::path::Path;
use std::sync::Arc;

use clipkit::prelude::*;
use image::{Rgba, RgbaImage};

use crate::fakes::Fake;
use crate::render::{centred, fetch, made};
use crate::support::{ffmpeg_bytes, with};

pub(crate) const SIZE: (usize, usize) = (270, 480);
/// How much the encoder may change a sample.
const CODED: u8 = 4;

/// A clip of four seconds of plain grey, whose luma is 126.
pub(crate) async fn grey(folder: &tempfile::TempDir) -> ClipPlan {
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
pub(crate) struct Frames(pub(crate) Vec<Vec<u8>>);

impl Frames {
    pub(crate) fn of(file: &Path) -> Self {
        let bytes = ffmpeg_bytes(file, "-an -fps_mode passthrough -f rawvideo -pix_fmt yuv420p -");
        Frames(bytes.chunks(SIZE.0 * SIZE.1 * 3 / 2).map(<[u8]>::to_vec).collect())
    }

    pub(crate) fn luma(&self, n: usize, x: usize, y: usize) -> u8 {
        self.0[n][y * SIZE.0 + x]
    }

    pub(crate) fn pixel(&self, n: usize, x: usize, y: usize) -> [u8; 3] {
        let (wide, high) = (SIZE.0 / 2, SIZE.1 / 2);
        let chroma = SIZE.0 * SIZE.1 + y / 2 * wide + x / 2;
        [self.luma(n, x, y), self.0[n][chroma], self.0[n][chroma + wide * high]]
    }
}

#[track_caller]
pub(crate) fn near(found: [u8; 3], expected: [u8; 3]) {
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
async fn an_emoji_is_drawn_like_an_image() {
    let folder = tempfile::tempdir().unwrap();
    let mut plan = grey(&folder).await;
    // Named as Twemoji's images are.
    let images = folder.path().join("twemoji");
    std::fs::create_dir(&images).unwrap();
    std::fs::copy(logo(&folder, "png"), images.join("1f525.png")).unwrap();
    let overlay = |emoji: &str| {
        let content = OverlayContent::Emoji { emoji: emoji.into(), from: Some(images.to_str().unwrap().into()) };
        Overlay::new(content, everywhere(Anchor::TopRight).with_width(0.4))
    };
    plan.overlays = vec![overlay("🔥")];
    let (frames, warnings) = rendered(&plan).await;
    assert!(warnings.is_empty(), "{warnings:?}");
    near(frames.pixel(50, 190, 60), [63, 102, 240]);
    near(frames.pixel(50, 242, 80), [126, 128, 128]);

    plan.overlays = vec![overlay("🚒"), overlay("🔥")];
    let error = FfmpegRenderer::new().render(&Context::new(), &plan).await.unwrap_err();
    assert_eq!((error.kind(), error.path()), (ErrorKind::Overlay, Some(images.as_path())), "{error}");
    for wrong in ["", "no emoji", "🔥🔥"] {
        plan.overlays = vec![overlay(wrong)];
        assert!(plan.validate().unwrap_err().message().contains("overlays[0].content.emoji"), "{wrong}");
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

/// A white square of 60 pixels in the middle of a grey picture.
async fn square(folder: &tempfile::TempDir) -> ClipPlan {
    let drawn = "-f lavfi -i color=0x808080:s=270x480:r=25:d=5 -vf drawbox=x=105:y=210:w=60:h=60:c=white:t=fill \
                 -c:v libx264 -preset ultrafast -crf 4";
    let media = fetch(&made(folder, "square.mp4", drawn)).await;
    with(centred(&media, Span::secs(0.0, 4.0).unwrap(), (270, 480)), |plan| {
        plan.output.frame_rate = FrameRate::new(25, 1);
        plan.output.crf = 8;
    })
}

#[tokio::test]
async fn a_punch_in_makes_the_picture_larger_around_its_focus() {
    let folder = tempfile::tempdir().unwrap();
    let mut plan = square(&folder).await;
    let mut zoom = Zoom::new(Span::secs(1.0, 3.0).unwrap(), 1.5);
    (zoom.x, zoom.y, zoom.ease) = (0.5, 0.5, 0.4);
    plan.zooms = vec![zoom];
    let (frames, warnings) = rendered(&plan).await;
    assert!(warnings.is_empty(), "{warnings:?}");
    let bright = |n: usize, row: usize| (0..SIZE.0).filter(|x| frames.luma(n, *x, row) > 180).count();
    // Full size before and after, 1.5 times it in between, and half of that in the middle of the
    // easing.
    for (n, expected) in [(10, 60), (24, 60), (30, 75), (40, 90), (60, 90), (70, 75), (76, 60), (95, 60)] {
        assert!(bright(n, 240).abs_diff(expected) <= 2, "frame {n}: {} instead of {expected}", bright(n, 240));
    }
    // What stays in its place is the middle.
    let at = |n: usize| (0..SIZE.0).filter(|x| frames.luma(n, *x, 240) > 180).sum::<usize>() as f64 / bright(n, 240) as f64;
    assert!((at(50) - 134.5).abs() < 1.0, "{}", at(50));

    // The focus at the left edge moves the square to the right.
    plan.zooms[0].x = 0.0;
    let (frames, _) = rendered(&plan).await;
    let first = (0..SIZE.0).find(|x| frames.luma(50, *x, 240) > 180).unwrap();
    assert!(first.abs_diff(157) <= 2, "{first}");

    // Other layouts stay as they are.
    let pane: Layout = serde_json::from_value(serde_json::json!({"kind": "fit", "pane": {
        "crop": {"width": 1.0, "height": 1.0, "path": [{"at": 0.0, "x": 0.0, "y": 0.0}]},
        "place": {"x": 0.0, "y": 0.0, "width": 1.0, "height": 1.0},
    }}))
    .unwrap();
    plan.scenes[0].layout = pane;
    let (frames, _) = rendered(&plan).await;
    let wide = (0..SIZE.0).filter(|x| frames.luma(50, *x, 240) > 180).count();
    assert!(wide.abs_diff(60) <= 2, "{wide}");
}

/// The regular face of Lato under another name, which no machine has installed.
fn renamed_font(folder: &tempfile::TempDir) -> String {
    let mut folders = vec![std::path::PathBuf::from("/usr/share/fonts"), "/Library/Fonts".into(), "/opt/homebrew/share".into()];
    let mut found = None;
    while let (None, Some(next)) = (&found, folders.pop()) {
        for entry in std::fs::read_dir(next).into_iter().flatten().flatten() {
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                path if path.file_name().is_some_and(|name| name == "Lato-Regular.ttf") => found = Some(path),
                _ => {}
            }
        }
    }
    let mut bytes = std::fs::read(found.expect("Lato is installed: run `make setup`")).unwrap();
    // Names are in ASCII and in UTF-16.
    for (name, initial) in [(&b"Lato"[..], 0), (&b"\0L\0a\0t\0o"[..], 1)] {
        for at in 0..bytes.len() - name.len() {
            if bytes[at..].starts_with(name) {
                bytes[at + initial] = b'Z';
            }
        }
    }
    let path = folder.path().join("Brand's font, 1.ttf");
    std::fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_font_file_need_not_be_installed() {
    let folder = tempfile::tempdir().unwrap();
    let mut plan = grey(&folder).await;
    let written = |font: &str| {
        let place = everywhere(Anchor::Center).with_height(0.5);
        let mut text = Overlay::text("Ada Lovelace", place);
        if let OverlayContent::Text { style, .. } = &mut text.content {
            (style.font, style.size) = (font.to_owned(), 0.06);
        }
        vec![text]
    };
    plan.overlays = written("Lato");
    let (installed, warnings) = rendered(&plan).await;
    assert!(warnings.is_empty(), "{warnings:?}");

    plan.overlays = written("Zato");
    let (_, warnings) = rendered(&plan).await;
    assert!(warnings.len() == 1 && warnings[0].kind == WarningKind::Font && warnings[0].message.contains("Zato"), "{warnings:?}");

    plan.fonts = vec![renamed_font(&folder)];
    let (given, warnings) = rendered(&plan).await;
    assert!(warnings.is_empty(), "{warnings:?}");
    assert!(given.0[50] == installed.0[50], "the text is not set in the font of the file");
    let ass = plan.to_ass().unwrap();
    assert!(ass.contains(",Zato,"), "{ass}");

    // Files without a font are named, and the clip is made.
    let text = folder.path().join("notes.ttf");
    std::fs::write(&text, "not a font").unwrap();
    plan.fonts = vec![text.to_str().unwrap().to_owned(), folder.path().join("none.otf").to_str().unwrap().to_owned()];
    let (_, warnings) = rendered(&plan).await;
    let named = |name: &str| warnings.iter().any(|warning| warning.kind == WarningKind::Font && warning.message.contains(name));
    assert!(named("notes.ttf") && named("none.otf") && named("Zato"), "{warnings:?}");
}
