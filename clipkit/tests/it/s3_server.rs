//! A server with the part of the S3 protocol that publishing uses. It checks every signature
//! (signature version 4, in headers and in links) and what compatible services refuse: parts of
//! different sizes, wrong lists of parts, small parts.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::loopback::{Asked, Fault, Loopback, Reply};

pub(crate) const ID: &str = "AKIDEXAMPLE";
pub(crate) const SECRET: &str = "hunter2/secret+key";
pub(crate) const REGION: &str = "eu-test-1";

#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) bytes: Vec<u8>,
    pub(crate) headers: BTreeMap<String, String>,
    modified: SystemTime,
}

/// The headers of an upload, and its parts by number.
pub(crate) type Upload = (BTreeMap<String, String>, BTreeMap<u32, Vec<u8>>);

#[derive(Default)]
pub(crate) struct Bucket {
    /// By path: `/bucket/key`.
    pub(crate) objects: BTreeMap<String, Object>,
    pub(crate) uploads: HashMap<String, Upload>,
    pub(crate) puts: usize,
    count: usize,
}

pub(crate) struct S3 {
    pub(crate) server: Loopback,
    pub(crate) bucket: Arc<Mutex<Bucket>>,
}

impl S3 {
    pub(crate) fn start() -> Self {
        S3::with_faults(|_, _| Fault::None)
    }

    pub(crate) fn with_faults(fault: impl Fn(usize, &Asked) -> Fault + Send + Sync + 'static) -> Self {
        let bucket = Arc::<Mutex<Bucket>>::default();
        let held = bucket.clone();
        let server = Loopback::start(fault, move |asked| answer(&held, asked));
        S3 { server, bucket }
    }

    pub(crate) fn variables(&self) -> Vec<(String, String)> {
        variables(&self.server.url(""))
    }

    /// The keys of the objects, without the publisher's records.
    pub(crate) fn keys(&self) -> Vec<String> {
        let bucket = self.bucket.lock().unwrap();
        bucket.objects.keys().filter(|key| !key.contains("/.clipkit/")).cloned().collect()
    }
}

/// The variables that lead to a server of the S3 protocol at an address.
pub(crate) fn variables(endpoint: &str) -> Vec<(String, String)> {
    [
        ("AWS_ENDPOINT", endpoint),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_REGION", REGION),
        ("AWS_ACCESS_KEY_ID", ID),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// Percent-encodes as the signature demands: all but letters, digits and `-._~`.
fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// Why a request is refused, if it is not signed with the secret.
fn unsigned(asked: &Asked) -> Option<&'static str> {
    let values = asked.values();
    let fields: BTreeMap<String, String> = match asked.header("authorization") {
        Some(header) => {
            let Some(fields) = header.strip_prefix("AWS4-HMAC-SHA256 ") else { return Some("InvalidArgument") };
            fields.split(',').filter_map(|field| field.trim().split_once('=')).map(|(a, b)| (a.to_owned(), b.to_owned())).collect()
        }
        None => {
            let of = |name: &str| values.get(name).cloned().unwrap_or_default();
            [("Credential", of("X-Amz-Credential")), ("SignedHeaders", of("X-Amz-SignedHeaders")), ("Signature", of("X-Amz-Signature"))]
                .map(|(name, value)| (name.to_owned(), value))
                .into()
        }
    };
    let in_link = asked.header("authorization").is_none();
    let (Some(credential), Some(signed), Some(signature)) =
        (fields.get("Credential"), fields.get("SignedHeaders"), fields.get("Signature"))
    else {
        return Some("AccessDenied");
    };
    let date = if in_link { values.get("X-Amz-Date").cloned() } else { asked.header("x-amz-date").map(str::to_owned) };
    let Some(date) = date.filter(|date| date.len() == 16) else { return Some("AccessDenied") };
    let scope = format!("{}/{REGION}/s3/aws4_request", &date[..8]);
    if *credential != format!("{ID}/{scope}") {
        return Some("InvalidAccessKeyId");
    }
    let at =
        jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", &date).unwrap().to_zoned_datetime(jiff::tz::TimeZone::UTC).unwrap().timestamp();
    let age = SystemTime::now().duration_since(SystemTime::try_from(at).unwrap()).unwrap_or_default();
    let valid = if in_link { values.get("X-Amz-Expires").and_then(|text| text.parse().ok()).unwrap_or(0) } else { 900 };
    if age > Duration::from_secs(valid) {
        return Some("RequestTimeTooSkewed");
    }
    let content = if in_link { "UNSIGNED-PAYLOAD" } else { asked.header("x-amz-content-sha256").unwrap_or_default() };
    if content != "UNSIGNED-PAYLOAD" && content != hex(&Sha256::digest(&asked.body)) {
        return Some("XAmzContentSHA256Mismatch");
    }
    let mut query: Vec<(String, String)> = url::form_urlencoded::parse(asked.query.as_bytes())
        .filter(|(name, _)| name != "X-Amz-Signature")
        .map(|(name, value)| (encoded(&name), encoded(&value)))
        .collect();
    query.sort();
    let query = query.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
    let headers: String = signed.split(';').map(|name| format!("{name}:{}\n", asked.header(name).unwrap_or_default())).collect();
    if !signed.split(';').any(|name| name == "host") {
        return Some("AccessDenied");
    }
    let canonical = format!("{}\n{}\n{query}\n{headers}\n{signed}\n{content}", asked.method, asked.path);
    let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hex(&Sha256::digest(canonical.as_bytes())));
    let mut key = format!("AWS4{SECRET}").into_bytes();
    for part in [&date[..8], REGION, "s3", "aws4_request"] {
        key = mac(&key, part);
    }
    (hex(&mac(&key, &to_sign)) != *signature).then_some("SignatureDoesNotMatch")
}

fn error(status: u16, code: &str) -> Reply {
    Reply::of(status).body(format!("<Error><Code>{code}</Code><Message>{code}</Message></Error>"))
}

fn kept_headers(asked: &Asked) -> BTreeMap<String, String> {
    let is_kept = |name: &str| matches!(name, "content-type" | "cache-control") || name.starts_with("x-amz-meta-");
    asked.headers.iter().filter(|(name, _)| is_kept(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn answer(held: &Mutex<Bucket>, asked: &Asked) -> Reply {
    if let Some(code) = unsigned(asked) {
        return error(403, code);
    }
    if asked.cut {
        return Reply::of(400);
    }
    let mut held = held.lock().unwrap();
    let (values, path) = (asked.values(), asked.path.clone());
    if !path.starts_with("/bucket/") {
        return error(404, "NoSuchBucket");
    }
    let upload = values.get("uploadId").cloned();
    match (asked.method.as_str(), upload) {
        ("POST", None) if values.contains_key("uploads") => {
            held.count += 1;
            let id = format!("upload {}", held.count);
            held.uploads.insert(id.clone(), (kept_headers(asked), BTreeMap::new()));
            Reply::of(200).body(format!("<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"))
        }
        ("PUT", Some(id)) => {
            let number = values.get("partNumber").and_then(|number| number.parse().ok()).unwrap_or(0);
            let Some((_, parts)) = held.uploads.get_mut(&id) else { return error(404, "NoSuchUpload") };
            parts.insert(number, asked.body.clone());
            Reply::of(200).with("ETag", format!("\"{number}\""))
        }
        ("DELETE", Some(id)) => match held.uploads.remove(&id) {
            Some(_) => Reply::of(204),
            None => error(404, "NoSuchUpload"),
        },
        ("POST", Some(id)) => {
            let Some((headers, parts)) = held.uploads.remove(&id) else { return error(404, "NoSuchUpload") };
            let list = String::from_utf8_lossy(&asked.body).into_owned();
            let sizes: Vec<usize> = parts.values().map(Vec::len).collect();
            let (last, before) = sizes.split_last().unwrap();
            let is_listed = (1..=parts.len() as u32).all(|number| list.contains(&format!("<PartNumber>{number}</PartNumber>")));
            if !is_listed || before.iter().any(|size| *size != before[0] || *size < 5 << 20 || last > size) {
                return error(400, "InvalidPart");
            }
            let object = Object { bytes: parts.into_values().flatten().collect(), headers, modified: SystemTime::now() };
            held.objects.insert(path, object);
            held.puts += 1;
            Reply::of(200).body("<CompleteMultipartUploadResult><ETag>\"whole\"</ETag></CompleteMultipartUploadResult>")
        }
        ("PUT", None) => {
            if asked.header("if-none-match") == Some("*") && held.objects.contains_key(&path) {
                return error(412, "PreconditionFailed");
            }
            let object = Object { bytes: asked.body.clone(), headers: kept_headers(asked), modified: SystemTime::now() };
            held.objects.insert(path, object);
            held.puts += 1;
            Reply::of(200).with("ETag", "\"one\"")
        }
        ("GET" | "HEAD", None) => match held.objects.get(&path) {
            Some(object) => {
                let mut reply = Reply::of(200).with("ETag", "\"one\"").with("Last-Modified", httpdate::fmt_http_date(object.modified));
                for (name, value) in &object.headers {
                    reply = reply.with(name, value.clone());
                }
                if asked.method == "HEAD" {
                    reply = reply.with("Content-Length", object.bytes.len().to_string());
                }
                reply.body(object.bytes.clone())
            }
            None => error(404, "NoSuchKey"),
        },
        _ => error(405, "MethodNotAllowed"),
    }
}
