use std::sync::Arc;

use async_trait::async_trait;

use super::{Layer, LayerConfig, Next, Service};
use crate::context::Context;
use crate::error::Result;

/// Makes a call inside these layers, the first of them next to it: a single request of a stage that makes many. They count with their clones.
pub(crate) async fn inside<O, F>(layers: &[LayerConfig], cx: &Context, call: impl Fn(Context) -> F + Send + Sync + 'static) -> Result<O>
where
    O: Send + Sync + 'static,
    F: Future<Output = Result<O>> + Send + 'static,
{
    let innermost = Next(Arc::new(Call(call)) as Arc<dyn Service<(), O>>);
    let around =
        |next, layer: &LayerConfig| Ok(Next(Arc::new(Around { layer: layer.around_a_request()?, next }) as Arc<dyn Service<(), O>>));
    layers.iter().try_fold(innermost, around)?.call(cx, &()).await
}

struct Call<C>(C);

#[async_trait]
impl<O, F, C> Service<(), O> for Call<C>
where
    C: Fn(Context) -> F + Send + Sync,
    F: Future<Output = Result<O>> + Send,
{
    async fn call(&self, cx: &Context, (): &()) -> Result<O> {
        (self.0)(cx.clone()).await
    }
}

struct Around<O> {
    layer: Arc<dyn Layer<(), O>>,
    next: Next<(), O>,
}

#[async_trait]
impl<O: Send> Service<(), O> for Around<O> {
    async fn call(&self, cx: &Context, (): &()) -> Result<O> {
        self.layer.call(cx, &(), &self.next).await
    }
}
