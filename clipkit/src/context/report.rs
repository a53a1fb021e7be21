//! What a run reports: events, warnings, costs.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::ledger::Held;
use super::{Context, Event};
use crate::model::{Stage, Usage, Warning, WarningKind};

impl Context {
    /// Sends an event to the listener.
    pub fn emit(&self, event: &Event) {
        if let Some(listener) = &self.shared.listener {
            listener(event);
        }
    }

    /// Sends the progress of this context's stage to the listener. `fraction` is 0 to 1.
    pub fn progress(&self, fraction: f64) {
        if let Some(stage) = self.stage {
            self.emit(&Event::Progress { stage, clip: self.clip, fraction: fraction.clamp(0.0, 1.0) as f32 });
        }
    }

    /// Reports to the log and to the listener that this context's stage waits for `time`, and why.
    pub fn waiting(&self, time: Duration, reason: impl Into<String>) {
        let reason = reason.into();
        tracing::info!(stage = self.stage.map(Stage::name), clip = self.clip, seconds = time.as_secs_f64(), "waits: {reason}");
        if let Some(stage) = self.stage {
            self.emit(&Event::Waiting { stage, clip: self.clip, seconds: time.as_secs_f64(), reason });
        }
    }

    /// Adds a warning of the kind [`WarningKind::Other`] to the result, the log and the events.
    pub fn warn(&self, message: impl Into<String>) {
        self.warn_of(WarningKind::Other, message);
    }

    /// Adds a warning of a kind to the result, the log and the events.
    pub fn warn_of(&self, kind: WarningKind, message: impl Into<String>) {
        if self.silenced {
            return;
        }
        let (stage, message) = (self.stage.unwrap_or(Stage::Plan), message.into());
        let warning = Warning { kind, stage, clip: self.clip, message };
        tracing::warn!(stage = %warning.stage, clip = warning.clip, "{}", warning.message);
        self.emit(&Event::Warning(warning.clone()));
        self.shared.keep(&warning);
    }

    /// Adds a warning of a kind for the whole run, unless it already has one with the same message.
    pub(crate) fn warn_once_of(&self, kind: WarningKind, message: String) {
        if !self.warnings().iter().any(|warning| warning.message == message) {
            Context { clip: None, ..self.clone() }.warn_of(kind, message);
        }
    }

    /// The warnings of all stages and clips so far.
    pub fn warnings(&self) -> Vec<Warning> {
        self.shared.warnings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Records the use of a paid service for the manifest. If `usage` has no stage, it gets this
    /// context's stage.
    pub fn spend(&self, usage: Usage) {
        self.ledger.spend(&self.attributed(usage));
    }

    /// Records the use of a paid service and releases the budget that was reserved for it.
    pub(crate) fn settle(&self, held: Held, usage: Usage) {
        held.spend(&self.attributed(usage));
    }

    fn attributed(&self, usage: Usage) -> Usage {
        let usage = Usage { stage: usage.stage.or(self.stage), ..usage };
        tracing::debug!(stage = ?usage.stage, model = %usage.model, tokens = usage.prompt_tokens + usage.completion_tokens, "spent");
        usage
    }

    /// The recorded use of paid services, one entry for each stage and model.
    pub fn usage(&self) -> Vec<Usage> {
        self.ledger.usage()
    }

    /// The remaining budget in US dollars. Reserved amounts count as spent. `None` means that there
    /// is no budget.
    pub fn budget_left(&self) -> Option<f64> {
        self.ledger.left()
    }

    /// Reserves `usd` of the budget for a request until the returned value is dropped. `None` means
    /// that the amount exceeds the remaining budget.
    pub(crate) fn hold(&self, usd: f64) -> Option<Held> {
        self.ledger.hold(usd)
    }

    /// Sets this context's budget in US dollars. `None` means no budget.
    pub(crate) fn limit(&self, usd: Option<f64>) {
        self.ledger.limit(usd);
    }

    /// Records that a stand-in produced the result, so that no cache stores it.
    pub(crate) fn step_down(&self) {
        self.shared.stepped_down.store(true, Ordering::Relaxed);
    }

    /// Whether a stand-in produced a result under this context.
    pub(crate) fn stepped_down(&self) -> bool {
        self.shared.stepped_down.load(Ordering::Relaxed)
    }
}
