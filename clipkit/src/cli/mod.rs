//! The `clipkit` command: long videos in, ranked vertical captioned clips out. It knows the rest of the crate by its public names only.

mod args;
mod clip;
mod exit;
mod interrupt;
mod library;
mod memory;
mod models;
mod output;
mod plans;
mod probe;
mod progress;
mod report;
mod stages;
mod step;
mod styles;

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use clap::Parser;
use clipkit::{Error, ErrorKind, Result};

use args::{Cli, Command};
use interrupt::Interrupt;

/// How long a worker that does not end when asked may hold the process up.
const LAST_CALL: Duration = Duration::from_millis(150);

/// Does what `arguments` ask for (the first is the program's name) and answers the process's exit code. Blocks until it is done.
///
/// It takes the process's standard streams, listens for Ctrl-C, limits FFmpeg's log and sets a logger where `-v` asks for one, so it is for programs that
/// are the command, under whatever name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help goes to stdout, what is wrong to stderr; a reader that has seen enough is no failure.
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(u8::MAX);
        }
    };
    clipkit::ffmpeg::quiet_log();
    log_to_stderr(cli.verbose);
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
    runtime.shutdown_timeout(LAST_CALL);
    code.into()
}

async fn dispatch(command: Command, interrupt: &Interrupt) -> exit::Code {
    match command {
        Command::Clip(args) => clip::run(args, interrupt).await,
        Command::Render(args) => exit::of(&plans::render(args, interrupt).await),
        Command::Inspect(args) => exit::of(&plans::inspect(args, interrupt).await),
        Command::Probe(args) => exit::of(&probe::run(args, interrupt).await),
        Command::Styles(args) => exit::of(&styles::run(&args)),
        Command::Models(args) => exit::of(&models::run(args, interrupt).await),
        Command::Transcribe(args) => exit::of(&stages::transcribe(args, interrupt).await),
        Command::Score(args) => exit::of(&stages::score(args, interrupt).await),
        Command::Step(args) => exit::of(&step::run(args, interrupt).await),
        Command::Track(args) => exit::of(&stages::track(args, interrupt).await),
    }
}

/// Logs on request only: what a person needs to know is said as errors and warnings.
fn log_to_stderr(verbosity: u8) {
    let level = match verbosity {
        0 => return,
        1 => tracing::Level::INFO,
        2 => tracing::Level::DEBUG,
        _ => tracing::Level::TRACE,
    };
    // Fails only where a logger is set already, and this is the only place that sets one.
    let _ = tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).with_ansi(false).try_init();
}

/// An error of the command line's own, found after it was parsed.
fn usage(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Config, message)
}

/// A file's name as a source takes it.
fn uri(path: &Path) -> Result<&str> {
    path.to_str().ok_or_else(|| usage("this name is not Unicode").with_path(path).with_advice("rename the file"))
}

/// The result of a subcommand.
type Done = Result<()>;
