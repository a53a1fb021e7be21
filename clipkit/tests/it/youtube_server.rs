//! A model of the YouTube Data API's uploads, written from its documentation. It refuses what
//! YouTube refuses: chunks of other sizes, missing headers, a wrong order, wrong texts, old tokens.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::loopback::{Asked, Fault, Loopback, Reply};

const CHUNK_UNIT: usize = 256 << 10;
pub(crate) const REFRESH: &str = "hunter2-refresh";

#[derive(Clone, Debug)]
pub(crate) struct Video {
    pub(crate) id: String,
    pub(crate) resource: Value,
    pub(crate) bytes: Vec<u8>,
    pub(crate) thumbnail: Option<Vec<u8>>,
    pub(crate) captions: Vec<String>,
}

#[derive(Default)]
struct Session {
    size: usize,
    resource: Value,
    bytes: Vec<u8>,
    video: Option<String>,
}

#[derive(Default)]
pub(crate) struct Channel {
    pub(crate) videos: Vec<Video>,
    sessions: BTreeMap<String, Session>,
    /// The access tokens that were given; the last is valid.
    pub(crate) tokens: usize,
    pub(crate) token_requests: usize,
    /// Whether sessions are forgotten.
    pub(crate) forgetful: bool,
    /// Whether new videos are listed.
    pub(crate) unlisted: bool,
    pub(crate) unaudited: bool,
    /// What was wrong with requests.
    pub(crate) complaints: Vec<String>,
}

pub(crate) struct YouTubeServer {
    pub(crate) server: Loopback,
    pub(crate) channel: Arc<Mutex<Channel>>,
}

impl YouTubeServer {
    pub(crate) fn start() -> Self {
        YouTubeServer::with(|_, _| Fault::None, |_| None)
    }

    /// `special` answers in place of YouTube, if it answers.
    pub(crate) fn with(
        fault: impl Fn(usize, &Asked) -> Fault + Send + Sync + 'static,
        special: impl Fn(&Asked) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        let channel = Arc::<Mutex<Channel>>::default();
        let (held, address) = (channel.clone(), Arc::<Mutex<String>>::default());
        let own = address.clone();
        let server = Loopback::start(fault, move |asked| {
            special(asked).unwrap_or_else(|| answer(&mut held.lock().unwrap(), &own.lock().unwrap(), asked))
        });
        *address.lock().unwrap() = server.url("");
        YouTubeServer { server, channel }
    }

    pub(crate) fn videos(&self) -> Vec<Video> {
        self.channel.lock().unwrap().videos.clone()
    }
}

pub(crate) fn refusal(status: u16, reason: &str) -> Reply {
    Reply::json(status, json!({"error": {"code": status, "message": "no", "errors": [{"reason": reason, "domain": "youtube"}]}}))
}

fn answer(channel: &mut Channel, own: &str, asked: &Asked) -> Reply {
    // Of a request that broke off, only a chunk leaves a trace.
    if asked.cut && !asked.path.starts_with("/session/") {
        return Reply::of(400);
    }
    if asked.path == "/token" {
        return token(channel, asked);
    }
    let valid = format!("Bearer hunter2-access-{}", channel.tokens);
    if channel.tokens == 0 || asked.header("authorization") != Some(&valid) {
        return refusal(401, "authError");
    }
    let values = asked.values();
    let value = |name: &str| values.get(name).map(String::as_str).unwrap_or_default();
    match (asked.method.as_str(), asked.path.as_str()) {
        ("POST", "/upload/youtube/v3/videos") if value("uploadType") == "resumable" => start(channel, own, asked, value("part")),
        ("PUT", path) if path.starts_with("/session/") => session(channel, &path["/session/".len()..], asked),
        ("DELETE", path) if path.starts_with("/session/") => {
            channel.sessions.remove(&path["/session/".len()..]);
            Reply::of(499)
        }
        ("POST", "/upload/youtube/v3/thumbnails/set") => {
            let picture = (asked.header("content-type") == Some("image/jpeg") && asked.body.len() < 2 << 20).then(|| asked.body.clone());
            match (channel.videos.iter_mut().find(|video| video.id == value("videoId")), picture) {
                (Some(video), Some(picture)) => {
                    video.thumbnail = Some(picture);
                    Reply::json(200, json!({}))
                }
                _ => refusal(400, "invalidImage"),
            }
        }
        ("POST", "/upload/youtube/v3/captions") => captions(channel, asked),
        ("GET", "/youtube/v3/channels") if value("mine") == "true" => {
            Reply::json(200, json!({"items": [{"contentDetails": {"relatedPlaylists": {"uploads": "UU1"}}}]}))
        }
        ("GET", "/youtube/v3/playlistItems") if value("playlistId") == "UU1" => {
            let item = |video: &Video| json!({"contentDetails": {"videoId": video.id}});
            let shown = if channel.unlisted { vec![] } else { channel.videos.iter().rev().map(item).collect() };
            Reply::json(200, json!({"items": shown}))
        }
        ("GET", "/youtube/v3/videos") => {
            let ids: Vec<&str> = value("id").split(',').collect();
            let item = |video: &Video| json!({"id": video.id, "snippet": video.resource["snippet"]});
            let shown: Vec<Value> = channel.videos.iter().filter(|video| ids.contains(&video.id.as_str())).map(item).collect();
            Reply::json(200, json!({"items": shown}))
        }
        _ => complain(&mut channel.complaints, format!("{} {}", asked.method, asked.path)),
    }
}

fn complain(complaints: &mut Vec<String>, what: String) -> Reply {
    complaints.push(what);
    refusal(400, "badRequest")
}

fn token(channel: &mut Channel, asked: &Asked) -> Reply {
    let form: BTreeMap<String, String> = url::form_urlencoded::parse(&asked.body).into_owned().collect();
    let value = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    channel.token_requests += 1;
    if value("grant_type") != "refresh_token" || value("refresh_token") != REFRESH || value("client_id") != "id" {
        return Reply::json(400, json!({"error": "invalid_grant"}));
    }
    channel.tokens += 1;
    Reply::json(200, json!({"access_token": format!("hunter2-access-{}", channel.tokens), "expires_in": 3600, "token_type": "Bearer"}))
}

fn start(channel: &mut Channel, own: &str, asked: &Asked, part: &str) -> Reply {
    let size = asked.header("x-upload-content-length").and_then(|size| size.parse().ok());
    let is_video = asked.header("x-upload-content-type").is_some_and(|kind| kind.starts_with("video/"));
    let (resource, size) = match (asked.json(), size) {
        (resource @ Value::Object(_), Some(size)) if is_video && part == "snippet,status" => (resource, size),
        _ => return complain(&mut channel.complaints, "an upload without its headers".into()),
    };
    let (snippet, status) = (&resource["snippet"], &resource["status"]);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    if !(1..=100).contains(&text(&snippet["title"]).chars().count()) || text(&snippet["title"]).contains(['<', '>']) {
        return refusal(400, "invalidTitle");
    }
    if text(&snippet["description"]).len() > 5000 {
        return refusal(400, "invalidDescription");
    }
    if status.get("publishAt").is_some() && status["privacyStatus"] != "private" {
        return refusal(400, "invalidPublishAt");
    }
    let id = format!("s{}", channel.sessions.len() + 1);
    channel.sessions.insert(id.clone(), Session { size, resource, ..Session::default() });
    Reply::of(200).with("Location", format!("{own}/session/{id}?upload_id=hunter2-session"))
}

fn session(channel: &mut Channel, id: &str, asked: &Asked) -> Reply {
    if channel.forgetful || !channel.sessions.contains_key(id) {
        return Reply::of(404);
    }
    let (unaudited, count) = (channel.unaudited, channel.videos.len());
    let session = channel.sessions.get_mut(id).unwrap();
    let range = asked.header("content-range").unwrap_or_default().to_owned();
    if let Some(video) = &session.video {
        return Reply::json(200, json!({"id": video, "status": {"uploadStatus": "uploaded"}}));
    }
    let so_far = |session: &Session| match session.bytes.len() {
        0 => Reply::of(308),
        length => Reply::of(308).with("Range", format!("bytes=0-{}", length - 1)),
    };
    if range == format!("bytes */{}", session.size) {
        return if asked.header("content-length") == Some("0") {
            so_far(session)
        } else {
            complain(&mut channel.complaints, "a question with a body".into())
        };
    }
    let parsed = range.strip_prefix("bytes ").and_then(|range| range.split_once('/')).and_then(|(range, total)| {
        let (first, last) = range.split_once('-')?;
        Some((first.parse::<usize>().ok()?, last.parse::<usize>().ok()?, total.parse::<usize>().ok()?))
    });
    let Some((first, last, total)) = parsed else { return complain(&mut channel.complaints, format!("the range {range:?}")) };
    let length = last + 1 - first;
    let is_last = last + 1 == session.size;
    let declared = asked.header("content-length").and_then(|length| length.parse().ok());
    if total != session.size || last >= total || declared != Some(length) || (!is_last && length % CHUNK_UNIT != 0) {
        return complain(&mut channel.complaints, format!("the chunk {range:?} of {} bytes", session.size));
    }
    if first > session.bytes.len() {
        return complain(&mut channel.complaints, format!("the chunk {range:?} after {} bytes", session.bytes.len()));
    }
    // What it has already is skipped. Of a chunk that broke off, whole units are kept.
    let have = session.bytes.len();
    let mut new = asked.body.get(have - first..).unwrap_or_default().to_vec();
    if asked.cut {
        new.truncate(new.len() / CHUNK_UNIT * CHUNK_UNIT);
    }
    session.bytes.extend_from_slice(&new);
    if asked.cut || session.bytes.len() < session.size {
        return so_far(session);
    }
    let video = format!("vid_{}-x", count + 1);
    session.video = Some(video.clone());
    let mut resource = session.resource.clone();
    if unaudited {
        resource["status"]["privacyStatus"] = "private".into();
    }
    let privacy = resource["status"]["privacyStatus"].clone();
    let bytes = session.bytes.clone();
    channel.videos.push(Video { id: video.clone(), resource, bytes, thumbnail: None, captions: Vec::new() });
    Reply::json(200, json!({"id": video, "status": {"uploadStatus": "uploaded", "privacyStatus": privacy}}))
}

fn captions(channel: &mut Channel, asked: &Asked) -> Reply {
    let text = String::from_utf8_lossy(&asked.body).into_owned();
    let is_related = asked.header("content-type").is_some_and(|kind| kind.starts_with("multipart/related; boundary="));
    let described = text.split("\r\n\r\n").nth(1).and_then(|part| part.split("\r\n--").next());
    let snippet: Value = described.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
    let id = snippet["snippet"]["videoId"].as_str().unwrap_or_default();
    let Some(video) = channel.videos.iter_mut().find(|video| is_related && video.id == id) else { return refusal(404, "videoNotFound") };
    if !video.captions.is_empty() {
        return refusal(409, "captionExists");
    }
    video.captions.push(text.split("\r\n\r\n").nth(2).unwrap_or_default().split("\r\n--").next().unwrap_or_default().to_owned());
    Reply::json(200, json!({"id": "c1"}))
}
