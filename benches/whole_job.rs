//! `make bench`: a whole job of the `clipkit` command against the `ffmpeg` command.
//!
//! clipkit fetches, transcribes (from captions), chooses, tracks, plans and renders eight clips
//! without a cache. `ffmpeg` makes the same spans one after the other, with the same windows,
//! captions and x264 settings. Both run alternately as child processes, so that other load on the
//! machine affects both. Only the ratio is meaningful.

#![allow(clippy::unwrap_used, clippy::panic)] // A failing bench panics.

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use clipkit::model::ClipPlan;
use clipkit_benches::{Who, command, measure, report, source};

const ROUNDS: usize = 3;
const CLIPS: usize = 8;
/// With this first argument, the bench acts as the `clipkit` command.
const AS_COMMAND: &str = "as-clipkit";

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let program = arguments.next().unwrap();
    let mut arguments = arguments.peekable();
    if arguments.next_if(|first| first == AS_COMMAND).is_some() {
        return clipkit::cli::run(std::iter::once(program).chain(arguments)).into();
    }
    let video = source();
    let folder = tempfile::tempdir().unwrap();
    let mut pairs = Vec::new();
    for round in 0..ROUNDS {
        let out = folder.path().join(format!("clips-{round}"));
        let ours = measure(Who::Children, || clip(&video, &out));
        let plans = plans(&out);
        assert!(!plans.is_empty(), "no clip was made");
        if round == 0 {
            println!("{}: {} clips, {:.0} s of them", video.display(), plans.len(), plans.iter().map(seconds).sum::<f64>());
        }
        let theirs = folder.path().join("theirs.mp4");
        let theirs = measure(Who::Children, || plans.iter().for_each(|plan| command(plan, "bicubic", &theirs)));
        pairs.push((ours, theirs));
    }
    report("whole job", ["clipkit", "ffmpeg"], &pairs);
    println!("whole job        most memory of the command: {:.0} MB", most_memory() as f64 * 1024.0 / 1e6);
    ExitCode::SUCCESS
}

fn seconds(plan: &ClipPlan) -> f64 {
    plan.span.duration().as_secs_f64()
}

fn clip(video: &Path, out: &Path) {
    let status = Command::new(std::env::current_exe().unwrap())
        .args([AS_COMMAND, "clip"])
        .arg(video)
        .args(["--no-cache", "--quiet", "--scorer", "heuristic", "--transcriber", "captions", "--clips", &CLIPS.to_string()])
        .arg("--out")
        .arg(out)
        // The same setting as that of the `clipkit` program.
        .env("MALLOC_MMAP_THRESHOLD_", "65536")
        .stdin(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "the command failed");
}

/// Reads the plans of the clips in a folder.
fn plans(folder: &Path) -> Vec<ClipPlan> {
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let plans = files.iter().filter(|file| file.to_string_lossy().ends_with(".plan.json"));
    plans.map(|file| ClipPlan::from_json(&std::fs::read_to_string(file).unwrap()).unwrap()).collect()
}

/// The largest peak memory of a child process, in KiB. That of `ffmpeg` is lower than clipkit's.
fn most_memory() -> i64 {
    // SAFETY: the call fills `usage`, which is plain data.
    unsafe {
        let mut usage = std::mem::zeroed::<libc::rusage>();
        libc::getrusage(libc::RUSAGE_CHILDREN, &mut usage);
        usage.ru_maxrss
    }
}
