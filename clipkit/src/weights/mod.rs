//! Weights: the downloadable files of the neural networks that clipkit uses, and where they are
//! stored.

#[cfg(feature = "onnx")]
mod download;
#[cfg(not(feature = "onnx"))]
#[path = "download_unavailable.rs"]
mod download;

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

/// The address of a file of Parakeet TDT 0.6B v3, at one commit.
macro_rules! parakeet {
    ($file:literal) => {
        concat!("https://huggingface.co/istupakov/parakeet-tdt-0.6b-v3-onnx/resolve/8f23f0c03c8761650bdb5b40aaf3e40d2c15f1ce/", $file)
    };
}

const KNOWN: &[Weights] = &[
    Weights {
        id: Weights::DEFAULT_FACE_DETECTOR,
        about: "face detection: fast, finds turned and partly hidden faces (UltraFace RFB-320)",
        license: "MIT",
        file: "version-RFB-320.onnx",
        url: "https://github.com/Linzaer/Ultra-Light-Fast-Generic-Face-Detector-1MB/raw/dffdddda9794a50607cba8f318507a28c1c27cab/models/onnx/version-RFB-320.onnx",
        sha256: "34cd7e60aeff28744c657de7a3dc64e872d506741de66987f3426f2b79f88017",
        bytes: 1_270_727,
        others: &[],
    },
    Weights {
        id: "yunet",
        about: "face detection: slower, better for small faces (YuNet, 640 x 640)",
        license: "Apache-2.0",
        file: "yunet_s_640_640.onnx",
        url: "https://github.com/ShiqiYu/libfacedetection.train/raw/147357457766555aeaa81fe5501f081fe1c8e12e/onnx/yunet_s_640_640.onnx",
        sha256: "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
        bytes: 232_589,
        others: &[],
    },
    Weights {
        id: Weights::VOICE_DETECTOR,
        about: "voice activity detection: robust against music (Silero VAD 6.2.1)",
        license: "MIT",
        file: "silero_vad.onnx",
        url: "https://github.com/snakers4/silero-vad/raw/v6.2.1/src/silero_vad/data/silero_vad.onnx",
        sha256: "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3",
        bytes: 2_327_524,
        others: &[],
    },
    // In the layout of the project onnx-asr. The license requires attribution to NVIDIA.
    Weights {
        id: Weights::DEFAULT_SPEECH,
        about: "speech recognition: 25 European languages, with punctuation (NVIDIA Parakeet TDT 0.6B v3, 8 bits)",
        license: "CC-BY-4.0",
        file: "encoder-model.int8.onnx",
        url: parakeet!("encoder-model.int8.onnx"),
        sha256: "6139d2fa7e1b086097b277c7149725edbab89cc7c7ae64b23c741be4055aff09",
        bytes: 652_183_999,
        others: &[
            WeightsFile {
                file: "decoder_joint-model.int8.onnx",
                url: parakeet!("decoder_joint-model.int8.onnx"),
                sha256: "eea7483ee3d1a30375daedc8ed83e3960c91b098812127a0d99d1c8977667a70",
                bytes: 18_202_004,
            },
            WeightsFile {
                file: "nemo128.onnx",
                url: parakeet!("nemo128.onnx"),
                sha256: "a9fde1486ebfcc08f328d75ad4610c67835fea58c73ba57e3209a6f6cf019e9f",
                bytes: 139_764,
            },
            WeightsFile {
                file: "vocab.txt",
                url: parakeet!("vocab.txt"),
                sha256: "d58544679ea4bc6ac563d1f545eb7d474bd6cfa467f0a6e2c1dc1c7d37e3c35d",
                bytes: 93_939,
            },
        ],
    },
];

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

    /// The weights of all known models, the default face detector first.
    pub fn all() -> &'static [Weights] {
        KNOWN
    }

    /// The weights of the model `id`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] if there is none; the advice lists the known ids.
    pub fn by_id(id: &str) -> Result<&'static Weights> {
        KNOWN.iter().find(|weights| weights.id == id).ok_or_else(|| {
            let known: Vec<&str> = KNOWN.iter().map(|weights| weights.id).collect();
            Error::new(ErrorKind::NotFound, format!("there is no model {id:?}"))
                .with_advice(format!("give the path of a file, or one of: {}", known.join(", ")))
        })
    }

    /// The length of all files together, in bytes.
    pub fn size(&self) -> u64 {
        self.files().map(|file| file.bytes).sum()
    }

    fn files(&self) -> impl Iterator<Item = WeightsFile> {
        let Weights { file, url, sha256, bytes, others, .. } = *self;
        [WeightsFile { file, url, sha256, bytes }].into_iter().chain(others.iter().copied())
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
        let given = self.given.as_deref().and_then(|folder| find_in(folder, weights.file));
        let cached = || Some(self.cache_folder_of(weights)?.join(weights.file)).filter(|path| path.is_file());
        let path = given.or_else(cached)?;
        if weights.others.is_empty() {
            return Some(path);
        }
        let folder = path.parent()?;
        weights.others.iter().all(|other| folder.join(other.file).is_file()).then(|| folder.to_owned())
    }

    /// The folder in the cache for these weights.
    fn cache_folder_of(&self, weights: &Weights) -> Option<PathBuf> {
        self.cache.as_ref().map(|cache| if weights.others.is_empty() { cache.clone() } else { cache.join(weights.id) })
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
    /// `lr-asd` in the folder of `CLIPKIT_MODELS`, else in the cache folder, if it holds the three
    /// files of LR-ASD.
    pub fn find_active_speaker(&self) -> Option<PathBuf> {
        let folders = [self.given.as_deref(), self.cache.as_deref()];
        let complete = |folder: &PathBuf| {
            ["audio_frontend.onnx", "visual_frontend.onnx", "av_backend.onnx"].iter().all(|name| folder.join(name).is_file())
        };
        folders.into_iter().flatten().map(|folder| folder.join("lr-asd")).find(complete)
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

    /// The path of the weights on this machine, after a download if they are missing. Reports
    /// progress.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Network`] if the download fails or its bytes are not the expected ones; the
    /// file is then not stored, and files of the same model that are complete are kept.
    /// [`ErrorKind::Unavailable`] if there is no cache folder.
    pub async fn fetch(&self, cx: &Context, weights: &Weights) -> Result<PathBuf> {
        if let Some(path) = self.find(weights) {
            return Ok(path);
        }
        let folder = self.cache_folder_of(weights).ok_or_else(|| {
            Error::new(ErrorKind::Unavailable, format!("there is no cache folder to download the model {} to", weights.id))
                .with_advice(format!("set {VARIABLE} to a folder that contains {}", weights.file))
        })?;
        let mut download = Download::open(cx, weights).map_err(|error| cx.label(error))?;
        for file in weights.files() {
            let target = folder.join(file.file);
            // A file that an interrupted download completed is kept.
            if !target.is_file() {
                tracing::info!(model = weights.id, url = file.url, "downloading");
                tokio::select! {
                    () = cx.cancelled() => return Err(cx.label(Error::cancelled())),
                    done = download.file(&file, &target) => done.map_err(|error| cx.label(error))?,
                }
            }
        }
        Ok(if weights.others.is_empty() { folder.join(weights.file) } else { folder })
    }
}

/// The path of the file `name` in `folder` or in an immediate subfolder.
fn find_in(folder: &Path, name: &str) -> Option<PathBuf> {
    let here = folder.join(name);
    if here.is_file() {
        return Some(here);
    }
    let mut nested: Vec<PathBuf> = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path().join(name)).collect();
    nested.sort_unstable();
    nested.into_iter().find(|path| path.is_file())
}

#[cfg(all(test, feature = "onnx"))]
mod tests;
