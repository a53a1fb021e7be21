//! The `clipkit` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    free_at_once();
    clipkit::cli::run(std::env::args_os()).into()
}

/// Has the C library give pictures and encoders back to the system when they are freed. glibc would serve them from its heaps after the first
/// few, and keep what is free there: 60 MB of a run's 450. This process is the command's own; a library leaves that to its user
/// (`MALLOC_MMAP_THRESHOLD_=262144` does the same).
fn free_at_once() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: no other thread runs yet, and any value is allowed.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 256 << 10);
    }
}
