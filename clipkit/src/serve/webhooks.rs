//! Webhooks: milestones of jobs as signed POST requests, each at least once, in order for each job.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use serde::{Deserialize, Serialize};

use super::options::WebhookOptions;
use super::state::App;
use crate::context::{Context, Environment};
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Timeouts, build, builder, signature};
use crate::jobs::{JobEvent, JobFilter, JobId, Jobs};

/// The events that are sent; progress is for streams.
const SENT: [&str; 4] = ["clip", "warning", "failed", "ended"];
/// How often jobs are looked at.
const TICK: Duration = Duration::from_millis(500);
/// How many of the latest jobs are looked at, besides those that are followed.
const LATEST: usize = 100;
const FIRST_WAIT: Duration = Duration::from_secs(2);
const LONGEST_WAIT: Duration = Duration::from_secs(3600);
/// Events that could not be delivered for so long are dropped, with a warning.
const GIVE_UP: Duration = Duration::from_secs(24 * 3600);
const TIMEOUT: Duration = Duration::from_secs(15);

/// Starts the task that sends events, if there is a webhook.
pub(super) fn start(app: &App) -> Result<()> {
    let environment = Environment::from_process();
    for options in &app.options.webhooks {
        let timeouts = Timeouts { total: Some(TIMEOUT), ..Timeouts::default() };
        // A redirect would send the events to somebody else.
        let client = build(builder(&environment, timeouts)?.redirect(Policy::none()))?;
        let name = blake3::hash(options.url.as_bytes()).to_hex();
        let file = app.jobs.folder().join(format!("webhook-{}.json", &name[..16]));
        let sender = Sender { jobs: app.jobs.clone(), options: options.clone(), client, file, late: BTreeMap::new() };
        tokio::spawn(sender.run(app.options.cx.clone()));
    }
    Ok(())
}

/// What was sent, by job: the number of the last event. It survives restarts.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Sent {
    jobs: BTreeMap<JobId, Mark>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    number: u64,
    /// Whether the job had ended then. It may be opened again.
    over: bool,
}

/// One webhook.
struct Sender {
    jobs: Jobs,
    options: WebhookOptions,
    client: Client,
    file: PathBuf,
    /// Jobs whose next event could not be sent.
    late: BTreeMap<JobId, Late>,
}

#[derive(Clone, Copy)]
struct Late {
    since: Instant,
    next: Instant,
    wait: Duration,
}

impl Sender {
    async fn run(mut self, cx: Context) {
        let mut sent = match self.load().await {
            Ok(sent) => sent,
            Err(error) => {
                tracing::error!("a webhook is off: {error}");
                return;
            }
        };
        while !cx.is_cancelled() {
            if let Err(error) = self.turn(&mut sent).await {
                tracing::warn!("events could not be sent: {error}");
            }
            let _ = cx.sleep(TICK).await;
        }
    }

    /// What was sent before. A webhook that is new does not get the events of jobs that have ended.
    async fn load(&self) -> Result<Sent> {
        match std::fs::read(&self.file) {
            Ok(text) => serde_json::from_slice(&text).map_err(|error| {
                Error::new(ErrorKind::InvalidInput, format!("what was sent cannot be read: {error}")).with_path(&self.file)
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let mut filter = JobFilter::default();
                filter.open = Some(false);
                let over = self.jobs.list(&filter).await?;
                let mut sent = Sent::default();
                for job in over {
                    let last = self.jobs.events(&job.id, 0).await?.last().map_or(0, |event| event.number);
                    sent.jobs.insert(job.id, Mark { number: last, over: true });
                }
                self.save(&sent)?;
                Ok(sent)
            }
            Err(error) => Err(Error::io(&self.file, "read what was sent", error)),
        }
    }

    fn save(&self, sent: &Sent) -> Result<()> {
        let failed = |error| Error::io(&self.file, "write down what was sent", error);
        let text = serde_json::to_vec(sent).map_err(|error| failed(error.into()))?;
        let folder = self.file.parent().unwrap_or(Path::new("."));
        let file = tempfile::Builder::new().prefix(".clipkit-").tempfile_in(folder).map_err(failed)?;
        std::fs::write(file.path(), text).map_err(failed)?;
        file.persist(&self.file).map(drop).map_err(|error| failed(error.error))
    }

    /// Sends what is new.
    async fn turn(&mut self, sent: &mut Sent) -> Result<()> {
        let mut filter = JobFilter::default();
        filter.most = Some(LATEST);
        let latest = self.jobs.list(&filter).await?;
        filter.open = Some(true);
        filter.most = None;
        let open: BTreeMap<JobId, bool> =
            latest.into_iter().chain(self.jobs.list(&filter).await?).map(|job| (job.id, job.state.is_over())).collect();
        let followed: BTreeSet<JobId> = sent.jobs.iter().filter(|(_, mark)| !mark.over).map(|(id, _)| id.clone()).collect();
        for (id, over) in &open {
            // A job that has ended and all of whose events were sent is not read again.
            if *over && sent.jobs.get(id).is_some_and(|mark| mark.over) {
                continue;
            }
            self.send_new(id, *over, sent).await?;
        }
        for id in followed.iter().filter(|id| !open.contains_key(*id)) {
            match self.jobs.get(id).await? {
                Some(job) => self.send_new(id, job.state.is_over(), sent).await?,
                None => {
                    // The job was removed.
                    sent.jobs.remove(id);
                    self.late.remove(id);
                    self.save(sent)?;
                }
            }
        }
        Ok(())
    }

    /// Sends the events of a job that were not sent, in order, until one cannot be sent.
    async fn send_new(&mut self, id: &JobId, over: bool, sent: &mut Sent) -> Result<()> {
        let late = self.late.get(id).copied();
        if late.is_some_and(|late| late.next > Instant::now()) {
            return Ok(());
        }
        let before = sent.jobs.get(id).copied().unwrap_or_default();
        let mut mark = before;
        let mut failed = None;
        for event in self.jobs.events(id, mark.number).await? {
            let is_sent = event.event["event"].as_str().is_some_and(|name| SENT.contains(&name));
            if is_sent && let Err(error) = self.send(id, &event).await {
                failed = Some(error);
                break;
            }
            mark.number = event.number;
        }
        match failed {
            None => {
                self.late.remove(id);
                mark.over = over;
            }
            Some(error) => {
                let now = Instant::now();
                let (since, wait) = late.map_or((now, FIRST_WAIT), |late| (late.since, (late.wait * 2).min(LONGEST_WAIT)));
                tracing::warn!(job = %id, "an event could not be sent: {error}");
                if since.elapsed() > GIVE_UP {
                    tracing::error!(job = %id, "the events of a job are dropped: the webhook did not answer for a day");
                    mark.number = self.jobs.events(id, mark.number).await?.last().map_or(mark.number, |event| event.number);
                    (mark.over, _) = (over, self.late.remove(id));
                } else {
                    self.late.insert(id.clone(), Late { since, next: now + wait, wait });
                }
            }
        }
        if mark != before {
            sent.jobs.insert(id.clone(), mark);
            self.save(sent)?;
        }
        Ok(())
    }

    async fn send(&self, id: &JobId, event: &JobEvent) -> Result<()> {
        #[derive(Serialize)]
        struct Body<'a> {
            job: &'a JobId,
            #[serde(flatten)]
            event: &'a JobEvent,
        }
        let failed = |message: String| Error::new(ErrorKind::Network, message).with_url(&self.options.url);
        let body = serde_json::to_vec(&Body { job: id, event }).map_err(|error| failed(error.to_string()))?;
        // A receiver that gets an event twice knows it by its id.
        let signed = signature::sign(&self.options.secret, &format!("{id}:{}", event.number), SystemTime::now(), &body)?;
        let request = self.client.post(&self.options.url).header(CONTENT_TYPE, "application/json");
        let request = signature::HEADERS.into_iter().zip(signed).fold(request, |request, (name, value)| request.header(name, value));
        let response = request.body(body).send().await.map_err(|error| failed(crate::http::innermost_cause(&error)))?;
        if response.status().is_success() { Ok(()) } else { Err(failed(format!("the webhook answered {}", response.status()))) }
    }
}
