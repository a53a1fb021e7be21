use std::path::Path;

use clipkit::model::{Hdr, Media, Orientation};
use clipkit::stage::{FileSource, Source};
use clipkit::{Context, ErrorKind};

use crate::support::{ffmpeg, testdata};

async fn fetch(path: &Path) -> clipkit::Result<Media> {
    FileSource::new().fetch(&Context::new(), &path.to_string_lossy()).await
}

async fn sample(name: &str) -> Media {
    fetch(&testdata().join("media").join(name)).await.unwrap()
}

#[tokio::test]
#[ignore = "needs CLIPKIT_TESTDATA"]
async fn what_the_picture_is_like_is_found() {
    let video = |media: Media| media.video.unwrap();

    let turned = video(sample("androidx/mp4_h265_with_metadata_track.mp4").await);
    assert_eq!(turned.orientation, Orientation { clockwise: 90, mirrored: false });
    assert_eq!((turned.width, turned.height, turned.display_size()), (1920, 1080, (1080, 1920)));
    assert!(video(sample("androidx/mp4_sample_rotate_and_reflect.mp4").await).orientation.mirrored);

    let anamorphic = video(sample("autoeditor/SAR-2by3.mp4").await);
    assert_eq!((anamorphic.width, anamorphic.height, anamorphic.display_size()), (640, 360, (427, 360)));

    let variable = video(sample("faces/videoretalking_1.mp4").await);
    assert!(variable.variable_rate && (variable.frame_rate.fps() - 22.1).abs() < 0.1);
    assert!(!video(sample("androidx/mp4_sample.mp4").await).variable_rate);

    let hdr = video(sample("androidx/mp4_hdr10-av1.mp4").await);
    assert_eq!((hdr.color.hdr, hdr.bit_depth), (Some(Hdr::Pq), 10));
    assert_eq!(video(sample("androidx/mp4_dolbyVision-hdr.MOV").await).color.hdr, Some(Hdr::Hlg));

    // Audio starts 0.84 s earlier.
    assert!((video(sample("faces/short_hamilton_clip.mp4").await).start.secs() - 0.844).abs() < 0.001);
}

#[tokio::test]
#[ignore = "needs CLIPKIT_TESTDATA"]
async fn duration_is_measured_where_the_container_does_not_say() {
    assert!((sample("moviepy/no_duration.webm").await.duration.secs() - 4.94).abs() < 0.01);
    let speech = sample("speech/jfk.wav").await;
    assert!(speech.video.is_none() && (speech.duration.secs() - 11.0).abs() < 0.01);
}

#[tokio::test]
async fn duration_is_measured_where_the_container_lies() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole.mp4");
    ffmpeg(&format!("-f lavfi -i testsrc2=s=320x180:r=25:d=20 -c:v libx264 -preset ultrafast -movflags +faststart {}", whole.display()));
    // An interrupted download: the index at the start still declares 20 s.
    let bytes = std::fs::read(&whole).unwrap();
    let cut = folder.path().join("cut.mp4");
    std::fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    let duration = fetch(&cut).await.unwrap().duration.secs();
    assert!((5.0..15.0).contains(&duration), "{duration}");
    assert!((fetch(&whole).await.unwrap().duration.secs() - 20.0).abs() < 0.01);
}

#[tokio::test]
async fn a_copy_is_the_same_media() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (folder.path().join("a.mp4"), folder.path().join("b.mp4"));
    ffmpeg(&format!("-f lavfi -i testsrc2=s=64x64:r=25:d=1 -c:v libx264 {}", a.display()));
    std::fs::copy(&a, &b).unwrap();
    let (one, other) = (fetch(&a).await.unwrap(), fetch(&b).await.unwrap());
    assert_eq!(one.id, other.id);
    assert!(one.id.as_str().starts_with("blake3:"));
}

#[tokio::test]
async fn what_cannot_be_used_is_said_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    // A playlist must not make the probe read other files.
    let secret = file("secret.mp4", b"secret");
    let playlist = format!("ffconcat version 1.0\nfile '{}'\n", secret.display());
    for (path, kind) in [
        (folder.path().join("missing.mp4"), ErrorKind::NotFound),
        (folder.path().to_owned(), ErrorKind::InvalidInput),
        (file("empty.mp4", b""), ErrorKind::InvalidInput),
        (file("text.mp4", b"This is a text, not a film.\n"), ErrorKind::InvalidInput),
        (file("list.mp4", playlist.as_bytes()), ErrorKind::InvalidInput),
    ] {
        let error = fetch(&path).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        let line = error.to_string();
        assert!(line.contains(&*path.to_string_lossy()) && !line.contains('\n'), "{line}");
    }
}
