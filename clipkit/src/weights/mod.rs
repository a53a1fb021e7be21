//! Weights: the downloadable files of the neural networks that clipkit uses, and where they are
//! stored.

#[cfg(feature = "onnx")]
mod checkpoint;
#[cfg(feature = "onnx")]
mod download;
#[cfg(not(feature = "onnx"))]
#[path = "download_unavailable.rs"]
mod download;
mod known;
#[cfg(feature = "onnx")]
mod lr_asd;
#[cfg(feature = "onnx")]
mod onnx_file;

#[cfg(all(any(test, fuzzing), feature = "onnx"))]
pub(crate) use checkpoint::read_all as read_checkpoint;

use std::path::{Path, PathBuf};

use crate::context::{Context, Environment};
use crate::error::{Error, ErrorKind, Result};
use download::Download;

/// The environment variable for a folder with weights, for error messages.
const VARIABLE: &str = "CLIPKIT_MODELS";

/// The weights of one model that clipkit can use.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Weights {
    /// The name by which commands and configurations refer to the model.
    pub id: &'static str,
    /// What the model does, in one line.
    pub about: &'static str,
    /// The license, as an SPDX expression.
    pub license: &'static str,
    /// The name of the file, or of the main one of several files.
    pub file: &'static str,
    /// The address to download the file from. It names one revision, so the bytes do not change.
    pub url: &'static str,
    /// The SHA-256 of the file, in lower-case hexadecimal digits.
    pub sha256: &'static str,
    /// The length of the file in bytes.
    pub bytes: u64,
    /// The other files of a model that consists of several. All lie in one folder, which is then
    /// the model's path.
    pub others: &'static [WeightsFile],
    /// How clipkit makes the files that it uses from the downloaded one, which is not kept. `None`
    /// for a model whose authors publish such files. The folder of the files is the model's path.
    pub conversion: Option<Conversion>,
}

/// A way to make the files that clipkit uses from those that a model's authors publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Conversion {
    /// The three ONNX files of LR-ASD, from the checkpoint of PyTorch.
    LrAsd,
}

impl Conversion {
    /// The names of the files that are used. The licence lies beside them.
    pub fn files(self) -> &'static [&'static str] {
        match self {
            Conversion::LrAsd => &["audio_frontend.onnx", "visual_frontend.onnx", "av_backend.onnx"],
        }
    }
}

/// One file of a model's weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WeightsFile {
    /// The name of the file.
    pub file: &'static str,
    /// The address to download it from. It names one revision, so the bytes do not change.
    pub url: &'static str,
    /// The SHA-256, in lower-case hexadecimal digits.
    pub sha256: &'static str,
    /// The length in bytes.
    pub bytes: u64,
}

impl Weights {
    /// The id of the face detector that is used by default.
    pub const DEFAULT_FACE_DETECTOR: &'static str = "ultraface-rfb-320";
    /// The id of the voice detector. It is used if it is on this machine, and downloaded on request
    /// only.
    pub const VOICE_DETECTOR: &'static str = "silero-vad";
    /// The id of the default model of a configured
    /// [`LocalTranscriber`](crate::stage::LocalTranscriber). The transcriber `local` downloads it
    /// if needed; `auto` does not.
    pub const DEFAULT_SPEECH: &'static str = "parakeet-tdt-0.6b-v3";

    /// The id of the active speaker detector. It is used if it is on this machine, and downloaded
    /// on request only.
    pub const ACTIVE_SPEAKER: &'static str = "lr-asd";

    /// The weights of all known models, the default face detector first.
    pub fn all() -> &'static [Weights] {
        known::ALL
    }

    /// The weights of the model `id`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] if there is none; the advice lists the known ids.
    pub fn by_id(id: &str) -> Result<&'static Weights> {
        known::ALL.iter().find(|weights| weights.id == id).ok_or_else(|| {
            let known: Vec<&str> = known::ALL.iter().map(|weights| weights.id).collect();
            Error::new(ErrorKind::NotFound, format!("there is no model {id:?}"))
                .with_advice(format!("give the path of a file, or one of: {}", known.join(", ")))
        })
    }

    /// The length of all downloads together, in bytes.
    pub fn size(&self) -> u64 {
        self.files().map(|file| file.bytes).sum()
    }

    /// The files to download, the main one first.
    fn files(&self) -> impl Iterator<Item = WeightsFile> {
        let Weights { file, url, sha256, bytes, others, .. } = *self;
        [WeightsFile { file, url, sha256, bytes }].into_iter().chain(others.iter().copied())
    }

    /// The names of the files that are used.
    fn names(&self) -> Vec<&'static str> {
        match self.conversion {
            Some(conversion) => conversion.files().to_vec(),
            None => self.files().map(|file| file.file).collect(),
        }
    }

    /// Whether the path of the model is a folder.
    fn is_folder(&self) -> bool {
        self.names().len() > 1
    }
}

/// Finds weights on this machine, and downloads those that are missing.
///
/// A store looks in the folder given by `CLIPKIT_MODELS` and its immediate subfolders, then in its
/// cache folder: by default `clipkit/models` in `XDG_CACHE_HOME` or in the platform's cache folder.
/// Downloads go into the cache folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeightsStore {
    /// The user's folder, from `CLIPKIT_MODELS`.
    given: Option<PathBuf>,
    cache: Option<PathBuf>,
}

impl Default for WeightsStore {
    fn default() -> Self {
        WeightsStore::new()
    }
}

impl WeightsStore {
    /// The store that the process's environment describes ([`Environment::from_process`]). Stages
    /// use the environment of their context instead.
    pub fn new() -> Self {
        WeightsStore::from_environment(&Environment::from_process())
    }

    /// The store that `environment` describes by [`models`](Environment::models) and
    /// [`cache_folder`](Environment::cache_folder).
    pub fn from_environment(environment: &Environment) -> Self {
        let cache = environment.cache_folder.as_ref().map(|folder| folder.join("clipkit").join("models"));
        WeightsStore { given: environment.models.clone(), cache }
    }

    /// The same store with `folder` as its cache folder.
    #[must_use]
    pub fn cache_in(mut self, folder: impl Into<PathBuf>) -> Self {
        self.cache = Some(folder.into());
        self
    }

    /// The cache folder. `None` on a machine without a home folder.
    pub fn cache(&self) -> Option<&Path> {
        self.cache.as_deref()
    }

    /// The path of the weights if all their files are on this machine: the file, or the folder of
    /// several files.
    pub fn find(&self, weights: &Weights) -> Option<PathBuf> {
        let names = weights.names();
        let folder = self.places(weights).find(|folder| names.iter().all(|name| folder.join(name).is_file()))?;
        Some(if weights.is_folder() { folder } else { folder.join(weights.file) })
    }

    /// The file of which a model is made, if the user has downloaded it.
    fn find_original(&self, weights: &Weights) -> Option<PathBuf> {
        self.places(weights).map(|folder| folder.join(weights.file)).find(|path| path.is_file())
    }

    /// The folders in which the files of a model are looked for.
    fn places(&self, weights: &Weights) -> impl Iterator<Item = PathBuf> {
        let given = self.given.as_deref().map(|folder| searched(folder, weights.id));
        given.into_iter().flatten().chain(self.cache_folder_of(weights))
    }

    /// The folder in the cache for these weights.
    fn cache_folder_of(&self, weights: &Weights) -> Option<PathBuf> {
        self.cache.as_ref().map(|cache| if weights.is_folder() { cache.join(weights.id) } else { cache.clone() })
    }

    /// The folder of a speech model for [`LocalTranscriber`](crate::stage::LocalTranscriber):
    /// `speech` in the folder of `CLIPKIT_MODELS`, else `speech` in the cache folder, else
    /// [`Weights::DEFAULT_SPEECH`] if it is on this machine.
    pub fn find_speech(&self) -> Option<PathBuf> {
        let folders = [self.given.as_deref(), self.cache.as_deref()];
        folders
            .into_iter()
            .flatten()
            .map(|folder| folder.join("speech"))
            .find(|folder| ["vocab.txt", "vocab.json"].iter().any(|name| folder.join(name).is_file()))
            .or_else(|| self.find(Weights::by_id(Weights::DEFAULT_SPEECH).ok()?))
    }

    /// The folder of an active speaker model for [`OnnxTracker`](crate::stage::OnnxTracker):
    /// [`Weights::ACTIVE_SPEAKER`] if it is on this machine.
    pub fn find_active_speaker(&self) -> Option<PathBuf> {
        self.find(Weights::by_id(Weights::ACTIVE_SPEAKER).ok()?)
    }

    /// The path of weights that are given by id, or by the path of a file or folder. Known weights
    /// that are missing are downloaded.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] if there is no such id and no such path; those of
    /// [`fetch`](WeightsStore::fetch).
    pub async fn resolve(&self, cx: &Context, id_or_path: &str) -> Result<PathBuf> {
        let unknown = match Weights::by_id(id_or_path) {
            Ok(weights) => return self.fetch(cx, weights).await,
            Err(unknown) => unknown,
        };
        let path = Path::new(id_or_path);
        if path.exists() {
            return Ok(path.to_owned());
        }
        // A wrong path and a wrong id have different advice.
        if path.components().count() > 1 || path.extension().is_some() {
            return Err(Error::new(ErrorKind::NotFound, "there is no such model file").with_path(path));
        }
        Err(unknown)
    }

    /// The path of the weights on this machine, after a download and a
    /// [conversion](Weights::conversion) if they are missing. Reports the progress of the download.
    ///
    /// A model that is converted needs no network if the file that its authors publish lies where
    /// the model's files are looked for.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Network`] if the download fails or its bytes are not the expected ones; the
    /// file is then not stored, and files of the same model that are complete are kept.
    /// [`ErrorKind::InvalidInput`] if the user's file is not the expected one or cannot be
    /// converted; then none of the converted files is stored. [`ErrorKind::Io`] if the disk is
    /// full. [`ErrorKind::Unavailable`] if there is no cache folder.
    pub async fn fetch(&self, cx: &Context, weights: &Weights) -> Result<PathBuf> {
        if let Some(path) = self.find(weights) {
            return Ok(path);
        }
        let folder = self.cache_folder_of(weights).ok_or_else(|| {
            Error::new(ErrorKind::Unavailable, format!("there is no cache folder to download the model {} to", weights.id))
                .with_advice(format!("set {VARIABLE} to a folder that contains {}", weights.names().join(", ")))
        })?;
        tokio::select! {
            () = cx.cancelled() => return Err(cx.label(Error::cancelled())),
            done = self.fetch_to(cx, weights, &folder) => done.map_err(|error| cx.label(error))?,
        }
        Ok(if weights.is_folder() { folder } else { folder.join(weights.file) })
    }

    async fn fetch_to(&self, cx: &Context, weights: &Weights, folder: &Path) -> Result<()> {
        let mut download = Download::open(cx, weights)?;
        for file in weights.files() {
            let target = folder.join(file.file);
            match weights.conversion {
                Some(conversion) => download.converted(&file, self.find_original(weights), conversion, folder).await?,
                // A file that an interrupted download completed is kept.
                None if target.is_file() => {}
                None => download.file(&file, &target).await?,
            }
        }
        Ok(())
    }
}

/// The folders in which the user's files of the model `id` are looked for: `folder`, the one in it
/// that is named after the model, and the others in it.
fn searched(folder: &Path, id: &str) -> impl Iterator<Item = PathBuf> {
    let mut inner: Vec<PathBuf> = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    inner.sort_unstable();
    [folder.to_owned(), folder.join(id)].into_iter().chain(inner)
}

#[cfg(test)]
#[cfg(feature = "onnx")]
mod tests;
