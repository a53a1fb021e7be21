//! What a run spends, and how much it may.

use std::sync::{Arc, Mutex, PoisonError};

use crate::model::Usage;

/// Sums up what is spent under one context, and holds a budget.
#[derive(Default)]
pub(crate) struct Ledger {
    state: Mutex<State>,
    /// The ledger of the context that this one's was made from: it hears of everything.
    parent: Option<Arc<Ledger>>,
}

#[derive(Default)]
struct State {
    budget: Option<f64>,
    usage: Vec<Usage>,
    spent: f64,
    /// Put aside for requests that are on their way.
    held: f64,
}

impl State {
    /// Costs and times that are no sound numbers do not count.
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
    pub(crate) fn below(parent: &Arc<Ledger>) -> Self {
        Ledger { parent: Some(parent.clone()), ..Ledger::default() }
    }

    /// Sets the most that may be spent, in US dollars.
    pub(crate) fn limit(&self, usd: Option<f64>) {
        self.change(|state| state.budget = usd);
    }

    /// What may still be spent, of the tightest budget; none where there is none.
    pub(crate) fn left(&self) -> Option<f64> {
        let own = self.change(|state| state.budget.map(|budget| (budget - state.spent - state.held).max(0.0)));
        let above = self.parent.as_ref().and_then(|parent| parent.left());
        match (own, above) {
            (Some(own), Some(above)) => Some(own.min(above)),
            (own, above) => own.or(above),
        }
    }

    pub(crate) fn usage(&self) -> Vec<Usage> {
        self.change(|state| state.usage.clone())
    }

    /// Adds what was spent.
    pub(crate) fn spend(&self, usage: &Usage) {
        self.change(|state| state.add(usage));
        if let Some(parent) = &self.parent {
            parent.spend(usage);
        }
    }

    /// Puts `usd` aside until what is answered is dropped; none where that would pass a budget.
    pub(crate) fn hold(self: &Arc<Self>, usd: f64) -> Option<Held> {
        if !usd.is_finite() || usd < 0.0 {
            // What has no sound price fits where there is no budget, and counts for nothing there.
            return if self.left().is_none() { self.hold(0.0) } else { None };
        }
        let above = match &self.parent {
            Some(parent) => Some(parent.hold(usd)?),
            None => None,
        };
        let fits = self.change(|state| {
            let fits = state.budget.is_none_or(|budget| state.spent + state.held + usd <= budget);
            state.held += if fits { usd } else { 0.0 };
            fits
        });
        fits.then(|| Held { ledger: self.clone(), usd, above: above.map(Box::new) })
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Money put aside for a request; free again when this is dropped.
pub(crate) struct Held {
    ledger: Arc<Ledger>,
    usd: f64,
    above: Option<Box<Held>>,
}

impl Held {
    /// Enters what the request cost in place of what was put aside for it, so that at no moment both count.
    pub(crate) fn spend(mut self, usage: &Usage) {
        self.settle(usage);
    }

    fn settle(&mut self, usage: &Usage) {
        let usd = std::mem::take(&mut self.usd);
        self.ledger.change(|state| {
            state.held -= usd;
            state.add(usage);
        });
        if let Some(above) = &mut self.above {
            above.settle(usage);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.ledger.change(|state| state.held -= self.usd);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(usd: f64) -> Usage {
        Usage { model: "m".into(), requests: 1, cost_usd: Some(usd), ..Usage::default() }
    }

    #[test]
    fn what_is_on_its_way_counts_until_it_is_known() {
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
    fn what_is_spent_takes_the_place_of_what_was_put_aside() {
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
    fn a_budget_above_binds_those_below_and_hears_of_them() {
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
    fn usage_adds_up_by_model_and_a_part_without_a_price_leaves_none() {
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
