//! What of the things that clipkit can use is on this machine.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::av;
use crate::context::{Context, Environment};
use crate::render;
use crate::source::program;
use crate::weights::{Weights, WeightsStore};

/// A yt-dlp that is older than this has often stopped to work with large platforms.
const OLD_AFTER_DAYS: u64 = 90;
/// The oldest major version of Node that yt-dlp uses.
const OLDEST_NODE: u32 = 22;
/// The longest that a program may take to say its version.
const VERSION_LIMIT: Duration = Duration::from_secs(30);

/// What of the things that clipkit can use is on this machine, and what each lack costs. Keys are
/// not part of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Diagnosis {
    /// clipkit's version.
    pub version: String,
    /// The things, in the order of a run.
    pub checks: Vec<Check>,
}

/// One thing that clipkit can use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Check {
    /// The thing's name: `yt-dlp`, `font Lato`.
    pub name: String,
    /// Whether it is there.
    pub status: CheckStatus,
    /// What was found, as a line for a person: a version, an age, a reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// Where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// What does not work without it. Set unless it is [`CheckStatus::Present`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<String>,
    /// How to get it, as an imperative. Set unless it is [`CheckStatus::Present`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

/// Whether a thing is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CheckStatus {
    /// It is there and can be used.
    Present,
    /// It is there, but so old that it may not work.
    Old,
    /// It is not there, or it cannot be used.
    Missing,
}

impl Check {
    fn new(name: impl Into<String>, cost: &str, advice: &str) -> Self {
        let (cost, advice) = (Some(cost.to_owned()), Some(advice.to_owned()));
        Check { name: name.into(), status: CheckStatus::Missing, found: None, path: None, cost, advice }
    }

    fn present(mut self, found: Option<String>, path: Option<PathBuf>) -> Self {
        (self.status, self.found, self.path) = (CheckStatus::Present, found, path);
        (self.cost, self.advice) = (None, None);
        self
    }

    fn present_if(self, is_present: bool) -> Self {
        if is_present { self.present(None, None) } else { self }
    }
}

/// Looks for what clipkit can use: FFmpeg's libraries, yt-dlp and what it needs, the ONNX Runtime,
/// models, fonts, keys. Blocks: it runs programs to ask for their versions. Nothing is downloaded,
/// and no key is shown.
///
/// ```no_run
/// use clipkit::Environment;
///
/// for check in clipkit::doctor(&Environment::from_process()).checks {
///     println!("{} {:?} {:?}", check.name, check.status, check.cost);
/// }
/// ```
pub fn doctor(environment: &Environment) -> Diagnosis {
    let cx = Context::builder().environment(environment.clone()).build();
    let mut checks = libraries();
    checks.extend(programs(&cx));
    checks.push(runtime(environment));
    checks.extend(models(environment));
    checks.push(
        Check::new("font Lato", "captions are set in another font", "install the font: apt-get install fonts-lato")
            .present_if(render::has_font("Lato")),
    );
    checks.extend(keys(environment));
    checks.push(media_store(environment));
    Diagnosis { version: env!("CARGO_PKG_VERSION").to_owned(), checks }
}

/// FFmpeg's libraries and the parts of them that are optional.
fn libraries() -> Vec<Check> {
    const INSTALL: &str = "link clipkit to an FFmpeg that has it, such as that of Debian, Ubuntu or Homebrew";
    vec![
        Check::new("FFmpeg libraries", "nothing can be read or rendered", INSTALL).present(Some(av::version()), None),
        Check::new("encoder libx264", "clips cannot be rendered", INSTALL).present_if(av::has_encoder("libx264")),
        Check::new("filter ass (libass)", "clips have no captions", INSTALL).present_if(av::has_filter("ass")),
        Check::new("HTTP", "media are not fetched from URLs", "build clipkit with the Cargo feature `http`")
            .present_if(cfg!(feature = "http")),
    ]
}

/// Programs that sources run.
fn programs(cx: &Context) -> Vec<Check> {
    let environment = cx.environment();
    let ytdlp = Check::new(
        "yt-dlp",
        "videos are not fetched from platforms such as YouTube; files and URLs of media files are",
        "install it: pip install \"yt-dlp[default]\"; or name the program in CLIPKIT_YTDLP",
    );
    let ytdlp = match program::find(None, environment) {
        Err(error) => Check { found: Some(error.message().to_owned()), path: error.path().map(PathBuf::from), ..ytdlp },
        Ok(path) => match program::version(cx, &path) {
            None => Check { found: Some("it cannot be run".into()), path: Some(path), ..ytdlp },
            Some(version) => match program::age_in_days(&version, SystemTime::now()) {
                Some(days) if days > OLD_AFTER_DAYS => Check {
                    status: CheckStatus::Old,
                    found: Some(format!("{version}, {days} days old")),
                    path: Some(path),
                    cost: Some("platforms change: downloads fail with a yt-dlp that is some months old".into()),
                    advice: Some("update it: yt-dlp -U, or pip install -U \"yt-dlp[default]\"".into()),
                    ..ytdlp
                },
                Some(days) => ytdlp.present(Some(format!("{version}, {days} days old")), Some(path)),
                None => ytdlp.present(Some(version), Some(path)),
            },
        },
    };
    let ffmpeg = Check::new(
        "ffmpeg program",
        "yt-dlp takes formats with picture and sound in one file, which are small, and fetches no sections",
        "install ffmpeg",
    );
    let ffmpeg = match program::in_path("ffmpeg", environment) {
        Some(path) => ffmpeg.present(None, Some(path)),
        None => ffmpeg,
    };
    vec![ytdlp, javascript(cx), ffmpeg]
}

/// A JavaScript runtime that yt-dlp can use.
fn javascript(cx: &Context) -> Check {
    let check = Check::new(
        "JavaScript runtime",
        "yt-dlp cannot read YouTube, or only some of its formats",
        "install deno (2.3 or later) or Node (22 or later)",
    );
    let answer = |path: &PathBuf| program::answer(cx, path, VERSION_LIMIT);
    if let Some(path) = program::in_path("deno", cx.environment()) {
        // `deno 2.5.0 (stable, ...)`.
        let version = answer(&path).and_then(|text| Some(format!("deno {}", text.split_whitespace().nth(1)?)));
        return check.present(version.or(Some("deno".into())), Some(path));
    }
    let Some(path) = program::in_path("node", cx.environment()) else { return check };
    let version = answer(&path).and_then(|text| text.split_whitespace().next().map(str::to_owned)).unwrap_or_default();
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    let found = Some(format!("node {version}").trim().to_owned());
    match major {
        Some(major) if major >= OLDEST_NODE => check.present(found, Some(path)),
        _ => Check { status: CheckStatus::Old, found, path: Some(path), ..check },
    }
}

#[cfg(feature = "onnx")]
fn runtime(environment: &Environment) -> Check {
    let check = runtime_check();
    match crate::onnx::find_library(environment) {
        Ok(path) => check.present(None, Some(path)),
        Err(error) => Check { found: Some(error.message().to_owned()), path: error.path().map(PathBuf::from), ..check },
    }
}

#[cfg(not(feature = "onnx"))]
fn runtime(_environment: &Environment) -> Check {
    Check { found: Some("clipkit was built without the Cargo feature `onnx`".into()), ..runtime_check() }
}

fn runtime_check() -> Check {
    Check::new(
        "ONNX Runtime",
        "faces are not detected, so the crop follows what moves; there is no speech model on this machine",
        "pip install onnxruntime, and name the library in ORT_DYLIB_PATH",
    )
}

fn models(environment: &Environment) -> Vec<Check> {
    let store = WeightsStore::from_environment(environment);
    let model = |weights: &Weights| {
        let cost = match weights.id {
            Weights::DEFAULT_FACE_DETECTOR => "the first run downloads it; without a network, the crop follows what moves",
            Weights::VOICE_DETECTOR => "music may be taken for a voice",
            Weights::DEFAULT_SPEECH => "videos without captions need an API for a transcript",
            Weights::ACTIVE_SPEAKER => "where several faces move, the movement of their mouths alone tells who speaks",
            _ => "it is used on request only (--model)",
        };
        let check = Check::new(format!("model {}", weights.id), cost, &format!("clipkit models fetch {}", weights.id));
        // Another speech model does the same work.
        let other = || if weights.id == Weights::DEFAULT_SPEECH { store.find_speech() } else { None };
        match store.find(weights).or_else(other) {
            Some(path) => check.present(Some(weights.about.to_owned()), Some(path)),
            None => check,
        }
    };
    Weights::all().iter().map(model).collect()
}

/// Which keys are set. Their values are not looked at.
fn keys(environment: &Environment) -> Vec<Check> {
    let set = |name: &str, is_set: bool, cost: &str, advice: &str| {
        let check = Check::new(name, cost, advice);
        if is_set { check.present(Some("set".into()), None) } else { check }
    };
    let has = |names: &[&str]| names.iter().any(|name| environment.object_store.contains_key(*name));
    let is_api = environment.openai_api_key.is_some() || environment.openai_base_url.is_some();
    vec![
        set(
            "key of an OpenAI-compatible API",
            is_api,
            "no language model chooses the clips, and no API transcribes; rules and local models do",
            "set OPENAI_API_KEY, or OPENAI_BASE_URL for another server",
        ),
        set(
            "credentials for S3",
            has(&["AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"]),
            "s3:// cannot be used, unless the machine has a role",
            "set AWS_ACCESS_KEY_ID and the like",
        ),
        set(
            "credentials for Google Cloud Storage",
            has(&["GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_SERVICE_ACCOUNT", "GOOGLE_SERVICE_ACCOUNT_KEY"]),
            "gs:// cannot be used, unless the machine has a role",
            "set GOOGLE_*",
        ),
        set(
            "credentials for Azure Blob Storage",
            has(&["AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_SAS_KEY", "AZURE_CLIENT_SECRET", "AZURE_FEDERATED_TOKEN_FILE"]),
            "az:// cannot be used, unless the machine has a role",
            "set AZURE_*",
        ),
    ]
}

fn media_store(environment: &Environment) -> Check {
    let check =
        Check::new("folder for fetched media", "nothing can be fetched; files of this machine are read in place", "set CLIPKIT_MEDIA");
    match environment.media_folder() {
        Some(folder) => check.present(None, Some(folder)),
        None => check,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<'a>(diagnosis: &'a Diagnosis, name: &str) -> &'a Check {
        diagnosis.checks.iter().find(|check| check.name == name).unwrap()
    }

    #[test]
    fn what_is_missing_has_a_cost_and_advice_and_keys_are_not_shown() {
        let mut environment = Environment::default();
        environment.openai_api_key = Some("hunter2".into());
        environment.object_store.insert("AWS_SECRET_ACCESS_KEY".into(), "hunter2".into());
        let diagnosis = doctor(&environment);
        assert!(!serde_json::to_string(&diagnosis).unwrap().contains("hunter2"));
        for check in &diagnosis.checks {
            let is_complete = check.cost.is_some() && check.advice.is_some();
            assert_eq!(is_complete, check.status != CheckStatus::Present, "{check:?}");
        }
        assert_eq!(check(&diagnosis, "yt-dlp").status, CheckStatus::Missing);
        assert_eq!(check(&diagnosis, "key of an OpenAI-compatible API").status, CheckStatus::Present);
        assert_eq!(check(&diagnosis, "credentials for Azure Blob Storage").status, CheckStatus::Missing);
        assert_eq!(check(&diagnosis, "folder for fetched media").status, CheckStatus::Missing);
        assert!(check(&diagnosis, "FFmpeg libraries").found.as_deref().is_some_and(|version| !version.is_empty()));
        let back: Diagnosis = serde_json::from_str(&serde_json::to_string(&diagnosis).unwrap()).unwrap();
        assert_eq!(back, diagnosis);
    }

    #[test]
    #[cfg(unix)]
    fn versions_of_programs_decide() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let script = |name: &str, says: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, format!("#!/bin/sh\necho '{says}'\n")).unwrap();
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
        };
        let mut environment = Environment::default();
        environment.programs.insert("PATH".into(), folder.path().into());
        script("yt-dlp", "2021.01.01");
        script("node", "v20.11.0");
        let diagnosis = doctor(&environment);
        let (ytdlp, runtime) = (check(&diagnosis, "yt-dlp"), check(&diagnosis, "JavaScript runtime"));
        assert_eq!(ytdlp.status, CheckStatus::Old);
        assert!(
            ytdlp.found.as_deref().unwrap().starts_with("2021.01.01, ") && ytdlp.path == Some(folder.path().join("yt-dlp")),
            "{ytdlp:?}"
        );
        assert_eq!((runtime.status, runtime.found.as_deref()), (CheckStatus::Old, Some("node v20.11.0")));
        script("node", "v22.11.0");
        script("yt-dlp", "nightly");
        let diagnosis = doctor(&environment);
        assert_eq!(check(&diagnosis, "JavaScript runtime").status, CheckStatus::Present);
        assert_eq!(check(&diagnosis, "yt-dlp").found.as_deref(), Some("nightly"));
        script("deno", "deno 2.5.0 (stable, release, x86_64-unknown-linux-gnu)");
        assert_eq!(check(&doctor(&environment), "JavaScript runtime").found.as_deref(), Some("deno 2.5.0"));
    }
}
