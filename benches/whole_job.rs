//! `make bench`: a whole job of the `clipkit` command against the `ffmpeg` command.
//!
//! clipkit fetches, transcribes (from captions), chooses, tracks, plans and renders eight clips
//! without a cache. `ffmpeg` makes the same spans one after the other, with the same windows,
//! captions and x264 settings. The two run in turns of half a second, so that both meet the same
//! speed of a shared machine. Only the ratio is meaningful.

#![allow(clippy::unwrap_used, clippy::panic)] // A failing bench panics.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use clipkit::model::ClipPlan;
use clipkit_benches::{command, in_turns, report, source};

const ROUNDS: usize = 3;
const CLIPS: usize = 8;
/// With this first argument, the bench acts as the `clipkit` command.
const AS_COMMAND: &str = "as-clipkit";
/// With this first argument, the bench runs the `ffmpeg` commands for the plans in a folder.
const AS_FFMPEG: &str = "as-ffmpeg";

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let program = arguments.next().unwrap();
    let mut arguments = arguments.peekable();
    if arguments.next_if(|first| first == AS_COMMAND).is_some() {
        return clipkit::cli::run(std::iter::once(program).chain(arguments)).into();
    }
    if arguments.next_if(|first| first == AS_FFMPEG).is_some() {
        let folder = PathBuf::from(arguments.next().unwrap());
        plans(&folder).iter().for_each(|plan| command(plan, "bicubic", &folder.join("theirs.mp4")));
        return ExitCode::SUCCESS;
    }
    let video = source();
    let folder = tempfile::tempdir().unwrap();
    // The plans for `ffmpeg`: each round makes the same.
    let planned = folder.path().join("planned");
    assert!(clip(&video, &planned).status().unwrap().success(), "the command failed");
    let plans = plans(&planned);
    assert!(!plans.is_empty(), "no clip was made");
    println!("{}: {} clips, {:.0} s of them", video.display(), plans.len(), plans.iter().map(seconds).sum::<f64>());
    let mut memory = 0;
    let pairs = (0..ROUNDS).map(|round| {
        let mut ours = clip(&video, &folder.path().join(format!("clips-{round}")));
        let [ours, theirs] = in_turns([&mut ours, bench(AS_FFMPEG).arg(&planned)]);
        memory = memory.max(ours.memory);
        (ours.cost, theirs.cost)
    });
    let pairs: Vec<_> = pairs.collect();
    report("whole job", ["clipkit", "ffmpeg"], &pairs);
    println!("whole job        most memory of the command: {:.0} MB", memory as f64 / 1e6);
    ExitCode::SUCCESS
}

fn seconds(plan: &ClipPlan) -> f64 {
    plan.span.duration().as_secs_f64()
}

/// This program as another one.
fn bench(role: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg(role).stdin(Stdio::null());
    command
}

/// The command that makes the clips.
fn clip(video: &Path, out: &Path) -> Command {
    let mut command = bench(AS_COMMAND);
    command
        .arg("clip")
        .arg(video)
        .args(["--no-cache", "--quiet", "--scorer", "heuristic", "--transcriber", "captions", "--clips", &CLIPS.to_string()])
        .arg("--out")
        .arg(out)
        // The same setting as that of the `clipkit` program.
        .env("MALLOC_MMAP_THRESHOLD_", "65536");
    command
}

/// Reads the plans of the clips in a folder.
fn plans(folder: &Path) -> Vec<ClipPlan> {
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let plans = files.iter().filter(|file| file.to_string_lossy().ends_with(".plan.json"));
    plans.map(|file| ClipPlan::from_json(&std::fs::read_to_string(file).unwrap()).unwrap()).collect()
}
