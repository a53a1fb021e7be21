//! The slots that are given. Kept in the artifact store, for all processes of an account.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::{Schedule, next_slot};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::publish::Target;
use crate::publish::journal::artifacts;
use crate::publish::named_lock::NamedLock;
use crate::store::{ArtifactKey, ArtifactKind};

const VERSION: u32 = 1;
/// How long a slot is remembered after it is over: the longest spacing, and a day.
const KEPT: Duration = Duration::from_secs(8 * 24 * 3600);
/// The most slots that others took at the same time.
const ATTEMPTS: usize = 1000;

#[derive(Debug, Default, Serialize, Deserialize)]
struct Book {
    slots: Vec<Given>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Given {
    publication: String,
    #[serde(with = "crate::model::moment::option")]
    at: Option<SystemTime>,
}

/// The slot of a publication: the one that it was given before, else the next free one.
pub(in crate::publish) async fn reserve(cx: &Context, schedule: &Schedule, target: &Target, publication: &str) -> Result<SystemTime> {
    schedule.check()?;
    let store = artifacts(cx).await?;
    let _lock = NamedLock::acquire(cx, &format!("slots {target}"), "another clip gets its time").await?;
    let key = ArtifactKey::new(ArtifactKind::Publication, VERSION).text("slots of", &target.to_string());
    let now = SystemTime::now();
    let mut book = store.read::<Book>(&key).await?.map(|(book, _)| book).unwrap_or_default();
    if let Some(at) = book.slots.iter().find(|given| given.publication == publication).and_then(|given| given.at) {
        return Ok(at);
    }
    book.slots.retain(|given| given.at.is_some_and(|at| at + KEPT > now));
    let mut taken: Vec<SystemTime> = book.slots.iter().filter_map(|given| given.at).collect();
    for _ in 0..ATTEMPTS {
        let at = next_slot(schedule, &taken, now)?.ok_or_else(|| {
            Error::new(ErrorKind::Config, "the schedule has no free time").with_advice("widen its windows, or raise per_day")
        })?;
        // The lock holds on this machine; of several machines that share a store, the first to
        // write the slot has it.
        let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let claim = key.clone().number("at", i64::try_from(since).unwrap_or(i64::MAX));
        let is_ours = store.write_new(&claim, &publication.to_owned()).await?
            || store.read::<String>(&claim).await?.is_some_and(|(owner, _)| owner == publication);
        if is_ours {
            book.slots.push(Given { publication: publication.to_owned(), at: Some(at) });
            store.write(&key, &book, &[]).await?;
            return Ok(at);
        }
        taken.push(at);
    }
    Err(Error::new(ErrorKind::Io, "too many clips ask for times at once"))
}
