//! The models that clipkit can use and where they are kept.

use std::path::{Path, PathBuf};
use std::time::Duration;

use etcetera::BaseStrategy;
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;

use crate::context::Context;
use crate::error::{Error, ErrorKind, Recovery, Result};

/// The variable that names a folder of models.
const VARIABLE: &str = "CLIPKIT_MODELS";
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// A server that sends nothing for this long has gone.
const SILENCE_LIMIT: Duration = Duration::from_secs(30);

/// A model that clipkit knows how to use.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Model {
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
}

const MODELS: &[Model] = &[
    Model {
        id: Model::DEFAULT_FACE_DETECTOR,
        about: "finds faces; fast, and sees turned and partly hidden ones (UltraFace RFB-320)",
        license: "MIT",
        file: "version-RFB-320.onnx",
        url: "https://github.com/Linzaer/Ultra-Light-Fast-Generic-Face-Detector-1MB/raw/dffdddda9794a50607cba8f318507a28c1c27cab/models/onnx/version-RFB-320.onnx",
        sha256: "34cd7e60aeff28744c657de7a3dc64e872d506741de66987f3426f2b79f88017",
        bytes: 1_270_727,
    },
    Model {
        id: "yunet",
        about: "finds faces; slower, better for small ones (YuNet, 640 x 640)",
        license: "Apache-2.0",
        file: "yunet_s_640_640.onnx",
        url: "https://github.com/ShiqiYu/libfacedetection.train/raw/147357457766555aeaa81fe5501f081fe1c8e12e/onnx/yunet_s_640_640.onnx",
        sha256: "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
        bytes: 232_589,
    },
    Model {
        id: Model::VOICE_DETECTOR,
        about: "hears where somebody speaks, and is not fooled by music (Silero VAD 6.2.1)",
        license: "MIT",
        file: "silero_vad.onnx",
        url: "https://github.com/snakers4/silero-vad/raw/v6.2.1/src/silero_vad/data/silero_vad.onnx",
        sha256: "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3",
        bytes: 2_327_524,
    },
];

impl Model {
    /// The id of the face detector that is used where none is named.
    pub const DEFAULT_FACE_DETECTOR: &'static str = "ultraface-rfb-320";
    /// The id of the voice detector. It is used where it is on this machine already, never downloaded unasked.
    pub const VOICE_DETECTOR: &'static str = "silero-vad";

    /// All of them; the default face detector first.
    pub fn all() -> &'static [Model] {
        MODELS
    }

    /// The one called `id`.
    pub fn by_id(id: &str) -> Result<&'static Model> {
        MODELS.iter().find(|model| model.id == id).ok_or_else(|| {
            let known: Vec<&str> = MODELS.iter().map(|model| model.id).collect();
            Error::new(ErrorKind::NotFound, format!("there is no model {id:?}"))
                .with_advice(format!("use the path of a file, or one of: {}", known.join(", ")))
        })
    }
}

/// Finds models on this machine, and downloads those that are missing.
///
/// It looks in the folder named by the environment variable `CLIPKIT_MODELS` (and in that folder's folders), then in the user's cache
/// (`clipkit/models` in `XDG_CACHE_HOME` or the platform's cache folder). Downloads go into the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelStore {
    extra: Option<PathBuf>,
    cache: Option<PathBuf>,
}

impl Default for ModelStore {
    fn default() -> Self {
        ModelStore::new()
    }
}

impl ModelStore {
    /// The store that the environment describes.
    pub fn new() -> Self {
        let extra = std::env::var_os(VARIABLE).filter(|folder| !folder.is_empty()).map(PathBuf::from);
        let cache = etcetera::choose_base_strategy().ok().map(|base| base.cache_dir().join("clipkit").join("models"));
        ModelStore { extra, cache }
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

    /// Where the model is on this machine, if it is.
    pub fn find(&self, model: &Model) -> Option<PathBuf> {
        self.extra
            .as_deref()
            .and_then(|folder| find_in(folder, model.file))
            .or_else(|| Some(self.cache.as_ref()?.join(model.file)).filter(|path| path.is_file()))
    }

    /// The folder of a speech model for [`LocalTranscriber`](crate::LocalTranscriber): `speech` in the folder of `CLIPKIT_MODELS`, else in the
    /// cache. None is known by id or downloaded.
    pub fn find_speech(&self) -> Option<PathBuf> {
        let folders = [self.extra.as_deref(), self.cache.as_deref()];
        folders
            .into_iter()
            .flatten()
            .map(|folder| folder.join("speech"))
            .find(|folder| ["vocab.txt", "vocab.json"].iter().any(|name| folder.join(name).is_file()))
    }

    /// The path of a model given by id or as the path of a file; a known one that is missing is downloaded.
    pub async fn resolve(&self, cx: &Context, id_or_path: &str) -> Result<PathBuf> {
        let unknown = match Model::by_id(id_or_path) {
            Ok(model) => return self.fetch(cx, model).await,
            Err(unknown) => unknown,
        };
        let path = Path::new(id_or_path);
        if path.is_file() {
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
    pub async fn fetch(&self, cx: &Context, model: &Model) -> Result<PathBuf> {
        if let Some(path) = self.find(model) {
            return Ok(path);
        }
        let folder = self.cache.as_deref().ok_or_else(|| {
            Error::new(ErrorKind::Unavailable, format!("there is no folder to keep the model {} in", model.id))
                .with_advice(format!("set {VARIABLE} to a folder that has {}", model.file))
        })?;
        let target = folder.join(model.file);
        tracing::info!(model = model.id, url = model.url, "downloading");
        tokio::select! {
            () = cx.cancelled() => Err(cx.label(Error::cancelled())),
            done = download(model, folder, &target) => done.map(|()| target).map_err(|error| cx.label(error)),
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
async fn download(model: &Model, folder: &Path, target: &Path) -> Result<()> {
    let advice = || format!("connect to the network, or put {} into a folder and set {VARIABLE} to it", model.file);
    let failed = |what: String| {
        Error::new(ErrorKind::Network, format!("the model {} could not be downloaded: {what}", model.id))
            .with_url(model.url)
            .with_advice(advice())
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
        let after = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok()).map(Duration::from_secs);
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
#[path = "models_tests.rs"]
mod tests;
