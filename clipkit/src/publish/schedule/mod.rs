//! When clips are published: peak times of a platform, or times from a given one on.

#[cfg(feature = "publish")]
mod book;
#[cfg(feature = "publish")]
mod due;
mod slots;

#[cfg(feature = "publish")]
pub(super) use book::reserve;
#[cfg(feature = "publish")]
pub(super) use due::wait_for_time;
pub use slots::next_slot;

use std::time::{Duration, SystemTime};

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};

/// Gives each clip a time of its own.
///
/// The slots are the starts of the windows, and further times inside them at the distance of
/// [`spacing`](Schedule::spacing). A clip gets the first slot that is not in the past, that no
/// other clip of the account has or lies too near to, on a day that has room. A clip keeps its slot
/// when it is published again. Slots are kept in the artifact store (`CLIPKIT_CACHE`), so two
/// processes, also on two machines that share a store, do not give the same.
///
/// Windows are in a time zone, by its clocks: 17:00 stays 17:00 when they change. A time that the
/// clocks skip is moved forward by as much as they are.
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use clipkit::publishing::{Schedule, next_slot};
///
/// let schedule = Schedule::shorts("Europe/Berlin");
/// let friday_evening = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_802_400);
/// let monday_noon = SystemTime::UNIX_EPOCH + Duration::from_secs(1_796_036_400);
/// assert_eq!(next_slot(&schedule, &[], friday_evening)?, Some(monday_noon));
/// # Ok::<(), clipkit::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Schedule {
    /// The time zone by its IANA name: `Europe/Berlin`. Default: `UTC`.
    pub zone: String,
    /// The windows. Without any, every time from [`from`](Schedule::from) on is a slot. Default:
    /// 12:00 and 17:00 from Monday to Friday, for an hour each.
    pub windows: Vec<SlotWindow>,
    /// No slot is earlier. A time in the past means now. Default: now.
    #[serde(skip_serializing_if = "Option::is_none", with = "crate::model::moment::option")]
    #[schemars(with = "Option<String>")]
    pub from: Option<SystemTime>,
    /// The least time between two clips of an account, in seconds. Default: an hour.
    #[serde(with = "crate::model::seconds")]
    #[schemars(with = "f64")]
    pub spacing: Duration,
    /// The most clips of an account on a day of the time zone. Default: 6, which YouTube allows new
    /// accounts.
    pub per_day: u32,
}

/// A time of some days of the week in which clips are published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SlotWindow {
    /// The days. Default: all.
    #[serde(default = "every_day")]
    pub days: Vec<Day>,
    /// The start by the clocks of the time zone: `17:00`.
    pub start: String,
    /// The length in minutes. Default: 60.
    #[serde(default = "an_hour")]
    pub minutes: u32,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Day {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

const WEEK: [Day; 7] = [Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri, Day::Sat, Day::Sun];

fn every_day() -> Vec<Day> {
    WEEK.to_vec()
}

fn an_hour() -> u32 {
    60
}

impl SlotWindow {
    /// An hour from `start` on these days.
    pub fn new(days: impl Into<Vec<Day>>, start: impl Into<String>) -> Self {
        SlotWindow { days: days.into(), start: start.into(), minutes: an_hour() }
    }
}

impl Default for Schedule {
    fn default() -> Self {
        Schedule::shorts("UTC")
    }
}

impl Schedule {
    /// The peak times of Shorts: 12:00 and 17:00 from Monday to Friday, at most 6 clips a day.
    pub fn shorts(zone: impl Into<String>) -> Self {
        let window = |start: &str| SlotWindow::new(&WEEK[..5], start);
        Schedule {
            zone: zone.into(),
            windows: vec![window("12:00"), window("17:00")],
            from: None,
            spacing: Duration::from_secs(3600),
            per_day: 6,
        }
    }

    /// The peak times of TikTok: 9:00 and 19:00 on every day, at most 100 clips a day.
    pub fn tiktok(zone: impl Into<String>) -> Self {
        let window = |start: &str| SlotWindow::new(WEEK, start);
        Schedule { windows: vec![window("09:00"), window("19:00")], per_day: 100, ..Schedule::shorts(zone) }
    }

    /// The times for Reels: those of Shorts, since Instagram names none, at most 25 clips a day.
    pub fn reels(zone: impl Into<String>) -> Self {
        Schedule { per_day: 25, ..Schedule::shorts(zone) }
    }

    /// From a time on, an hour apart, at most 6 clips a day.
    pub fn from_time(at: SystemTime) -> Self {
        Schedule { windows: Vec::new(), from: Some(at), ..Schedule::default() }
    }

    /// Refuses what gives no slots.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`].
    pub fn check(&self) -> Result<()> {
        self.rules().map(drop)
    }

    fn rules(&self) -> Result<slots::Rules> {
        let refuse = |what: String| Error::new(ErrorKind::Config, what);
        let zone = TimeZone::get(&self.zone)
            .map_err(|_| refuse(format!("there is no time zone {:?}", self.zone)).with_advice("give a name such as Europe/Berlin"))?;
        if self.per_day == 0 {
            return Err(refuse("per_day is 0: no clip would be published".into()));
        }
        let (least, most) = (Duration::from_secs(60), Duration::from_secs(7 * 24 * 3600));
        if self.spacing < least || self.spacing > most {
            return Err(refuse(format!("spacing is {} s: give a minute to a week", self.spacing.as_secs_f64())));
        }
        let mut windows = Vec::new();
        for window in &self.windows {
            let start = Time::strptime("%H:%M", &window.start)
                .map_err(|_| refuse(format!("{:?} is no time of a day", window.start)).with_advice("give hours and minutes: 17:00"))?;
            if window.days.is_empty() || window.minutes == 0 || window.minutes > 24 * 60 {
                return Err(refuse("a window has at least one day, and 1 to 1440 minutes".into()));
            }
            let days = window.days.iter().map(|day| day.weekday()).collect();
            windows.push(slots::Opening { days, start, length: Duration::from_secs(60 * u64::from(window.minutes)) });
        }
        Ok(slots::Rules { zone, windows, spacing: self.spacing, per_day: self.per_day as usize })
    }
}

impl Day {
    fn weekday(self) -> Weekday {
        match self {
            Day::Mon => Weekday::Monday,
            Day::Tue => Weekday::Tuesday,
            Day::Wed => Weekday::Wednesday,
            Day::Thu => Weekday::Thursday,
            Day::Fri => Weekday::Friday,
            Day::Sat => Weekday::Saturday,
            Day::Sun => Weekday::Sunday,
        }
    }
}
