use super::Service;
use crate::context::Context;
use crate::error::Result;

/// A stage, and another in its place where the first fails. The step down leaves a warning.
///
/// Made by [`or`](crate::stage::StageExt::or): `OnnxTracker::load(model)?.or(CenterTracker)`. Cancelled work is not tried again. What the second
/// answers is never kept by a [`Cache`](crate::layer::Cache) around the two, so the first gets another chance at the next run.
#[derive(Clone, Debug)]
pub struct Fallback<A, B> {
    first: A,
    second: B,
}

impl<A, B> Fallback<A, B> {
    pub(super) fn new(first: A, second: B) -> Self {
        Fallback { first, second }
    }

    pub(super) fn first(&self) -> &A {
        &self.first
    }

    pub(super) async fn first_that_works<I, O>(&self, cx: &Context, input: &I) -> Result<O>
    where
        I: ?Sized + Sync,
        A: Service<I, O>,
        B: Service<I, O>,
    {
        match self.first.call(cx, input).await {
            Err(error) if !error.is_cancelled() => {
                cx.warn(format!("{error}; going on with {}", short_name::<B>()));
                cx.step_down();
                self.second.call(cx, input).await
            }
            answer => answer,
        }
    }
}

/// `clipkit::track::center::CenterTracker` -> `CenterTracker`, also inside layers or behind a pointer.
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
            ("clipkit::layer::Layered<clipkit::score::heuristic::Heuristic, clipkit::layer::retry::Retry>", "Heuristic"),
            ("alloc::sync::Arc<dyn clipkit::score::Scorer>", "another stage"),
            ("my::Own<u8>", "Own"),
        ] {
            assert_eq!(bare(name), short, "{name}");
        }
    }
}
