//! A worker whose traces go to an OpenTelemetry collector:
//! `cargo run --release -p clipkit-examples --bin telemetry -- talk.mp4`.
//! `OTEL_EXPORTER_OTLP_ENDPOINT` is the collector's address, by default `http://localhost:4318`.
//! Each task of a job is a span with the job, the step, the clip and the attempt; what is logged
//! during the task is an event in its span.

use clipkit::config::PublisherConfig;
use clipkit::jobs::{Job, Jobs, Worker, WorkerOptions};
use clipkit::stage::Folder;
use clipkit::{Context, Result};
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let exporter = SpanExporter::builder().with_http().build()?;
    let resource = Resource::builder().with_service_name("clips").build();
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("clipkit"));
    // Only clipkit's own: the exporter's requests would make spans, too.
    tracing_subscriber::registry().with(layer.with_filter(Targets::new().with_target("clipkit", LevelFilter::INFO))).init();

    let worked = work().await;
    // Sends the spans that still wait. It blocks.
    tokio::task::spawn_blocking(move || provider.shutdown()).await??;
    Ok(worked?)
}

/// Makes clips of the videos that the command line names, and returns when nothing is left to do.
async fn work() -> Result<()> {
    let jobs = Jobs::open("jobs.db").await?;
    for video in std::env::args().skip(1) {
        let mut job = Job::new(video);
        job.publish = vec![PublisherConfig::Folder(Folder::new("clips"))];
        jobs.submit(job).await?;
    }
    let mut options = WorkerOptions::default();
    options.until_idle = true;
    Worker::new(jobs).options(options).run(&Context::new()).await.map(drop)
}
