//! Compares crop paths with those of human annotators: RetargetVid contains the crop windows that
//! several people chose, frame by frame, for 200 videos.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::*;
use crate::model::{Crop, FaceSample, Layout, SubjectSample, SubjectTrack};

/// The videos' size in pixels, the width of a 1:3 window, and the frame rate.
const PICTURE: (u32, u32) = (640, 360);
const WINDOW: f64 = 120.0;
const FPS: f64 = 30.0;
/// The sampling interval of the simulated tracker, in frames.
const EVERY: usize = 6;

/// A pseudo-random generator with a fixed seed, so that every run gives the same results.
struct Random(u64);

impl Random {
    /// A uniform value in 0 to 1 (Knuth's MMIX linear congruential generator, upper bits).
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// An approximately normal value with mean 0 and standard deviation 1 (sum of 12 uniform
    /// values).
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

/// For each video and annotator, the centre of the 1:3 window in each frame, in pixels.
fn annotated_paths(folder: &Path) -> Vec<Vec<Vec<f64>>> {
    let testdata = std::env::var_os("CLIPKIT_TESTDATA").map_or(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    for n in 1..=4 {
        let archive = testdata.join(format!("annotations/retargetvid/annotator_{n}.zip"));
        let status = Command::new("python3").args(["-m", "zipfile", "-e"]).args([&archive, folder]).status();
        assert!(status.expect("python3 unpacks the annotations").success(), "{}", archive.display());
    }
    let path = |video: u32, n: u32| -> Option<Vec<f64>> {
        let text = std::fs::read_to_string(folder.join(format!("annotator_{n}/{video:03}_1-3.txt"))).ok()?;
        let middle = |line: &str| {
            let corners: Vec<f64> = line.split(',').map(|number| number.trim().parse().unwrap()).collect();
            (corners[0] + corners[2]) / 2.0
        };
        Some(text.lines().filter(|line| !line.trim().is_empty()).map(middle).collect())
    };
    let videos = (1..=100).chain(601..=700).map(|video| (1..=4).filter_map(|n| path(video, n)).collect::<Vec<_>>());
    videos.filter(|paths| !paths.is_empty()).collect()
}

fn median_path(paths: &[Vec<f64>]) -> Vec<f64> {
    let frames = paths.iter().map(Vec::len).min().unwrap_or(0);
    let median = |n: usize| {
        let mut values: Vec<f64> = paths.iter().map(|path| path[n]).collect();
        values.sort_by(f64::total_cmp);
        (values[(values.len() - 1) / 2] + values[values.len() / 2]) / 2.0
    };
    (0..frames).map(median).collect()
}

/// The sum of the absolute second differences in pixels per frame squared, and their number.
fn acceleration(path: &[f64]) -> (f64, usize) {
    let steps = path.windows(3).map(|three| (three[2] - 2.0 * three[1] + three[0]).abs());
    (steps.clone().sum(), steps.count())
}

/// The intersection over union of two windows with these centres.
fn iou(a: f64, b: f64) -> f64 {
    let off = (a - b).abs();
    ((WINDOW - off) / (WINDOW + off)).max(0.0)
}

/// Simulated tracker samples of a path: one every six frames with noise, one in five missing, and
/// occasional longer gaps.
fn tracked(path: &[f64], random: &mut Random) -> Vec<(Timestamp, Rect)> {
    let mut blind_until = 0;
    let mut seen = Vec::new();
    for n in (0..path.len()).step_by(EVERY) {
        if random.uniform() < 0.02 {
            blind_until = n + (FPS * (0.5 + random.uniform())) as usize;
        }
        let (off, size) = (4.0 * random.normal(), 48.0 + 3.0 * random.normal());
        if random.uniform() < 0.2 || n < blind_until {
            continue;
        }
        let (width, height) = (size / f64::from(PICTURE.0), size / f64::from(PICTURE.1));
        let middle = (path[n] + off) / f64::from(PICTURE.0);
        seen.push((Timestamp::from_secs(n as f64 / FPS), Rect::new(middle - width / 2.0, 0.4, width, height)));
    }
    seen
}

/// The centre of the planned window in each frame, in pixels.
fn planned_path(tracks: &Tracks, frames: usize) -> Vec<f64> {
    let span = Span::secs(0.0, frames as f64 / FPS).unwrap();
    let scenes = scenes(&FramingInput::without_audio(tracks, span, PICTURE, (120, 360)));
    let middle = |n: usize| {
        let at = Timestamp::from_secs(n as f64 / FPS);
        let scene = scenes.iter().rev().find(|scene| scene.span.start() <= at).unwrap();
        let Layout::Fill { crop } = &scene.layout else { panic!("{scene:?}") };
        Crop::at(crop, at).center().0 * f64::from(PICTURE.0)
    };
    (0..frames).map(middle).collect()
}

fn face(seen: &[(Timestamp, Rect)]) -> Tracks {
    let samples = seen.iter().map(|&(at, rect)| FaceSample { at, rect, confidence: 0.9, mouth: 0.1, speaking: None });
    Tracks { faces: vec![FaceTrack { id: 0, samples: samples.collect() }], ..Tracks::default() }
}

fn subject(seen: &[(Timestamp, Rect)]) -> Tracks {
    let samples = seen.iter().map(|&(at, rect)| SubjectSample { at, rect });
    Tracks { subjects: vec![SubjectTrack { samples: samples.collect() }], ..Tracks::default() }
}

#[test]
#[ignore = "needs CLIPKIT_TESTDATA"]
fn crop_paths_are_smoother_than_those_of_annotators_and_overlap_them() {
    let folder = tempfile::tempdir().unwrap();
    let videos = annotated_paths(folder.path());
    assert_eq!(videos.len(), 200);
    let mean =
        |parts: &[(f64, usize)]| parts.iter().map(|part| part.0).sum::<f64>() / parts.iter().map(|part| part.1).sum::<usize>() as f64;
    let theirs: Vec<_> = videos.iter().flatten().map(|path| acceleration(path)).collect();
    let human = mean(&theirs);
    let against = |path: &[f64], median: &[f64]| (path.iter().zip(median).map(|(a, b)| iou(*a, *b)).sum::<f64>(), median.len());
    let among: Vec<_> =
        videos.iter().flat_map(|paths| paths.iter().map(|path| against(path, &median_path(paths))).collect::<Vec<_>>()).collect();
    println!("people: {human:.3} px/frame^2, IoU with their median {:.3}", mean(&among));
    for (name, tracks) in [("face", face as fn(&[(Timestamp, Rect)]) -> Tracks), ("subject", subject)] {
        let (mut steadiness, mut agreement, mut most) = (Vec::new(), Vec::new(), 0.0_f64);
        for (n, paths) in videos.iter().enumerate() {
            let median = median_path(paths);
            let path = planned_path(&tracks(&tracked(&median, &mut Random(n as u64 + 1))), median.len());
            most = path.windows(3).map(|three| (three[2] - 2.0 * three[1] + three[0]).abs()).fold(most, f64::max);
            steadiness.push(acceleration(&path));
            agreement.push(against(&path, &median));
        }
        let (steadiness, agreement) = (mean(&steadiness), mean(&agreement));
        println!("{name}: {steadiness:.3} px/frame^2 (at most {most:.2}), IoU with people's median {agreement:.3}");
        assert!(steadiness <= human, "{name}: {steadiness} px/frame^2, people {human}");
        assert!(agreement > 0.8, "{name}: {agreement}");
    }
}
