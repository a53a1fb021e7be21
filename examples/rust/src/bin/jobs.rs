//! Jobs that survive crashes: `cargo run --release -p clipkit-examples --bin jobs -- talk.mp4 other.mp4`.
//! Kill it and start it again: it goes on where it was.

use clipkit::config::PublisherConfig;
use clipkit::jobs::{Job, Jobs, Worker, WorkerOptions};
use clipkit::stage::Folder;
use clipkit::{Context, Result};

#[tokio::main]
async fn main() -> Result<()> {
    let jobs = Jobs::open("jobs.db").await?;
    let mut submitted = Vec::new();
    for (n, video) in std::env::args().skip(1).enumerate() {
        let mut job = Job::new(&video);
        job.publish = vec![PublisherConfig::Folder(Folder::new(format!("clips-{n}")))];
        // The same key again is the same job.
        job.idempotency_key = Some(video);
        submitted.push(jobs.submit(job).await?);
    }
    let mut options = WorkerOptions::default();
    options.until_idle = true;
    Worker::new(jobs.clone()).options(options).run(&Context::new()).await?;
    for id in &submitted {
        let Some(job) = jobs.get(id).await? else { continue };
        let clips = job.manifest.map_or(0, |manifest| manifest.clips.len());
        println!("{id} {:?}: {clips} clips of {}", job.state, job.uri);
    }
    Ok(())
}
