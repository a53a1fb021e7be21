//! The files of a run: where media lie, the media store, scratch space.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use super::Context;
use super::scratch::Scratch;
use crate::error::{Error, ErrorKind, Result};
#[cfg(doc)]
use crate::model::Limits;
use crate::model::{ContentId, Limit, MediaRef, local_path};
use crate::store::{Lease, MediaLimits, MediaStore};

impl Context {
    /// Reads a file that holds a document, such as a plan or a transcript.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TooLarge`] if it is larger than [`Limits::document_bytes`]; else those of
    /// reading a file.
    pub fn read_document(&self, path: impl AsRef<Path>) -> Result<Vec<u8>> {
        let most = self.limits().document_bytes;
        self.read_within(path.as_ref(), "read the document", most, Limit::DocumentBytes)
    }

    /// Reads a file of at most `most` bytes.
    pub(crate) fn read_within(&self, path: &Path, doing: &str, most: u64, limit: Limit) -> Result<Vec<u8>> {
        let io = |error| Error::io(path, doing, error);
        let file = File::open(path).map_err(io)?;
        let meta = file.metadata().map_err(io)?;
        if meta.is_dir() {
            return Err(Error::new(ErrorKind::InvalidInput, "this is a folder").with_path(path).with_advice("give a file"));
        }
        let mut bytes = Vec::new();
        // A file may grow while it is read, and a device states no length.
        file.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(io)?;
        let found = (bytes.len() as u64).max(if meta.is_file() { meta.len() } else { 0 });
        self.limits().check(limit, found).map_err(|error| error.with_path(path))?;
        Ok(bytes)
    }

    /// Stores the path of a media file on this machine, for [`Context::locate`].
    pub(crate) fn bind(&self, id: &ContentId, path: &Path) {
        self.shared.files.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), path.to_owned());
    }

    /// The path at which a step of this run found a media file.
    pub(crate) fn bound(&self, id: &ContentId) -> Option<PathBuf> {
        let mut shared = Some(&self.shared);
        while let Some(part) = shared {
            let known = part.files.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
            if known.is_some() {
                return known;
            }
            shared = part.parent.as_ref();
        }
        None
    }

    /// The media store, in which sources put the files that they fetch. It is the store of
    /// [`ContextBuilder::media_store`](super::ContextBuilder::media_store), else the one in the
    /// folder `CLIPKIT_MEDIA`, else the one in `clipkit/media` in the user's cache folder. A store
    /// that this method opens has [`MediaLimits::default`].
    ///
    /// The call blocks while it opens the store for the first time. It returns an error of the kind
    /// [`ErrorKind::Unavailable`] if the machine has no cache folder and `CLIPKIT_MEDIA` is not
    /// set.
    pub fn media_store(&self) -> Result<&MediaStore> {
        if let Some(store) = self.shared.media.get() {
            return Ok(store);
        }
        let store = match self.opened_media_store() {
            Some(store) => store.clone(),
            None => {
                let folder = self.environment().media_folder().ok_or_else(|| {
                    self.label(
                        Error::new(ErrorKind::Unavailable, "there is no folder for fetched media").with_advice("name one in CLIPKIT_MEDIA"),
                    )
                })?;
                MediaStore::open(folder, MediaLimits::default()).map_err(|error| self.label(error))?
            }
        };
        Ok(self.shared.media.get_or_init(|| store))
    }

    /// The media store of this context, or of the nearest parent that has one.
    pub(super) fn opened_media_store(&self) -> Option<&MediaStore> {
        std::iter::successors(Some(&self.shared), |shared| shared.parent.as_ref()).find_map(|shared| shared.media.get())
    }

    /// The path of the file with this content in the media store. The file is kept until this
    /// context's run ends. `None` means that there is no store or that it does not have the file.
    pub(crate) fn stored(&self, id: &ContentId) -> Result<Option<PathBuf>> {
        let exists = || self.environment().media_folder().is_some_and(|folder| folder.is_dir());
        if self.opened_media_store().is_none() && !exists() {
            return Ok(None);
        }
        Ok(self.media_store()?.find(id)?.map(|lease| self.keep(lease)))
    }

    /// Keeps a lease until this context's run ends, so that the media store does not delete the
    /// file. Returns the file's path.
    pub fn keep(&self, lease: Lease) -> PathBuf {
        let path = lease.path().to_owned();
        self.shared.leases.lock().unwrap_or_else(PoisonError::into_inner).push(lease);
        path
    }

    /// The path of a media file on this machine. A file that a step of this run found comes first,
    /// then a file in the media store, then the file at the URI, if the URI is a path. Custom
    /// renderers and trackers open this path.
    ///
    /// It returns an error of the kind [`ErrorKind::NotFound`] if there is no such file.
    pub fn locate(&self, media: &MediaRef) -> Result<PathBuf> {
        if let Some(path) = self.bound(&media.id) {
            return Ok(path);
        }
        if let Some(path) = self.stored(&media.id)? {
            return Ok(path);
        }
        let path = local_path(&media.uri);
        if path.exists() {
            return Ok(path.to_owned());
        }
        Err(self
            .label(Error::new(ErrorKind::NotFound, "the source is not on this machine").with_url(&media.uri).with_advice("fetch it again")))
    }

    /// The folder for this run's temporary files. It is removed when the last clone of this context
    /// is dropped.
    ///
    /// It returns an error if the folder cannot be made.
    pub fn scratch(&self) -> Result<&Path> {
        if let Some(scratch) = self.shared.scratch.get() {
            return Ok(scratch.path());
        }
        let parent = self.shared.scratch_parent.clone().unwrap_or_else(|| self.environment().folder_for_scratch());
        let made = Scratch::create(&parent).map_err(|error| self.label(error))?;
        // Two threads can get here at once. The second folder is dropped, which removes it.
        Ok(self.shared.scratch.get_or_init(|| made).path())
    }

    /// Whether a file lies in scratch space of this context, which is removed when the run ends.
    pub(crate) fn owns(&self, file: &Path) -> bool {
        let mut shared = Some(&self.shared);
        while let Some(part) = shared {
            if part.scratch.get().is_some_and(|scratch| file.starts_with(scratch.path())) {
                return true;
            }
            shared = part.parent.as_ref();
        }
        false
    }

    /// Removes the scratch space now, even if other clones of this context exist.
    pub(crate) fn clear_scratch(&self) {
        if let Some(scratch) = self.shared.scratch.get() {
            scratch.clear();
        }
    }
}
