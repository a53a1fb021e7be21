//! Memory that is free goes back to the system.

/// Gives the system what the C library keeps for later of the memory that is free.
///
/// FFmpeg and ONNX Runtime take pictures and tensors of megabytes from many threads. glibc soon serves those from its heaps, one for a few
/// threads, and keeps them when they are free: a part of a run's memory at its height was such. It takes a few milliseconds; other C libraries
/// give back by themselves.
pub(super) fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: the call takes no pointers and may be made from any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}
