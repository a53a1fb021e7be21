//! The models that clipkit can use and where they are kept.

use std::path::{Path, PathBuf};
use std::time::Duration;

use etcetera::BaseStrategy;
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;

use crate::context::Context;
use crate::error::{Error, ErrorKind, Recovery, Result};
use crate::http::retry_after;

/// The variable that names a folder of models.
const VARIABLE: &str = "CLIPKIT_MODELS";
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// A server that sends nothing for this long has gone.
const SILENCE_LIMIT: Duration = Duration::from_secs(30);

/// A model that clipkit knows how to use.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Weights {
    /// The name it is asked for by.
    pub id: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// Its licence, as an SPDX expression.
    pub license: &'static str,
    /// The name of its file.
    pub file: &'static str,
    /// Where its file is had from: an address of one revision, so its bytes do not change.
    pub url: &'static str,
    /// SHA-256 of its file, in hexadecimal digits.
    pub sha256: &'static str,
    /// The length of its file in bytes.
    pub bytes: u64,
    /// Its other files, for a model of several: they lie in one folder, and that is where the model is.
    pub others: &'static [WeightsFile],
}

/// One of a model's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WeightsFile {
    /// The name of the file.
    pub file: &'static str,
    /// Where it is had from: an address of one revision, so its bytes do not change.
    pub url: &'static str,
    /// Its SHA-256, in hexadecimal digits.
    pub sha256: &'static str,
    /// Its length in bytes.
    pub bytes: u64,
}

macro_rules! parakeet {
    ($file:literal) => {
        concat!("https://huggingface.co/istupakov/parakeet-tdt-0.6b-v3-onnx/resolve/8f23f0c03c8761650bdb5b40aaf3e40d2c15f1ce/", $file)
    };
}

const MODELS: &[Weights] = &[
    Weights {
        id: Weights::DEFAULT_FACE_DETECTOR,
        about: "finds faces; fast, and sees turned and partly hidden ones (UltraFace RFB-320)",
        license: "MIT",
        file: "version-RFB-320.onnx",
        url: "https://github.com/Linzaer/Ultra-Light-Fast-Generic-Face-Detector-1MB/raw/dffdddda9794a50607cba8f318507a28c1c27cab/models/onnx/version-RFB-320.onnx",
        sha256: "34cd7e60aeff28744c657de7a3dc64e872d506741de66987f3426f2b79f88017",
        bytes: 1_270_727,
        others: &[],
    },
    Weights {
        id: "yunet",
        about: "finds faces; slower, better for small ones (YuNet, 640 x 640)",
        license: "Apache-2.0",
        file: "yunet_s_640_640.onnx",
        url: "https://github.com/ShiqiYu/libfacedetection.train/raw/147357457766555aeaa81fe5501f081fe1c8e12e/onnx/yunet_s_640_640.onnx",
        sha256: "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
        bytes: 232_589,
        others: &[],
    },
    Weights {
        id: Weights::VOICE_DETECTOR,
        about: "hears where somebody speaks, and is not fooled by music (Silero VAD 6.2.1)",
        license: "MIT",
        file: "silero_vad.onnx",
        url: "https://github.com/snakers4/silero-vad/raw/v6.2.1/src/silero_vad/data/silero_vad.onnx",
        sha256: "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3",
        bytes: 2_327_524,
        others: &[],
    },
    // As the project onnx-asr lays it out; its licence asks to name the authors: NVIDIA.
    Weights {
        id: Weights::DEFAULT_SPEECH,
        about: "hears words in 25 European languages, with punctuation (NVIDIA Parakeet TDT 0.6B v3, 8 bits)",
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
    /// The id of the face detector that is used where none is named.
    pub const DEFAULT_FACE_DETECTOR: &'static str = "ultraface-rfb-320";
    /// The id of the voice detector. It is used where it is on this machine already, never downloaded unasked.
    pub const VOICE_DETECTOR: &'static str = "silero-vad";
    /// The id of the speech model that [`LocalTranscriber`](crate::stage::LocalTranscriber) is given where no other is named. It is downloaded where a
    /// local transcriber is asked for, never by `auto`.
    pub const DEFAULT_SPEECH: &'static str = "parakeet-tdt-0.6b-v3";

    /// All of them; the default face detector first.
    pub fn all() -> &'static [Weights] {
        MODELS
    }

    /// The one called `id`.
    pub fn by_id(id: &str) -> Result<&'static Weights> {
        MODELS.iter().find(|model| model.id == id).ok_or_else(|| {
            let known: Vec<&str> = MODELS.iter().map(|model| model.id).collect();
            Error::new(ErrorKind::NotFound, format!("there is no model {id:?}"))
                .with_advice(format!("use the path of a file, or one of: {}", known.join(", ")))
        })
    }

    /// The length of all its files together, in bytes.
    pub fn size(&self) -> u64 {
        self.files().map(|file| file.bytes).sum()
    }

    fn files(&self) -> impl Iterator<Item = WeightsFile> {
        let Weights { file, url, sha256, bytes, others, .. } = *self;
        [WeightsFile { file, url, sha256, bytes }].into_iter().chain(others.iter().copied())
    }
}

/// Finds models on this machine, and downloads those that are missing.
///
/// It looks in the folder named by the environment variable `CLIPKIT_MODELS` (and in that folder's folders), then in the user's cache
/// (`clipkit/models` in `XDG_CACHE_HOME` or the platform's cache folder). Downloads go into the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeightsStore {
    extra: Option<PathBuf>,
    cache: Option<PathBuf>,
}

impl Default for WeightsStore {
    fn default() -> Self {
        WeightsStore::new()
    }
}

impl WeightsStore {
    /// The store that the environment describes.
    pub fn new() -> Self {
        let extra = std::env::var_os(VARIABLE).filter(|folder| !folder.is_empty()).map(PathBuf::from);
        let cache = etcetera::choose_base_strategy().ok().map(|base| base.cache_dir().join("clipkit").join("models"));
        WeightsStore { extra, cache }
    }

    /// The same store with its downloads in `folder`.
    #[must_use]
    pub fn cache_in(mut self, folder: impl Into<PathBuf>) -> Self {
        self.cache = Some(folder.into());
        self
    }

    /// Where downloads go; none on a machine without a home folder.
    pub fn cache(&self) -> Option<&Path> {
        self.cache.as_deref()
    }

    /// Where the model is on this machine, if all of it is: its file, or the folder of its files.
    pub fn find(&self, model: &Weights) -> Option<PathBuf> {
        let given = self.extra.as_deref().and_then(|folder| find_in(folder, model.file));
        let kept = || Some(self.place(model)?.join(model.file)).filter(|path| path.is_file());
        let path = given.or_else(kept)?;
        if model.others.is_empty() {
            return Some(path);
        }
        let folder = path.parent()?;
        model.others.iter().all(|other| folder.join(other.file).is_file()).then(|| folder.to_owned())
    }

    /// The folder in the cache for a model's files.
    fn place(&self, model: &Weights) -> Option<PathBuf> {
        self.cache.as_ref().map(|cache| if model.others.is_empty() { cache.clone() } else { cache.join(model.id) })
    }

    /// The folder of a speech model for [`LocalTranscriber`](crate::stage::LocalTranscriber): `speech` in the folder of `CLIPKIT_MODELS`, else in the
    /// cache, else [`Weights::DEFAULT_SPEECH`] where it was downloaded.
    pub fn find_speech(&self) -> Option<PathBuf> {
        let folders = [self.extra.as_deref(), self.cache.as_deref()];
        folders
            .into_iter()
            .flatten()
            .map(|folder| folder.join("speech"))
            .find(|folder| ["vocab.txt", "vocab.json"].iter().any(|name| folder.join(name).is_file()))
            .or_else(|| self.find(Weights::by_id(Weights::DEFAULT_SPEECH).ok()?))
    }

    /// The path of a model given by id or as the path of a file or folder; a known one that is missing is downloaded.
    pub async fn resolve(&self, cx: &Context, id_or_path: &str) -> Result<PathBuf> {
        let unknown = match Weights::by_id(id_or_path) {
            Ok(model) => return self.fetch(cx, model).await,
            Err(unknown) => unknown,
        };
        let path = Path::new(id_or_path);
        if path.exists() {
            return Ok(path.to_owned());
        }
        // A path that leads nowhere is told apart from a wrong id, since the advice differs.
        if path.components().count() > 1 || path.extension().is_some() {
            return Err(Error::new(ErrorKind::NotFound, "there is no such model file").with_path(path));
        }
        Err(unknown)
    }

    /// The model's path on this machine, after a download if it is missing.
    ///
    /// Without a network, or if the bytes are not the expected ones, the error is `ErrorKind::Network`, and nothing is left in the cache.
    pub async fn fetch(&self, cx: &Context, model: &Weights) -> Result<PathBuf> {
        if let Some(path) = self.find(model) {
            return Ok(path);
        }
        let folder = self.place(model).ok_or_else(|| {
            Error::new(ErrorKind::Unavailable, format!("there is no folder to keep the model {} in", model.id))
                .with_advice(format!("set {VARIABLE} to a folder that has {}", model.file))
        })?;
        let mut got = Got { cx, bytes: 0, of: model.size(), told: 0 };
        for file in model.files() {
            let target = folder.join(file.file);
            // Of several, those that came before a connection broke are kept.
            if !target.is_file() {
                tracing::info!(model = model.id, url = file.url, "downloading");
                tokio::select! {
                    () = cx.cancelled() => return Err(cx.label(Error::cancelled())),
                    done = download(model.id, &file, &folder, &target, &mut got) => done.map_err(|error| cx.label(error))?,
                }
            }
        }
        Ok(if model.others.is_empty() { folder.join(model.file) } else { folder })
    }
}

/// How much of a model has come.
struct Got<'a> {
    cx: &'a Context,
    bytes: u64,
    of: u64,
    /// Per cent.
    told: u64,
}

impl Got<'_> {
    fn add(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        let percent = self.bytes * 100 / self.of.max(1);
        if percent > self.told {
            self.told = percent;
            self.cx.progress(percent as f64 / 100.0);
        }
    }
}

/// A file of this name in the folder or in one of its folders.
fn find_in(folder: &Path, name: &str) -> Option<PathBuf> {
    let here = folder.join(name);
    if here.is_file() {
        return Some(here);
    }
    let mut deeper: Vec<PathBuf> = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path().join(name)).collect();
    deeper.sort_unstable();
    deeper.into_iter().find(|path| path.is_file())
}

/// Downloads to a temporary file beside the target and renames it once its bytes are the expected ones. Dropping the future removes
/// the temporary file.
async fn download(id: &str, model: &WeightsFile, folder: &Path, target: &Path, got: &mut Got<'_>) -> Result<()> {
    let advice = || format!("connect to the network, or put {} into a folder and set {VARIABLE} to it", model.file);
    let failed = |what: String| {
        Error::new(ErrorKind::Network, format!("the model {id} could not be downloaded: {what}")).with_url(model.url).with_advice(advice())
    };
    let again = |after: Option<Duration>| Recovery::Retry { after };
    let broken = |error: reqwest::Error| failed(cause(&error)).with_recovery(again(None)).with_source(error.without_url());

    let client = reqwest::Client::builder()
        .connect_timeout(CONNECT_LIMIT)
        .read_timeout(SILENCE_LIMIT)
        .user_agent(concat!("clipkit/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(broken)?;
    let mut response = client.get(model.url).send().await.map_err(broken)?;
    let status = response.status();
    if !status.is_success() {
        let transient = status.is_server_error() || matches!(status.as_u16(), 408 | 429);
        let after = retry_after(response.headers());
        return Err(failed(format!("the server answered {status}")).with_recovery(if transient { again(after) } else { Recovery::GiveUp }));
    }

    let unwritable = |error: std::io::Error| Error::io(target, "write the model", error);
    tokio::fs::create_dir_all(folder).await.map_err(|error| Error::io(folder, "make the folder", error))?;
    let temporary = tempfile::Builder::new().prefix(".clipkit-").tempfile_in(folder).map_err(unwritable)?;
    let mut file = tokio::fs::File::from_std(temporary.reopen().map_err(unwritable)?);
    let (mut hash, mut length) = (Sha256::new(), 0_u64);
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        length += chunk.len() as u64;
        if length > model.bytes {
            return Err(failed(format!("the file is longer than the {} bytes expected", model.bytes)));
        }
        got.add(chunk.len());
        hash.update(&chunk);
        file.write_all(&chunk).await.map_err(unwritable)?;
    }
    file.flush().await.map_err(unwritable)?;
    if length < model.bytes {
        return Err(failed(format!("{length} of {} bytes came", model.bytes)).with_recovery(again(None)));
    }
    if hex(&hash.finalize()) != model.sha256 {
        return Err(failed("the file is not the one expected: its SHA-256 differs".to_owned()));
    }
    drop(file);
    temporary.persist(target).map_err(|error| unwritable(error.error))?;
    Ok(())
}

/// The innermost cause, which says what the outer errors only wrap.
fn cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut inner = error;
    while let Some(next) = inner.source() {
        inner = next;
    }
    inner.to_string()
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests;
