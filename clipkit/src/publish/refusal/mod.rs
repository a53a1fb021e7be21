//! What the refusal of a server means: the kind of the error, and what can follow. Pure.

mod reason;
mod table;

use std::time::{Duration, SystemTime};

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

pub(super) use self::reason::plain;
pub(super) use self::table::Server;
use self::table::{Follow, RULES, Rule, Status};
use crate::error::{Error, ErrorKind, Recovery};

/// A refusal, as far as it decides.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refusal<'a> {
    pub(super) status: u16,
    /// The server's own code, for example `quotaExceeded`. Empty if it gives none.
    pub(super) reason: &'a str,
    /// The wait that it asks for.
    pub(super) after: Option<Duration>,
}

/// The error of a refusal at the time `now`: that of the first rule that applies.
pub(super) fn judge(server: Server, refusal: &Refusal<'_>, now: SystemTime) -> Error {
    let Some(rule) = rule(server, refusal) else {
        return Error::new(ErrorKind::Contract, format!("{} answers {}", server.name(), refusal.status));
    };
    let code = if refusal.reason.is_empty() { String::new() } else { format!(", {}", refusal.reason) };
    let message = format!("{} answers {}{code}: {}", server.name(), refusal.status, rule.meaning);
    let error = Error::new(rule.kind, message).with_recovery(recovery(rule.follow, refusal.after, now));
    if rule.advice.is_empty() { error } else { error.with_advice(rule.advice) }
}

fn rule(server: Server, refusal: &Refusal<'_>) -> Option<&'static Rule> {
    RULES.iter().find(|rule| {
        rule.server.is_none_or(|of| of == server)
            && rule.status.includes(refusal.status)
            && rule.reason.is_none_or(|reason| names(reason, refusal.reason))
    })
}

/// Whether a row's code means a refusal's. `4` also means `4/2207085`, and `352/2207026` also means
/// `/2207026`, where Instagram gives the subcode only.
fn names(row: &str, reason: &str) -> bool {
    match reason.split_once('/') {
        _ if row == reason => true,
        Some(("", subcode)) => row.split_once('/').is_some_and(|(_, other)| other == subcode),
        Some((code, _)) => row == code,
        None => false,
    }
}

impl Server {
    /// The error of an answer that means nothing.
    pub(super) fn invalid(self, what: &str) -> Error {
        Error::new(ErrorKind::Contract, format!("the answer of {} is invalid: {what}", self.name()))
            .with_recovery(Recovery::Retry { after: None })
    }
}

impl Status {
    fn includes(self, status: u16) -> bool {
        match self {
            Status::Any => true,
            Status::Is(one) => status == one,
            Status::From(first, last) => (first..=last).contains(&status),
        }
    }
}

fn recovery(follow: Follow, after: Option<Duration>, now: SystemTime) -> Recovery {
    match follow {
        Follow::Refresh => Recovery::RefreshCredentials,
        Follow::Reencode => Recovery::Reencode,
        Follow::BackOff => Recovery::Retry { after },
        Follow::Wait(usual) => Recovery::Retry { after: Some(after.unwrap_or(usual)) },
        Follow::Midnight(zone) => Recovery::WaitUntil(next_midnight(zone, now)),
        Follow::GiveUp => Recovery::GiveUp,
    }
}

/// The next midnight in a time zone, by its calendar, also where a day has 23 or 25 hours. A day
/// from now if the zone is not known.
fn next_midnight(zone: &str, now: SystemTime) -> SystemTime {
    let midnight = || {
        let zone = TimeZone::get(zone).ok()?;
        let today = Timestamp::try_from(now).ok()?.to_zoned_datetime(zone.clone()).date();
        let tomorrow = today.checked_add(1.day()).ok()?.to_zoned_datetime(zone).ok()?;
        SystemTime::try_from(tomorrow.start_of_day().ok()?.timestamp()).ok()
    };
    midnight().unwrap_or(now + Duration::from_secs(24 * 3600))
}

#[cfg(test)]
mod tests;
