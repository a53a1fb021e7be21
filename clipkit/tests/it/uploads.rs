//! What uploads to every platform keep to: with every fault at every request, and a process that is
//! killed at every request, there is one post.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use clipkit::prelude::*;
use clipkit::publishing::{Account, Credentials, CredentialsConfig, FileCredentials, Tokens};

use crate::loopback::{Asked, Fault};
use crate::publishers::{Stand, context, environment, keeps_the_contract, plan, post};
use crate::support::with;

pub(crate) type Faults = Box<dyn Fn(usize, &Asked) -> Fault + Send + Sync>;

/// A model of a platform.
pub(crate) trait Model: Send + Sync + Sized + 'static {
    /// The size of a clip that takes several requests.
    const SIZE: usize;
    fn model(faults: Faults) -> Self;
    fn requests(&self) -> Vec<Asked>;
    /// The id and bytes of each post.
    fn posts(&self) -> Vec<(String, Vec<u8>)>;
    fn complaints(&self) -> Vec<String>;
    fn config(&self, credentials: CredentialsConfig) -> PublisherConfig;
    /// The account and tokens that are valid at first.
    fn login() -> (Account, Tokens);
}

pub(crate) struct Bench<M> {
    pub(crate) model: M,
    pub(crate) desk: tempfile::TempDir,
    pub(crate) post: Post,
    pub(crate) keys: FileCredentials,
}

impl<M: Model> Bench<M> {
    pub(crate) async fn new(model: M) -> Self {
        let desk = tempfile::tempdir().unwrap();
        let post = with(post(desk.path(), 1, &plan(10.0, "Why clocks lie"), M::SIZE), |it| it.description = "About time.".into());
        let keys = FileCredentials::new(desk.path().join("keys"));
        let (account, tokens) = M::login();
        keys.store(&context(&environment(desk.path())), &account, &tokens).await.unwrap();
        Bench { model, desk, post, keys }
    }

    pub(crate) fn cx(&self) -> Context {
        context(&environment(self.desk.path()))
    }

    pub(crate) fn config(&self) -> PublisherConfig {
        self.model.config(CredentialsConfig::File { folder: Some(self.desk.path().join("keys")) })
    }

    pub(crate) fn publisher(&self) -> Arc<dyn Publisher> {
        self.config().build(Some(&[])).unwrap()
    }

    pub(crate) async fn publish(&self) -> Result<Receipt> {
        self.publisher().publish(&self.cx(), &self.post).await
    }

    /// Publishes again as a queue does, until it is done.
    pub(crate) async fn publish_until_done(&self, what: &str) -> Receipt {
        for _ in 0..4 {
            match self.publish().await {
                Ok(receipt) => return receipt,
                Err(error) => assert!(matches!(error.recovery(), Recovery::Retry { .. }), "{what}: {error:?}"),
            }
        }
        panic!("{what}: it is never done");
    }

    /// One whole post, and no request that the platform complains about.
    pub(crate) fn has_one_post(&self, what: &str) -> String {
        let posts = self.model.posts();
        assert_eq!((posts.len(), self.model.complaints()), (1, Vec::new()), "{what}");
        assert!(posts[0].1 == std::fs::read(&self.post.files.video).unwrap(), "{what}: other bytes");
        posts[0].0.clone()
    }
}

async fn requests_of_an_upload<M: Model>() -> usize {
    let bench = Bench::new(M::model(Box::new(|_, _| Fault::None))).await;
    bench.publish().await.unwrap();
    bench.model.requests().len()
}

pub(crate) async fn a_platform_keeps_the_contract<M: Model>() {
    let bench = Arc::new(Bench::new(M::model(Box::new(|_, _| Fault::None))).await);
    let (maker, looker) = (bench.clone(), bench.clone());
    let stand = Stand {
        publisher: Box::new(move || maker.publisher()),
        environment: environment(bench.desk.path()),
        published: Box::new(move || looker.model.posts().into_iter().map(|(id, _)| id).collect()),
        secrets: vec!["hunter2".into()],
    };
    keeps_the_contract(&stand, M::SIZE).await;
    assert_eq!(bench.model.complaints(), Vec::<String>::new());
}

pub(crate) async fn every_fault_leads_to_one_post<M: Model>() {
    let count = requests_of_an_upload::<M>().await;
    assert!(count >= 5, "{count}");
    for at in 0..count {
        for fault in [Fault::Cut(0), Fault::Cut(M::SIZE / 4), Fault::LoseAnswer, Fault::Twice] {
            let bench = Bench::new(M::model(Box::new(move |number, _| if number == at { fault } else { Fault::None }))).await;
            let what = format!("{fault:?} at {at}");
            let receipt = bench.publish_until_done(&what).await;
            let id = bench.has_one_post(&what);
            assert_eq!(receipt.id, id, "{what}");
            bench.publish().await.unwrap();
            bench.has_one_post(&what);
        }
    }
}

/// The process is killed when the server has a request, before or after it is done, and started
/// again.
#[cfg(all(feature = "cli", unix))]
pub(crate) async fn a_killed_process_publishes_once<M: Model>() {
    let count = requests_of_an_upload::<M>().await;
    for (at, after) in (0..count).flat_map(|at| [(at, false), (at, true)]) {
        let (reached, running) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(1)));
        let (seen, runs) = (reached.clone(), running.clone());
        let faults = move |number: usize, _: &Asked| {
            if number != at || runs.load(Ordering::SeqCst) == 0 {
                return Fault::None;
            }
            seen.store(1, Ordering::SeqCst);
            if after {
                return Fault::LoseAnswer;
            }
            // The request waits unread until the process is gone.
            while runs.load(Ordering::SeqCst) == 1 {
                std::thread::sleep(Duration::from_millis(2));
            }
            Fault::Cut(0)
        };
        let bench = Bench::new(M::model(Box::new(faults))).await;
        let what = format!("request {at}, after it was done: {after}");
        let (document, target) = (bench.desk.path().join("post.json"), bench.desk.path().join("target.json"));
        std::fs::write(&document, serde_json::to_string(&bench.post).unwrap()).unwrap();
        std::fs::write(&target, serde_json::to_string(&bench.config()).unwrap()).unwrap();
        let command = || publish_command(bench.desk.path(), &document, &target);
        let mut child = command().spawn().unwrap();
        let begun = Instant::now();
        while reached.load(Ordering::SeqCst) == 0 && child.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < Duration::from_secs(60), "{what}: the request never came");
            std::thread::sleep(Duration::from_millis(1));
        }
        if after {
            // The server does what it was asked.
            std::thread::sleep(Duration::from_millis(30));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        running.store(0, Ordering::SeqCst);
        let mut text = String::new();
        let mut is_done = false;
        for _ in 0..3 {
            let output = command().output().unwrap();
            text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
            is_done = output.status.success();
            if is_done {
                break;
            }
        }
        assert!(is_done && !text.contains("hunter2"), "{what}: {text}");
        bench.has_one_post(&what);
    }
}

#[cfg(all(feature = "cli", unix))]
fn publish_command(desk: &std::path::Path, document: &std::path::Path, target: &std::path::Path) -> std::process::Command {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_clipkit"));
    command.args(["step", "publish"]).arg(document).arg("--publish").arg(target);
    command.env("XDG_CACHE_HOME", desk).env_remove("CLIPKIT_CACHE");
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    command
}

/// A cancellation in the middle of an upload ends it within a second, and the next attempt goes on.
pub(crate) async fn a_cancelled_upload_goes_on<M: Model>(is_upload: fn(&Asked) -> bool) {
    let (seen, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(1)));
    let (noted, closed) = (seen.clone(), gate.clone());
    let faults = move |_: usize, asked: &Asked| {
        if !is_upload(asked) || closed.load(Ordering::SeqCst) == 0 {
            return Fault::None;
        }
        noted.store(1, Ordering::SeqCst);
        while closed.load(Ordering::SeqCst) == 1 {
            std::thread::sleep(Duration::from_millis(2));
        }
        Fault::Cut(0)
    };
    let bench = Bench::new(M::model(Box::new(faults))).await;
    let cx = bench.cx();
    let (publisher, running, post) = (bench.publisher(), cx.clone(), bench.post.clone());
    let attempt = tokio::spawn(async move { publisher.publish(&running, &post).await });
    while seen.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let begun = Instant::now();
    cx.cancel();
    let error = attempt.await.unwrap().unwrap_err();
    assert!(error.is_cancelled() && begun.elapsed() < Duration::from_secs(1), "{error} after {:?}", begun.elapsed());
    gate.store(0, Ordering::SeqCst);
    bench.publish_until_done("after a cancellation").await;
    bench.has_one_post("after a cancellation");
}

/// Before a clip's time nothing is sent; the time stays the same, and a time in the past means now.
pub(crate) async fn a_clip_waits_for_its_time<M: Model>(set: fn(&mut PublisherConfig)) {
    use std::time::SystemTime;
    let bench = Bench::new(M::model(Box::new(|_, _| Fault::None))).await;
    let mut config = bench.config();
    set(&mut config);
    let publisher = config.build(Some(&[])).unwrap();
    let mut times = Vec::new();
    for _ in 0..2 {
        let error = publisher.publish(&bench.cx(), &bench.post).await.unwrap_err();
        let Recovery::WaitUntil(at) = error.recovery() else { panic!("{error:?}") };
        assert!(*at > SystemTime::now() && error.kind() == ErrorKind::RateLimited, "{error}");
        times.push(*at);
    }
    assert_eq!(times[0], times[1]);
    assert!(bench.model.requests().is_empty());
    let own = with(bench.post.clone(), |it| it.publish_at = Some(SystemTime::now() - Duration::from_secs(60)));
    publisher.publish(&bench.cx(), &own).await.unwrap();
    bench.has_one_post("a time in the past");
}
