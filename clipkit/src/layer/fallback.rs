use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Service, StageKind};
use crate::context::{Context, Run};
use crate::error::Result;
use crate::model::WarningKind;

/// A stage, and a second one that takes over if the first fails. Taking over leaves a warning.
///
/// Made by [`or`](crate::stage::StageExt::or): `OnnxTracker::load(model)?.or(CenterTracker)`. `K`
/// is the kind of stage, such as `dyn FaceTracker`. A cancelled call does not go to the second
/// stage. A [`Cache`](crate::layer::Cache) around the two never keeps an answer of the second, so
/// that the next run asks the first again.
///
/// [`Publisher::conclude`](crate::stage::Publisher::conclude) goes to each of the two that
/// published something in the run, and to the first if neither did.
/// [`Publisher::staging`](crate::stage::Publisher::staging),
/// [`Renderer::size`](crate::stage::Renderer::size) and the fingerprints are those of the first.
pub struct Fallback<A, B, K: ?Sized> {
    first: A,
    second: B,
    /// What each of the two has done, by run. Clones share it.
    done: Arc<Mutex<Vec<Done>>>,
    kind: PhantomData<fn(Box<K>)>,
}

/// Which of the two stages answered calls in a run.
struct Done {
    run: Run,
    first: bool,
    second: bool,
}

impl<A, B, K: StageKind + ?Sized> Fallback<A, B, K> {
    pub(super) fn new(first: A, second: B) -> Self {
        Fallback { first, second, done: Arc::default(), kind: PhantomData }
    }

    pub(super) fn first(&self) -> &A {
        &self.first
    }

    pub(super) fn second(&self) -> &B {
        &self.second
    }

    pub(super) async fn first_that_works<I, O>(&self, cx: &Context, input: &I) -> Result<O>
    where
        I: ?Sized + Sync,
        A: Service<I, O>,
        B: Service<I, O>,
    {
        match self.first.call(cx, input).await {
            Err(error) if !error.is_cancelled() => {
                cx.warn_of(WarningKind::StandIn, format!("{error}; going on with {}", short_name::<B>()));
                cx.step_down();
                let answer = self.second.call(cx, input).await?;
                self.change(cx, |done| done.second = true);
                Ok(answer)
            }
            answer => {
                if answer.is_ok() {
                    self.change(cx, |done| done.first = true);
                }
                answer
            }
        }
    }

    /// Whether the first stage, and whether the second, is to be told of the end of this context's
    /// run.
    pub(super) fn to_conclude(&self, cx: &Context) -> (bool, bool) {
        let run = cx.run();
        let done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        done.iter().find(|done| done.run == run).map_or((true, false), |done| (done.first, done.second))
    }

    /// Forgets a run that was concluded.
    pub(super) fn forget(&self, cx: &Context) {
        let run = cx.run();
        self.done.lock().unwrap_or_else(PoisonError::into_inner).retain(|done| done.run != run);
    }

    fn change(&self, cx: &Context, change: impl FnOnce(&mut Done)) {
        let run = cx.run();
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        done.retain(|done| !done.run.is_over());
        match done.iter_mut().find(|done| done.run == run) {
            Some(known) => change(known),
            None => {
                let mut new = Done { run, first: false, second: false };
                change(&mut new);
                done.push(new);
            }
        }
    }
}

impl<A: Clone, B: Clone, K: ?Sized> Clone for Fallback<A, B, K> {
    fn clone(&self) -> Self {
        Fallback { first: self.first.clone(), second: self.second.clone(), done: self.done.clone(), kind: PhantomData }
    }
}

impl<A: fmt::Debug, B: fmt::Debug, K: ?Sized> fmt::Debug for Fallback<A, B, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fallback").field("first", &self.first).field("second", &self.second).finish_non_exhaustive()
    }
}

/// `clipkit::track::center::CenterTracker` -> `CenterTracker`, also inside layers or behind a
/// pointer.
fn short_name<T>() -> &'static str {
    bare(std::any::type_name::<T>())
}

fn bare(mut name: &'static str) -> &'static str {
    loop {
        let end = name.find(['<', ',', '>']).unwrap_or(name.len());
        let (outer, rest) = name.split_at(end);
        let outer = outer.rsplit("::").next().unwrap_or(outer);
        match (outer, rest.strip_prefix('<')) {
            ("Arc" | "Layered" | "Fallback", Some(inner)) => name = inner,
            _ if name.starts_with("dyn ") => return "another stage",
            _ => return outer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_called_by_their_own_names() {
        for (name, short) in [
            ("clipkit::track::center::CenterTracker", "CenterTracker"),
            (
                "clipkit::layer::Layered<clipkit::score::heuristic::Heuristic, clipkit::layer::retry::Retry, dyn clipkit::score::Scorer>",
                "Heuristic",
            ),
            ("alloc::sync::Arc<dyn clipkit::score::Scorer>", "another stage"),
            ("my::Own<u8>", "Own"),
        ] {
            assert_eq!(bare(name), short, "{name}");
        }
    }
}
