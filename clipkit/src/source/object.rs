use async_trait::async_trait;
use object_store::path::Path as ObjectPath;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt;

use super::Source;
use super::arrival::{about_address, arrived, extension_of, or_cancelled, take_partial};
use crate::av;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Recovery, Result, redact_url, scrub};
use crate::model::{Limit, Media};
use crate::store::{self, Partial, open_object};

/// The bytes of one request. A request has a time limit of its own in the client.
const PART: u64 = 8 << 20;
/// The file of a download. A mark of the object's version is part of the download's key.
const BYTES: &str = "media";

/// A source of media in object stores: `s3://bucket/key` (Amazon S3 and compatible services),
/// `gs://bucket/key` (Google Cloud Storage), `az://container/key` (Azure Blob Storage), and
/// `file:///path`.
///
/// The object is downloaded into the media store
/// ([`Context::media_store`](crate::Context::media_store)). A download that breaks off continues,
/// in the same run or a later one, if the object is still the same. Credentials and endpoints are
/// the variables `AWS_*`, `GOOGLE_*` and `AZURE_*` of the [`Environment`](crate::Environment). Each
/// kind of store is a Cargo feature: `s3`, `gcs`, `azure`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ObjectStoreSource {}

impl ObjectStoreSource {
    /// A source of objects.
    pub fn new() -> Self {
        ObjectStoreSource::default()
    }
}

#[async_trait]
impl Source for ObjectStoreSource {
    async fn fetch(&self, cx: &Context, uri: &str) -> Result<Media> {
        let (store, path) = open_object(uri, cx.environment())?;
        let found = or_cancelled(cx, async { store.head(&path).await.map_err(|error| failure(&error, uri)) }).await?;
        cx.limits().check(Limit::DownloadBytes, found.size).map_err(|error| error.with_url(uri))?;
        if found.size == 0 {
            return Err(Error::new(ErrorKind::InvalidInput, "the object is empty").with_url(uri).with_advice("upload it again"));
        }
        // Another version of the object is another download.
        let version = found.e_tag.clone().unwrap_or_else(|| found.last_modified.to_rfc3339());
        let key = format!("object {uri} {version} {}", found.size);
        let partial = take_partial(cx, &key).await?;
        if let Some(media) = stored(cx, &key, uri).await? {
            return Ok(media);
        }
        let result = async {
            download(cx, store.as_ref(), &path, found.e_tag, found.size, &partial, uri).await?;
            finish(cx, &partial, key, uri, extension_of(path.as_ref())).await
        };
        let result = result.await;
        // What is no media, or too large, is not kept.
        if let Err(error) = &result
            && matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::TooLarge)
        {
            partial.clear()?;
        }
        result
    }
}

/// The object, if the media store has this version of it.
async fn stored(cx: &Context, key: &str, uri: &str) -> Result<Option<Media>> {
    let (key, uri) = (key.to_owned(), uri.to_owned());
    cx.blocking(move |cx| {
        let store = cx.media_store()?;
        let Some(lease) = store.lookup(&key)?.map(|id| store.find(&id)).transpose()?.flatten() else { return Ok(None) };
        let id = lease.id().clone();
        let media = av::probe(cx, &cx.keep(lease), id).map_err(|error| about_address(&error, &uri))?;
        Ok(Some(Media { uri: redact_url(&uri), ..media }))
    })
    .await
}

/// Downloads what is missing of the object, part by part.
async fn download(
    cx: &Context,
    store: &dyn ObjectStore,
    path: &ObjectPath,
    tag: Option<String>,
    size: u64,
    partial: &Partial,
    uri: &str,
) -> Result<()> {
    let target = partial.folder().join(BYTES);
    let unwritable = |error| Error::io(&target, "write the download", error);
    let mut file = tokio::fs::OpenOptions::new().append(true).create(true).open(&target).await.map_err(unwritable)?;
    let mut have = file.metadata().await.map_err(unwritable)?.len();
    if have > size {
        file.set_len(0).await.map_err(unwritable)?;
        have = 0;
    }
    partial.make_room(size - have).map_err(|error| cx.label(error))?;
    while have < size {
        let mut options = GetOptions::default();
        options.range = Some(GetRange::Bounded(have..size.min(have + PART)));
        options.if_match = tag.clone();
        let part = async {
            let part = store.get_opts(path, options).await.map_err(|error| failure(&error, uri))?;
            let range = part.range.clone();
            let bytes = part.bytes().await.map_err(|error| failure(&error, uri))?;
            Ok((range, bytes))
        };
        let (range, bytes) = or_cancelled(cx, part).await?;
        if range.start != have || bytes.is_empty() || bytes.len() as u64 > PART {
            return Err(Error::new(ErrorKind::Network, "the store sends another part of the object than was requested")
                .with_url(uri)
                .with_recovery(Recovery::Retry { after: None }));
        }
        file.write_all(&bytes).await.map_err(unwritable)?;
        // The next part may start only when this one is in the file.
        file.flush().await.map_err(unwritable)?;
        have += bytes.len() as u64;
        cx.progress(have as f64 / size as f64 * 0.95);
    }
    Ok(())
}

async fn finish(cx: &Context, partial: &Partial, key: String, uri: &str, extension: String) -> Result<Media> {
    let (partial, uri) = (partial.clone(), uri.to_owned());
    cx.blocking(move |cx| {
        let file = partial.folder().join(BYTES);
        let (media, lease) = arrived(cx, &partial, &file, &extension).map_err(|error| about_address(&error, &uri))?;
        store::MediaStore::bind(cx.media_store()?, &key, lease.id())?;
        cx.keep(lease);
        Ok(Media { uri: redact_url(&uri), ..media })
    })
    .await
}

fn failure(error: &object_store::Error, uri: &str) -> Error {
    use object_store::Error as Store;
    let again = Recovery::Retry { after: None };
    match error {
        Store::NotFound { .. } => Error::new(ErrorKind::NotFound, "there is no such object").with_advice("check the address"),
        Store::PermissionDenied { .. } | Store::Unauthenticated { .. } => Error::new(ErrorKind::Denied, "access to the object is denied")
            .with_recovery(Recovery::RefreshCredentials)
            .with_advice("check the store's credentials: AWS_*, GOOGLE_* or AZURE_*"),
        Store::Precondition { .. } | Store::NotModified { .. } => {
            Error::new(ErrorKind::Network, "the object changed while it was fetched").with_recovery(again)
        }
        Store::InvalidPath { .. } | Store::NotSupported { .. } | Store::NotImplemented { .. } | Store::UnknownConfigurationKey { .. } => {
            Error::new(ErrorKind::Config, format!("the object cannot be fetched: {}", scrub(&error.to_string(), 300)))
        }
        _ => {
            Error::new(ErrorKind::Network, format!("the object cannot be fetched: {}", scrub(&error.to_string(), 300))).with_recovery(again)
        }
    }
    .with_url(uri)
}
