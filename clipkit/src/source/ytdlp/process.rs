//! Runs a program, so that it ends with its run.

use std::ffi::OsString;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::failure::Exit;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Recovery, Result};
use crate::model::Limit;

/// How often cancellation and limits are looked at.
const POLL: Duration = Duration::from_millis(50);
/// Output that arrives so long after the program's end still counts.
const DRAIN: Duration = Duration::from_millis(500);
/// The characters of stderr that are kept.
const TAIL: usize = 2000;
/// The longest line that is reported.
const MAX_LINE: usize = 4096;

/// A program with its arguments.
pub(super) struct Invocation<'a> {
    pub(super) program: &'a Path,
    pub(super) arguments: Vec<OsString>,
    /// All variables of the program's environment.
    pub(super) environment: Vec<(String, OsString)>,
    /// The longest that it may run.
    pub(super) limit: Duration,
    /// Whether stdout is kept as a whole. Otherwise only its lines are reported.
    pub(super) keep_output: bool,
}

enum Piece {
    Out(Vec<u8>),
    Err(Vec<u8>),
}

/// Runs the program to its end. `line` gets each line of stdout; `watch` is called often and can
/// stop the run with an error. Blocks. If the context is cancelled, or on any error, the program
/// and all that it started are killed at once.
///
/// # Errors
///
/// [`ErrorKind::Unavailable`] if it cannot be started, [`ErrorKind::TimedOut`] after the limit,
/// [`ErrorKind::Cancelled`], the error of `watch`. A program that fails is no error.
pub(super) fn run(
    cx: &Context,
    invocation: Invocation<'_>,
    mut line: impl FnMut(&str),
    mut watch: impl FnMut() -> Result<()>,
) -> Result<(Exit, Vec<u8>)> {
    cx.check()?;
    let Invocation { program, arguments, environment, limit, keep_output } = invocation;
    let mut command = Command::new(program);
    command.args(arguments).env_clear().envs(environment);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt;
        // A group of its own, which can be ended as one.
        command.process_group(0);
    }
    let child = command.spawn().map_err(|error| {
        Error::new(ErrorKind::Unavailable, format!("the program cannot be started: {error}")).with_path(program).with_source(error)
    })?;
    let mut group = Group(Some(child));
    let pieces = group.output();
    let begun = Instant::now();
    let (mut output, mut pending, mut stderr) = (Vec::new(), Vec::new(), Vec::new());
    let mut ended: Option<(std::process::ExitStatus, Instant)> = None;
    loop {
        cx.check()?;
        watch()?;
        if begun.elapsed() > limit {
            return Err(Error::new(ErrorKind::TimedOut, format!("yt-dlp takes longer than {} s", limit.as_secs()))
                .with_recovery(Recovery::Retry { after: None })
                .with_advice("what has arrived is kept: fetch it again to continue"));
        }
        match pieces.recv_timeout(POLL) {
            Ok(Piece::Err(bytes)) => {
                stderr.extend_from_slice(&bytes);
                // Four bytes are the most that a character takes.
                let surplus = stderr.len().saturating_sub(8 * TAIL);
                stderr.drain(..surplus);
            }
            Ok(Piece::Out(bytes)) => {
                if keep_output {
                    cx.limits().check(Limit::AnswerBytes, (output.len() + bytes.len()) as u64)?;
                    output.extend_from_slice(&bytes);
                } else {
                    pending.extend_from_slice(&bytes);
                    while let Some(end) = pending.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
                        let rest = pending.split_off(end + 1);
                        line(String::from_utf8_lossy(&pending).trim());
                        pending = rest;
                    }
                    if pending.len() > MAX_LINE {
                        pending.clear();
                    }
                }
            }
            Err(RecvTimeoutError::Disconnected) if ended.is_some() => break,
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(POLL),
            Err(RecvTimeoutError::Timeout) => {}
        }
        if ended.is_none() {
            ended = group.status()?.map(|status| (status, Instant::now()));
        }
        // Something that it left behind may hold the pipes open.
        if ended.is_some_and(|(_, at)| at.elapsed() > DRAIN) {
            break;
        }
    }
    let status = ended.map(|(status, _)| status);
    Ok((exit(status, &stderr), output))
}

fn exit(status: Option<std::process::ExitStatus>, stderr: &[u8]) -> Exit {
    #[cfg(unix)]
    let signal = status.and_then(|status| std::os::unix::process::ExitStatusExt::signal(&status));
    #[cfg(not(unix))]
    let signal = None;
    let text = String::from_utf8_lossy(stderr);
    let skipped = text.chars().count().saturating_sub(TAIL);
    Exit { code: status.and_then(|status| status.code()), signal, stderr: text.chars().skip(skipped).collect() }
}

/// A program and what it started. All of it is killed when this is dropped.
struct Group(Option<Child>);

impl Group {
    /// What the program writes, from two threads that end when the pipes are closed.
    fn output(&mut self) -> mpsc::Receiver<Piece> {
        let (send, receive) = mpsc::sync_channel(64);
        if let Some(child) = &mut self.0 {
            if let Some(stdout) = child.stdout.take() {
                let send = send.clone();
                std::thread::spawn(move || forward(stdout, |bytes| send.send(Piece::Out(bytes)).is_ok()));
            }
            if let Some(stderr) = child.stderr.take() {
                std::thread::spawn(move || forward(stderr, |bytes| send.send(Piece::Err(bytes)).is_ok()));
            }
        }
        receive
    }

    fn status(&mut self) -> Result<Option<std::process::ExitStatus>> {
        let status = self.0.as_mut().map(Child::try_wait).transpose();
        status
            .map(Option::flatten)
            .map_err(|error| Error::new(ErrorKind::Io, format!("cannot wait for yt-dlp: {error}")).with_source(error))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let Some(mut child) = self.0.take() else { return };
        #[cfg(unix)]
        if let Some(group) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
            // Fails if all of it has ended.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _ = child.kill();
        let _ = child.wait();
    }
}

fn forward(mut from: impl Read, mut send: impl FnMut(Vec<u8>) -> bool) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(count) = from.read(&mut buffer) {
        let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { return };
        if !send(bytes.to_vec()) {
            return;
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str, limit: Duration) -> Invocation<'static> {
        Invocation {
            program: Path::new("/bin/sh"),
            arguments: ["-c", script].map(OsString::from).into(),
            environment: vec![("PATH".into(), "/usr/bin:/bin".into())],
            limit,
            keep_output: true,
        }
    }

    #[test]
    fn output_code_and_the_end_of_stderr_are_kept() {
        let cx = Context::new();
        let script = "i=0; while [ $i -lt 900 ]; do echo \"line $i\" >&2; i=$((i+1)); done; printf out; env | sort; exit 3";
        let (exit, output) = run(&cx, shell(script, Duration::from_secs(20)), |_| {}, || Ok(())).unwrap();
        assert_eq!((exit.code, exit.signal), (Some(3), None));
        assert!(exit.stderr.ends_with("line 899\n") && exit.stderr.chars().count() == 2000, "{}", exit.stderr.len());
        let output = String::from_utf8(output).unwrap();
        assert!(output.starts_with("out") && output.contains("PATH=/usr/bin:/bin") && !output.contains("CARGO"), "{output}");
    }

    #[test]
    fn lines_are_reported_as_they_come() {
        let mut lines = Vec::new();
        let invocation = Invocation { keep_output: false, ..shell("printf 'a\\rb\\n'; printf 'c\\n'", Duration::from_secs(20)) };
        run(&Context::new(), invocation, |line| lines.push(line.to_owned()), || Ok(())).unwrap();
        assert_eq!(lines, ["a", "b", "c"]);
    }

    #[test]
    fn a_killed_program_has_a_signal_and_a_missing_one_is_unavailable() {
        let cx = Context::new();
        let (exit, _) = run(&cx, shell("kill -9 $$", Duration::from_secs(20)), |_| {}, || Ok(())).unwrap();
        assert_eq!((exit.code, exit.signal), (None, Some(9)));
        let missing = Invocation { program: Path::new("/nowhere/yt-dlp"), ..shell("", Duration::from_secs(1)) };
        assert_eq!(run(&cx, missing, |_| {}, || Ok(())).unwrap_err().kind(), ErrorKind::Unavailable);
    }

    /// The child of the program, too, which holds the pipes open.
    #[test]
    fn cancelling_and_the_limit_end_all_that_was_started() {
        let folder = tempfile::tempdir().unwrap();
        let mark = folder.path().join("mark");
        let script = format!("(sleep 2; touch {}) & sleep 30", mark.display());
        let begun = Instant::now();
        let error = run(&Context::new(), shell(&script, Duration::from_millis(300)), |_| {}, || Ok(())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        let cx = Context::new();
        let canceller = cx.clone();
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(200));
            canceller.cancel();
        });
        assert!(run(&cx, shell(&script, Duration::from_secs(60)), |_| {}, || Ok(())).unwrap_err().is_cancelled());
        assert!(begun.elapsed() < Duration::from_millis(1500), "{:?}", begun.elapsed());
        std::thread::sleep(Duration::from_millis(2200));
        assert!(!mark.exists(), "a process outlived the run");
    }

    #[test]
    fn what_a_program_leaves_behind_does_not_hold_the_run_up() {
        let begun = Instant::now();
        let (exit, _) = run(&Context::new(), shell("sleep 5 & exit 0", Duration::from_secs(20)), |_| {}, || Ok(())).unwrap();
        assert!(exit.code == Some(0) && begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    }
}
