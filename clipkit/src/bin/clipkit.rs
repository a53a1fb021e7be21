//! The `clipkit` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    clipkit::cli::run(std::env::args_os()).into()
}
