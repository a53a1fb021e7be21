//! Finds a video of ours among the channel's latest.

use serde_json::Value;

use super::resource::is_id;
use crate::error::{Error, ErrorKind, Recovery, Result};
use crate::publish::api::Api;

/// The latest videos that are searched: one page of answers.
const LATEST: &str = "50";

/// The id of the video with a tag. `None` if none of the latest has it.
pub(super) async fn by_tag(api: &Api<'_>, tag: &str) -> Result<Option<String>> {
    let channels = ask(api, "/youtube/v3/channels", &[("part", "contentDetails"), ("mine", "true")]).await?;
    let uploads = channels["items"][0]["contentDetails"]["relatedPlaylists"]["uploads"].as_str().unwrap_or_default().to_owned();
    if uploads.is_empty() {
        return Err(Error::new(ErrorKind::Contract, "YouTube does not say where the channel's videos are")
            .with_recovery(Recovery::Retry { after: None }));
    }
    let query = [("part", "contentDetails"), ("playlistId", uploads.as_str()), ("maxResults", LATEST)];
    let listed = ask(api, "/youtube/v3/playlistItems", &query).await?;
    let ids: Vec<&str> = items(&listed).filter_map(|item| item["contentDetails"]["videoId"].as_str()).filter(|id| is_id(id)).collect();
    if ids.is_empty() {
        return Ok(None);
    }
    let videos = ask(api, "/youtube/v3/videos", &[("part", "snippet"), ("id", &ids.join(",")), ("maxResults", LATEST)]).await?;
    let has_tag = |video: &&Value| video["snippet"]["tags"].as_array().is_some_and(|tags| tags.iter().any(|other| other == tag));
    Ok(items(&videos).find(has_tag).and_then(|video| video["id"].as_str()).filter(|id| is_id(id)).map(str::to_owned))
}

fn items(answer: &Value) -> impl Iterator<Item = &Value> {
    answer["items"].as_array().into_iter().flatten()
}

async fn ask(api: &Api<'_>, path: &str, query: &[(&str, &str)]) -> Result<Value> {
    let url = api.url(path, query);
    api.send(|client| client.get(url.clone())).await?.accepted()
}
