//! Two child processes that run in turns of a fraction of a second.

use std::io::Error;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use crate::{Cost, user_seconds};

/// The length of a turn. Long beside the caches' refill, short beside changes of the machine's
/// speed.
const TURN: Duration = Duration::from_millis(500);
/// How often a running child is polled.
const POLL: Duration = Duration::from_millis(5);

/// What a child process cost.
pub struct ChildCost {
    /// Wall time while it was not stopped, and user CPU time with that of its own children.
    pub cost: Cost,
    /// Its peak memory, in bytes.
    pub memory: u64,
}

/// Runs two commands, each alone: one is stopped while the other runs, in turns of half a second.
/// Both meet the same speed of a machine whose speed changes over seconds or minutes.
pub fn in_turns(commands: [&mut Command; 2]) -> [ChildCost; 2] {
    // A process group each, so that its own children stop with it.
    let mut running = commands.map(|command| {
        let child = command.process_group(0).spawn().unwrap();
        signal(&child, libc::SIGSTOP);
        Running { child, wall: Duration::ZERO, cost: None }
    });
    while running.iter().any(|child| child.cost.is_none()) {
        running.iter_mut().filter(|child| child.cost.is_none()).for_each(Running::turn);
    }
    running.map(|child| child.cost.unwrap())
}

struct Running {
    child: Child,
    /// Wall time of the turns before this one.
    wall: Duration,
    /// `None` until it ended.
    cost: Option<ChildCost>,
}

impl Running {
    /// Lets the child run for one turn.
    fn turn(&mut self) {
        let begun = Instant::now();
        signal(&self.child, libc::SIGCONT);
        while begun.elapsed() < TURN {
            if let Some(usage) = ended(&self.child) {
                let cost = Cost { wall: (self.wall + begun.elapsed()).as_secs_f64(), user: user_seconds(&usage) };
                self.cost = Some(ChildCost { cost, memory: usage.ru_maxrss as u64 * 1024 });
                return;
            }
            std::thread::sleep(POLL);
        }
        signal(&self.child, libc::SIGSTOP);
        self.wall += begun.elapsed();
    }
}

/// Sends a signal to a child's process group.
fn signal(child: &Child, signal: i32) {
    // SAFETY: the call takes no pointers; the child was not waited for, so its id is its own.
    assert_eq!(unsafe { libc::kill(-(child.id() as i32), signal) }, 0, "{}", Error::last_os_error());
}

/// The resources that a child used, if it ended. Panics if it failed.
fn ended(child: &Child) -> Option<libc::rusage> {
    let mut status = 0;
    // SAFETY: `rusage` is plain data, and the call fills both places.
    let (pid, usage) = unsafe {
        let mut usage = std::mem::zeroed::<libc::rusage>();
        (libc::wait4(child.id() as i32, &mut status, libc::WNOHANG, &mut usage), usage)
    };
    assert!(pid >= 0, "{}", Error::last_os_error());
    if pid == 0 {
        return None;
    }
    assert!(libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0, "a command failed with status {status}");
    Some(usage)
}
