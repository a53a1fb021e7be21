//! Behaviour that wraps any stage, written once for all of them.

mod fallback;

pub use fallback::Fallback;

use std::sync::Arc;

use async_trait::async_trait;

use crate::context::Context;
use crate::error::Result;
use crate::model::{Candidate, Clip, ClipPlan, Manifest, Media, Post, Receipt, Tracks, Transcript};
use crate::publish::Publisher;
use crate::render::Renderer;
use crate::score::{Scorer, Scoring};
use crate::source::Source;
use crate::track::{FaceTracker, Tracking};
use crate::transcribe::Transcriber;

/// Any of the six stage traits, seen as a function. A layer is written over this.
#[async_trait]
pub(crate) trait Stage<I: ?Sized + Sync, O>: Send + Sync {
    async fn call(&self, cx: &Context, input: &I) -> Result<O>;
}

/// What stands around a stage and answers for it where a method is not the layer's business.
trait Wraps {
    type Inner: ?Sized;
    fn first(&self) -> &Self::Inner;
}

impl<T: ?Sized> Wraps for Arc<T> {
    type Inner = T;

    fn first(&self) -> &T {
        self
    }
}

/// For each stage trait: every implementer is a [`Stage`], and every layer over stages and every shared stage is an implementer.
macro_rules! stages {
    ($($trait:ident :: $method:ident ($input:ty) -> $output:ty $({ $($forward:tt)* })?;)*) => {$(
        #[async_trait]
        impl<T: $trait + ?Sized> Stage<$input, $output> for T {
            async fn call(&self, cx: &Context, input: &$input) -> Result<$output> {
                self.$method(cx, input).await
            }
        }

        #[async_trait]
        impl<A: $trait, B: $trait> $trait for Fallback<A, B> {
            async fn $method(&self, cx: &Context, input: &$input) -> Result<$output> {
                self.first_that_works::<$input, $output>(cx, input).await
            }
            $($($forward)*)?
        }

        #[async_trait]
        impl<T: $trait + ?Sized> $trait for Arc<T> {
            async fn $method(&self, cx: &Context, input: &$input) -> Result<$output> {
                self.first().$method(cx, input).await
            }
            $($($forward)*)?
        }
    )*};
}

stages! {
    Source::fetch(str) -> Media;
    Transcriber::transcribe(Media) -> Transcript;
    Scorer::score(Scoring) -> Vec<Candidate>;
    FaceTracker::track(Tracking) -> Tracks;
    Renderer::render(ClipPlan) -> Clip {
        fn size(&self) -> Option<(u32, u32)> {
            self.first().size()
        }
    };
    Publisher::publish(Post) -> Receipt {
        async fn conclude(&self, cx: &Context, manifest: &Manifest) -> Result<()> {
            self.first().conclude(cx, manifest).await
        }
        fn staging(&self) -> Option<&std::path::Path> {
            self.first().staging()
        }
    };
}
