//! A whole job as separate processes, one per step, which exchange documents as files.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use clipkit::model::{ClipPlan, Manifest, Media, Post, Receipt};

use crate::cli::{Desk, TALK};

/// Runs one step in a child process.
fn run(desk: &Desk, media: &str, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_clipkit"));
    command.args(arguments).stdin(Stdio::null()).current_dir(desk.path("."));
    for variable in ["OPENAI_API_KEY", "OPENAI_BASE_URL", "CLIPKIT_MODELS", "CLIPKIT_CACHE"] {
        command.env_remove(variable);
    }
    command.env("CLIPKIT_MEDIA", desk.path(media)).env("XDG_CACHE_HOME", desk.path("cache"));
    let output = command.output().unwrap();
    (output.status.code().unwrap_or(-1), String::from_utf8(output.stderr).unwrap())
}

fn step(desk: &Desk, media: &str, arguments: &[&str]) {
    let (code, stderr) = run(desk, media, &[&["step"], arguments].concat());
    assert_eq!(code, 0, "{arguments:?}: {stderr}");
}

fn plans(folder: &str) -> Vec<(String, String)> {
    let mut names: Vec<String> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name.ends_with(".plan.json"));
    names.sort();
    names.into_iter().map(|name| (name.clone(), fs::read_to_string(Path::new(folder).join(name)).unwrap())).collect()
}

fn read<T: serde::de::DeserializeOwned>(file: String) -> T {
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

const LENGTHS: [&str; 6] = ["--clips", "2", "--min", "8", "--max", "14"];
const FRAMING: [&str; 8] = ["--tracker", "center", "--captions", "pop", "--preset", "ultrafast", "--aspect", "1:1"];

#[test]
fn a_job_of_separate_processes_makes_the_clips_of_a_run() {
    let desk = Desk::with_talk(36);
    let clip = ["clip", "talk.mp4", "--store", "--scorer", "heuristic", "--out", "whole"];
    let (code, stderr) = run(&desk, "media", &[&clip[..], &LENGTHS, &FRAMING].concat());
    assert_eq!(code, 0, "{stderr}");
    let expected = plans(&desk.path("whole"));
    assert_eq!(expected.len(), 2, "{stderr}");

    step(&desk, "media", &["fetch", "talk.mp4", "--store", "-o", "media.json"]);
    let media: Media = read(desk.path("media.json"));
    assert!(media.path.starts_with(desk.path("media")) && media.stamp.is_none(), "{media:?}");
    let transcribe = ["transcribe", "media.json", "--transcript", "talk.words.json", "-o", "transcript.json"];
    step(&desk, "media", &transcribe);
    // The job continues elsewhere: the video is removed, and the media store has moved.
    fs::rename(desk.path("media"), desk.path("moved")).unwrap();
    fs::rename(desk.path("talk.mp4"), desk.path("elsewhere.mp4")).unwrap();
    let choose = ["choose", "media.json", "transcript.json", "--scorer", "heuristic", "-o", "candidates.json"];
    step(&desk, "moved", &[&choose[..], &LENGTHS].concat());
    for (rank, (name, plan)) in ["1", "2"].iter().zip(&expected) {
        let (made, post) = (format!("plan-{rank}.json"), format!("post-{rank}.json"));
        let inputs = ["plan", "media.json", "transcript.json", "candidates.json", "--rank", rank, "-o", &made];
        step(&desk, "moved", &[&inputs[..], &FRAMING].concat());
        assert_eq!(&fs::read_to_string(desk.path(&made)).unwrap(), plan, "{name}");
        step(&desk, "moved", &["render", &made, "--rank", rank, "--files", "files", "-o", &post]);
        let described: Post = read(desk.path(&post));
        assert_eq!(described.clip, ClipPlan::from_json(plan).unwrap().id());
        assert!(
            described.files.captions.is_some_and(|file| fs::read_to_string(desk.path(file.to_str().unwrap())).unwrap().contains("-->"))
        );
        for _ in 0..2 {
            step(&desk, "moved", &["publish", &post, "--publish", "folder:published", "-o", "receipts.json"]);
        }
        let receipts: Vec<Receipt> = read(desk.path("receipts.json"));
        assert_eq!(format!("{name}.mp4"), receipts[0].id.replace(".mp4", ".plan.json.mp4"));
    }
    assert_eq!(plans(&desk.path("published")), expected);
    let (whole, published): (Manifest, Manifest) = (read(desk.path("whole/clips.json")), read(desk.path("published/clips.json")));
    let clips = |manifest: &Manifest| -> Vec<_> {
        manifest.clips.iter().map(|clip| (clip.id.clone(), clip.rank, clip.file.clone(), clip.title.clone())).collect()
    };
    assert_eq!(clips(&whole), clips(&published));
    // The rendered files still exist: a publisher reads files and moves none.
    assert_eq!(
        fs::read_dir(desk.path("files")).unwrap().filter(|file| file.as_ref().unwrap().path().extension().unwrap() == "mp4").count(),
        2
    );
}

#[test]
fn a_step_that_fails_says_so_and_writes_nothing() {
    let desk = Desk::with_talk(36);
    step(&desk, "media", &["fetch", "talk.mp4", "-o", "media.json"]);
    let transcribe = ["step", "transcribe", "media.json", "--transcriber", "captions", "-o", "none.json"];
    fs::rename(desk.path("talk.words.json"), desk.path("words.json")).unwrap();
    let (code, stderr) = run(&desk, "media", &transcribe);
    assert!(code == 3 && stderr.contains("no captions"), "{stderr}");
    assert!(!fs::exists(desk.path("none.json")).unwrap());
    let (code, stderr) = run(&desk, "media", &["step", "choose", "media.json", "media.json"]);
    assert!(code == 3 && stderr.contains("media.json") && stderr.contains("not a transcript"), "{stderr}");
    let (code, stderr) = run(&desk, "media", &["step", "publish", "media.json", "--publish", "folder:out"]);
    assert!(code == 3 && stderr.contains("not a post"), "{stderr}");
}

/// How many bytes the process that renders a clip of about ten seconds reads. The clip begins
/// `start` seconds into the video.
#[cfg(target_os = "linux")]
fn bytes_read(desk: &Desk, video: &str, start: f64) -> u64 {
    desk.words("early.json", TALK);
    let early: Vec<(String, f64, f64)> = read(desk.path("early.json"));
    let words: Vec<_> = early.into_iter().map(|(word, from, to)| (word, from + start, to + start)).collect();
    fs::write(desk.path("words.json"), serde_json::to_string(&words).unwrap()).unwrap();
    step(desk, "media", &["fetch", video, "-o", "media.json"]);
    step(desk, "media", &["transcribe", "media.json", "--transcript", "words.json", "-o", "transcript.json"]);
    let choose = ["choose", "media.json", "transcript.json", "--scorer", "heuristic", "--clips", "1", "-o", "candidates.json"];
    step(desk, "media", &[&choose[..], &["--min", "8", "--max", "14"]].concat());
    let plan = ["plan", "media.json", "transcript.json", "candidates.json", "--rank", "1", "-o", "plan.json"];
    step(desk, "media", &[&plan[..], &["--tracker", "center", "--preset", "ultrafast"]].concat());

    let mut command = Command::new("sh");
    // The kernel counts what a process and its ended children read.
    command.args(["-c", "\"$@\" >&2 && cat /proc/$$/io", "sh", env!("CARGO_BIN_EXE_clipkit")]);
    command.args(["step", "render", "plan.json", "--files", "files", "-o", "post.json"]);
    let output = command.current_dir(desk.path(".")).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let counts = String::from_utf8(output.stdout).unwrap();
    counts.lines().find_map(|line| line.strip_prefix("rchar: ")).unwrap().parse().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn a_plan_of_an_hour_renders_without_reading_the_hour() {
    let desk = Desk::new();
    let minute = "-f lavfi -i testsrc2=s=320x180:r=25:d=60,noise=alls=20:allf=t -f lavfi -i sine=r=48000:d=60";
    let encode = "-c:v libx264 -preset ultrafast -g 50 -b:v 600k -maxrate 600k -bufsize 600k -pix_fmt yuv420p -c:a aac";
    crate::support::ffmpeg(&format!("{minute} {encode} {}", desk.path("minute.mp4")));
    crate::support::ffmpeg(&format!("-stream_loop 59 -i {} -c copy {}", desk.path("minute.mp4"), desk.path("hour.mp4")));
    let size = fs::metadata(desk.path("hour.mp4")).unwrap().len();
    assert!(size > 200_000_000, "{size}");
    // Both read libraries, fonts and their own clip; the hour's index is read several times.
    let (short, long) = (bytes_read(&desk, "minute.mp4", 0.0), bytes_read(&desk, "hour.mp4", 1800.0));
    assert!(long.saturating_sub(short) < size / 20, "{long} bytes of {size}, {short} from a minute");
}
