//! One publication into an object store.

use std::path::Path as FilePath;
use std::time::{Duration, SystemTime};

use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, GetOptions, MultipartUpload, ObjectMeta, ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload,
};
use tokio::io::AsyncReadExt;
use url::Url;

use super::record::{self, Record};
use super::template::Template;
use super::{MIB, ObjectStorePublisher};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Recovery, Result, scrub};
use crate::model::{Post, PublishedFiles, Receipt};
use crate::publish::Publisher;
use crate::store::Bucket;

/// The parts that are sent at a time.
const AT_ONCE: usize = 4;
/// The most parts of an object that the parts' size allows for; stores accept 10 000.
const MOST_PARTS: u64 = 9_000;
/// How long the removal of an incomplete upload may take. Cancelled work ends within a second.
const ABORT_LIMIT: Duration = Duration::from_millis(600);
/// The metadata with the idempotency key.
const KEY: &str = "clipkit-key";
const CLIP: &str = "clipkit-clip";

/// A post on its way into a bucket.
pub(super) struct Sending<'a> {
    pub(super) cx: &'a Context,
    pub(super) to: &'a ObjectStorePublisher,
    pub(super) bucket: Bucket,
    /// The idempotency key.
    pub(super) key: String,
    pub(super) post: &'a Post,
}

/// A file and the object that it becomes.
struct Item<'a> {
    file: &'a FilePath,
    /// The key below the prefix.
    key: String,
    path: Path,
    content_type: &'static str,
    size: u64,
}

impl Sending<'_> {
    pub(super) async fn run(self) -> Result<Receipt> {
        let stem = self.stem().await?;
        let items = self.items(&stem).await?;
        let total = items.iter().map(|item| item.size).sum::<u64>().max(1);
        let mut done = 0;
        for item in &items {
            if !self.is_there(item).await? {
                self.send(item, &|sent| self.cx.progress((done + sent) as f64 / total as f64)).await?;
            }
            done += item.size;
            self.cx.progress(done as f64 / total as f64);
        }
        self.receipt(&items).await
    }

    /// The clip's key without extension: the one that an earlier attempt fixed, else a new one,
    /// which is fixed now.
    async fn stem(&self) -> Result<String> {
        let path = self.bucket.path(&Record::key(&self.key))?;
        if let Some(record) = self.record(&path).await? {
            return Ok(record.stem);
        }
        let record = Record::new(Template::parse(&self.to.key)?.key(self.post, SystemTime::now()));
        // Refused before the record exists.
        self.bucket.path(&record.stem)?;
        let bytes = serde_json::to_vec(&record)
            .map_err(|error| Error::new(ErrorKind::Contract, format!("the record cannot be written: {error}")))?;
        let put = |mode: PutMode| {
            let mut options = PutOptions::from(mode);
            options.attributes = self.attributes("application/json");
            self.bucket.store.put_opts(&path, PutPayload::from(bytes.clone()), options)
        };
        let first = self.cx.or_cancelled(async { Ok(put(PutMode::Create).await) }).await?;
        match first {
            Ok(_) => Ok(record.stem),
            Err(object_store::Error::AlreadyExists { .. }) => match self.record(&path).await? {
                Some(earlier) => Ok(earlier.stem),
                // What is there is damaged.
                None => self.overwritten(put(PutMode::Overwrite), record.stem).await,
            },
            // Some compatible services cannot tell who is first.
            Err(object_store::Error::NotImplemented { .. } | object_store::Error::NotSupported { .. }) => {
                self.overwritten(put(PutMode::Overwrite), record.stem).await
            }
            Err(error) => Err(self.failure(&error, "note the clip")),
        }
    }

    async fn overwritten<T>(&self, put: impl Future<Output = object_store::Result<T>>, stem: String) -> Result<String> {
        self.cx.or_cancelled(async { put.await.map(|_| stem).map_err(|error| self.failure(&error, "note the clip")) }).await
    }

    async fn record(&self, path: &Path) -> Result<Option<Record>> {
        let read = async {
            let found = match self.bucket.store.get_opts(path, GetOptions::default()).await {
                Ok(found) if found.meta.size <= record::SIZE_LIMIT => found,
                Ok(_) | Err(object_store::Error::NotFound { .. }) => return Ok(None),
                Err(error) => return Err(self.failure(&error, "look for the clip")),
            };
            let bytes = found.bytes().await.map_err(|error| self.failure(&error, "look for the clip"))?;
            Ok(Record::read(&bytes))
        };
        self.cx.or_cancelled(read).await
    }

    /// The files in the order in which they are sent: the clip is last, so that all is there once
    /// it appears.
    async fn items(&self, stem: &str) -> Result<Vec<Item<'_>>> {
        let files = &self.post.files;
        let mut items = Vec::new();
        for (file, extension, content_type) in [
            (files.captions.as_deref(), "srt", "application/x-subrip"),
            (files.plan.as_deref(), "plan.json", "application/json"),
            (files.cover.as_deref(), "jpg", "image/jpeg"),
            (Some(&*files.video), "mp4", "video/mp4"),
        ] {
            let Some(file) = file else { continue };
            let size = tokio::fs::metadata(file).await.map_err(|error| Error::io(file, "read the file", error))?.len();
            let key = format!("{stem}.{extension}");
            items.push(Item { file, path: self.bucket.path(&key)?, key, content_type, size });
        }
        Ok(items)
    }

    /// Whether the store has this file of this clip.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if another clip has its key.
    async fn is_there(&self, item: &Item<'_>) -> Result<bool> {
        let Some((meta, attributes)) = self.head(&item.path).await? else { return Ok(false) };
        match attributes.get(&Attribute::Metadata(KEY.into())) {
            Some(owner) if owner.as_ref() != self.key => Err(Error::new(ErrorKind::Config, "another clip has this key")
                .with_url(&self.place(&item.path))
                .with_advice("put {id} into the publisher's key")),
            // Some compatible services drop metadata, and files have none.
            _ => Ok(meta.size == item.size),
        }
    }

    async fn head(&self, path: &Path) -> Result<Option<(ObjectMeta, Attributes)>> {
        let mut options = GetOptions::default();
        options.head = true;
        let asked = async {
            match self.bucket.store.get_opts(path, options).await {
                Ok(found) => Ok(Some((found.meta, found.attributes))),
                Err(object_store::Error::NotFound { .. }) => Ok(None),
                Err(error) => Err(self.failure(&error, "look for the clip")),
            }
        };
        self.cx.or_cancelled(asked).await
    }

    async fn send(&self, item: &Item<'_>, sent: &(dyn Fn(u64) + Sync)) -> Result<()> {
        let part = self.to.part_size.max(item.size.div_ceil(MOST_PARTS).next_multiple_of(MIB));
        let attributes = self.attributes(item.content_type);
        if item.size <= part {
            let bytes = tokio::fs::read(item.file).await.map_err(|error| Error::io(item.file, "read the file", error))?;
            let mut options = PutOptions::default();
            options.attributes = attributes;
            let put = self.bucket.store.put_opts(&item.path, PutPayload::from(bytes), options);
            return self.cx.or_cancelled(async { put.await.map(drop).map_err(|error| self.failure(&error, "send the file")) }).await;
        }
        let mut options = PutMultipartOptions::default();
        options.attributes = attributes;
        let begun = self.bucket.store.put_multipart_opts(&item.path, options);
        let begun = self.cx.or_cancelled(async { begun.await.map_err(|error| self.failure(&error, "send the file")) });
        let mut upload = begun.await?;
        let whole = self.cx.or_cancelled(async {
            self.parts(&mut *upload, item, part, sent).await?;
            upload.complete().await.map(drop).map_err(|error| self.failure(&error, "send the file"))
        });
        let result = whole.await;
        if result.is_err() {
            // Parts that stay cost storage. If this fails, the store's own rules remove them.
            let _ = tokio::time::timeout(ABORT_LIMIT, upload.abort()).await;
        }
        result
    }

    /// Sends a file in parts of equal size, which some stores demand; the last can be smaller.
    async fn parts(&self, upload: &mut dyn MultipartUpload, item: &Item<'_>, part: u64, sent: &(dyn Fn(u64) + Sync)) -> Result<()> {
        let unreadable = |error| Error::io(item.file, "read the file", error);
        let mut file = tokio::fs::File::open(item.file).await.map_err(unreadable)?;
        let (mut read, mut arrived) = (0, 0);
        let mut running = FuturesUnordered::new();
        while read < item.size || !running.is_empty() {
            if read < item.size && running.len() < AT_ONCE {
                let length = part.min(item.size - read);
                let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
                file.read_exact(&mut bytes).await.map_err(unreadable)?;
                running.push(upload.put_part(PutPayload::from(bytes)).map(move |result| result.map(|()| length)));
                read += length;
                continue;
            }
            if let Some(result) = running.next().await {
                arrived += result.map_err(|error| self.failure(&error, "send the file"))?;
                sent(arrived);
            }
        }
        Ok(())
    }

    fn attributes(&self, content_type: &'static str) -> Attributes {
        let mut attributes = Attributes::new();
        if !self.bucket.keeps_metadata {
            return attributes;
        }
        attributes.insert(Attribute::ContentType, content_type.into());
        if let Some(value) = &self.to.cache_control {
            attributes.insert(Attribute::CacheControl, value.clone().into());
        }
        for (name, value) in &self.to.metadata {
            attributes.insert(Attribute::Metadata(name.clone().into()), value.clone().into());
        }
        attributes.insert(Attribute::Metadata(KEY.into()), self.key.clone().into());
        attributes.insert(Attribute::Metadata(CLIP.into()), self.post.clip.to_string().into());
        attributes
    }

    async fn receipt(&self, items: &[Item<'_>]) -> Result<Receipt> {
        let of = |extension: &str| items.iter().find(|item| item.key.ends_with(extension));
        let gone = || Error::new(ErrorKind::Network, "the clip is not in the store after it was sent").with_url(&self.to.url);
        let video = of(".mp4").ok_or_else(gone)?;
        let (meta, _) = self.head(&video.path).await?.ok_or_else(|| gone().with_recovery(Recovery::Retry { after: None }))?;
        let target = self.to.target();
        let mut receipt = Receipt::new(target.name, video.path.as_ref());
        receipt.account = target.account;
        receipt.published_at = Some(meta.last_modified.into());
        let mut files = PublishedFiles::new(video.path.as_ref());
        files.plan = of(".plan.json").map(|item| item.path.to_string());
        files.cover = of(".jpg").map(|item| item.path.to_string());
        receipt.files = Some(files);
        receipt.url = match (self.to.link, &self.to.public_url) {
            (Some(valid), _) => Some(self.bucket.link(&video.path, valid).await?.to_string()),
            (None, Some(base)) => below(base, &video.key),
            (None, None) => None,
        };
        Ok(receipt)
    }

    /// The address of an object, for errors.
    fn place(&self, path: &Path) -> String {
        match Url::parse(&self.to.url) {
            Ok(mut url) => {
                url.set_path(path.as_ref());
                url.to_string()
            }
            Err(_) => self.to.url.clone(),
        }
    }

    fn failure(&self, error: &object_store::Error, doing: &str) -> Error {
        use object_store::Error as Store;
        let what = || format!("cannot {doing}: {}", scrub(&error.to_string(), 300));
        match error {
            _ if !self.bucket.keeps_metadata => Error::new(ErrorKind::Io, what()),
            Store::NotFound { .. } => {
                Error::new(ErrorKind::NotFound, format!("cannot {doing}: there is no such bucket")).with_advice("check the address")
            }
            Store::PermissionDenied { .. } | Store::Unauthenticated { .. } => {
                Error::new(ErrorKind::Denied, format!("cannot {doing}: access to the bucket is denied"))
                    .with_recovery(Recovery::RefreshCredentials)
                    .with_advice("check the store's credentials: AWS_*, GOOGLE_* or AZURE_*")
            }
            Store::InvalidPath { .. }
            | Store::NotSupported { .. }
            | Store::NotImplemented { .. }
            | Store::UnknownConfigurationKey { .. } => Error::new(ErrorKind::Config, what()),
            _ => Error::new(ErrorKind::Network, what()).with_recovery(Recovery::Retry { after: None }),
        }
        .with_url(&self.to.url)
    }
}

/// The address of an object below a base address.
fn below(base: &str, key: &str) -> Option<String> {
    let mut url = Url::parse(base).ok()?;
    url.path_segments_mut().ok()?.pop_if_empty().extend(key.split('/'));
    Some(url.to_string())
}
