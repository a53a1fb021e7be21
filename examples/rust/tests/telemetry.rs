//! The example `telemetry` against a collector on loopback.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

/// Answers one request to `/v1/traces` and returns its body.
fn received(stream: TcpStream) -> std::io::Result<Option<String>> {
    let mut reader = BufReader::new(stream);
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first)?;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let line = line.trim().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().map_err(std::io::Error::other)?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let answer = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
    reader.get_mut().write_all(answer.as_bytes())?;
    Ok(first.starts_with("POST /v1/traces ").then(|| String::from_utf8_lossy(&body).into_owned()))
}

#[test]
fn a_task_is_a_span_with_its_job_and_what_went_wrong() {
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", collector.local_addr().unwrap());
    let (sender, bodies) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in collector.incoming() {
            if let Some(body) = received(stream.unwrap()).unwrap() {
                sender.send(body).unwrap();
            }
        }
    });
    let folder = std::env::temp_dir().join(format!("clipkit-telemetry-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let status = Command::new(env!("CARGO_BIN_EXE_telemetry"))
        .arg("missing.mp4")
        .current_dir(&folder)
        .envs([("OTEL_EXPORTER_OTLP_ENDPOINT", address.as_str()), ("NO_PROXY", "127.0.0.1"), ("XDG_CACHE_HOME", ".")])
        .status();
    let spans = bodies.recv_timeout(Duration::from_secs(10)).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(status.unwrap().success());
    for part in ["\"clips\"", "\"task\"", "\"fetch\"", "\"job\"", "\"attempt\"", "missing.mp4"] {
        assert!(spans.contains(part), "{part} is not in {spans}");
    }
}
