//! A model of the Instagram API's publishing and of Meta's server of uploads, written from their
//! documentation. It refuses what they refuse: missing headers, other offsets, a wrong order, old
//! tokens, a container that is published twice.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::loopback::{Asked, Fault, Loopback, Reply};

pub(crate) const USER: &str = "17841400000000001";

#[derive(Clone, Debug)]
pub(crate) struct Reel {
    pub(crate) id: String,
    pub(crate) form: BTreeMap<String, String>,
    pub(crate) bytes: Vec<u8>,
    at: std::time::SystemTime,
}

#[derive(Clone, Default)]
struct Container {
    form: BTreeMap<String, String>,
    size: Option<usize>,
    bytes: Vec<u8>,
    busy: usize,
    failed: Option<String>,
    expired: bool,
    published: bool,
}

pub(crate) struct Profile {
    pub(crate) reels: Vec<Reel>,
    containers: BTreeMap<String, Container>,
    /// The number of the access token that is valid.
    pub(crate) tokens: usize,
    pub(crate) token_requests: usize,
    pub(crate) quota: (u64, u64),
    /// How often a container is worked on.
    pub(crate) busy: usize,
    /// The status text with which the next container fails.
    pub(crate) failure: Option<&'static str>,
    /// Whether containers are forgotten.
    pub(crate) forgetful: bool,
    /// Whether new posts are listed.
    pub(crate) unlisted: bool,
    /// What was wrong with requests.
    pub(crate) complaints: Vec<String>,
}

pub(crate) struct InstagramServer {
    pub(crate) server: Loopback,
    pub(crate) profile: Arc<Mutex<Profile>>,
}

impl InstagramServer {
    pub(crate) fn start() -> Self {
        InstagramServer::with(|_, _| Fault::None, |_| None)
    }

    /// `special` answers in place of Instagram, if it answers.
    pub(crate) fn with(
        fault: impl Fn(usize, &Asked) -> Fault + Send + Sync + 'static,
        special: impl Fn(&Asked) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        let profile = Arc::new(Mutex::new(Profile {
            reels: Vec::new(),
            containers: BTreeMap::new(),
            tokens: 1,
            token_requests: 0,
            quota: (0, 50),
            busy: 0,
            failure: None,
            forgetful: false,
            unlisted: false,
            complaints: Vec::new(),
        }));
        let (held, address) = (profile.clone(), Arc::<Mutex<String>>::default());
        let own = address.clone();
        let server = Loopback::start(fault, move |asked| {
            special(asked).unwrap_or_else(|| answer(&mut held.lock().unwrap(), &own.lock().unwrap(), asked))
        });
        *address.lock().unwrap() = server.url("");
        InstagramServer { server, profile }
    }

    pub(crate) fn reels(&self) -> Vec<Reel> {
        self.profile.lock().unwrap().reels.clone()
    }

    /// The number of requests to an edge or node.
    pub(crate) fn count(&self, path: &str) -> usize {
        self.server.requests().iter().filter(|asked| asked.path == path).count()
    }

    /// Ends all containers that are not published, as a day does.
    pub(crate) fn expire(&self) {
        self.profile.lock().unwrap().containers.values_mut().for_each(|container| container.expired = true);
    }
}

pub(crate) fn media() -> String {
    format!("/v25.0/{USER}/media")
}

pub(crate) fn publish() -> String {
    format!("/v25.0/{USER}/media_publish")
}

pub(crate) fn refusal(status: u16, code: i64, subcode: u64) -> Reply {
    let error = json!({"message": "no", "type": "OAuthException", "code": code, "error_subcode": subcode, "fbtrace_id": "A"});
    Reply::json(status, json!({ "error": error }))
}

fn answer(profile: &mut Profile, own: &str, asked: &Asked) -> Reply {
    if let Some(container) = asked.path.strip_prefix("/ig-api-upload/v25.0/") {
        return upload(profile, container, asked);
    }
    // A request that broke off is none.
    if asked.cut {
        return Reply::of(400);
    }
    let Some(path) = asked.path.strip_prefix("/v25.0/") else { return complain(profile, format!("{} {}", asked.method, asked.path)) };
    if path == "token" {
        return token(profile, asked);
    }
    if asked.header("authorization") != Some(&format!("Bearer hunter2-access-{}", profile.tokens)) {
        return refusal(400, 190, 463);
    }
    let values = asked.values();
    let fields = values.get("fields").map(String::as_str).unwrap_or_default();
    let form: BTreeMap<String, String> = url::form_urlencoded::parse(&asked.body).into_owned().collect();
    match (asked.method.as_str(), path.split_once('/')) {
        ("GET", Some((USER, "content_publishing_limit"))) if fields == "config,quota_usage" => {
            let (used, total) = profile.quota;
            Reply::json(200, json!({"data": [{"config": {"quota_total": total, "quota_duration": 86400}, "quota_usage": used}]}))
        }
        ("POST", Some((USER, "media"))) => create(profile, own, form),
        ("POST", Some((USER, "media_publish"))) => published(profile, form.get("creation_id").map(String::as_str).unwrap_or_default()),
        ("GET", Some((USER, "media"))) => {
            let listed: Vec<Value> = if profile.unlisted { vec![] } else { profile.reels.iter().rev().map(shown).collect() };
            Reply::json(200, json!({ "data": listed }))
        }
        ("GET", None) => node(profile, path, fields),
        _ => complain(profile, format!("{} {}", asked.method, asked.path)),
    }
}

fn complain(profile: &mut Profile, what: String) -> Reply {
    profile.complaints.push(what);
    refusal(400, 100, 0)
}

fn shown(reel: &Reel) -> Value {
    let at = jiff::Timestamp::try_from(reel.at).unwrap().strftime("%Y-%m-%dT%H:%M:%S+0000").to_string();
    json!({"id": reel.id, "caption": reel.form["caption"], "timestamp": at, "permalink": link(&reel.id)})
}

pub(crate) fn link(id: &str) -> String {
    format!("https://www.instagram.com/reel/C{id}/")
}

fn token(profile: &mut Profile, asked: &Asked) -> Reply {
    let values = asked.values();
    let value = |name: &str| values.get(name).map(String::as_str).unwrap_or_default();
    profile.token_requests += 1;
    let is_ours = value("client_id") == "id" && value("client_secret") == "hunter2-app" && value("grant_type") == "fb_exchange_token";
    // In the model, the token before the valid one can be exchanged, too.
    let known = [profile.tokens, profile.tokens - 1].map(|number| format!("hunter2-access-{number}"));
    if !is_ours || asked.method != "GET" || !known.contains(&value("fb_exchange_token").to_owned()) {
        return refusal(400, 190, 0);
    }
    profile.tokens += 1;
    Reply::json(200, json!({"access_token": format!("hunter2-access-{}", profile.tokens), "token_type": "bearer", "expires_in": 5_184_000}))
}

fn create(profile: &mut Profile, own: &str, form: BTreeMap<String, String>) -> Reply {
    let value = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    if value("media_type") != "REELS" || value("upload_type") != "resumable" {
        return complain(profile, format!("a container of {form:?}"));
    }
    let caption = value("caption");
    if caption.chars().count() > 2200 || caption.matches('#').count() > 30 || caption.matches('@').count() > 20 {
        return refusal(400, 36004, 2_207_010);
    }
    let id = format!("1788{:013}", profile.containers.len() + 1);
    let (busy, failed) = (profile.busy, profile.failure.take().map(str::to_owned));
    profile.containers.insert(id.clone(), Container { form, busy, failed, ..Container::default() });
    Reply::json(200, json!({"id": id, "uri": format!("{own}/ig-api-upload/v25.0/{id}")}))
}

fn broken(status: u16, kind: &str) -> Reply {
    Reply::json(status, json!({"debug_info": {"retriable": false, "type": kind, "message": "no"}}))
}

fn upload(profile: &mut Profile, id: &str, asked: &Asked) -> Reply {
    if asked.header("authorization") != Some(&format!("OAuth hunter2-access-{}", profile.tokens)) {
        return broken(401, "NotAuthorizedError");
    }
    let number = |name: &str| asked.header(name).and_then(|text| text.parse::<usize>().ok());
    let (Some(offset), Some(size), true) = (number("offset"), number("file_size"), asked.method == "POST") else {
        profile.complaints.push(format!("an upload without its headers: {:?}", asked.headers));
        return broken(400, "HeadersMissingError");
    };
    let declared = number("content-length");
    let Some(container) = profile.containers.get_mut(id) else { return broken(404, "NotFoundError") };
    if declared != Some(size - offset) || container.size.is_some_and(|other| other != size) || container.published {
        profile.complaints.push(format!("{declared:?} bytes from {offset} of {size}"));
        return broken(400, "PartialRequestError");
    }
    if offset > container.bytes.len() {
        profile.complaints.push(format!("the offset {offset} after {} bytes", container.bytes.len()));
        return broken(400, "OffsetInvalidError");
    }
    container.size = Some(size);
    container.bytes.truncate(offset);
    container.bytes.extend_from_slice(&asked.body);
    if container.bytes.len() < size {
        return broken(400, "PartialRequestError");
    }
    Reply::json(200, json!({"success": true, "message": "Upload successful."}))
}

fn node(profile: &mut Profile, id: &str, fields: &str) -> Reply {
    if let Some(reel) = profile.reels.iter().find(|reel| reel.id == id) {
        return Reply::json(200, json!({"id": id, "permalink": link(&reel.id)}));
    }
    let forgetful = profile.forgetful;
    let Some(container) = profile.containers.get_mut(id).filter(|_| !forgetful) else { return refusal(400, 100, 33) };
    if fields != "status_code,status,video_status" {
        return complain(profile, format!("the fields {fields}"));
    }
    let phase = |status: &str, bytes: usize| json!({"uploading_phase": {"status": status, "bytes_transferred": bytes}});
    let is_whole = container.size == Some(container.bytes.len());
    let (code, status, video) = match container {
        Container { published: true, .. } => ("PUBLISHED", "", Value::Null),
        Container { expired: true, .. } => ("EXPIRED", "", Value::Null),
        Container { bytes, .. } if !is_whole => ("IN_PROGRESS", "", phase("in_progress", bytes.len())),
        Container { busy, bytes, .. } if *busy > 0 => {
            *busy -= 1;
            ("IN_PROGRESS", "", phase("complete", bytes.len()))
        }
        Container { failed: Some(text), .. } => ("ERROR", &**text, Value::Null),
        _ => ("FINISHED", "", Value::Null),
    };
    Reply::json(200, json!({"id": id, "status_code": code, "status": status, "video_status": video}))
}

fn published(profile: &mut Profile, id: &str) -> Reply {
    let count = profile.reels.len();
    let Some(container) = profile.containers.get_mut(id) else { return refusal(400, 24, 2_207_006) };
    let is_ready = container.size == Some(container.bytes.len()) && container.busy == 0 && container.failed.is_none();
    if container.published || container.expired || !is_ready {
        return refusal(400, 9007, 2_207_027);
    }
    container.published = true;
    let (id, form, bytes) = (format!("1799{:013}", count + 1), container.form.clone(), container.bytes.clone());
    profile.quota.0 += 1;
    profile.reels.push(Reel { id: id.clone(), form, bytes, at: std::time::SystemTime::now() });
    Reply::json(200, json!({ "id": id }))
}
