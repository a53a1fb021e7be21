use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use super::{BuiltLayer, Layer, LayerConfig, Next, Service};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};

/// A rate per day needs its history for this long.
const KEPT: Duration = Duration::from_secs(24 * 3600);

/// The layers around each request to a server.
pub(crate) struct RequestLayers(Vec<BuiltLayer>);

/// Layers and when they were last used, by a hash of account and configuration.
type InUse = HashMap<blake3::Hash, (Arc<RequestLayers>, Instant)>;

/// The layers of all servers that this process asks.
static IN_USE: Mutex<Option<InUse>> = Mutex::new(None);

impl RequestLayers {
    /// The layers of an account on a server, the first of them next to the request. `account` is
    /// whatever the server counts by.
    ///
    /// Servers count the requests of an account, whichever stage or pipeline makes them. So all
    /// callers in this process that give the same account and the same layers get the same state.
    /// It is dropped when nobody has used it for a day.
    pub(crate) fn of(account: &[&str], layers: &[LayerConfig]) -> Result<Arc<Self>> {
        layers.iter().try_for_each(LayerConfig::check_around_requests)?;
        let text = serde_json::to_string(&(account, layers))
            .map_err(|error| Error::new(ErrorKind::Config, format!("a server's layers cannot be written as JSON: {error}")))?;
        // A hash, so that no key of an account stays in memory here.
        let key = blake3::hash(text.as_bytes());
        let mut in_use = IN_USE.lock().unwrap_or_else(PoisonError::into_inner);
        let in_use = in_use.get_or_insert_default();
        in_use.retain(|_, (layers, used)| Arc::strong_count(layers) > 1 || used.elapsed() < KEPT);
        if let Some((known, used)) = in_use.get_mut(&key) {
            *used = Instant::now();
            return Ok(known.clone());
        }
        let built = Arc::new(RequestLayers(layers.iter().map(LayerConfig::build).collect::<Result<_>>()?));
        in_use.insert(key, (built.clone(), Instant::now()));
        Ok(built)
    }

    /// Makes a request inside the layers.
    pub(crate) async fn call<O, F>(&self, cx: &Context, request: impl Fn(Context) -> F + Send + Sync + 'static) -> Result<O>
    where
        O: Send + Sync + 'static,
        F: Future<Output = Result<O>> + Send + 'static,
    {
        let innermost = Next(Arc::new(Call(request)) as Arc<dyn Service<(), O>>);
        let around =
            |next, layer: &BuiltLayer| Ok(Next(Arc::new(Around { layer: layer.around_anything()?, next }) as Arc<dyn Service<(), O>>));
        self.0.iter().try_fold(innermost, around)?.call(cx, &()).await
    }
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
