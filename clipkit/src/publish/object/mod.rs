//! Publishing into object stores.

mod record;
mod sending;
mod template;

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use self::sending::Sending;
use self::template::Template;
use super::{Publisher, Target, publication_key};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Post, Receipt};
use crate::store::{Bucket, check_link};

const MIB: u64 = 1 << 20;
/// The least size of a part that stores accept.
const LEAST_PART: u64 = 5 * MIB;

/// Publishes into an object store: `s3://bucket/prefix` (Amazon S3 and compatible services such as
/// R2 and MinIO), `gs://bucket/prefix` (Google Cloud Storage), `az://container/prefix` (Azure Blob
/// Storage), or `file:///folder`.
///
/// - Each clip is an MP4 file with its cover (`.jpg`), captions (`.srt`) and plan (`.plan.json`)
///   beside it. The MP4 comes last. Large files are sent in parts; an object appears when it is
///   whole.
/// - A clip is published once. Its names are fixed before the first byte, in the small object
///   `.clipkit/<idempotency key>.json` below the prefix, and each object carries the key as the
///   metadata `clipkit-key`. The same clip again, also under another title or rank or after a
///   crash, keeps its names, and what is there already is not sent again. To publish a clip under
///   new names, remove that object.
/// - Credentials and endpoints are the variables `AWS_*`, `GOOGLE_*` and `AZURE_*` of the
///   [`Environment`](crate::Environment). Each kind of store is a Cargo feature: `s3`, `gcs`,
///   `azure`. For R2, set `AWS_ENDPOINT` to `https://<account>.r2.cloudflarestorage.com` and
///   `AWS_REGION` to `auto`.
/// - [`Post::publish_at`] and [`Post::privacy`] have no effect: who can read the bucket can see the
///   clip at once.
///
/// ```
/// use std::time::Duration;
///
/// use clipkit::stage::ObjectStorePublisher;
///
/// let mut bucket = ObjectStorePublisher::new("s3://bucket/clips");
/// bucket.cache_control = Some("public, max-age=86400".into());
/// bucket.link = Some(Duration::from_secs(24 * 3600));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ObjectStorePublisher {
    /// The store and the prefix of all keys: `s3://bucket/prefix`.
    pub url: String,
    /// The key of a clip below the prefix, without extension. `{id}` is the clip's id, `{rank}` its
    /// rank with two digits, `{slug}` its title in lower-case ASCII, `{date}` today's date in UTC.
    /// Default: `{id}/{rank}-{slug}`. Without `{id}`, two clips can get the same key; the second is
    /// then refused.
    #[serde(default = "default_key")]
    pub key: String,
    /// The `Cache-Control` header of the objects. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_control: Option<String>,
    /// More metadata of the objects. Names are lower-case letters, digits and hyphens, values are
    /// ASCII. Default: none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// How long the link in the receipt is valid, in seconds: 1 to 604800, which is 7 days. With
    /// the link ([`Receipt::url`]), everybody can get the clip from the store, so that it passes
    /// through no server of yours. Default: no link.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::model::seconds::option")]
    #[schemars(with = "Option<f64>")]
    pub link: Option<Duration>,
    /// The address at which everybody can get what lies below the prefix, for example of a CDN. The
    /// receipt then has the clip's address below it. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_url: Option<String>,
    /// The size of the parts of large files, in bytes, at least 5 MiB. Larger parts suit fast
    /// connections; 4 parts are in memory at a time. Default: 8 MiB.
    #[serde(default = "default_part")]
    pub part_size: u64,
}

fn default_key() -> String {
    "{id}/{rank}-{slug}".to_owned()
}

fn default_part() -> u64 {
    8 * MIB
}

impl ObjectStorePublisher {
    /// Publishes below `url`: `s3://bucket/prefix`.
    pub fn new(url: impl Into<String>) -> Self {
        ObjectStorePublisher {
            url: url.into(),
            key: default_key(),
            cache_control: None,
            metadata: BTreeMap::new(),
            link: None,
            public_url: None,
            part_size: default_part(),
        }
    }

    /// Refuses settings that cannot be followed. Nothing is sent.
    pub(crate) fn check(&self) -> Result<()> {
        let refuse = |what: String| Err(Error::new(ErrorKind::Config, what).with_url(&self.url));
        Bucket::check(&self.url)?;
        Template::parse(&self.key)?;
        if self.part_size < LEAST_PART {
            return refuse(format!("part_size is {} bytes: stores accept parts from {LEAST_PART} bytes", self.part_size));
        }
        if self.link.is_some() && self.public_url.is_some() {
            return refuse("both link and public_url are set: a receipt has one address".into());
        }
        self.link.map_or(Ok(()), check_link)?;
        if let Some(address) = &self.public_url
            && !Url::parse(address).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.query().is_none())
        {
            return refuse("public_url is not an http address".into());
        }
        let is_plain = |text: &str| text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        let is_name =
            |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        for (name, value) in &self.metadata {
            if !is_name(name) || name.starts_with("clipkit-") || !is_plain(value) {
                return refuse(format!("objects cannot have the metadata {name:?}: names are a-z, 0-9 and -, values are ASCII"));
            }
        }
        match &self.cache_control {
            Some(value) if value.is_empty() || !is_plain(value) => refuse("cache_control is no header's value".into()),
            _ => Ok(()),
        }
    }
}

impl ObjectStorePublisher {
    /// A new link to the video of a publication, with which everybody can get it from the store for
    /// this long: a second to 7 days. Nothing is sent.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the receipt is of another target, or if the store signs no links.
    pub async fn sign(&self, cx: &Context, receipt: &Receipt, valid: Duration) -> Result<String> {
        let target = self.target();
        if !target.wrote(receipt) {
            return Err(Error::new(ErrorKind::Config, format!("the receipt is not of {target}")));
        }
        let bucket = Bucket::open(&self.url, cx.environment())?;
        let path = object_store::path::Path::parse(&receipt.id)
            .map_err(|error| Error::new(ErrorKind::Config, format!("the receipt names no object: {error}")))?;
        Ok(bucket.link(&path, valid).await?.to_string())
    }
}

#[async_trait]
impl Publisher for ObjectStorePublisher {
    async fn publish(&self, cx: &Context, post: &Post) -> Result<Receipt> {
        self.check()?;
        let bucket = Bucket::open(&self.url, cx.environment())?;
        if self.link.is_some() && !bucket.signs() {
            return Err(Error::new(ErrorKind::Config, "this store signs no links").with_url(&self.url).with_advice("leave out link"));
        }
        let key = publication_key(cx, &self.target(), post);
        Sending { cx, to: self, bucket, key, post }.run().await
    }

    /// The kind of store (`s3`, `gs`, `az`, `file`), with bucket and prefix as the account.
    fn target(&self) -> Target {
        let (scheme, place) = self.url.split_once("://").unwrap_or(("s3", &self.url));
        let name = match scheme.to_ascii_lowercase().as_str() {
            "s3a" => "s3".to_owned(),
            "azure" | "adl" | "abfs" | "abfss" => "az".to_owned(),
            other => other.to_owned(),
        };
        let place = place.split(['?', '#']).next().unwrap_or_default();
        Target::new(name).with_account(place.rsplit_once('@').map_or(place, |(_, place)| place).trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests;
