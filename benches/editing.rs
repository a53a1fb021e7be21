//! `make bench`: what pieces, overlays and music add to rendering a clip, and what a draft costs
//! beside the clip.
//!
//! The same plan is rendered with and without each, in turn, so that other load on the machine
//! affects both. Only the ratios are meaningful. The source is `CLIPKIT_BENCH_VIDEO`.

#![allow(clippy::unwrap_used, clippy::panic)] // A failing bench panics.

use std::path::Path;
use std::process::Command;

use clipkit::Context;
use clipkit::model::{Anchor, ClipPlan, Overlay, OverlayPlace, Piece, Rgb, Sound, Span, Timestamp};
use clipkit::stage::preview;
use clipkit_benches::{SECONDS, Who, measure, media, plan, plans, render, report, source};

const ROUNDS: usize = 7;
/// The length of a longer clip that is drafted, in seconds: the median of people's clips. A draft's
/// fixed costs count more for a short one.
const DRAFTED: f64 = 36.0;
const DRAFTS: usize = 3;
/// The number of pieces, and the length of what is cut out between two of them, in seconds.
const PIECES: u32 = 20;
const GAP: f64 = 0.3;

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let media = runtime.block_on(media(&source()));
    let plain = plans(&media, 8).swap_remove(2);
    let drawn = |name: &str, arguments: &str| draw(&folder.path().join(name), arguments);
    let logo = drawn("logo.png", "-f lavfi -i color=0xff5a3680:s=400x400,format=rgba -frames:v 1");
    let music = drawn("music.m4a", "-f lavfi -i sine=220:r=44100:d=30 -ac 2 -c:a aac");

    let with = |change: &dyn Fn(&mut ClipPlan)| {
        let mut changed = plain.clone();
        change(&mut changed);
        changed.validate().unwrap();
        changed
    };
    let variants = [
        ("20 pieces", with(&|plan| (plan.pieces, plan.span) = pieces(plan.span))),
        (
            "logo and bar",
            with(&|plan| {
                plan.overlays = vec![
                    Overlay::image(logo.as_str(), OverlayPlace::new(Anchor::TopRight)),
                    Overlay::progress_bar(Rgb(255, 214, 10), OverlayPlace::new(Anchor::Bottom)),
                ];
            }),
        ),
        (
            "music, ducked",
            with(&|plan| {
                let mut sound = Sound::new(music.as_str());
                sound.gain = -12.0;
                plan.sound = vec![sound];
            }),
        ),
    ];
    let rendered = |plan: &ClipPlan| measure(Who::Process, || drop(runtime.block_on(render(std::slice::from_ref(plan), 1))));
    rendered(&plain);
    println!("clips of {SECONDS} s, {ROUNDS} rounds");
    for (name, plan) in &variants {
        let pairs: Vec<_> = (0..ROUNDS).map(|_| (rendered(plan), rendered(&plain))).collect();
        report(name, ["with", "without"], &pairs);
    }
    let draft = folder.path().join("draft.mp4");
    let drafted = |plan| measure(Who::Process, || runtime.block_on(preview(&Context::new(), plan, &draft)).unwrap());
    let long = plan(&media, plain.span.start().secs(), DRAFTED);
    for (name, plan, rounds) in [("draft", &plain, ROUNDS), ("draft of 36 s", &long, DRAFTS)] {
        let pairs: Vec<_> = (0..rounds).map(|_| (rendered(plan), drafted(plan))).collect();
        report(name, ["clip", "draft"], &pairs);
    }
}

/// Pieces that are as long as a span together, with gaps between them, and the span that they are
/// in.
fn pieces(span: Span) -> (Vec<Piece>, Span) {
    let length = SECONDS / f64::from(PIECES);
    let at = |n: u32| span.start().secs() + f64::from(n) * (length + GAP);
    let pieces: Vec<Piece> = (0..PIECES).map(|n| Piece::new(Span::secs(at(n), at(n) + length).unwrap())).collect();
    (pieces, Span::between(span.start(), Timestamp::from_secs(at(PIECES))))
}

/// Makes a file with the `ffmpeg` command.
fn draw(path: &Path, arguments: &str) -> String {
    let status = Command::new("ffmpeg").args(["-v", "error", "-nostdin", "-y"]).args(arguments.split(' ')).arg(path).status().unwrap();
    assert!(status.success());
    path.to_string_lossy().into_owned()
}
