//! A Python object with the right method, as a stage.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use clipkit::model::{Candidate, Clip, ClipPlan, Manifest, Media, Post, Receipt, Tracks, Transcript};
use clipkit::stage::{FaceTracker, Publisher, Renderer, Scorer, Scoring, Source, Tracking, Transcriber};
use clipkit::{Error, ErrorKind, Result};
use pyo3::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::context::Context;
use crate::tell::attached;
use crate::{convert, error};

/// The Python call that a context works for: it knows the event loop that asynchronous stages run in.
pub(crate) struct Caller(pub(crate) Py<PyAny>);

/// A Python object and what it says of itself, asked once.
#[derive(Clone)]
pub(crate) struct Host {
    object: Arc<Py<PyAny>>,
    fingerprint: Option<String>,
    size: Option<(u32, u32)>,
    staging: Option<PathBuf>,
    concludes: bool,
}

impl Host {
    pub(crate) fn new(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Host {
            fingerprint: said(object, "fingerprint")?,
            size: said(object, "size")?,
            staging: said(object, "staging")?,
            concludes: object.hasattr("conclude")?,
            object: Arc::new(object.clone().unbind()),
        })
    }

    /// Calls a method, in a thread where Python code may take its time; a cancel reaches what it awaits. `takes` and `answers` name the
    /// classes of `clipkit._data` that go in and come out.
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

/// A call of a Python stage. Dropped, however that comes about, it cancels what the stage awaits, and the context that it was given.
struct Hosted {
    cx: clipkit::Context,
    running: Arc<OnceLock<Py<PyAny>>>,
}

impl Drop for Hosted {
    fn drop(&mut self) {
        self.cx.cancel();
        // Nothing is running yet, or the process has no runtime any more: a stage asks its context before it awaits.
        if let (Some(_), Ok(runtime)) = (self.running.get(), tokio::runtime::Handle::try_current()) {
            let running = self.running.clone();
            runtime.spawn_blocking(move || attached(|py| running.get().map(|hosted| hosted.call_method0(py, "cancel"))));
        }
    }
}

/// What an object says of itself: an attribute, or a method without arguments; none where it has neither.
fn said<T: for<'a, 'py> FromPyObject<'a, 'py, Error = PyErr>>(object: &Bound<'_, PyAny>, name: &str) -> PyResult<Option<T>> {
    let Some(said) = object.getattr_opt(name)? else { return Ok(None) };
    let said = if said.is_callable() { said.call0()? } else { said };
    if said.is_none() { Ok(None) } else { said.extract().map(Some) }
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

    fn fingerprint(&self) -> Option<String> {
        self.fingerprint.clone()
    }
}

#[async_trait]
impl Scorer for Host {
    async fn score(&self, cx: &clipkit::Context, scoring: &Scoring) -> Result<Vec<Candidate>> {
        self.call(cx, "score", "Scoring", scoring, "a list of Candidates").await
    }

    fn fingerprint(&self) -> Option<String> {
        self.fingerprint.clone()
    }
}

#[async_trait]
impl FaceTracker for Host {
    async fn track(&self, cx: &clipkit::Context, tracking: &Tracking) -> Result<Tracks> {
        self.call(cx, "track", "Tracking", tracking, "a Tracks").await
    }

    fn fingerprint(&self) -> Option<String> {
        self.fingerprint.clone()
    }
}

#[async_trait]
impl Renderer for Host {
    async fn render(&self, cx: &clipkit::Context, plan: &ClipPlan) -> Result<Clip> {
        self.call(cx, "render", "ClipPlan", plan, "a Clip").await
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

    fn staging(&self) -> Option<&Path> {
        self.staging.as_deref()
    }
}
