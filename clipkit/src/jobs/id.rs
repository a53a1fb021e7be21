//! The ids of jobs and tasks. A task's id says what it does, so that a queue needs no payload.

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};

/// The most characters of a [`JobId`].
const LONGEST: usize = 64;

/// The id of a job: letters, digits, `-` and `_`. Ids that [`Jobs::submit`](super::Jobs::submit)
/// makes sort by time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct JobId(String);

impl JobId {
    /// Makes a new id from the time and random bits.
    pub(super) fn random() -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        JobId(format!("{:011x}{:08x}", since.as_millis(), fastrand::u32(..)))
    }

    /// Makes the id of a user's idempotency key.
    pub(crate) fn of_key(user: &str, key: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        for part in [user, key] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        let mut text = format!("k{}", hasher.finalize().to_hex());
        text.truncate(24);
        JobId(text)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Fails with [`ErrorKind::InvalidInput`] if the text is empty, too long, or has other characters.
impl FromStr for JobId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let plain = |letter: u8| letter.is_ascii_alphanumeric() || letter == b'-' || letter == b'_';
        if text.is_empty() || text.len() > LONGEST || !text.bytes().all(plain) {
            return Err(Error::new(ErrorKind::InvalidInput, "this is not the id of a job").with_advice("give an id that `submit` returned"));
        }
        Ok(JobId(text.to_owned()))
    }
}

impl TryFrom<String> for JobId {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<JobId> for String {
    fn from(id: JobId) -> String {
        id.0
    }
}

/// One step of a job: a task of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Step {
    /// Fetches the video.
    Fetch,
    /// Transcribes it.
    Transcribe,
    /// Chooses the spans.
    Score,
    /// Tracks, frames and captions the clip of a rank, which counts from 1.
    Track(usize),
    /// Renders the clip of a rank.
    Render(usize),
    /// Publishes the clip of a rank to the target with an index, which counts from 0.
    Publish(usize, usize),
    /// Makes the manifest once all clips are done.
    Conclude,
}

impl Step {
    /// The names of the queues, in the order of a job.
    pub const QUEUES: [&'static str; 7] = ["fetch", "transcribe", "score", "track", "render", "publish", "conclude"];

    /// The step's queue.
    pub fn queue(self) -> &'static str {
        match self {
            Step::Fetch => "fetch",
            Step::Transcribe => "transcribe",
            Step::Score => "score",
            Step::Track(_) => "track",
            Step::Render(_) => "render",
            Step::Publish(..) => "publish",
            Step::Conclude => "conclude",
        }
    }

    /// The rank of the step's clip. `None` means that the step concerns the whole video.
    pub fn rank(self) -> Option<usize> {
        match self {
            Step::Track(rank) | Step::Render(rank) | Step::Publish(rank, _) => Some(rank),
            _ => None,
        }
    }
}

/// The id of a task: the job's id and the step, as in `0193c2a4:publish:3:0`. Adding a task twice
/// adds it once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct TaskId {
    job: JobId,
    #[schemars(skip)]
    step: Step,
}

impl TaskId {
    /// Makes the id of a job's step.
    pub fn new(job: JobId, step: Step) -> Self {
        TaskId { job, step }
    }

    /// The job.
    pub fn job(&self) -> &JobId {
        &self.job
    }

    /// The step.
    pub fn step(&self) -> Step {
        self.step
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.job, self.step.queue())?;
        match self.step {
            Step::Track(rank) | Step::Render(rank) => write!(f, ":{rank}"),
            Step::Publish(rank, target) => write!(f, ":{rank}:{target}"),
            _ => Ok(()),
        }
    }
}

/// Fails with [`ErrorKind::InvalidInput`] if the text is not the id of a task.
impl FromStr for TaskId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        let number = |text: &str| text.parse::<usize>().ok().filter(|number| number.to_string() == text);
        let step = match parts[1..] {
            ["fetch"] => Some(Step::Fetch),
            ["transcribe"] => Some(Step::Transcribe),
            ["score"] => Some(Step::Score),
            ["track", rank] => number(rank).map(Step::Track),
            ["render", rank] => number(rank).map(Step::Render),
            ["publish", rank, target] => number(rank).zip(number(target)).map(|(rank, target)| Step::Publish(rank, target)),
            ["conclude"] => Some(Step::Conclude),
            _ => None,
        };
        match step {
            Some(step) if step.rank() != Some(0) => Ok(TaskId { job: parts[0].parse()?, step }),
            _ => {
                Err(Error::new(ErrorKind::InvalidInput, "this is not the id of a task")
                    .with_advice("give an id from the list of dead letters"))
            }
        }
    }
}

impl TryFrom<String> for TaskId {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<TaskId> for String {
    fn from(id: TaskId) -> String {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_back_and_hostile_ones_are_refused() {
        let job = JobId::random();
        let steps = [Step::Fetch, Step::Transcribe, Step::Score, Step::Track(1), Step::Render(12), Step::Publish(3, 0), Step::Conclude];
        for (step, queue) in steps.into_iter().zip(Step::QUEUES) {
            let id = TaskId::new(job.clone(), step);
            assert_eq!((id.to_string().parse::<TaskId>().unwrap(), step.queue()), (id, queue));
        }
        for hostile in ["", ":", "a:track", "a:track:0", "a:track:01", "a:track:-1", "a/../b:fetch", "a:fetch:1", "a:publish:1", ":fetch"] {
            assert_eq!(hostile.parse::<TaskId>().unwrap_err().kind(), ErrorKind::InvalidInput, "{hostile}");
        }
        for hostile in ["", "..", "a b", "a/b", "a:b", "ä", &"a".repeat(65)] {
            assert!(hostile.parse::<JobId>().is_err(), "{hostile}");
        }
    }

    #[test]
    fn an_idempotency_key_belongs_to_its_user() {
        assert_eq!(JobId::of_key("ann", "1"), JobId::of_key("ann", "1"));
        assert_ne!(JobId::of_key("ann", "1"), JobId::of_key("an", "n1"));
        assert!(JobId::of_key("ann", "1").as_str().parse::<JobId>().is_ok());
    }
}
