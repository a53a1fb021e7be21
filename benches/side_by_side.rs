//! `make bench`: clipkit's renderer compared with an `ffmpeg` command that does the same crop,
//! scale, captions and encoding.
//!
//! Both run alternately, so that other load on the machine affects both. Only the ratio is
//! meaningful. The source is `CLIPKIT_BENCH_VIDEO`.

#![allow(clippy::unwrap_used, clippy::panic)] // A failing bench panics.

use std::path::Path;
use std::process::Command;

use clipkit_benches::{SECONDS, Who, command, cores, measure, media, plans, render, report, source};

const ROUNDS: usize = 5;
const ROUNDS_OF_EIGHT: usize = 3;
/// The scale flags of the command, and the same with different rounding.
const USUAL: &str = "bicubic";
const EXACT: &str = "bicubic+accurate_rnd";

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let video = source();
    let media = runtime.block_on(media(&video));
    let plans = plans(&media, 8);
    let width = plans[0].source.width;
    println!("{} ({width} columns, {:.0} s), clips of {SECONDS} s, {ROUNDS} rounds", video.display(), media.duration.secs());

    let [theirs, other] = ["theirs.mp4", "other.mp4"].map(|name| folder.path().join(name));
    let (mut one, mut similarity, mut noise) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let plan = &plans[round % plans.len()];
        let mut made = None;
        let ours = measure(Who::Process, || made = Some(runtime.block_on(render(std::slice::from_ref(plan), 1))));
        one.push((ours, measure(Who::Children, || command(plan, USUAL, &theirs))));
        let (_kept, clips) = made.unwrap();
        similarity.push(ssim(&clips[0].video, &theirs));
        command(plan, EXACT, &other);
        noise.push(ssim(&other, &theirs));
    }
    report("one clip", ["clipkit", "ffmpeg"], &one);
    let least = |of: &[f64]| of.iter().copied().fold(f64::INFINITY, f64::min);
    println!("similarity   SSIM with the command's clips: clipkit's {:.4} at least", least(&similarity));
    println!("similarity   those of the same command with scale's flag accurate_rnd {:.4}: what rounding alone does", least(&noise));
    // With the default number of concurrent clips, and with twice as many, which takes more memory.
    let half = cores().div_ceil(2);
    let (mut by_default, mut more) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS_OF_EIGHT {
        let theirs = measure(Who::Children, || plans.iter().for_each(|plan| command(plan, USUAL, &theirs)));
        for (jobs, pairs) in [(half, &mut by_default), (2 * half, &mut more)] {
            pairs.push((measure(Who::Process, || drop(runtime.block_on(render(&plans, jobs)))), theirs));
        }
    }
    for (jobs, pairs) in [(half, &by_default), (2 * half, &more)] {
        report(&format!("eight, {jobs} at once"), ["clipkit", "ffmpeg"], pairs);
    }
}

/// The structural similarity (SSIM, Wang et al. 2004) of two clips over all planes and frames, from
/// ffmpeg's `ssim` filter.
fn ssim(a: &Path, b: &Path) -> f64 {
    let output = Command::new("ffmpeg")
        .args(["-v", "info", "-nostdin", "-i"])
        .arg(a)
        .arg("-i")
        .arg(b)
        .args(["-lavfi", "[0:v][1:v]ssim", "-f", "null", "-"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let all = said.rsplit("All:").next().and_then(|rest| rest.split_whitespace().next()).and_then(|value| value.parse().ok());
    all.unwrap_or_else(|| panic!("ffmpeg did not compare the clips: {said}"))
}
