use proptest::prelude::*;

use super::*;
use crate::publish::schedule::{Day, SlotWindow};

const ZONES: [&str; 7] =
    ["UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia", "America/Sao_Paulo"];

fn at(text: &str) -> SystemTime {
    text.parse::<Timestamp>().unwrap().try_into().unwrap()
}

fn shown(at: Option<SystemTime>) -> String {
    at.map_or_else(|| "none".into(), |at| Timestamp::try_from(at).unwrap().to_string())
}

/// The slots that clips get one after the other.
fn slots(schedule: &Schedule, now: &str, count: usize) -> Vec<String> {
    let mut taken = Vec::new();
    for _ in 0..count {
        taken.push(next_slot(schedule, &taken, at(now)).unwrap().unwrap());
    }
    taken.into_iter().map(|at| shown(Some(at))).collect()
}

#[test]
fn the_peaks_of_shorts_are_noon_and_five_on_weekdays() {
    let berlin = Schedule::shorts("Europe/Berlin");
    // A Friday afternoon in winter.
    let expected = ["2026-11-27T16:00:00Z", "2026-11-30T11:00:00Z", "2026-11-30T16:00:00Z"];
    assert_eq!(slots(&berlin, "2026-11-27T15:00:00Z", 3), expected);
    // The start of a window is its one slot, so a moment later it is over.
    assert_eq!(slots(&berlin, "2026-11-27T16:00:01Z", 1), ["2026-11-30T11:00:00Z"]);
    let tiktok = Schedule::tiktok("Asia/Kolkata");
    assert_eq!(slots(&tiktok, "2026-11-28T00:00:00Z", 3), ["2026-11-28T03:30:00Z", "2026-11-28T13:30:00Z", "2026-11-29T03:30:00Z"]);
}

#[test]
fn clocks_that_change_keep_the_local_time() {
    let mut noon = Schedule::tiktok("America/Los_Angeles");
    noon.windows = vec![SlotWindow::new([Day::Sat, Day::Sun, Day::Mon], "12:00")];
    // The clocks go forward on Sunday 8 March 2026, and back on Sunday 1 November.
    assert_eq!(slots(&noon, "2026-03-07T00:00:00Z", 3), ["2026-03-07T20:00:00Z", "2026-03-08T19:00:00Z", "2026-03-09T19:00:00Z"]);
    assert_eq!(slots(&noon, "2026-10-31T00:00:00Z", 3), ["2026-10-31T19:00:00Z", "2026-11-01T20:00:00Z", "2026-11-02T20:00:00Z"]);
    // 2:30 is skipped on that day, and becomes 3:30; 1:30 comes twice, and the first counts.
    noon.windows = vec![SlotWindow::new([Day::Sun], "02:30")];
    assert_eq!(slots(&noon, "2026-03-08T00:00:00Z", 1), ["2026-03-08T10:30:00Z"]);
    noon.windows = vec![SlotWindow::new([Day::Sun], "01:30")];
    assert_eq!(slots(&noon, "2026-11-01T00:00:00Z", 1), ["2026-11-01T08:30:00Z"]);
    // Samoa had no 30 December 2011, which was a Friday.
    let mut apia = Schedule::tiktok("Pacific/Apia");
    apia.windows = vec![SlotWindow::new([Day::Fri], "12:00")];
    assert_eq!(slots(&apia, "2011-12-30T00:00:00Z", 1).len(), 1);
}

#[test]
fn windows_hold_several_clips_at_the_spacing_and_days_fill_up() {
    let mut schedule = Schedule::shorts("UTC");
    schedule.windows = vec![SlotWindow { minutes: 120, ..SlotWindow::new([Day::Mon], "10:00") }];
    schedule.spacing = Duration::from_secs(45 * 60);
    let monday = ["2026-11-30T10:00:00Z", "2026-11-30T10:45:00Z", "2026-11-30T11:30:00Z"];
    assert_eq!(slots(&schedule, "2026-11-28T00:00:00Z", 4)[..3], monday);
    assert_eq!(slots(&schedule, "2026-11-28T00:00:00Z", 4)[3], "2026-12-07T10:00:00Z");
    schedule.per_day = 2;
    assert_eq!(slots(&schedule, "2026-11-28T00:00:00Z", 3)[2], "2026-12-07T10:00:00Z");
    // A clip outside the windows counts, too.
    let taken = [at("2026-11-30T09:30:00Z")];
    assert_eq!(shown(next_slot(&schedule, &taken, at("2026-11-28T00:00:00Z")).unwrap()), monday[1]);
}

#[test]
fn explicit_times_are_kept_and_the_past_means_now() {
    let schedule = Schedule::from_time(at("2026-12-01T17:00:00Z"));
    assert_eq!(slots(&schedule, "2026-11-28T00:00:00Z", 2), ["2026-12-01T17:00:00Z", "2026-12-01T18:00:00Z"]);
    assert_eq!(slots(&schedule, "2026-12-05T08:15:00Z", 1), ["2026-12-05T08:15:00Z"]);
    // Six a day, then the next midnight.
    assert_eq!(slots(&schedule, "2026-12-05T08:15:00Z", 7)[6], "2026-12-06T00:00:00Z");
}

#[test]
fn schedules_without_slots_are_refused() {
    let wrong = |change: &dyn Fn(&mut Schedule)| {
        let mut schedule = Schedule::default();
        change(&mut schedule);
        schedule.check().unwrap_err().kind()
    };
    for kind in [
        wrong(&|it| it.zone = "Europe/Bielefeld".into()),
        wrong(&|it| it.per_day = 0),
        wrong(&|it| it.spacing = Duration::ZERO),
        wrong(&|it| it.windows[0].start = "25:00".into()),
        wrong(&|it| it.windows[0].start = "noon".into()),
        wrong(&|it| it.windows[0].days.clear()),
        wrong(&|it| it.windows[0].minutes = 0),
    ] {
        assert_eq!(kind, ErrorKind::Config);
    }
}

prop_compose! {
    fn any_schedule()(
        zone in 0..ZONES.len(),
        windows in prop::collection::vec((prop::collection::vec(0..7_usize, 1..4), 0..24_u32, 0..60_u32, 1..300_u32), 0..4),
        spacing in 1..600_u64,
        per_day in 1..5_u32,
    ) -> Schedule {
        let mut schedule = Schedule::shorts(ZONES[zone]);
        schedule.windows = windows
            .into_iter()
            .map(|(days, hour, minute, minutes)| SlotWindow {
                minutes,
                ..SlotWindow::new(days.into_iter().map(|day| super::super::WEEK[day]).collect::<Vec<_>>(), format!("{hour:02}:{minute:02}"))
            })
            .collect();
        (schedule.spacing, schedule.per_day) = (Duration::from_secs(60 * spacing), per_day);
        schedule
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    /// From 2011 to 2030, over all changes of clocks in it.
    #[test]
    fn every_slot_keeps_the_rules(schedule in any_schedule(), now in 1_293_840_000..1_900_000_000_u64, count in 1..8_usize) {
        let rules = schedule.rules().unwrap();
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(now);
        let mut taken: Vec<SystemTime> = Vec::new();
        for _ in 0..count {
            let Some(slot) = next_slot(&schedule, &taken, now).unwrap() else { break };
            prop_assert!(slot >= now);
            let apart = |other: &SystemTime| slot.duration_since(*other).or_else(|_| other.duration_since(slot)).unwrap();
            prop_assert!(taken.iter().all(|other| apart(other) >= schedule.spacing), "{slot:?} is too near");
            let local = |at: SystemTime| Timestamp::try_from(at).unwrap().to_zoned_datetime(rules.zone.clone());
            let same_day = taken.iter().filter(|other| local(**other).date() == local(slot).date()).count();
            prop_assert!(same_day < schedule.per_day as usize);
            // It lies in a window: after its start on one of its days, and before its end.
            let is_inside = |window: &Opening| {
                [0, -1].iter().any(|back: &i32| {
                    let date = local(slot).date().checked_add(back.days()).unwrap();
                    let start = date.to_datetime(window.start).to_zoned_datetime(rules.zone.clone()).unwrap().timestamp();
                    let since = Timestamp::try_from(slot).unwrap().duration_since(start);
                    window.days.contains(&date.weekday()) && !since.is_negative() && since.unsigned_abs() < window.length
                })
            };
            prop_assert!(rules.windows.is_empty() || rules.windows.iter().any(is_inside), "{}", local(slot));
            taken.push(slot);
        }
        // More clips never make a slot earlier.
        let slots: Vec<SystemTime> = (0..=taken.len()).filter_map(|n| next_slot(&schedule, &taken[..n], now).unwrap()).collect();
        prop_assert!(slots.is_sorted(), "{slots:?}");
    }
}
