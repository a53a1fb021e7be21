//! `clipkit serve` as a process: keys, a job, and how it stops.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::cli::Desk;

fn command(desk: &Desk, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_clipkit"));
    command.args(arguments).stdin(Stdio::null()).current_dir(desk.path("."));
    for variable in ["OPENAI_API_KEY", "OPENAI_BASE_URL", "CLIPKIT_MODELS", "CLIPKIT_CACHE", "CLIPKIT_MEDIA", "CLIPKIT_WEBHOOK_SECRET"] {
        command.env_remove(variable);
    }
    command.env("XDG_CACHE_HOME", desk.path("cache"));
    command
}

fn run(desk: &Desk, arguments: &[&str]) -> (i32, String, String) {
    let output = command(desk, arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

/// Starts the service and returns it with its address.
fn start(desk: &Desk, more: &[&str]) -> (Child, String) {
    let arguments = [&["serve", "--bind", "127.0.0.1:0", "--rate", "transcribe=0"], more].concat();
    let mut child = command(desk, &arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let line = lines.next().unwrap().unwrap();
    let address = line.split("http://").nth(1).unwrap_or_else(|| panic!("{line}")).trim().to_owned();
    // The pipe stays open, so that later lines have a reader.
    std::thread::spawn(move || lines.for_each(drop));
    (child, address)
}

/// A request by hand: status, head and body.
fn ask(address: &str, method: &str, path: &str, key: Option<&str>, body: Option<&Value>) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let body = body.map(Value::to_string).unwrap_or_default();
    let key = key.map(|key| format!("Authorization: Bearer {key}\r\n")).unwrap_or_default();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{key}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
    let mut text = Vec::new();
    stream.read_to_end(&mut text).unwrap();
    let text = String::from_utf8_lossy(&text).into_owned();
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("{text}"));
    (status, text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
}

fn stop(mut child: Child) -> Duration {
    let began = Instant::now();
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            assert_eq!(status.code(), Some(0));
            return began.elapsed();
        }
        if began.elapsed() > Duration::from_secs(12) {
            child.kill().unwrap();
            panic!("the service does not stop");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn keys_are_made_and_removed_while_the_service_runs() {
    let desk = Desk::new();
    let (code, _, stderr) = run(&desk, &["serve", "--bind", "0.0.0.0:0"]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("serve key add"), "{stderr}");
    let (code, _, stderr) = run(&desk, &["serve", "--webhook", "https://host/x"]);
    assert!(code == 2 && stderr.contains("CLIPKIT_WEBHOOK_SECRET"), "{stderr}");

    let (child, address) = start(&desk, &["--no-worker"]);
    assert_eq!(ask(&address, "GET", "/v1/jobs", None, None).0, 200);
    let (code, secret, _) = run(&desk, &["serve", "key", "add", "ann", "--scope", "read"]);
    let secret = secret.trim();
    assert!(code == 0 && secret.starts_with("clipkit_"), "{secret}");
    assert_eq!(ask(&address, "GET", "/v1/jobs", None, None).0, 401);
    assert_eq!(ask(&address, "GET", "/v1/jobs", Some(secret), None).0, 200);
    let (_, listed, _) = run(&desk, &["serve", "key", "list"]);
    assert!(listed.contains("read   ann") && !listed.contains(secret), "{listed}");
    let id = listed.split(' ').next().unwrap();
    assert_eq!(run(&desk, &["serve", "key", "remove", id]).0, 0);
    assert_eq!(run(&desk, &["serve", "key", "remove", id]).0, 3);
    assert_eq!(run(&desk, &["serve", "key", "add", "ann", "--scope", "all"]).0, 2);
    assert!(stop(child) < Duration::from_secs(10));
}

#[test]
fn a_video_becomes_clips_and_the_service_stops_while_it_works() {
    let desk = Desk::with_talk(40);
    let folder = desk.path(".");
    let (child, address) = start(&desk, &["--allow-folder", &folder, "--allow-config", "--out", "clips"]);
    let submit = |clips: u32| {
        let config = json!({
            "tracker": {"kind": "center"}, "scorer": {"kind": "heuristic"}, "speech_cache": null,
            "renderer": {"kind": "ffmpeg", "size": [180, 320]},
            "options": {"clips": clips, "min": 5, "max": 9, "preset": "ultrafast", "captions": null},
        });
        let (status, body) = ask(&address, "POST", "/v1/jobs", None, Some(&json!({"uri": desk.path("talk.mp4"), "config": config})));
        assert_eq!(status, 202, "{body}");
        serde_json::from_str::<Value>(&body).unwrap()["id"].as_str().unwrap().to_owned()
    };
    let id = submit(1);
    let deadline = Instant::now() + Duration::from_secs(60);
    let job = loop {
        let job: Value = serde_json::from_str(&ask(&address, "GET", &format!("/v1/jobs/{id}"), None, None).1).unwrap();
        if job["ended"].is_string() {
            break job;
        }
        assert!(Instant::now() < deadline, "{job}");
        std::thread::sleep(Duration::from_millis(100));
    };
    assert_eq!(job["state"], "done", "{}", job["error"]);
    assert!(desk.files(&format!("clips/{id}")).iter().any(|name| name.ends_with(".mp4")));
    let (status, video) = ask(&address, "GET", &format!("/v1/jobs/{id}/clips/1/video"), None, None);
    assert!(status == 200 && video.contains("ftyp"));
    // It stops while it works on another job, which goes on later.
    let open = submit(2);
    std::thread::sleep(Duration::from_millis(600));
    let took = stop(child);
    println!("stopped after {took:?}");
    assert!(took < Duration::from_secs(10), "{took:?}");
    let (child, address) = start(&desk, &[]);
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let job: Value = serde_json::from_str(&ask(&address, "GET", &format!("/v1/jobs/{open}"), None, None).1).unwrap();
        if job["ended"].is_string() {
            assert_eq!(job["state"], "done", "{}", job["error"]);
            break;
        }
        assert!(Instant::now() < deadline, "{job}");
        std::thread::sleep(Duration::from_millis(100));
    }
    stop(child);
}
