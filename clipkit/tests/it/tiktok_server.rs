//! A model of TikTok's Content Posting API, written from its documentation. It refuses what TikTok
//! refuses: other chunks than the rules say, missing headers, a wrong order, old tokens.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::loopback::{Asked, Fault, Loopback, Reply};

const MIB: usize = 1 << 20;

#[derive(Clone, Debug)]
pub(crate) struct Clip {
    pub(crate) id: String,
    pub(crate) info: Value,
    pub(crate) bytes: Vec<u8>,
    /// Whether it is a draft in the inbox.
    pub(crate) draft: bool,
}

#[derive(Clone, Default)]
struct Upload {
    size: usize,
    chunk: usize,
    count: usize,
    info: Value,
    draft: bool,
    bytes: Vec<u8>,
    /// How often it says that it works on the clip, before it is done.
    busy: usize,
    failed: Option<String>,
    /// Whether its address is not valid any more.
    expired: bool,
}

pub(crate) struct Account {
    pub(crate) clips: Vec<Clip>,
    uploads: BTreeMap<String, Upload>,
    /// The access and refresh token that are valid: their number.
    pub(crate) tokens: usize,
    pub(crate) token_requests: usize,
    pub(crate) privacies: Vec<&'static str>,
    pub(crate) longest: u64,
    /// How often an upload is worked on.
    pub(crate) busy: usize,
    /// Whether posts have ids.
    pub(crate) reviewed: bool,
    /// The reason why the next upload fails when it is processed.
    pub(crate) failure: Option<&'static str>,
    /// Whether uploads are forgotten.
    pub(crate) forgetful: bool,
    /// What was wrong with requests.
    pub(crate) complaints: Vec<String>,
}

pub(crate) struct TikTokServer {
    pub(crate) server: Loopback,
    pub(crate) account: Arc<Mutex<Account>>,
}

impl TikTokServer {
    pub(crate) fn start() -> Self {
        TikTokServer::with(|_, _| Fault::None, |_| None)
    }

    /// `special` answers in place of TikTok, if it answers.
    pub(crate) fn with(
        fault: impl Fn(usize, &Asked) -> Fault + Send + Sync + 'static,
        special: impl Fn(&Asked) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        let account = Arc::new(Mutex::new(Account {
            clips: Vec::new(),
            uploads: BTreeMap::new(),
            tokens: 1,
            token_requests: 0,
            privacies: vec!["PUBLIC_TO_EVERYONE", "MUTUAL_FOLLOW_FRIENDS", "SELF_ONLY"],
            longest: 300,
            busy: 0,
            reviewed: true,
            failure: None,
            forgetful: false,
            complaints: Vec::new(),
        }));
        let (held, address) = (account.clone(), Arc::<Mutex<String>>::default());
        let own = address.clone();
        let server = Loopback::start(fault, move |asked| {
            special(asked).unwrap_or_else(|| answer(&mut held.lock().unwrap(), &own.lock().unwrap(), asked))
        });
        *address.lock().unwrap() = server.url("");
        TikTokServer { server, account }
    }

    pub(crate) fn clips(&self) -> Vec<Clip> {
        self.account.lock().unwrap().clips.clone()
    }

    /// The number of requests to a method.
    pub(crate) fn count(&self, path: &str) -> usize {
        self.server.requests().iter().filter(|asked| asked.path == path).count()
    }

    /// Ends the addresses of all uploads, as an hour does.
    pub(crate) fn expire(&self) {
        self.account.lock().unwrap().uploads.values_mut().for_each(|upload| upload.expired = true);
    }
}

pub(crate) const INIT: &str = "/v2/post/publish/video/init/";
pub(crate) const INBOX: &str = "/v2/post/publish/inbox/video/init/";
pub(crate) const STATUS: &str = "/v2/post/publish/status/fetch/";
pub(crate) const CREATOR: &str = "/v2/post/publish/creator_info/query/";

pub(crate) fn refusal(status: u16, code: &str) -> Reply {
    Reply::json(status, json!({"data": {}, "error": {"code": code, "message": "no", "log_id": "1"}}))
}

fn data(data: Value) -> Reply {
    Reply::json(200, json!({"data": data, "error": {"code": "ok", "message": "", "log_id": "1"}}))
}

fn answer(account: &mut Account, own: &str, asked: &Asked) -> Reply {
    if asked.path == "/video/" {
        return chunk(account, asked);
    }
    // A request that broke off is none.
    if asked.cut {
        return Reply::of(400);
    }
    if asked.path == "/token" {
        return token(account, asked);
    }
    if asked.header("authorization") != Some(&format!("Bearer hunter2-access-{}", account.tokens)) {
        return refusal(401, "access_token_invalid");
    }
    if asked.method != "POST" || asked.header("content-type") != Some("application/json; charset=UTF-8") {
        return complain(account, format!("{} {} without its header", asked.method, asked.path));
    }
    match asked.path.as_str() {
        CREATOR => data(json!({
            "creator_username": "clock.smith", "creator_nickname": "Clocks", "privacy_level_options": account.privacies,
            "comment_disabled": false, "duet_disabled": true, "stitch_disabled": false, "max_video_post_duration_sec": account.longest,
        })),
        INIT | INBOX => init(account, own, asked),
        STATUS => status(account, asked),
        _ => complain(account, format!("{} {}", asked.method, asked.path)),
    }
}

fn complain(account: &mut Account, what: String) -> Reply {
    account.complaints.push(what);
    refusal(400, "invalid_params")
}

/// Each use gives a new refresh token, and ends the old one.
fn token(account: &mut Account, asked: &Asked) -> Reply {
    let form: BTreeMap<String, String> = url::form_urlencoded::parse(&asked.body).into_owned().collect();
    let value = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    account.token_requests += 1;
    let is_ours = value("client_key") == "key" && value("client_secret") == "hunter2-app" && value("grant_type") == "refresh_token";
    if !is_ours || value("refresh_token") != format!("hunter2-refresh-{}", account.tokens) {
        return Reply::json(200, json!({"error": "invalid_grant", "error_description": "no", "log_id": "1"}));
    }
    account.tokens += 1;
    let (access, refresh) = (format!("hunter2-access-{}", account.tokens), format!("hunter2-refresh-{}", account.tokens));
    Reply::json(
        200,
        json!({"access_token": access, "refresh_token": refresh, "expires_in": 86400, "open_id": "o", "scope": "video.publish,video.upload"}),
    )
}

fn init(account: &mut Account, own: &str, asked: &Asked) -> Reply {
    let (body, draft) = (asked.json(), asked.path == INBOX);
    let source = &body["source_info"];
    let number = |name: &str| source[name].as_u64().unwrap_or(0) as usize;
    let (size, chunk, count) = (number("video_size"), number("chunk_size"), number("total_chunk_count"));
    let is_whole = size > 0 && chunk == size && count == 1 && size <= 64 * MIB;
    let is_cut = (5 * MIB..=64_000_000).contains(&chunk) && size >= chunk && count == size / chunk && count <= 1000;
    if source["source"] != "FILE_UPLOAD" || !(is_whole || is_cut) {
        return complain(account, format!("the chunks of {source}"));
    }
    let info = body["post_info"].clone();
    if draft != info.is_null() {
        return complain(account, "texts where none are, or none where some are".into());
    }
    if !draft {
        let level = info["privacy_level"].as_str().unwrap_or_default();
        if !account.privacies.contains(&level) {
            return refusal(403, "privacy_level_option_mismatch");
        }
        if info["title"].as_str().unwrap_or_default().encode_utf16().count() > 2200 || info["disable_duet"] != true {
            return complain(account, format!("the post {info}"));
        }
    }
    let id = format!("v_pub_file~v2-1.{}", account.uploads.len() + 1);
    let (busy, failed) = (account.busy, account.failure.take().map(str::to_owned));
    account.uploads.insert(id.clone(), Upload { size, chunk, count, info, draft, busy, failed, ..Upload::default() });
    let address = format!("{own}/video/?upload_id={}&upload_token=hunter2-upload", account.uploads.len());
    data(json!({"publish_id": id, "upload_url": address}))
}

fn chunk(account: &mut Account, asked: &Asked) -> Reply {
    let values = asked.values();
    let id = format!("v_pub_file~v2-1.{}", values.get("upload_id").map(String::as_str).unwrap_or_default());
    let Some(upload) = account.uploads.get(&id).filter(|_| values.get("upload_token").is_some_and(|token| token == "hunter2-upload"))
    else {
        return Reply::of(404);
    };
    if asked.header("authorization").is_some() {
        account.complaints.push("the access token was sent with a chunk".into());
    }
    if upload.expired || account.forgetful {
        return Reply::of(403);
    }
    let range = asked.header("content-range").unwrap_or_default().to_owned();
    let parsed = range.strip_prefix("bytes ").and_then(|range| range.split_once('/')).and_then(|(range, total)| {
        let (first, last) = range.split_once('-')?;
        Some((first.parse::<usize>().ok()?, last.parse::<usize>().ok()?, total.parse::<usize>().ok()?))
    });
    let declared = asked.header("content-length").and_then(|length| length.parse::<usize>().ok());
    let Some((first, last, total)) = parsed.filter(|(first, last, _)| declared == Some(last + 1 - first)) else {
        account.complaints.push(format!("the range {range:?}"));
        return Reply::of(400);
    };
    let number = first / upload.chunk;
    let is_last = number + 1 == upload.count;
    let end = if is_last { upload.size } else { first + upload.chunk };
    let is_video = asked.method == "PUT" && asked.header("content-type") == Some("video/mp4");
    if !is_video || total != upload.size || first % upload.chunk != 0 || number >= upload.count || last + 1 != end {
        account.complaints.push(format!("the chunk {range:?} of {} bytes in {}", upload.size, upload.count));
        return Reply::of(400);
    }
    let upload = account.uploads.get_mut(&id).unwrap();
    if first != upload.bytes.len() {
        return Reply::of(416);
    }
    // Of a chunk that broke off, nothing is kept.
    if asked.cut {
        return Reply::of(400);
    }
    upload.bytes.extend_from_slice(&asked.body);
    let so_far = format!("bytes 0-{}/{}", upload.bytes.len() - 1, upload.size);
    if upload.bytes.len() < upload.size {
        return Reply::of(206).with("Content-Range", so_far);
    }
    let upload = upload.clone();
    if upload.failed.is_none() {
        let id = format!("73{:017}", account.clips.len() + 1);
        account.clips.push(Clip { id, info: upload.info, bytes: upload.bytes, draft: upload.draft });
    }
    Reply::of(201).with("Content-Range", so_far)
}

fn status(account: &mut Account, asked: &Asked) -> Reply {
    let id = asked.json()["publish_id"].as_str().unwrap_or_default().to_owned();
    let (forgetful, reviewed) = (account.forgetful, account.reviewed);
    let clips = account.clips.clone();
    let Some(upload) = account.uploads.get_mut(&id).filter(|_| !forgetful) else { return refusal(400, "invalid_publish_id") };
    if upload.bytes.len() < upload.size {
        return data(json!({"status": "PROCESSING_UPLOAD", "uploaded_bytes": upload.bytes.len()}));
    }
    if upload.busy > 0 {
        upload.busy -= 1;
        return data(json!({"status": "PROCESSING_UPLOAD", "uploaded_bytes": upload.size}));
    }
    if let Some(reason) = &upload.failed {
        return data(json!({"status": "FAILED", "fail_reason": reason}));
    }
    if upload.draft {
        return data(json!({"status": "SEND_TO_USER_INBOX"}));
    }
    let post: Option<u64> = clips.iter().find(|clip| clip.bytes == upload.bytes).and_then(|clip| clip.id.parse().ok());
    let is_public = upload.info["privacy_level"] == "PUBLIC_TO_EVERYONE";
    let ids: Vec<u64> = post.filter(|_| is_public && reviewed).into_iter().collect();
    data(json!({"status": "PUBLISH_COMPLETE", "publicaly_available_post_id": ids}))
}
