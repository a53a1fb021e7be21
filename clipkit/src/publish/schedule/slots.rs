//! The search for a free slot. Pure.

use std::time::{Duration, SystemTime};

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::Schedule;
use crate::error::{Error, ErrorKind, Result};

/// How far ahead a slot is looked for, in days.
const HORIZON: i32 = 2 * 366;

/// A checked [`Schedule`].
pub(super) struct Rules {
    pub(super) zone: TimeZone,
    pub(super) windows: Vec<Opening>,
    pub(super) spacing: Duration,
    pub(super) per_day: usize,
}

/// A checked window.
pub(super) struct Opening {
    pub(super) days: Vec<Weekday>,
    pub(super) start: Time,
    pub(super) length: Duration,
}

/// The first free slot that is not before `now`, given the times of the account's other clips.
/// `None` means that the next two years are full.
///
/// # Errors
///
/// [`ErrorKind::Config`] if the schedule gives no slots.
pub fn next_slot(schedule: &Schedule, taken: &[SystemTime], now: SystemTime) -> Result<Option<SystemTime>> {
    let rules = schedule.rules()?;
    let moment = |at: SystemTime| {
        Timestamp::try_from(at).map_err(|error| Error::new(ErrorKind::Config, format!("a time of the schedule is out of range: {error}")))
    };
    let earliest = moment(schedule.from.map_or(now, |from| from.max(now)))?;
    let mut taken = taken.iter().map(|at| moment(*at)).collect::<Result<Vec<_>>>()?;
    taken.sort_unstable();
    Ok(find(&rules, &taken, earliest).and_then(|at| SystemTime::try_from(at).ok()))
}

fn find(rules: &Rules, taken: &[Timestamp], earliest: Timestamp) -> Option<Timestamp> {
    let first = earliest.to_zoned_datetime(rules.zone.clone()).date();
    if rules.windows.is_empty() {
        return any_time(rules, taken, earliest);
    }
    let on = |day: i32| on_day(rules, taken, earliest, first.checked_add(day.days()).ok()?);
    // The day before, too, since its windows may reach into this day; for the same reason, the day
    // after a slot may have an earlier one.
    (-1..HORIZON).find_map(|day| on(day).map(|at| on(day + 1).map_or(at, |other| other.min(at))))
}

/// The first free time from `earliest` on.
fn any_time(rules: &Rules, taken: &[Timestamp], earliest: Timestamp) -> Option<Timestamp> {
    let spacing = SignedDuration::try_from(rules.spacing).ok()?;
    let mut at = earliest;
    for _ in 0..=taken.len() + HORIZON as usize {
        if is_full(rules, taken, at) {
            let zoned = at.to_zoned_datetime(rules.zone.clone());
            at = zoned.date().tomorrow().ok()?.to_zoned_datetime(rules.zone.clone()).ok()?.timestamp();
        } else if let Some(near) = nearest(rules, taken, at) {
            at = near.checked_add(spacing).ok()?;
        } else {
            return Some(at);
        }
    }
    None
}

/// The first free slot of the windows that begin on a day.
fn on_day(rules: &Rules, taken: &[Timestamp], earliest: Timestamp, date: Date) -> Option<Timestamp> {
    let open = rules.windows.iter().filter(|window| window.days.contains(&date.weekday()));
    open.filter_map(|window| in_window(rules, taken, earliest, date, window)).min()
}

fn in_window(rules: &Rules, taken: &[Timestamp], earliest: Timestamp, date: Date, window: &Opening) -> Option<Timestamp> {
    let spacing = SignedDuration::try_from(rules.spacing).ok()?;
    // A time that the clocks skip becomes one after the gap; of one that they repeat, the first
    // counts.
    let start = date.to_datetime(window.start).to_zoned_datetime(rules.zone.clone()).ok()?.timestamp();
    let end = start.checked_add(SignedDuration::try_from(window.length).ok()?).ok()?;
    let mut at = start;
    while at < end {
        if at >= earliest && nearest(rules, taken, at).is_none() && !is_full(rules, taken, at) {
            return Some(at);
        }
        at = at.checked_add(spacing).ok()?;
    }
    None
}

/// The latest taken time that is nearer than the spacing.
fn nearest(rules: &Rules, taken: &[Timestamp], at: Timestamp) -> Option<Timestamp> {
    let is_near = |other: &&Timestamp| other.duration_since(at).unsigned_abs() < rules.spacing;
    taken.iter().filter(is_near).max().copied()
}

/// Whether the day of a time has no room.
fn is_full(rules: &Rules, taken: &[Timestamp], at: Timestamp) -> bool {
    let date = at.to_zoned_datetime(rules.zone.clone()).date();
    taken.iter().filter(|other| other.to_zoned_datetime(rules.zone.clone()).date() == date).count() >= rules.per_day
}

#[cfg(test)]
mod tests;
