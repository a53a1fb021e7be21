//! Contexts: cancellation, progress, warnings, scratch space.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use napi::Env;
use napi::bindgen_prelude::{PromiseRaw, Status};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode, UnknownReturnValue};
use napi_derive::napi;
use tokio::sync::watch;

use clipkit::ErrorKind;
use clipkit::model::{Limits, MediaRef, Usage, WarningKind};

use crate::document::read;
use crate::error::exception;

/// The shortest time between two progress events of one stage and clip.
const PACE: Duration = Duration::from_millis(100);

/// A function without arguments that does not keep the process alive.
pub(crate) type Wake = ThreadsafeFunction<(), UnknownReturnValue, (), Status, false, true>;

/// A context: one that JavaScript made, or the one of a call to a stage in JavaScript.
#[napi]
pub struct Context {
    pub(crate) cx: clipkit::Context,
    events: Arc<Mutex<Vec<String>>>,
    /// The other end is dropped when the call ends that this context was made for.
    call: Option<watch::Receiver<()>>,
}

/// Options of a context.
#[napi(object)]
pub struct ContextOptions {
    /// The parent folder of scratch space.
    pub scratch: Option<String>,
    /// In US dollars.
    pub max_cost: Option<f64>,
    /// Threads for one piece of work.
    pub threads: Option<u32>,
    /// How large inputs may be, as JSON.
    pub limits: Option<String>,
}

#[napi]
impl Context {
    /// `wake` is called when events are available, and not again until they were taken.
    #[napi(constructor)]
    pub fn new(options: ContextOptions, #[napi(ts_arg_type = "() => void")] wake: Option<Wake>) -> napi::Result<Self> {
        let events = Arc::<Mutex<Vec<String>>>::default();
        let mut builder = clipkit::Context::builder();
        if let Some(folder) = options.scratch {
            builder = builder.scratch_in(folder);
        }
        if let Some(usd) = options.max_cost {
            builder = builder.max_cost(usd);
        }
        if let Some(limits) = options.limits {
            builder = builder.limits(read::<Limits>(ErrorKind::Config, "limits", &limits).map_err(exception)?);
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
        Ok(Context { cx, events, call: None })
    }

    /// Takes the events since the last call, each as JSON.
    #[napi]
    pub fn events(&self) -> Vec<String> {
        std::mem::take(&mut *self.events.lock().unwrap_or_else(PoisonError::into_inner))
    }

    #[napi]
    pub fn cancel(&self) {
        self.cx.cancel();
    }

    /// Cancels the work under this context and removes its scratch space.
    #[napi]
    pub fn close(&mut self) {
        self.cx.cancel();
        // Scratch space is removed with the last clone.
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

    /// Calls `then` once if the context of a call is cancelled before the call ends. Does nothing
    /// for a context that JavaScript made: only JavaScript cancels it.
    #[napi]
    pub fn on_cancel(&self, #[napi(ts_arg_type = "() => void")] then: Wake) {
        let Some(mut call) = self.call.clone() else { return };
        let cx = self.cx.clone();
        napi::bindgen_prelude::spawn(async move {
            tokio::select! {
                () = cx.cancelled() => {
                    then.call((), ThreadsafeFunctionCallMode::NonBlocking);
                }
                // Nothing is sent: this ends when the sender is dropped.
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
    pub fn warn(&self, message: String, kind: Option<String>) -> napi::Result<()> {
        let kind = match kind {
            Some(kind) => {
                let name = serde_json::Value::from(kind).to_string();
                read::<WarningKind>(ErrorKind::Config, "a kind of warning", &name).map_err(exception)?
            }
            None => WarningKind::Other,
        };
        self.cx.warn_of(kind, message);
        Ok(())
    }

    /// The path of a medium on this machine, from a `MediaRef` as JSON.
    #[napi]
    pub fn locate(&self, media: String) -> napi::Result<String> {
        let media: MediaRef = read(ErrorKind::InvalidInput, "a reference to a medium", &media).map_err(exception)?;
        self.cx.locate(&media).map(|path| path.to_string_lossy().into_owned()).map_err(exception)
    }

    #[napi(getter)]
    pub fn idempotency_key(&self) -> Option<String> {
        self.cx.idempotency_key().map(str::to_owned)
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

    /// The folder for temporary files. The first call makes it.
    #[napi]
    pub fn scratch(&self) -> napi::Result<String> {
        self.cx.scratch().map(|folder| folder.to_string_lossy().into_owned()).map_err(exception)
    }

    /// Waits, unless the context is cancelled. A reason is emitted as an event.
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
    /// The context of a call to a stage in JavaScript. The call ends when the other end of `call` is
    /// dropped.
    pub(crate) fn of_call(cx: &clipkit::Context, call: watch::Receiver<()>) -> Self {
        Context { cx: cx.clone(), events: Arc::default(), call: Some(call) }
    }
}
