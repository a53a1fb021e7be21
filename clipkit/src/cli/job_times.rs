//! The time that the stages of a job took, from its events.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use clipkit::jobs::JobEvent;

/// The times of one stage.
#[derive(Debug, PartialEq, Eq)]
struct StageTimes {
    stage: String,
    runs: usize,
    total: Duration,
    longest: Duration,
}

/// A line for each stage that ended, in the order in which they began: `render   10 times, 61.3 s
/// in all, at most 8.2 s`. A stage that runs for several clips at once takes less time than the
/// sum.
pub(super) fn lines(events: &[JobEvent]) -> Vec<String> {
    let secs = |time: Duration| format!("{:.1} s", time.as_secs_f64());
    let line = |StageTimes { stage, runs, total, longest }: StageTimes| match runs {
        1 => format!("{stage:<11} {}", secs(total)),
        _ => format!("{stage:<11} {runs} times, {} in all, at most {}", secs(total), secs(longest)),
    };
    times(events).into_iter().map(line).collect()
}

fn times(events: &[JobEvent]) -> Vec<StageTimes> {
    // An attempt that failed has no end; the next one begins anew.
    let mut begun: BTreeMap<(&str, u64), SystemTime> = BTreeMap::new();
    let mut found: Vec<StageTimes> = Vec::new();
    for event in events {
        let (Some(kind), Some(stage), Some(at)) = (event.event["event"].as_str(), event.event["stage"].as_str(), event.at) else {
            continue;
        };
        let of = (stage, event.event["clip"].as_u64().unwrap_or(0));
        match kind {
            "started" => {
                begun.insert(of, at);
                if found.iter().all(|times| times.stage != stage) {
                    found.push(StageTimes { stage: stage.to_owned(), runs: 0, total: Duration::ZERO, longest: Duration::ZERO });
                }
            }
            "finished" => {
                let took = begun.remove(&of).map(|start| at.duration_since(start).unwrap_or_default());
                if let (Some(took), Some(times)) = (took, found.iter_mut().find(|times| times.stage == stage)) {
                    times.runs += 1;
                    times.total += took;
                    times.longest = times.longest.max(took);
                }
            }
            _ => {}
        }
    }
    found.retain(|times| times.runs > 0);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(secs: u64, event: serde_json::Value) -> JobEvent {
        JobEvent { number: 1, at: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(secs)), event }
    }

    #[test]
    fn stages_are_timed_from_their_start_to_their_end() {
        let start =
            |secs, stage: &str, clip: Option<u64>| event(secs, serde_json::json!({"event": "started", "stage": stage, "clip": clip}));
        let end =
            |secs, stage: &str, clip: Option<u64>| event(secs, serde_json::json!({"event": "finished", "stage": stage, "clip": clip}));
        let events = [
            start(10, "score", None),
            end(12, "score", None),
            start(12, "render", Some(1)),
            start(13, "render", Some(2)),
            // The first attempt of clip 1 failed.
            start(20, "render", Some(1)),
            end(23, "render", Some(2)),
            end(25, "render", Some(1)),
            start(30, "publish", Some(1)),
            end(31, "track", None),
            event(32, serde_json::json!({"event": "ended", "state": "done"})),
        ];
        assert_eq!(lines(&events), ["score       2.0 s", "render      2 times, 15.0 s in all, at most 10.0 s"]);
    }
}
