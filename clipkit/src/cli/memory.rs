//! Returns free memory to the system.

/// Makes the C library return free memory to the system.
///
/// FFmpeg and ONNX Runtime allocate frames and tensors of several megabytes from many threads.
/// glibc serves these allocations from per-thread heaps and keeps them after they are freed, which
/// makes up part of the peak memory of a run. The call takes a few milliseconds. Other C libraries
/// return free memory on their own.
pub(super) fn release() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: the call takes no pointers and may be made from any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}
