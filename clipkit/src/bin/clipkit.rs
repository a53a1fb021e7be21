//! The `clipkit` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    free_at_once();
    clipkit::cli::run(std::env::args_os()).into()
}

/// Makes the C library return large freed buffers (frames, encoder state) to the system at once. By
/// default, glibc raises its mmap threshold after the first of them and keeps freed memory in its
/// heaps: 60 MB of a run's 450 MB. A library must not set this for its process, so only the command
/// does (`MALLOC_MMAP_THRESHOLD_=65536` has the same effect).
fn free_at_once() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: no other thread runs yet, and any value is allowed.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 64 << 10);
    }
}
