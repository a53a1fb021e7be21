//! The `clipkit` command: makes ranked, vertical, captioned clips of long videos. It uses only the
//! public API of the crate, except that it sees whether threads work when the command is done.

mod args;
mod clip;
mod doctor;
mod edit;
mod eval;
mod exit;
mod export;
mod interrupt;
mod job_clips;
mod job_times;
mod jobs;
mod library;
mod limits;
mod login;
mod memory;
mod models;
mod output;
mod plans;
mod probe;
mod progress;
mod report;
mod serve;
mod stages;
mod step;
mod styles;
mod whole;
mod worker;

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use clap::Parser;
use clipkit::{Error, ErrorKind, Result};

use args::{Cli, Command};
use interrupt::Interrupt;

/// The time that worker threads have to end at shutdown.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_millis(150);

/// Runs the command with `arguments` (the first is the program's name) and returns the exit code.
/// Blocks until it is done.
///
/// It uses the standard streams of the process, handles Ctrl-C, sets the level of FFmpeg's log, and
/// installs a logger if `-v` is given. So it is for programs that act as the command, under any
/// name. If a thread still works when the command is done (a model is being opened), it ends the
/// process with the exit code: to return from `main` then could crash.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    run_with(arguments.into_iter().collect())
}

/// [`run`] without a type parameter, so that programs that call it do not compile the commands
/// again.
fn run_with(arguments: Vec<OsString>) -> u8 {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help goes to stdout, errors to stderr. A reader that closed the pipe is not a
            // failure.
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(u8::MAX);
        }
    };
    clipkit::ffmpeg::quiet_log();
    log_to_stderr(cli.verbose);
    limits::set(cli.limits);
    library::set_from_cache();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return exit::failed(&Error::new(ErrorKind::Io, format!("cannot start worker threads: {error}"))).into();
        }
    };
    let code = runtime.block_on(async {
        match Interrupt::watch() {
            Ok(interrupt) => dispatch(cli.command, &interrupt).await,
            Err(error) => exit::failed(&error),
        }
    });
    runtime.shutdown_timeout(SHUTDOWN_TIMEOUT);
    let code = code.into();
    if !clipkit::context::is_idle() {
        exit::at_once(code);
    }
    code
}

async fn dispatch(command: Command, interrupt: &Interrupt) -> exit::Code {
    match command {
        Command::Clip(args) => clip::run(*args, interrupt).await,
        Command::Caption(args) => whole::caption(*args, interrupt).await,
        Command::Reframe(args) => whole::reframe(*args, interrupt).await,
        Command::Tighten(args) => whole::tighten(*args, interrupt).await,
        Command::Render(args) => exit::of(&plans::render(args, interrupt).await),
        Command::Edit(args) => exit::of(&edit::run(&args)),
        Command::Export(args) => exit::of(&export::run(args, interrupt).await),
        Command::Plan(args) => exit::of(&edit::plan(&args)),
        Command::Preview(args) => exit::of(&plans::preview(args, interrupt).await),
        Command::Inspect(args) => exit::of(&plans::inspect(args, interrupt).await),
        Command::Probe(args) => exit::of(&probe::run(args, interrupt).await),
        Command::Styles(args) => exit::of(&styles::run(&args)),
        Command::Doctor(args) => exit::of(&doctor::run(&args)),
        Command::Models(args) => exit::of(&models::run(args, interrupt).await),
        Command::Transcribe(args) => exit::of(&stages::transcribe(args, interrupt).await),
        Command::Score(args) => exit::of(&stages::score(args, interrupt).await),
        Command::Eval(args) => exit::of(&eval::run(&args)),
        Command::Step(args) => exit::of(&step::run(args, interrupt).await),
        Command::Jobs(args) => jobs::run(args, interrupt).await,
        Command::Worker(args) => exit::of(&worker::run(args, interrupt).await),
        Command::Login(args) => exit::of(&login::run(args, interrupt).await),
        Command::Serve(args) => exit::of(&serve::run(*args, interrupt).await),
        Command::Track(args) => exit::of(&stages::track(args, interrupt).await),
    }
}

/// Installs a logger if requested. Errors and warnings are printed without it.
fn log_to_stderr(verbosity: u8) {
    let level = match verbosity {
        0 => return,
        1 => tracing::Level::INFO,
        2 => tracing::Level::DEBUG,
        _ => tracing::Level::TRACE,
    };
    // Only fails if the program that runs the command has installed a logger.
    let _ = tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).with_ansi(false).try_init();
}

/// A usage error that is found after parsing.
fn usage(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Config, message)
}

/// The path as the URI that a source takes.
fn uri(path: &Path) -> Result<&str> {
    path.to_str().ok_or_else(|| usage("this name is not Unicode").with_path(path).with_advice("rename the file"))
}

/// The result of a subcommand.
type Done = Result<()>;
