//! A Python object with the right method, as a stage.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use clipkit::model::{Candidate, ClipPlan, Manifest, Media, Post, Receipt, RenderedClip, Tracks, Transcript};
use clipkit::stage::{FaceTracker, Publisher, Renderer, Scorer, Scoring, Source, Target, Tracking, Transcriber};
use clipkit::{Environment, Error, ErrorKind, Result};
use pyo3::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::context::Context;
use crate::tell::attached;
use crate::{convert, error};

/// The Python call that a context belongs to. Asynchronous stages run in its event loop.
pub(crate) struct Caller(pub(crate) Py<PyAny>);

/// A Python object, and its attributes as they were when it became a stage.
#[derive(Clone)]
pub(crate) struct Host {
    object: Arc<Py<PyAny>>,
    fingerprint: Option<String>,
    size: Option<(u32, u32)>,
    staging: Option<PathBuf>,
    target: Option<Target>,
    concludes: bool,
}

impl Host {
    pub(crate) fn new(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Host {
            fingerprint: attribute(object, "fingerprint")?.map(|value| value.extract()).transpose()?,
            size: attribute(object, "size")?.map(|value| value.extract()).transpose()?,
            staging: attribute(object, "staging")?.map(|value| value.extract()).transpose()?,
            target: attribute(object, "target")?.map(|value| convert::target(&value)).transpose()?,
            concludes: object.hasattr("conclude")?,
            object: Arc::new(object.clone().unbind()),
        })
    }

    /// Calls a method on a thread that may block. A cancel reaches what the method awaits. `takes`
    /// is the Python class of the input, `meant` names the answer's type in errors.
    fn call<I, O>(
        &self,
        cx: &clipkit::Context,
        method: &'static str,
        takes: &'static str,
        input: &I,
        meant: &'static str,
    ) -> impl Future<Output = Result<O>> + Send + use<I, O>
    where
        I: Serialize + ToOwned<Owned: Send + Sync + 'static> + ?Sized,
        O: DeserializeOwned + Send + 'static,
    {
        let (object, cx, input) = (self.object.clone(), cx.clone(), input.to_owned());
        async move {
            let mut hosted = Hosted { cx: cx.child(), running: Arc::default() };
            let (running, under) = (hosted.running.clone(), hosted.cx.clone());
            let mut work = tokio::task::spawn_blocking(move || {
                let answer = attached(|py| {
                    let called = || {
                        let caller = under.extension::<Caller>().map(|caller| caller.0.clone_ref(py));
                        let hosted = py.import("clipkit._call")?.getattr("Hosted")?.call1((caller,))?;
                        let _ = running.set(hosted.clone().unbind());
                        let input = convert::to_python(py, takes, std::borrow::Borrow::<I>::borrow(&input))?;
                        let answer = hosted.call_method1("run", (object.getattr(py, method)?, Context { cx: under.clone() }, input))?;
                        convert::from_python(&answer, meant)
                    };
                    called().unwrap_or_else(|raised| Err(error::caught(py, raised)))
                });
                answer.unwrap_or_else(|| Err(Error::cancelled()))
            });
            let answer = tokio::select! {
                answer = &mut work => {
                    // There is nothing left to cancel.
                    hosted.running = Arc::default();
                    answer
                }
                () = cx.cancelled() => {
                    drop(hosted);
                    work.await
                }
            };
            answer.unwrap_or_else(|_| Err(Error::new(ErrorKind::Contract, "a Python stage's thread ended unexpectedly")))
        }
    }
}

/// A call of a Python stage. When dropped, it cancels what the stage awaits and the stage's
/// context.
struct Hosted {
    cx: clipkit::Context,
    running: Arc<OnceLock<Py<PyAny>>>,
}

impl Drop for Hosted {
    fn drop(&mut self) {
        self.cx.cancel();
        // Otherwise the method has not started, or the runtime has ended: the method checks its
        // context before it awaits.
        if let (Some(_), Ok(runtime)) = (self.running.get(), tokio::runtime::Handle::try_current()) {
            let running = self.running.clone();
            runtime.spawn_blocking(move || attached(|py| running.get().map(|hosted| hosted.call_method0(py, "cancel"))));
        }
    }
}

/// The value of an attribute, or of a method without arguments. `None` where there is neither.
fn attribute<'py>(object: &Bound<'py, PyAny>, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
    let Some(value) = object.getattr_opt(name)? else { return Ok(None) };
    let value = if value.is_callable() { value.call0()? } else { value };
    Ok(Some(value).filter(|value| !value.is_none()))
}

#[async_trait]
impl Source for Host {
    async fn fetch(&self, cx: &clipkit::Context, uri: &str) -> Result<Media> {
        self.call(cx, "fetch", "str", uri, "a Media").await
    }
}

#[async_trait]
impl Transcriber for Host {
    async fn transcribe(&self, cx: &clipkit::Context, media: &Media) -> Result<Transcript> {
        self.call(cx, "transcribe", "Media", media, "a Transcript").await
    }

    fn fingerprint(&self, _environment: &Environment) -> Option<String> {
        self.fingerprint.clone()
    }
}

#[async_trait]
impl Scorer for Host {
    async fn score(&self, cx: &clipkit::Context, scoring: &Scoring) -> Result<Vec<Candidate>> {
        self.call(cx, "score", "Scoring", scoring, "a list of Candidates").await
    }

    fn fingerprint(&self, _environment: &Environment) -> Option<String> {
        self.fingerprint.clone()
    }
}

#[async_trait]
impl FaceTracker for Host {
    async fn track(&self, cx: &clipkit::Context, tracking: &Tracking) -> Result<Tracks> {
        self.call(cx, "track", "Tracking", tracking, "a Tracks").await
    }

    fn fingerprint(&self, _environment: &Environment) -> Option<String> {
        self.fingerprint.clone()
    }
}

#[async_trait]
impl Renderer for Host {
    async fn render(&self, cx: &clipkit::Context, plan: &ClipPlan) -> Result<RenderedClip> {
        self.call(cx, "render", "ClipPlan", plan, "a RenderedClip").await
    }

    fn size(&self) -> Option<(u32, u32)> {
        self.size
    }
}

#[async_trait]
impl Publisher for Host {
    async fn publish(&self, cx: &clipkit::Context, post: &Post) -> Result<Receipt> {
        self.call(cx, "publish", "Post", post, "a Receipt").await
    }

    async fn conclude(&self, cx: &clipkit::Context, manifest: &Manifest) -> Result<()> {
        if self.concludes { self.call(cx, "conclude", "Manifest", manifest, "None").await } else { Ok(()) }
    }

    fn target(&self) -> Target {
        self.target.clone().unwrap_or_else(|| Target::new("custom"))
    }

    fn staging(&self) -> Option<&Path> {
        self.staging.as_deref()
    }
}
