//! `clipkit serve`: the API, a worker and the dashboard in one process.

use std::path::{Path, PathBuf};

use clipkit::jobs::{JobsOptions, Worker, WorkerOptions};
use clipkit::model::Limits;
use clipkit::serve::{Keys, Scope, ServeOptions, Server, WebhookOptions, record_metrics};
use clipkit::{Context, Error, ErrorKind, PipelineConfig, Result};
use serde_json::Value;

use super::args::{KeyCommand, ServeArgs, ServeCommand};
use super::interrupt::Interrupt;
use super::output::{note, say, say_json};
use super::{limits, usage};

/// The variable with the secret of webhooks.
const SECRET: &str = "CLIPKIT_WEBHOOK_SECRET";

/// Serves until an interrupt, after which running steps and requests may end within 10 s. A second
/// interrupt ends the process at once.
pub(crate) async fn run(args: ServeArgs, interrupt: &Interrupt) -> Result<()> {
    let ServeArgs { command, server: args } = args;
    if let Some(ServeCommand::Key(args)) = command {
        return keys(&Keys::in_file(args.keys.unwrap_or_else(|| beside(&args.jobs))), args.command);
    }
    let mut options = ServeOptions::default();
    options.config = args.config.as_deref().map_or_else(|| Ok(options.config), configuration)?;
    (options.allow_config, options.out, options.allow_private) = (args.allow_config, args.out, args.allow_private);
    (options.folders, options.hosts, options.origins) = (args.allow_folder, args.host, args.origin);
    options.schemes.extend(args.allow_scheme);
    options.keys = Some(args.keys.unwrap_or_else(|| beside(&args.jobs)));
    options.requests_per_minute = args.requests_per_minute;
    options.max_upload = args.max_upload << 20;
    options.dashboard = !args.no_dashboard;
    options.webhooks = webhooks(args.webhook)?;
    // Whoever has a key may send anything.
    let cx = Context::builder().limits(limits::limits_or(Limits::strict())).build();
    let dashboard = options.dashboard;
    options.cx = cx.clone();

    let mut of_jobs = JobsOptions::default();
    of_jobs.policy.attempts = args.attempts;
    let jobs = super::jobs::opened(&args.jobs, args.redis, of_jobs).await?;
    record_metrics()?;
    let server = Server::bind(&args.bind, jobs.clone(), options).await?;
    let what = if dashboard { "the dashboard and the API are" } else { "the API is" };
    note(&format!("{what} at http://{}", server.address()));

    let mut of_worker = WorkerOptions::default();
    of_worker.lease = args.lease;
    of_worker.limits.extend(args.limit);
    of_worker.rates.extend(args.rate);
    let worker = Worker::new(jobs).options(of_worker);
    let work = async {
        if args.no_worker {
            cx.cancelled().await;
            return Ok(());
        }
        worker.run(&cx).await
    };
    // If one of them ends, so does the other.
    let both = async {
        let (served, worked) = tokio::join!(ending(&cx, server.run(&cx)), ending(&cx, work));
        served.and(worked)
    };
    tokio::pin!(both);
    tokio::select! {
        biased;
        ended = &mut both => ended,
        () = interrupt.asked() => {
            note("stopping: running steps end or are handed back");
            cx.cancel();
            both.await
        }
    }
}

/// Cancels the rest when a part has ended.
async fn ending(cx: &Context, part: impl Future<Output = Result<()>>) -> Result<()> {
    let ended = part.await;
    cx.cancel();
    ended
}

/// The file with the keys of a job database.
fn beside(jobs: &Path) -> PathBuf {
    let mut path = jobs.to_owned().into_os_string();
    path.push(".keys.json");
    path.into()
}

/// A configuration. Without publishers of its own, each job has a folder.
fn configuration(path: &Path) -> Result<PipelineConfig> {
    let text = std::fs::read_to_string(path).map_err(|error| Error::io(path, "read the configuration", error))?;
    let mut config = PipelineConfig::from_json(&text).map_err(|error| error.with_path(path))?;
    let named = serde_json::from_str::<Value>(&text).is_ok_and(|document| document.get("publishers").is_some());
    if !named {
        config.publishers.clear();
    }
    Ok(config)
}

fn webhooks(urls: Vec<String>) -> Result<Vec<WebhookOptions>> {
    if urls.is_empty() {
        return Ok(Vec::new());
    }
    let secret = std::env::var(SECRET).ok().filter(|secret| !secret.trim().is_empty());
    let secret = secret.ok_or_else(|| {
        usage("a webhook needs a secret for its signature").with_advice(format!("set {SECRET} to at least 16 random characters"))
    })?;
    Ok(urls.into_iter().map(|url| WebhookOptions::new(url, secret.clone())).collect())
}

fn keys(keys: &Keys, command: KeyCommand) -> Result<()> {
    match command {
        KeyCommand::Add { name, scope } => {
            let made = keys.add(&name, scope)?;
            note(&format!("the key {} of {}; it is not shown again:", made.key.id, made.key.name));
            say(&made.secret);
        }
        KeyCommand::List { json } => {
            for key in keys.list()? {
                let scope = if key.scope == Scope::Write { "write" } else { "read" };
                if json { say_json(&key) } else { say(&format!("{}  {scope:5}  {}", key.id, key.name)) }
            }
        }
        KeyCommand::Remove { ids } => {
            for id in ids {
                if !keys.remove(&id)? {
                    return Err(
                        Error::new(ErrorKind::NotFound, format!("there is no key {id}")).with_advice("see `clipkit serve key list`")
                    );
                }
                say(&format!("{id} removed"));
            }
        }
    }
    Ok(())
}
