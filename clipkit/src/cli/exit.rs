//! Exit codes of the subcommands.

use std::io::Write as _;

use clipkit::{Error, ErrorKind, Result};

use super::output::complain;

/// An exit code, ordered from best to worst. For several inputs, the command returns the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Code {
    Success,
    NothingFound,
    Input,
    Usage,
    Other,
    Interrupted,
}

impl From<Code> for u8 {
    fn from(code: Code) -> Self {
        match code {
            Code::Success => 0,
            Code::Other => 1,
            Code::Usage => 2,
            Code::Input => 3,
            Code::NothingFound => 4,
            Code::Interrupted => 130,
        }
    }
}

/// The exit code of a subcommand's result. Prints an error to stderr.
pub(crate) fn of<T>(result: &Result<T>) -> Code {
    result.as_ref().map_or_else(failed, |_| Code::Success)
}

/// Prints an error to stderr and returns its exit code. An interrupt is not reported.
pub(crate) fn failed(error: &Error) -> Code {
    if !error.is_cancelled() {
        complain("error", &error.to_string());
    }
    code(error)
}

/// Ends the process without destroying static objects, which threads that still work use.
pub(crate) fn at_once(code: u8) -> ! {
    // Nothing reads what cannot be written.
    let _ = std::io::stdout().flush();
    #[cfg(unix)]
    // SAFETY: the function takes no pointers and does not return.
    unsafe {
        libc::_exit(code.into())
    }
    // Here the system ends all other threads first.
    #[cfg(not(unix))]
    std::process::exit(code.into())
}

fn code(error: &Error) -> Code {
    match error.kind() {
        ErrorKind::Cancelled => Code::Interrupted,
        ErrorKind::Config => Code::Usage,
        ErrorKind::NothingFound => Code::NothingFound,
        ErrorKind::NotFound
        | ErrorKind::InvalidInput
        | ErrorKind::TooLarge
        | ErrorKind::NoTranscript
        | ErrorKind::InvalidPlan
        | ErrorKind::Decode
        | ErrorKind::Captions
        | ErrorKind::Overlay
        | ErrorKind::Unavailable => Code::Input,
        _ => Code::Other,
    }
}
