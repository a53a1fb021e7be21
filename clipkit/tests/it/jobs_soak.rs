//! A worker that works for long. `make soak` lets it for 30 minutes.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::cli::Desk;
use crate::jobs_process::{Place, another_talk, command, jobs, submit};

/// How long the worker works with `CLIPKIT_SOAK`, and how many jobs it does without.
const SOAK: Duration = Duration::from_secs(30 * 60);
const JOBS: usize = 12;
/// What caches and pools fill at the start, in jobs.
const WARM_UP: usize = 3;

/// What a process takes.
#[derive(Clone, Copy, Debug)]
struct Taken {
    kib: u64,
    handles: usize,
    /// Files in the folders for what is not finished.
    scratch: usize,
}

fn taken(process: u32, desk: &Place) -> Taken {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    Taken {
        kib: resident.trim().trim_end_matches(" kB").parse().unwrap(),
        handles: fs::read_dir(format!("/proc/{process}/fd")).unwrap().count(),
        scratch: files(Path::new(&desk.path("tmp"))),
    }
}

fn files(folder: &Path) -> usize {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    entries.flatten().map(|entry| if entry.path().is_dir() { files(&entry.path()) } else { 1 }).sum()
}

/// The middle one by a measure.
fn median(all: &[Taken], measure: impl Fn(&Taken) -> u64) -> u64 {
    let mut sorted: Vec<u64> = all.iter().map(measure).collect();
    sorted.sort_unstable();
    sorted[sorted.len() / 2]
}

#[test]
fn a_worker_that_works_for_long_does_not_grow() {
    let desk = Place::of_file(Desk::with_talk(24));
    fs::create_dir(desk.path("tmp")).unwrap();
    let mut worker = command(&desk, &["worker", "--rate", "transcribe=0", "--limit", "track=2"])
        .env("TMPDIR", desk.path("tmp"))
        .stderr(fs::File::create(desk.path("worker.log")).unwrap())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    let is_soak = std::env::var_os("CLIPKIT_SOAK").is_some();
    let mut all: Vec<Taken> = Vec::new();
    while if is_soak { begun.elapsed() < SOAK } else { all.len() < JOBS } {
        let n = all.len();
        let ([video, words], out) = (another_talk(&desk, n), format!("out{n}"));
        let id = submit(&desk, &video, &out);
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let job: Value = serde_json::from_str(&jobs(&desk, &["show", &id, "--json"]).1).unwrap();
            if job["state"] == "done" {
                break;
            }
            let said = fs::read_to_string(desk.path("worker.log")).unwrap();
            assert!(Instant::now() < deadline && worker.try_wait().unwrap().is_none(), "job {n} is stuck: {job} {said}");
            std::thread::sleep(Duration::from_millis(50));
        }
        all.push(taken(worker.id(), &desk));
        fs::remove_dir_all(desk.path(&out)).unwrap();
        fs::remove_file(desk.path(&video)).unwrap();
        fs::remove_file(desk.path(&words)).unwrap();
    }
    worker.kill().unwrap();
    worker.wait().unwrap();
    let warm = &all[WARM_UP..];
    let third = warm.len() / 3;
    let (early, late) = (&warm[..third], &warm[warm.len() - third..]);
    println!("{} jobs in {:?}: {:?} after the first, {:?} after the last", all.len(), begun.elapsed(), warm[0], warm[warm.len() - 1]);
    let (before, after) = (median(early, |taken| taken.kib), median(late, |taken| taken.kib));
    assert!(after <= before + before / 10 + 32 * 1024, "memory grew from {before} to {after} KiB");
    let (before, after) = (median(early, |taken| taken.handles as u64), median(late, |taken| taken.handles as u64));
    assert!(after <= before + 4, "open handles grew from {before} to {after}");
    let (before, after) = (median(early, |taken| taken.scratch as u64), median(late, |taken| taken.scratch as u64));
    assert!(after <= before, "unfinished files grew from {before} to {after}");
}
