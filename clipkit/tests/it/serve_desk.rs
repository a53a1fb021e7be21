//! A service on loopback with fake stages, and a client.

use std::sync::Arc;
use std::time::{Duration, Instant};

use clipkit::jobs::{Jobs, JobsOptions, Worker, WorkerOptions};
use clipkit::prelude::*;
use clipkit::serve::{ServeOptions, Server};
use clipkit::stage::AnyStage;
use clipkit::store::{MediaLimits, MediaStore};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;
use tempfile::TempDir;

use crate::fakes::Fake;
use crate::support::with;

/// An address that is admitted, and that no test connects to.
pub(crate) const TALK: &str = "https://example.com/talk.mp4";

pub(crate) struct Desk {
    pub(crate) folder: TempDir,
    pub(crate) jobs: Jobs,
    pub(crate) fake: Fake,
    pub(crate) base: String,
    pub(crate) cx: Context,
    pub(crate) media: MediaStore,
    pub(crate) server: tokio::task::JoinHandle<Result<()>>,
    workers: Vec<tokio::task::JoinHandle<Result<()>>>,
    client: reqwest::Client,
}

/// An answer that was read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text()))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The problem's kind, after a look at its form.
    pub(crate) fn problem(&self, status: u16) -> String {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["status"], status);
        for field in ["type", "title", "detail"] {
            assert!(problem[field].as_str().is_some_and(|text| !text.is_empty()), "{problem}");
        }
        assert!(problem["recovery"]["action"].is_string(), "{problem}");
        let kind = problem["kind"].as_str().unwrap().to_owned();
        assert_eq!(problem["type"], format!("urn:clipkit:problem:{kind}"));
        kind
    }
}

pub(crate) fn quick() -> JobsOptions {
    with(JobsOptions::default(), |it| {
        it.policy.first_wait = Duration::from_millis(20);
        it.min_free = 0;
    })
}

impl Desk {
    pub(crate) async fn new() -> Self {
        Desk::with(quick(), |_, _| {}).await
    }

    pub(crate) async fn with(jobs: JobsOptions, change: impl FnOnce(&mut ServeOptions, &TempDir)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let jobs = Jobs::open_with(folder.path().join("jobs.db"), jobs).await.unwrap();
        let media = MediaStore::open(folder.path().join("media"), MediaLimits::default().min_free(0)).unwrap();
        let cx = Context::new();
        let mut options = ServeOptions::default();
        options.out = folder.path().join("out");
        options.media = Some(media.clone());
        options.cx = cx.child();
        options.config.speech_cache = None;
        options.config.options.snap = false;
        options.stages = ["source", "transcriber", "scorer", "tracker", "renderer"].map(String::from).into();
        change(&mut options, &folder);
        let server = Server::bind("127.0.0.1:0", jobs.clone(), options).await.unwrap();
        let base = format!("http://{}", server.address());
        let stop = cx.clone();
        let server = tokio::spawn(async move { server.run(&stop).await });
        let fake = fake(&folder);
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Desk { folder, jobs, fake, base, cx, media, server, workers: Vec::new(), client }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    pub(crate) async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Answer {
        let mut request = self.request(method, path);
        for (name, value) in headers {
            request = request.header(HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(value).unwrap());
        }
        if let Some(body) = body {
            request = request.body(body.to_vec());
        }
        answer(request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, &[], None).await
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: &Value) -> Answer {
        let text = body.to_string();
        self.ask(method, path, &[("content-type", "application/json")], Some(text.as_bytes())).await
    }

    pub(crate) async fn submit(&self, job: &Value) -> String {
        let answer = self.send(Method::POST, "/v1/jobs", job).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        let id = answer.json()["id"].as_str().unwrap().to_owned();
        assert_eq!(answer.header("location"), format!("/v1/jobs/{id}"));
        id
    }

    /// Starts a worker that works until the desk is dropped.
    pub(crate) fn work(&mut self) {
        self.work_in(Environment::default());
    }

    /// The same, in an environment.
    pub(crate) fn work_in(&mut self, environment: Environment) {
        let fake = Arc::new(self.fake.clone());
        let cx = Context::builder().media_store(self.media.clone()).environment(environment).build();
        let stop = self.cx.clone();
        let worker = Worker::new(self.jobs.clone())
            .options(with(WorkerOptions::default(), |it| it.rates = [("transcribe".to_owned(), None)].into()))
            .stage("source", AnyStage::Source(fake.clone()))
            .stage("transcriber", AnyStage::Transcriber(fake.clone()))
            .stage("scorer", AnyStage::Scorer(fake.clone()))
            .stage("tracker", AnyStage::Tracker(fake.clone()))
            .stage("renderer", AnyStage::Renderer(fake));
        self.workers.push(tokio::spawn(async move {
            let work = worker.run(&cx);
            tokio::pin!(work);
            tokio::select! {
                ended = &mut work => ended,
                () = stop.cancelled() => {
                    cx.cancel();
                    work.await
                }
            }
        }));
    }

    /// Waits until a job has ended, and returns it.
    pub(crate) async fn ended(&self, id: &str) -> Value {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let job = self.get(&format!("/v1/jobs/{id}")).await.json();
            if ["done", "failed", "cancelled"].iter().any(|state| job["state"] == *state) {
                return job;
            }
            assert!(Instant::now() < deadline, "the job does not end: {job}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.cx.cancel();
    }
}

pub(crate) async fn answer(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    Answer { status, headers, bytes: response.bytes().await.unwrap().to_vec() }
}

/// Stages whose files exist.
fn fake(folder: &TempDir) -> Fake {
    let video = folder.path().join("talk.mp4");
    std::fs::write(&video, "a talk").unwrap();
    let mut fake = Fake::new();
    fake.media = Arc::new(move |_, _| {
        let known = crate::fakes::media();
        let media = with(Media::new(&video, ContentId::new("blake3", &"0".repeat(64))), |it| {
            it.duration = known.duration;
            it.video = known.video.clone();
            it.stamp = Some(clipkit::model::FileStamp::of(&std::fs::metadata(&video).unwrap()));
        });
        Ok(media)
    });
    fake.clip = Arc::new(|cx, plan| {
        let file = cx.scratch()?.join(format!("{}.mp4", plan.id()));
        let cover = file.with_extension("jpg");
        std::fs::write(&file, format!("the video of {}", plan.title)).unwrap();
        std::fs::write(&cover, "cover").unwrap();
        Ok(RenderedClip::new(file, cover, plan.output.frame_rate.frame_start(plan.frames()), plan.frames()))
    });
    fake
}

/// The events of a stream of server-sent events: their ids and their data.
pub(crate) fn sse(text: &str) -> Vec<(u64, Value)> {
    let event = |block: &str| {
        let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        Some((field("id:")?.parse().ok()?, serde_json::from_str(field("data:")?).ok()?))
    };
    text.split("\n\n").filter_map(event).collect()
}
