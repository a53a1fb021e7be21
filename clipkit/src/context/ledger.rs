//! The use of paid services in a run, and its budget.

use std::sync::{Arc, Mutex, PoisonError};

use crate::model::Usage;

/// Records the use of paid services under one context and enforces a budget.
#[derive(Default)]
pub(crate) struct Ledger {
    state: Mutex<State>,
    /// The ledger of the parent context. It also records everything that this one records.
    parent: Option<Arc<Ledger>>,
}

#[derive(Default)]
struct State {
    budget: Option<f64>,
    usage: Vec<Usage>,
    spent: f64,
    /// The sum of the amounts that are reserved for pending requests, in US dollars.
    reserved: f64,
}

impl State {
    /// Adds a record. A cost or duration that is negative or not finite is ignored.
    fn add(&mut self, usage: &Usage) {
        let sound = |number: &f64| number.is_finite() && *number >= 0.0;
        let usage = Usage {
            cost_usd: usage.cost_usd.filter(sound),
            audio_seconds: Some(usage.audio_seconds).filter(sound).unwrap_or(0.0),
            ..usage.clone()
        };
        self.spent += usage.cost_usd.unwrap_or(0.0);
        match self.usage.iter_mut().find(|known| known.stage == usage.stage && known.model == usage.model) {
            Some(known) => known.add(&usage),
            None => self.usage.push(usage),
        }
    }
}

impl Ledger {
    /// Makes a ledger that also records to `parent` and respects its budget.
    pub(crate) fn below(parent: &Arc<Ledger>) -> Self {
        Ledger { parent: Some(parent.clone()), ..Ledger::default() }
    }

    /// Sets the budget in US dollars. `None` means no budget.
    pub(crate) fn limit(&self, usd: Option<f64>) {
        self.change(|state| state.budget = usd);
    }

    /// The smallest remaining budget of this ledger and its ancestors, in US dollars. `None` means
    /// that none of them has a budget.
    pub(crate) fn left(&self) -> Option<f64> {
        let own = self.change(|state| state.budget.map(|budget| (budget - state.spent - state.reserved).max(0.0)));
        let above = self.parent.as_ref().and_then(|parent| parent.left());
        match (own, above) {
            (Some(own), Some(above)) => Some(own.min(above)),
            (own, above) => own.or(above),
        }
    }

    /// The recorded use, one entry for each stage and model.
    pub(crate) fn usage(&self) -> Vec<Usage> {
        self.change(|state| state.usage.clone())
    }

    /// Records a use.
    pub(crate) fn spend(&self, usage: &Usage) {
        self.change(|state| state.add(usage));
        if let Some(parent) = &self.parent {
            parent.spend(usage);
        }
    }

    /// Reserves `usd` until the returned value is dropped. `None` means that the amount exceeds a
    /// budget.
    pub(crate) fn hold(self: &Arc<Self>, usd: f64) -> Option<Held> {
        if !usd.is_finite() || usd < 0.0 {
            // An amount that is negative or not finite is accepted without a budget and counts as
            // 0.
            return if self.left().is_none() { self.hold(0.0) } else { None };
        }
        let parent = match &self.parent {
            Some(parent) => Some(parent.hold(usd)?),
            None => None,
        };
        let fits = self.change(|state| {
            let fits = state.budget.is_none_or(|budget| state.spent + state.reserved + usd <= budget);
            state.reserved += if fits { usd } else { 0.0 };
            fits
        });
        fits.then(|| Held { ledger: self.clone(), usd, parent: parent.map(Box::new) })
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A reserved amount of a budget. Dropping it releases the amount.
pub(crate) struct Held {
    ledger: Arc<Ledger>,
    usd: f64,
    parent: Option<Box<Held>>,
}

impl Held {
    /// Records the request's use and releases the reserved amount in one step, so that both never
    /// count at the same time.
    pub(crate) fn spend(mut self, usage: &Usage) {
        self.settle(usage);
    }

    fn settle(&mut self, usage: &Usage) {
        let usd = std::mem::take(&mut self.usd);
        self.ledger.change(|state| {
            state.reserved -= usd;
            state.add(usage);
        });
        if let Some(parent) = &mut self.parent {
            parent.settle(usage);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.ledger.change(|state| state.reserved -= self.usd);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(usd: f64) -> Usage {
        Usage { model: "m".into(), requests: 1, cost_usd: Some(usd), ..Usage::default() }
    }

    #[test]
    fn reserved_amounts_count_until_they_are_released() {
        let ledger = Arc::new(Ledger::default());
        assert!(ledger.hold(1e9).is_some(), "there is no budget");
        ledger.limit(Some(1.0));
        let held = ledger.hold(0.6).unwrap();
        assert!(ledger.hold(0.6).is_none() && ledger.hold(f64::NAN).is_none());
        ledger.spend(&cost(0.2));
        drop(held);
        assert!((ledger.left().unwrap() - 0.8).abs() < 1e-9);
        assert!(ledger.hold(0.8).is_some() && ledger.hold(0.81).is_none());
    }

    #[test]
    fn a_recorded_use_replaces_its_reserved_amount() {
        let above = Arc::new(Ledger::default());
        above.limit(Some(1.0));
        let below = Arc::new(Ledger::below(&above));
        let (one, other) = (below.hold(0.5).unwrap(), below.hold(0.5).unwrap());
        one.spend(&cost(0.5));
        assert!(above.left().unwrap() < 1e-9);
        other.spend(&cost(0.25));
        assert!((above.left().unwrap() - 0.25).abs() < 1e-9 && (below.left().unwrap() - 0.25).abs() < 1e-9);
        assert_eq!((above.usage()[0].requests, above.usage()), (2, below.usage()));
    }

    #[test]
    fn a_parent_budget_limits_its_children_and_records_their_use() {
        let above = Arc::new(Ledger::default());
        above.limit(Some(1.0));
        let below = Arc::new(Ledger::below(&above));
        below.limit(Some(5.0));
        below.spend(&cost(0.7));
        assert!(below.hold(0.4).is_none() && below.hold(0.3).is_some());
        assert!((above.left().unwrap() - 0.3).abs() < 1e-9 && (below.left().unwrap() - 0.3).abs() < 1e-9);
        assert_eq!(above.usage(), below.usage());
    }

    #[test]
    fn usage_is_summed_by_model_and_an_unknown_cost_makes_the_sum_unknown() {
        let ledger = Ledger::default();
        ledger.spend(&cost(0.25));
        ledger.spend(&cost(0.5));
        ledger.spend(&Usage { model: "other".into(), audio_seconds: f64::NAN, cost_usd: Some(f64::INFINITY), ..Usage::default() });
        let usage = ledger.usage();
        assert_eq!((usage[0].requests, usage[0].cost_usd), (2, Some(0.75)));
        assert_eq!((usage[1].cost_usd, usage[1].audio_seconds), (None, 0.0));
        ledger.spend(&Usage { cost_usd: None, ..cost(0.0) });
        assert_eq!((ledger.usage()[0].requests, ledger.usage()[0].cost_usd), (3, None));
    }
}
