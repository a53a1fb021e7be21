//! Makes clips and publishes them: publish VIDEO FOLDER
//!
//! Set S3_URL (s3://bucket/prefix), WEBHOOK_URL, YOUTUBE_ACCOUNT, TIKTOK_ACCOUNT or
//! INSTAGRAM_ACCOUNT for more than the folder. Credentials come from the environment or
//! `clipkit login`.

use std::env::{args, var};
use std::time::Duration;

use clipkit::config::PublisherConfig;
use clipkit::prelude::*;
use clipkit::publishing::Schedule;

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = args().skip(1).collect();
    let [video, folder] = &arguments[..] else {
        return Err(Error::new(ErrorKind::Config, "give a video and a folder"));
    };
    let mut config = PipelineConfig::default();
    config.options.clips = 1;
    config.publishers = vec![PublisherConfig::Folder(Folder::new(folder))];
    if let Ok(url) = var("S3_URL") {
        let mut bucket = ObjectStorePublisher::new(url);
        bucket.cache_control = Some("public, max-age=86400".into());
        bucket.link = Some(Duration::from_secs(24 * 3600));
        config.publishers.push(PublisherConfig::ObjectStore(bucket));
    }
    if let Ok(url) = var("WEBHOOK_URL") {
        config.publishers.push(PublisherConfig::Webhook(Webhook::new(url)));
    }
    if let Ok(account) = var("YOUTUBE_ACCOUNT") {
        let mut youtube = YouTube::new(account);
        youtube.schedule = Some(Schedule::shorts("Europe/Berlin"));
        config.publishers.push(PublisherConfig::YouTube(youtube));
    }
    if let Ok(account) = var("TIKTOK_ACCOUNT") {
        let mut tiktok = TikTok::new(account);
        // What an app without audit can do.
        tiktok.inbox = true;
        config.publishers.push(PublisherConfig::TikTok(tiktok));
    }
    if let Ok(account) = var("INSTAGRAM_ACCOUNT") {
        config.publishers.push(PublisherConfig::Instagram(Instagram::new(account)));
    }
    let cx = Context::new();
    let manifest = Pipeline::from_config(&cx, &config).await?.run_with(&cx, video).await?;
    for clip in &manifest.clips {
        for receipt in &clip.receipts {
            println!("{} {:?} {}", receipt.target, receipt.status, receipt.url.as_ref().unwrap_or(&receipt.id));
        }
        for refused in &clip.unpublished {
            eprintln!("{}: {}", refused.target, refused.error.message);
        }
    }
    Ok(())
}
