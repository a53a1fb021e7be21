//! Shows progress: bars on a terminal, lines elsewhere, JSON on request.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clipkit::model::Stage;
use clipkit::{Context, Event};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::args::Reporting;
use super::output::{note, say_json};
use super::{limits, memory};

/// The number of steps of a bar.
const STEPS: u64 = 1000;
/// The minimum time between two progress events of a stage.
const INTERVAL: Duration = Duration::from_millis(100);

/// The context of a run, which reports events as requested.
pub(crate) fn context(reporting: Reporting) -> Context {
    let builder = limits::builder();
    match (reporting.quiet, reporting.json) {
        (true, _) => builder.on_event(trim),
        (false, true) => builder
            .on_event(|event| {
                trim(event);
                say_json(event)
            })
            .pace(INTERVAL),
        (false, false) if std::io::stderr().is_terminal() => {
            let bars = Bars::default();
            builder.on_event(move |event| {
                trim(event);
                bars.show(event)
            })
        }
        (false, false) => builder.on_event(|event| {
            trim(event);
            line(event)
        }),
    }
    .build()
}

/// Returns free memory to the system after the stages that use the most of it.
fn trim(event: &Event) {
    if matches!(event, Event::Finished { stage: Stage::Track | Stage::Render, .. }) {
        memory::release();
    }
}

/// Prints a line for the main events.
fn line(event: &Event) {
    match event {
        Event::Started { stage, clip: None } if *stage != Stage::Publish => note(&format!("{stage} ...")),
        Event::Started { stage: Stage::Render, clip: Some(clip) } => note(&format!("clip {clip}: render ...")),
        Event::Planned { clips } => note(&format!("{clips} clips chosen")),
        Event::Waiting { stage, seconds, reason, .. } => note(&format!("{stage} waits {seconds:.0} s: {reason}")),
        Event::Clip(clip) => note(&format!("made {}", clip.file)),
        _ => {}
    }
}

/// One bar for each stage that processes the whole video, then one for each clip.
#[derive(Default)]
struct Bars {
    all: MultiProgress,
    bars: Arc<Mutex<HashMap<Key, ProgressBar>>>,
}

#[derive(PartialEq, Eq, Hash)]
enum Key {
    Stage(Stage),
    Clip(usize),
}

impl Bars {
    fn show(&self, event: &Event) {
        match event {
            // The final publish step is too short for a bar.
            Event::Started { stage: Stage::Publish, clip: None } | Event::Finished { stage: Stage::Publish, clip: None } => {}
            Event::Started { stage, clip } => {
                let bar = self.bar(*stage, *clip);
                if clip.is_some() {
                    bar.set_message(stage.name());
                }
                bar.set_position(0);
            }
            Event::Progress { stage, clip, fraction } => {
                self.bar(*stage, *clip).set_position((f64::from(*fraction) * STEPS as f64) as u64);
            }
            Event::Waiting { stage, clip, seconds, reason } => {
                self.bar(*stage, *clip).set_message(format!("waits {seconds:.0} s: {reason}"));
            }
            Event::Finished { stage, clip: None } => self.bar(*stage, None).finish_with_message("done"),
            Event::Finished { stage: Stage::Publish, clip } => self.bar(Stage::Publish, *clip).finish_with_message("done"),
            Event::Finished { stage, clip } => self.bar(*stage, *clip).set_position(STEPS),
            _ => {}
        }
    }

    fn bar(&self, stage: Stage, clip: Option<usize>) -> ProgressBar {
        let (key, name) = match clip {
            Some(rank) => (Key::Clip(rank), format!("clip {rank}")),
            None => (Key::Stage(stage), stage.name().to_owned()),
        };
        let make = || {
            let bar = self.all.add(ProgressBar::new(STEPS).with_prefix(name).with_style(style()));
            bar.enable_steady_tick(INTERVAL);
            bar
        };
        self.bars.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_insert_with(make).clone()
    }
}

fn style() -> ProgressStyle {
    // The template is constant and valid; the default is never used.
    ProgressStyle::with_template("{prefix:>10} {bar:28} {percent:>3}% {elapsed:>4} {msg}").unwrap_or_else(|_| ProgressStyle::default_bar())
}
