//! Stages written in JavaScript.

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use napi::bindgen_prelude::Status;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode, UnknownReturnValue};
use napi_derive::napi;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::sync::{oneshot, watch};

use clipkit::model::{Candidate, ClipPlan, Manifest, Media, Post, Receipt, RenderedClip, Tracks, Transcript};
use clipkit::stage::{FaceTracker, Publisher, Renderer, Scorer, Scoring, Source, Target, Tracking, Transcriber};
use clipkit::{Environment, Error, ErrorKind, Result};

use crate::context::Context;
use crate::document::{Document, Text, read};
use crate::error::{HostErrors, thrown};

/// How long a cancelled stage may take to clean up before its answer is no longer awaited.
const GRACE: Duration = Duration::from_millis(700);

/// The JavaScript function that answers calls. It does not keep the process alive; the pending
/// promise does.
pub(crate) type Dispatch = ThreadsafeFunction<Call, UnknownReturnValue, Call, Status, false, true>;

/// One call to a stage in JavaScript. JavaScript answers it with `resolve` or `reject`.
#[napi]
pub struct Call {
    method: &'static str,
    context: Option<Context>,
    input: Option<Document>,
    errors: HostErrors,
    answer: Option<oneshot::Sender<Result<String>>>,
}

#[napi]
impl Call {
    /// The name of the method to call.
    #[napi(getter)]
    pub fn method(&self) -> &'static str {
        self.method
    }

    /// Takes the context. `None` on the second call.
    #[napi]
    pub fn context(&mut self) -> Option<Context> {
        self.context.take()
    }

    /// Takes the method's input. `None` on the second call.
    #[napi]
    pub fn input(&mut self) -> Option<Document> {
        self.input.take()
    }

    #[napi]
    pub fn resolve(&mut self, answer: &mut Text) {
        self.settle(Ok(answer.take()));
    }

    #[napi]
    pub fn reject(&mut self, what: String) {
        let error = thrown(&what, &self.errors);
        self.settle(Err(error));
    }

    fn settle(&mut self, answer: Result<String>) {
        if let Some(sender) = self.answer.take() {
            // The receiver is gone if the call was cancelled.
            let _ = sender.send(answer);
        }
    }
}

/// Properties of a stage in JavaScript.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Facts {
    fingerprint: Option<String>,
    size: Option<(u32, u32)>,
    staging: Option<PathBuf>,
    target: Option<Target>,
    /// Whether it has a method `conclude`.
    concludes: bool,
    /// Whether it is a layer in JavaScript around a stage of clipkit's own.
    builtin: bool,
}

/// An object in JavaScript as a stage of any of the six kinds.
pub(crate) struct HostStage {
    pub(crate) dispatch: Dispatch,
    pub(crate) errors: HostErrors,
    pub(crate) facts: Facts,
}

impl HostStage {
    async fn ask<O: DeserializeOwned>(&self, method: &'static str, cx: &clipkit::Context, input: &(impl Serialize + Sync)) -> Result<O> {
        cx.check()?;
        let (_until_answered, call) = watch::channel(());
        let (sender, answer) = oneshot::channel();
        let call = Call {
            method,
            context: Some(Context::of_call(cx, call)),
            input: Some(Document::of(input)?),
            errors: self.errors.clone(),
            answer: Some(sender),
        };
        if self.dispatch.call(call, ThreadsafeFunctionCallMode::NonBlocking) != Status::Ok {
            return Err(Error::cancelled());
        }
        let too_long = async {
            cx.cancelled().await;
            tokio::time::sleep(GRACE).await;
        };
        let text = tokio::select! {
            biased;
            // The sender is dropped when the JavaScript thread ends before it answers.
            answer = answer => answer.unwrap_or_else(|_| Err(Error::cancelled()))?,
            () = too_long => return Err(Error::cancelled()),
        };
        read(ErrorKind::Contract, &format!("an answer of {method}"), &text)
    }
}

#[async_trait]
impl Source for HostStage {
    async fn fetch(&self, cx: &clipkit::Context, uri: &str) -> Result<Media> {
        self.ask("fetch", cx, &uri).await
    }
}

#[async_trait]
impl Transcriber for HostStage {
    async fn transcribe(&self, cx: &clipkit::Context, media: &Media) -> Result<Transcript> {
        self.ask("transcribe", cx, media).await
    }

    fn fingerprint(&self, _environment: &Environment) -> Option<String> {
        self.facts.fingerprint.clone()
    }
}

#[async_trait]
impl Scorer for HostStage {
    async fn score(&self, cx: &clipkit::Context, scoring: &Scoring) -> Result<Vec<Candidate>> {
        self.ask("score", cx, scoring).await
    }

    fn fingerprint(&self, _environment: &Environment) -> Option<String> {
        self.facts.fingerprint.clone()
    }

    fn is_builtin(&self) -> bool {
        self.facts.builtin
    }
}

#[async_trait]
impl FaceTracker for HostStage {
    async fn track(&self, cx: &clipkit::Context, tracking: &Tracking) -> Result<Tracks> {
        self.ask("track", cx, tracking).await
    }

    fn fingerprint(&self, _environment: &Environment) -> Option<String> {
        self.facts.fingerprint.clone()
    }

    fn is_builtin(&self) -> bool {
        self.facts.builtin
    }
}

#[async_trait]
impl Renderer for HostStage {
    async fn render(&self, cx: &clipkit::Context, plan: &ClipPlan) -> Result<RenderedClip> {
        self.ask("render", cx, plan).await
    }

    fn size(&self) -> Option<(u32, u32)> {
        self.facts.size
    }

    fn is_builtin(&self) -> bool {
        self.facts.builtin
    }
}

#[async_trait]
impl Publisher for HostStage {
    async fn publish(&self, cx: &clipkit::Context, post: &Post) -> Result<Receipt> {
        self.ask("publish", cx, post).await
    }

    async fn conclude(&self, cx: &clipkit::Context, manifest: &Manifest) -> Result<()> {
        if self.facts.concludes { self.ask("conclude", cx, manifest).await } else { Ok(()) }
    }

    fn target(&self) -> Target {
        self.facts.target.clone().unwrap_or_else(|| Target::new("custom"))
    }

    fn staging(&self) -> Option<&Path> {
        self.facts.staging.as_deref()
    }
}
