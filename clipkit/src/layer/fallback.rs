use super::Stage;
use crate::context::Context;
use crate::error::Result;

/// A stage, and another in its place where the first fails. The step down leaves a warning.
///
/// Made by `or`: `OnnxTracker::load(model)?.or(CenterTracker)`. Cancelled work is not tried again.
#[derive(Clone, Debug)]
pub struct Fallback<A, B> {
    first: A,
    second: B,
}

impl<A, B> Fallback<A, B> {
    pub(crate) fn new(first: A, second: B) -> Self {
        Fallback { first, second }
    }

    pub(crate) fn first(&self) -> &A {
        &self.first
    }

    pub(crate) async fn first_that_works<I, O>(&self, cx: &Context, input: &I) -> Result<O>
    where
        I: ?Sized + Sync,
        A: Stage<I, O>,
        B: Stage<I, O>,
    {
        match self.first.call(cx, input).await {
            Err(error) if !error.is_cancelled() => {
                cx.warn(format!("{error}; going on with {}", short_name::<B>()));
                self.second.call(cx, input).await
            }
            answer => answer,
        }
    }
}

/// `clipkit::track::center::CenterTracker` -> `CenterTracker`.
fn short_name<T>() -> &'static str {
    let name = std::any::type_name::<T>();
    let bare = name.split('<').next().unwrap_or(name);
    bare.rsplit("::").next().unwrap_or(bare)
}
