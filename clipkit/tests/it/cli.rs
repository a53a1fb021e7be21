//! The `clipkit` command as seen from a shell: exit codes, output, and the files in the folder.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use clipkit::model::{ClipPlan, Manifest, X264Preset};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{ffmpeg, probe_json, testdata};

pub(crate) const TALK: &str = "Why would anyone put armour exactly where there are no bullet holes? The engineers looked at the planes that came home, \
and they counted every hole. The wings were full of holes, but the engines had almost none. So everybody wanted to protect the wings. \
Then one man said no, because these are only the planes that survived. The planes that were hit in the engine never came back. \
The missing holes were the most important thing on the page. That is the secret: remember the ones that you cannot see.";

fn clipkit(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_clipkit"));
    command.args(arguments).stdin(Stdio::null()).env_remove("CLIPKIT_MODELS");
    // A key in the environment would send the test's words to a server.
    command.env_remove("OPENAI_API_KEY").env_remove("OPENAI_BASE_URL");
    command
}

pub(crate) fn run(arguments: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = clipkit(arguments).output().unwrap();
    (status.code().unwrap_or(-1), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

/// A folder with `talk.mp4` of the given length and its transcript, with helpers for paths.
pub(crate) struct Desk(TempDir);

impl Desk {
    pub(crate) fn new() -> Self {
        Desk(tempfile::tempdir().unwrap())
    }

    pub(crate) fn with_talk(seconds: u32) -> Self {
        let desk = Desk::new();
        desk.video("talk.mp4", seconds);
        desk.words("talk.words.json", TALK);
        desk
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn video(&self, name: &str, seconds: u32) {
        let sources = format!("-f lavfi -i testsrc2=s=320x180:r=10:d={seconds} -f lavfi -i sine=r=48000:d={seconds}");
        ffmpeg(&format!("{sources} -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac {}", self.path(name)));
    }

    /// A word takes 0.3 s, and the end of a sentence 0.3 s more.
    pub(crate) fn words(&self, name: &str, text: &str) {
        let mut at = 0.5;
        let mut words = Vec::new();
        for word in text.split_whitespace() {
            words.push((word, at, at + 0.28));
            at += if word.ends_with(['.', '?']) { 0.6 } else { 0.3 };
        }
        fs::write(self.path(name), serde_json::to_string(&words).unwrap()).unwrap();
    }

    pub(crate) fn files(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<String> = match fs::read_dir(self.path(folder)) {
            Ok(entries) => entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect(),
            Err(_) => Vec::new(),
        };
        names.sort();
        names
    }
}

/// The options of the fast tests: no model, and one small clip.
pub(crate) fn quick<'a>(input: &'a str, out: &'a str) -> Vec<&'a str> {
    let fixed = ["--tracker", "center", "--clips", "1", "--preset", "ultrafast", "--min", "8", "--max", "14"];
    ["clip", input, "--out", out].into_iter().chain(fixed).collect()
}

#[test]
fn a_style_that_is_printed_and_changed_is_how_captions_look_and_a_title_stands_above() {
    let desk = Desk::with_talk(40);
    let (code, names, _) = run(&["styles"]);
    assert_eq!((code, names.as_str()), (0, "karaoke\npop\nbox\nblock\n"));
    let (code, style, _) = run(&["styles", "pop"]);
    assert_eq!(code, 0);
    let style = style.replace("\"max_words\": 3", "\"max_words\": 2").replace("\"name\": \"pop\"", "\"name\": \"mine\"");
    let (input, mine, out) = (desk.path("talk.mp4"), desk.path("mine.json"), desk.path("out"));
    fs::write(&mine, style).unwrap();
    let mut arguments = quick(&input, &out);
    arguments.extend(["--plan-only", "--captions", &mine, "--hook-title"]);
    let (code, _, stderr) = run(&arguments);
    assert_eq!(code, 0, "{stderr}");
    let [name] = &desk.files("out")[..] else { panic!("{:?}", desk.files("out")) };
    let plan = ClipPlan::from_json(&fs::read_to_string(desk.path(&format!("out/{name}"))).unwrap()).unwrap();
    let captions = plan.captions.unwrap();
    assert_eq!((captions.style.name.as_str(), captions.style.max_words), ("mine", 2));
    assert!(captions.cues.iter().all(|cue| cue.words.len() <= 2));
    assert!(captions.cues.iter().flat_map(|cue| &cue.words).any(|word| word.emphasized));
    let hook = plan.hook.unwrap();
    assert_eq!((hook.text, hook.span.end().secs()), (plan.title, 3.0));
}

#[test]
fn wrong_usage_says_what_is_right_and_exits_2() {
    let desk = Desk::new();
    fs::write(desk.path("file"), "x").unwrap();
    let file = desk.path("file");
    for (arguments, says) in [
        (vec![], "Usage"),
        (vec!["clip", "a.mp4"], "--out"),
        (vec!["clip", "--out", "x"], "INPUT"),
        (vec!["clip", "a.mp4", "--out", "x", "--scorer", "oracle"], "possible values: auto, heuristic, openai"),
        (vec!["clip", "a.mp4", "--out", "x", "--transcriber", "oracle"], "possible values: auto, captions, openai, local"),
        (vec!["clip", "a.mp4", "--out", "x", "--min", "fast"], "1m30s"),
        (vec!["clip", "a.mp4", "--out", "x", "--min", "60", "--max", "15s"], "--min is longer than --max"),
        (vec!["clip", "a.mp4", "--out", "x", "--aspect", "3:2"], "9:16"),
        (vec!["clip", "a.mp4", "--out", "x", "--layout", "mosaic"], "auto, fill, split, fit or pip"),
        (vec!["clip", "a.mp4", "--out", "x", "--captions", "comic"], "karaoke, pop, box, block"),
        (vec!["clip", "a.mp4", "--out", "x", "--captions", "nowhere/mine.json"], "nowhere/mine.json"),
        (vec!["clip", "a.mp4", "--out", "x", "--platform", "vine"], "shorts, tiktok"),
        (vec!["clip", "a.mp4", "--out", "x", "--clips", "0"], "from 1"),
        (vec!["clip", "a.mp4", "--out", "x", "--crf", "99"], "0..=51"),
        (vec!["clip", "a.mp4", "--out", "x", "--genre", "opera"], "podcast, lecture, gaming or news"),
        (vec!["clip", "a.mp4", "--out", "x", "--max-cost=-1"], "0.50"),
        (vec!["clip", "a.mp4", "--out", "x", "--scorer-price", "3"], "0.15,0.6"),
        (vec!["clip", "a.mp4", "--out", &file], "not a folder"),
        (vec!["clip", "a.mp4", "b.mp4", "--out", "x", "--transcript", "t.vtt"], "one video"),
        (vec!["track", "a.mp4", "--span", "9..3"], "12.5..48"),
        (vec!["frobnicate"], "unrecognized"),
    ] {
        let (code, stdout, stderr) = run(&arguments);
        assert_eq!(code, 2, "{arguments:?}: {stderr}");
        assert!(stderr.contains(says), "{arguments:?}: {stderr}");
        assert_eq!(stdout, "", "{arguments:?}");
    }
}

#[test]
fn a_bad_input_is_one_line_that_names_it_and_leaves_nothing() {
    let desk = Desk::with_talk(3);
    let at = |name: &str| desk.path(name);
    fs::create_dir(at("folder.mp4")).unwrap();
    fs::write(at("text.mp4"), "These are words, not pictures.\n".repeat(50)).unwrap();
    fs::write(at("empty.mp4"), "").unwrap();
    let whole = fs::read(at("talk.mp4")).unwrap();
    // The index is at the end of the file, so half of the file has none.
    fs::write(at("half.mp4"), &whole[..whole.len() / 2]).unwrap();
    ffmpeg(&format!("-f lavfi -i sine=d=3 -c:a aac {}", at("sound.m4a")));
    fs::copy(at("talk.mp4"), at("mute.mp4")).unwrap();
    for (name, says) in [
        ("missing.mp4", "No such file"),
        ("folder.mp4", "folder"),
        ("text.mp4", "("),
        ("empty.mp4", "empty"),
        ("half.mp4", "("),
        ("sound.m4a", "no picture"),
        ("mute.mp4", "transcript"),
    ] {
        let (code, stdout, stderr) = run(&quick(&at(name), &at("out")));
        assert_eq!(code, 3, "{name}: {stderr}");
        let errors: Vec<&str> = stderr.lines().filter(|line| line.starts_with("clipkit: ")).collect();
        assert_eq!(errors.len(), 1, "{name}: {stderr}");
        assert!(errors[0].starts_with(&format!("clipkit: error: {}: ", at(name))) && errors[0].contains(says), "{name}: {stderr}");
        assert_eq!(stdout, "", "{name}");
        assert!(!Path::new(&at("out")).exists(), "{name}: {:?}", desk.files("out"));
    }
}

#[test]
fn nothing_worth_a_clip_exits_4_and_says_why() {
    let desk = Desk::with_talk(20);
    for (words, says) in [("Hello there.", "2 words"), ("", "said")] {
        desk.words("talk.words.json", words);
        let (code, _, stderr) = run(&quick(&desk.path("talk.mp4"), &desk.path("out")));
        // A transcript without words may be reported as no transcript.
        assert!(code == 4 || (words.is_empty() && code == 3), "{code}: {stderr}");
        assert!(code == 3 || stderr.contains(says), "{stderr}");
        assert!(!Path::new(&desk.path("out")).exists());
    }
}

#[test]
fn clips_land_whole_with_plan_cover_and_manifest() {
    let desk = Desk::with_talk(45);
    let (code, stdout, stderr) = run(&quick(&desk.path("talk.mp4"), &desk.path("out")));
    assert_eq!(code, 0, "{stderr}");
    let manifest: Manifest = serde_json::from_str(&fs::read_to_string(desk.path("out/clips.json")).unwrap()).unwrap();
    let [clip] = &manifest.clips[..] else { panic!("{manifest:?}") };
    let stem = clip.file.strip_suffix(".mp4").unwrap();
    assert_eq!(desk.files("out"), [format!("{stem}.jpg"), clip.file.clone(), format!("{stem}.plan.json"), "clips.json".into()]);
    assert!(stem.starts_with("01-"));
    assert_eq!((clip.plan.as_deref(), clip.cover.as_deref()), (Some(&*format!("{stem}.plan.json")), Some(&*format!("{stem}.jpg"))));
    let head = stdout.lines().next().unwrap();
    assert!(["file", "span", "score", "title"].iter().all(|column| head.contains(column)), "{stdout}");
    assert!(stdout.contains(&clip.file) && stdout.trim_end().ends_with(&format!("1 clip in {}", desk.path("out"))), "{stdout}");

    let plan = ClipPlan::from_json(&fs::read_to_string(desk.path(&format!("out/{stem}.plan.json"))).unwrap()).unwrap();
    assert_eq!(plan.output.preset, X264Preset::Ultrafast);
    let probe = probe_json(Path::new(&desk.path(&format!("out/{}", clip.file))));
    let stream = |kind: &str| probe["streams"].as_array().unwrap().iter().find(|stream| stream["codec_type"] == kind).unwrap().clone();
    let (video, audio) = (stream("video"), stream("audio"));
    assert_eq!((&video["width"], &video["height"], &video["pix_fmt"]), (&1080.into(), &1920.into(), &"yuv420p".into()));
    assert_eq!((&audio["codec_name"], &audio["sample_rate"], &audio["channels"]), (&"aac".into(), &"48000".into(), &2.into()));
    let seconds: f64 = video["duration"].as_str().unwrap().parse().unwrap();
    assert!((seconds - clip.span.duration().as_secs_f64()).abs() <= 1.0 / plan.output.frame_rate.fps() + 1e-3, "{seconds}");
}

#[test]
fn json_is_one_object_a_line_and_ends_with_the_manifest() {
    let desk = Desk::with_talk(45);
    let (input, out) = (desk.path("talk.mp4"), desk.path("out"));
    let mut arguments = quick(&input, &out);
    arguments.push("--json");
    let (code, stdout, stderr) = run(&arguments);
    assert_eq!(code, 0, "{stderr}");
    let lines: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["event"], &lines[0]["input"]), (&"input".into(), &input.as_str().into()));
    assert!(lines.iter().any(|line| line["event"] == "progress" && line["stage"] == "render" && line["clip"] == 1));
    let last = lines.last().unwrap();
    assert_eq!(last["event"], "manifest");
    let written: Value = serde_json::from_str(&fs::read_to_string(desk.path("out/clips.json")).unwrap()).unwrap();
    assert_eq!((&last["clips"], &last["source"]), (&written["clips"], &written["source"]));

    let missing = desk.path("missing.mp4");
    let (code, stdout, stderr) = run(&["clip", &missing, "--out", &out, "--json", "--quiet"]);
    let line: Value = serde_json::from_str(stdout.trim_end()).unwrap();
    assert_eq!((code, &line["event"], &line["kind"], &line["stage"]), (3, &"error".into(), &"not_found".into(), &"source".into()));
    assert!(stderr.starts_with("clipkit: error: "), "{stderr}");
}

#[test]
fn a_plan_is_written_edited_drawn_and_rendered() {
    let desk = Desk::with_talk(45);
    let (input, out) = (desk.path("talk.mp4"), desk.path("out"));
    let mut arguments = quick(&input, &out);
    arguments.extend(["--plan-only", "--quiet"]);
    let (code, stdout, stderr) = run(&arguments);
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (0, "", ""));
    let [file] = &desk.files("out")[..] else { panic!("{:?}", desk.files("out")) };
    assert!(file.starts_with("01-") && file.ends_with(".plan.json"));

    // Edits: number 7, shorter, smaller, another title, no captions.
    let mut plan = ClipPlan::from_json(&fs::read_to_string(desk.path(&format!("out/{file}"))).unwrap()).unwrap();
    plan.span = clipkit::model::Span::between(plan.span.start(), plan.span.start().plus(2.0));
    plan.scenes[0].span = plan.span.since(plan.span.start());
    plan.scenes.truncate(1);
    (plan.output.width, plan.output.height, plan.title, plan.captions) = (180, 320, "My title".into(), None);
    let edited = desk.path("07-mine.plan.json");
    fs::write(&edited, plan.to_json().unwrap()).unwrap();
    let again = desk.path("again");
    let (code, stdout, stderr) = run(&["render", &edited, "--out", &again]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("07-my-title.mp4"), "{stdout}");
    assert_eq!(desk.files("again"), ["07-my-title.jpg", "07-my-title.mp4", "07-my-title.plan.json", "clips.json"]);
    let probe = probe_json(Path::new(&desk.path("again/07-my-title.mp4")));
    assert_eq!(probe["streams"][0]["width"], 180);

    let sheet = desk.path("sheet.png");
    let (code, stdout, stderr) = run(&["inspect", &edited, "-o", &sheet]);
    assert_eq!((code, stdout.trim_end()), (0, sheet.as_str()), "{stderr}");
    assert!(probe_json(Path::new(&sheet))["streams"][0]["width"].as_i64().unwrap() > 600);
    let (code, _, stderr) = run(&["inspect", &edited, "-o", &desk.path("sheet.txt")]);
    assert_eq!(code, 2, "{stderr}");

    let text = fs::read_to_string(&edited).unwrap();
    for (wrong, says) in [
        (text.replace("\"version\": 2", "\"version\": 9"), "version 9"),
        (text.replace("\"title\"", "\"colour\": 1, \"title\""), "colour"),
        (text.replace("\"crf\": 20", "\"crf\": 99"), "crf is 99"),
        ("{}".into(), "not a clip plan"),
    ] {
        fs::write(&edited, wrong).unwrap();
        let (code, _, stderr) = run(&["render", &edited, "--out", &desk.path("wrong")]);
        assert_eq!(code, 3, "{stderr}");
        assert!(stderr.contains(&edited) && stderr.contains(says), "{stderr}");
        assert!(!Path::new(&desk.path("wrong")).exists());
    }
}

/// The font library of this process finds a folder without fonts.
#[cfg(target_os = "linux")]
#[test]
fn without_fonts_a_clip_is_made_without_captions_and_says_so() {
    let desk = Desk::with_talk(45);
    let (input, out, again) = (desk.path("talk.mp4"), desk.path("out"), desk.path("again"));
    let mut arguments = quick(&input, &out);
    arguments.extend(["--plan-only", "--hook-title"]);
    let (code, _, stderr) = run(&arguments);
    assert_eq!(code, 0, "{stderr}");
    let file = desk.path(&format!("out/{}", desk.files("out")[0]));
    // Two seconds of a small picture, which renders quickly.
    let mut plan = ClipPlan::from_json(&fs::read_to_string(&file).unwrap()).unwrap();
    plan.span = clipkit::model::Span::between(plan.span.start(), plan.span.start().plus(2.0));
    plan.scenes.truncate(1);
    plan.scenes[0].span = plan.span.since(plan.span.start());
    (plan.output.width, plan.output.height) = (180, 320);
    assert!(plan.captions.is_some() && plan.hook.is_some());
    fs::write(&file, plan.to_json().unwrap()).unwrap();

    let fonts = desk.path("fonts");
    fs::create_dir(&fonts).unwrap();
    fs::write(desk.path("fonts.conf"), format!("<fontconfig><dir>{fonts}</dir></fontconfig>")).unwrap();
    let output = clipkit(&["render", &file, "--out", &again]).env("FONTCONFIG_FILE", desk.path("fonts.conf")).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let manifest: Manifest = serde_json::from_str(&fs::read_to_string(desk.path("again/clips.json")).unwrap()).unwrap();
    let [clip] = &manifest.clips[..] else { panic!("{manifest:?}") };
    assert!(clip.warnings.iter().any(|warning| warning.message.contains("no font is installed")), "{:?}", clip.warnings);
    let made = fs::read_to_string(desk.path(&format!("again/{}", clip.plan.as_deref().unwrap()))).unwrap();
    let made = ClipPlan::from_json(&made).unwrap();
    assert!(made.captions.is_none() && made.hook.is_none());
}

#[test]
fn every_stage_is_a_command_over_json() {
    let desk = Desk::with_talk(45);
    let at = |name: &str| desk.path(name);
    let (video, transcript, candidates, tracks) = (at("talk.mp4"), at("transcript.json"), at("candidates.json"), at("tracks.json"));
    let done = |arguments: &[&str]| {
        let (code, stdout, stderr) = run(arguments);
        assert_eq!((code, stderr.as_str()), (0, ""), "{arguments:?}");
        stdout
    };
    let read = |path: &str| serde_json::from_str::<Value>(&fs::read_to_string(path).unwrap()).unwrap();

    done(&["transcribe", &video, "-o", &transcript]);
    assert_eq!(read(&transcript)["words"][0]["text"], "Why");
    done(&["score", &transcript, "--media", &video, "-o", &candidates, "--max", "40"]);
    assert!(read(&candidates)[0]["score"]["total"].as_f64().unwrap() > 0.0);
    done(&["track", &video, "--span", "1..3.5", "--tracker", "center", "-o", &tracks]);
    assert_eq!(read(&tracks)["faces"], serde_json::json!([]));
    let printed: Value = serde_json::from_str(&done(&["transcribe", &video])).unwrap();
    assert_eq!(printed, read(&transcript));
    let probe: Value = serde_json::from_str(&done(&["probe", &video, "--json"])).unwrap();
    assert_eq!((&probe["video"]["width"], &probe["video"]["codec"]), (&320.into(), &"h264".into()));
    assert!(done(&["probe", &video]).contains("320x180"));
    assert!(done(&["models", "list"]).contains("ultraface-rfb-320"));

    let (code, _, stderr) = run(&["models", "path", "no-such-model"]);
    assert_eq!(code, 3);
    assert!(stderr.contains("ultraface-rfb-320"), "{stderr}");
    let (code, _, stderr) = run(&["score", &video]);
    assert_eq!(code, 3, "{stderr}");
    assert!(stderr.contains(&video), "{stderr}");
}

#[test]
fn without_its_model_auto_goes_on_and_onnx_does_not() {
    let desk = Desk::with_talk(45);
    let (input, out) = (desk.path("talk.mp4"), desk.path("out"));
    let with = |tracker: &str| {
        let fixed = ["--plan-only", "--clips", "2", "--max", "20", "--model", "no/such/model.onnx", "--tracker", tracker];
        run(&["clip", &input, "--out", &out].into_iter().chain(fixed).collect::<Vec<_>>())
    };
    let (code, _, stderr) = with("onnx");
    assert_eq!(code, 3, "{stderr}");
    assert!(stderr.contains("no/such/model.onnx"), "{stderr}");
    assert!(!Path::new(&out).exists());
    let (code, _, stderr) = with("auto");
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains("warning: face detection is off") && stderr.contains("no/such/model.onnx"), "{stderr}");
    assert_eq!(stderr.matches("face detection is off").count(), 1, "{stderr}");
}

#[test]
fn several_inputs_get_a_folder_each_and_the_worst_exit_code() {
    let desk = Desk::with_talk(45);
    let (good, bad, out) = (desk.path("talk.mp4"), desk.path("missing.mp4"), desk.path("out"));
    let fixed = ["--plan-only", "--clips", "1", "--max", "40", "--tracker", "center", "--quiet"];
    let (code, _, stderr) = run(&["clip", &bad, &good, "--out", &out].into_iter().chain(fixed).collect::<Vec<_>>());
    assert_eq!(code, 3, "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert_eq!(desk.files("out"), ["talk"]);
    assert_eq!(desk.files("out/talk").len(), 1);
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let desk = Desk::with_talk(45);
    let (input, out) = (desk.path("talk.mp4"), desk.path("out"));
    let fixed = ["--plan-only", "--clips", "1", "--max", "40", "--tracker", "center", "--json"];
    let arguments: Vec<&str> = ["clip", &input, "--out", &out].into_iter().chain(fixed).collect();
    let mut child = clipkit(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap()), (Some(0), String::new()));
    assert_eq!(desk.files("out").len(), 1);
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_it_within_a_second_and_leaves_no_partial_file() {
    let desk = Desk::with_talk(45);
    let (input, out) = (desk.path("talk.mp4"), desk.path("out"));
    let fixed = ["--tracker", "center", "--clips", "1", "--preset", "veryslow", "--max", "40"];
    let arguments: Vec<&str> = ["clip", &input, "--out", &out].into_iter().chain(fixed).collect();
    for signal in ["-INT", "-TERM"] {
        let mut child = clipkit(&arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("render")), "it ended before it rendered");
        // Some time during the encoding.
        std::thread::sleep(Duration::from_millis(300));
        let asked = Instant::now();
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        let status = child.wait().unwrap();
        let took = asked.elapsed();
        assert_eq!(status.code(), Some(130));
        assert!(took < Duration::from_millis(1200), "{signal}: {took:?}");
        assert!(!PathBuf::from(&out).exists(), "{:?}", desk.files("out"));
    }
}

/// Where speech is heard is found out while clips are chosen. A run in which nothing is found ends
/// while the model for that is being opened.
#[test]
#[ignore = "needs CLIPKIT_TESTDATA"] // And the ONNX Runtime, which comes with it.
fn a_command_that_fails_while_a_model_is_opened_ends_by_its_exit_code() {
    let desk = Desk::with_talk(36);
    let (input, out) = (desk.path("talk.mp4"), desk.path("out"));
    let arguments = ["clip", &input, "--out", &out, "--tracker", "center", "--min", "50", "--max", "60"];
    for _ in 0..15 {
        let Output { status, stderr, .. } = clipkit(&arguments).env("CLIPKIT_MODELS", testdata().join("models")).output().unwrap();
        let stderr = String::from_utf8(stderr).unwrap();
        assert_eq!(status.code(), Some(4), "{status}: {stderr}");
        assert!(!stderr.contains("onnxruntime"), "{stderr}");
    }
}

#[test]
fn a_plan_is_edited_by_operations_tried_first_and_rendered() {
    let desk = Desk::with_talk(40);
    let (talk, out) = (desk.path("talk.mp4"), desk.path("clips"));
    // All that is said.
    let longer = |argument| match argument {
        "8" => "28",
        "14" => "40",
        other => other,
    };
    let arguments: Vec<&str> = quick(&talk, &out).into_iter().map(longer).collect();
    let (code, _, stderr) = run(&[&arguments[..], &["--plan-only"]].concat());
    assert_eq!(code, 0, "{stderr}");
    let plan =
        desk.files("clips").into_iter().map(|name| desk.path(&format!("clips/{name}"))).find(|name| name.ends_with(".plan.json")).unwrap();
    let mut before = ClipPlan::from_json(&fs::read_to_string(&plan).unwrap()).unwrap();
    (before.output.width, before.output.height) = (180, 320);
    fs::write(&plan, before.to_json().unwrap()).unwrap();
    let (ops, edited) = (desk.path("ops.json"), desk.path("edited.plan.json"));
    fs::write(&ops, r#"[{"op": "delete_words", "words": {"quote": "then one man said no"}}, {"op": "title", "title": "No"}]"#).unwrap();
    let hook = r#"{"op": "hook_first", "words": {"quote": "the missing holes"}}"#;
    let given = ["edit", &plan, "--script", &ops, "--op", hook];

    let (code, stdout, stderr) = run(&[&given[..], &["--dry-run"]].concat());
    let changes: Value = serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stderr}"));
    assert_eq!((code, &changes["before"]["joins"], &changes["after"]["joins"]), (0, &0.into(), &3.into()), "{changes}");
    assert_eq!(changes["before"]["words"].as_u64().unwrap() - changes["after"]["words"].as_u64().unwrap(), 5);
    assert_eq!(changes["steps"].as_array().unwrap().len(), 3);

    let (code, _, stderr) = run(&[&given[..], &["-o", &edited]].concat());
    assert!(code == 0 && stderr.contains("0 -> 3 joins"), "{code} {stderr}");
    let after = ClipPlan::from_json(&fs::read_to_string(&edited).unwrap()).unwrap();
    assert_eq!((after.title.as_str(), after.pieces.len()), ("No", 4));
    assert!(after.timeline().end() < before.timeline().end() && after.id() != before.id());
    let (code, _, stderr) = run(&["render", &edited, "--out", &desk.path("made")]);
    assert_eq!(code, 0, "{stderr}");
    let video = desk.files("made").into_iter().find(|name| name.ends_with(".mp4")).unwrap();
    let lasts: f64 = probe_json(Path::new(&desk.path(&format!("made/{video}"))))["format"]["duration"].as_str().unwrap().parse().unwrap();
    assert!((lasts - after.timeline().end().secs()).abs() < 0.05, "{lasts}");

    for (arguments, says) in [
        (vec!["edit", &plan], "no operation"),
        (vec!["edit", &plan, "--op", "{}"], "not an operation"),
        (vec!["edit", &plan, "--op", r#"{"op": "delete_words", "words": {"quote": "nobody said this"}}"#], "nobody says"),
        (vec!["edit", &plan, "--op", r#"{"op": "move_start", "to": {"sentences": 1}}"#], "needs the transcript"),
    ] {
        let (code, stdout, stderr) = run(&arguments);
        assert!(code != 0 && stdout.is_empty() && stderr.contains(says), "{code} {stderr}");
    }
}

#[test]
fn a_plan_of_the_first_version_is_upgraded() {
    let desk = Desk::with_talk(40);
    let (talk, out) = (desk.path("talk.mp4"), desk.path("clips"));
    assert_eq!(run(&[&quick(&talk, &out)[..], &["--plan-only"]].concat()).0, 0);
    let plan =
        desk.files("clips").into_iter().map(|name| desk.path(&format!("clips/{name}"))).find(|name| name.ends_with(".plan.json")).unwrap();
    let current: Value = serde_json::from_str(&fs::read_to_string(&plan).unwrap()).unwrap();
    let mut old = current.clone();
    old["version"] = 1.into();
    let media = old["source"].as_object_mut().unwrap().remove("media").unwrap();
    (old["source"]["path"], old["source"]["id"]) = (media["uri"].clone(), media["id"].clone());
    let (file, new) = (desk.path("old.json"), desk.path("new.json"));
    fs::write(&file, old.to_string()).unwrap();
    assert_eq!(run(&["plan", "upgrade", &file, "-o", &new]).0, 0);
    let upgraded: Value = serde_json::from_str(&fs::read_to_string(&new).unwrap()).unwrap();
    assert_eq!((&upgraded["version"], &upgraded["source"]["media"]["uri"]), (&2.into(), &media["uri"]));
    assert_eq!((&upgraded["scenes"], &upgraded["span"], upgraded.get("pieces")), (&current["scenes"], &current["span"], None));
    // In place, and a second time without a change.
    assert_eq!(run(&["plan", "upgrade", &new, "-o", &new]).0, 0);
    assert_eq!(serde_json::from_str::<Value>(&fs::read_to_string(&new).unwrap()).unwrap(), upgraded);
}
