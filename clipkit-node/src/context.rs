//! What a run is given besides its input.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use napi::Env;
use napi::bindgen_prelude::{PromiseRaw, Status};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode, UnknownReturnValue};
use napi_derive::napi;
use tokio::sync::watch;

use clipkit::ErrorKind;
use clipkit::model::Usage;

use crate::document::read;
use crate::error::exception;

/// Nobody reads progress that comes more often.
const PACE: Duration = Duration::from_millis(100);

/// A function without arguments that does not keep the process alive.
pub(crate) type Wake = ThreadsafeFunction<(), UnknownReturnValue, (), Status, false, true>;

/// clipkit's context. JavaScript makes one for a run, or is given the one that a stage of its own runs under.
#[napi]
pub struct Context {
    pub(crate) cx: clipkit::Context,
    events: Arc<Mutex<Vec<String>>>,
    /// Whose other end goes when the call ends that this context was made for.
    call: Option<watch::Receiver<()>>,
}

/// How a context is set up.
#[napi(object)]
pub struct ContextOptions {
    /// The folder that scratch space is made in.
    pub scratch: Option<String>,
    /// In US dollars.
    pub max_cost: Option<f64>,
    /// For one piece of work.
    pub threads: Option<u32>,
}

#[napi]
impl Context {
    /// `wake` is called when there are events to take, and not again until they were taken.
    #[napi(constructor)]
    pub fn new(options: ContextOptions, #[napi(ts_arg_type = "() => void")] wake: Option<Wake>) -> Self {
        let events = Arc::<Mutex<Vec<String>>>::default();
        let mut builder = clipkit::Context::builder();
        if let Some(folder) = options.scratch {
            builder = builder.scratch_in(folder);
        }
        if let Some(usd) = options.max_cost {
            builder = builder.max_cost(usd);
        }
        if let Some(wake) = wake {
            let queue = events.clone();
            builder = builder.pace(PACE).on_event(move |event| {
                let Ok(text) = serde_json::to_string(event) else { return };
                let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
                queue.push(text);
                if queue.len() == 1 {
                    wake.call((), ThreadsafeFunctionCallMode::NonBlocking);
                }
            });
        }
        let cx = builder.build();
        let cx = options.threads.map_or(cx.clone(), |threads| cx.with_threads(threads as usize));
        Context { cx, events, call: None }
    }

    /// The events since the last call, as JSON.
    #[napi]
    pub fn events(&self) -> Vec<String> {
        std::mem::take(&mut *self.events.lock().unwrap_or_else(PoisonError::into_inner))
    }

    #[napi]
    pub fn cancel(&self) {
        self.cx.cancel();
    }

    /// Stops what runs under it and removes its scratch space.
    #[napi]
    pub fn close(&mut self) {
        self.cx.cancel();
        // Scratch space goes with the last clone.
        self.cx = clipkit::Context::new();
        self.cx.cancel();
    }

    #[napi(getter)]
    pub fn cancelled(&self) -> bool {
        self.cx.is_cancelled()
    }

    #[napi]
    pub fn check(&self) -> napi::Result<()> {
        self.cx.check().map_err(exception)
    }

    /// Calls `then` once if someone asks to stop before the call ends that this context was made for. A context that JavaScript made is
    /// cancelled by JavaScript alone, which need not be told.
    #[napi]
    pub fn on_cancel(&self, #[napi(ts_arg_type = "() => void")] then: Wake) {
        let Some(mut call) = self.call.clone() else { return };
        let cx = self.cx.clone();
        napi::bindgen_prelude::spawn(async move {
            tokio::select! {
                () = cx.cancelled() => {
                    then.call((), ThreadsafeFunctionCallMode::NonBlocking);
                }
                // Nothing is ever sent: it ends as the other side is dropped.
                _ = call.changed() => {}
            }
        });
    }

    #[napi(getter)]
    pub fn stage(&self) -> Option<&'static str> {
        self.cx.stage().map(clipkit::model::Stage::name)
    }

    #[napi(getter)]
    pub fn clip(&self) -> Option<u32> {
        self.cx.clip().and_then(|rank| u32::try_from(rank).ok())
    }

    #[napi(getter)]
    pub fn threads(&self) -> u32 {
        u32::try_from(self.cx.threads()).unwrap_or(u32::MAX)
    }

    #[napi]
    pub fn progress(&self, fraction: f64) {
        self.cx.progress(fraction);
    }

    #[napi]
    pub fn warn(&self, message: String) {
        self.cx.warn(message);
    }

    /// As JSON.
    #[napi]
    pub fn warnings(&self) -> String {
        serde_json::to_string(&self.cx.warnings()).unwrap_or_default()
    }

    #[napi]
    pub fn spend(&self, usage: String) -> napi::Result<()> {
        let usage: Usage = read(ErrorKind::Config, "a usage", &usage).map_err(exception)?;
        self.cx.spend(usage);
        Ok(())
    }

    /// As JSON.
    #[napi]
    pub fn usage(&self) -> String {
        serde_json::to_string(&self.cx.usage()).unwrap_or_default()
    }

    #[napi(getter)]
    pub fn budget_left(&self) -> Option<f64> {
        self.cx.budget_left()
    }

    /// Makes the folder when first asked for.
    #[napi]
    pub fn scratch(&self) -> napi::Result<String> {
        self.cx.scratch().map(|folder| folder.to_string_lossy().into_owned()).map_err(exception)
    }

    /// Waits, unless someone asks to stop; says why to whoever listens where a reason is given.
    #[napi]
    pub fn sleep<'env>(&self, env: &'env Env, seconds: f64, reason: Option<String>) -> napi::Result<PromiseRaw<'env, ()>> {
        let cx = self.cx.clone();
        let time = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        env.spawn_future(async move {
            if let Some(reason) = reason {
                cx.waiting(time, reason);
            }
            cx.sleep(time).await.map_err(exception)
        })
    }
}

impl Context {
    /// The context of a call to a stage in JavaScript, until the other end of `call` is dropped.
    pub(crate) fn of_call(cx: &clipkit::Context, call: watch::Receiver<()>) -> Self {
        Context { cx: cx.clone(), events: Arc::default(), call: Some(call) }
    }
}
