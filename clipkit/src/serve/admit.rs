//! What a client may ask for: from a request to a job, with the service's rules.

use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::keys::{hex, random};
use super::options::ServeOptions;
use crate::config::{PipelineConfig, PublisherConfig, SourceConfig};
use crate::error::{Error, ErrorKind, Result};
use crate::http::address::check_public;
use crate::jobs::{Job, JobId};
use crate::plan::edit::EditOp;
use crate::publish::Folder;
use crate::source::upload_key;

/// The most clips that a client may ask for.
const MOST_CLIPS: usize = 100;
const LONGEST_KEY: usize = 256;

/// A job to submit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct JobRequest {
    /// The address of the video: `https://...`, or that of an upload (`upload://...`).
    pub(super) uri: String,
    /// Changes of the service's configuration: `{"options": {"clips": 4, "captions": "pop"}}`.
    /// Other fields than `options` are refused unless the service allows them.
    #[serde(default)]
    #[schemars(with = "PipelineConfig")]
    pub(super) config: Map<String, Value>,
    /// The publishers. Default: those of the service, and a folder that belongs to the job.
    #[serde(default)]
    #[schemars(with = "Vec<PublisherConfig>")]
    pub(super) publish: Vec<Value>,
    /// Higher runs first. Default: 0.
    #[serde(default)]
    pub(super) priority: i32,
    /// The earliest start, in RFC 3339.
    #[serde(default, with = "crate::model::moment::option")]
    #[schemars(with = "Option<String>")]
    pub(super) not_before: Option<SystemTime>,
    /// The same key again returns the same job. Also the header `Idempotency-Key`.
    #[serde(default)]
    pub(super) idempotency_key: Option<String>,
}

/// Makes the job that a request asks for, or refuses it.
pub(super) fn admit(options: &ServeOptions, user: &str, request: JobRequest) -> Result<Job> {
    let mut job = Job::new(request.uri.trim());
    // Without a key of the client, a random one names the job's folder before the job exists.
    let key = match request.idempotency_key {
        Some(key) if key.is_empty() || key.len() > LONGEST_KEY => {
            return Err(Error::new(ErrorKind::InvalidInput, "an idempotency key has 1 to 256 characters"));
        }
        Some(key) => key,
        None => hex(&random::<16>()?),
    };
    job.config = configuration(options, request.config)?;
    let is_local = admit_address(options, &mut job)?;
    source(options, is_local, &mut job.config.source)?;
    let publish = request.publish.into_iter().map(|publisher| publisher_of(options, publisher)).collect::<Result<Vec<_>>>()?;
    if !publish.is_empty() {
        job.config.publishers = publish;
    }
    // Clips are served from a folder.
    let is_folder = |publisher: &PublisherConfig| matches!(publisher, PublisherConfig::Folder(_));
    if !job.config.publishers.iter().any(is_folder) {
        let id = JobId::of_key(user, &key);
        job.config.publishers.push(PublisherConfig::Folder(Folder::new(options.out.join(id.as_str()))));
    }
    job.stages.clone_from(&options.stages);
    (job.priority, job.not_before) = (request.priority, request.not_before);
    (job.user, job.idempotency_key) = (user.to_owned(), Some(key));
    Ok(job)
}

/// The service's configuration with the client's changes: its fields replace those of `options`.
fn configuration(options: &ServeOptions, changes: Map<String, Value>) -> Result<PipelineConfig> {
    let unreadable = |error: serde_json::Error| Error::new(ErrorKind::Config, format!("this configuration cannot be read: {error}"));
    let mut base = serde_json::to_value(&options.config).map_err(unreadable)?;
    let sets_brand = changes.get("options").is_some_and(|options| options.get("brand").is_some());
    for (name, change) in changes {
        if name == "source" {
            return Err(refused("the source is set by the service"));
        }
        if name != "options" && !options.allow_config {
            return Err(refused(format!("clients of this service may not set {name:?}"))
                .with_advice("set only options, or allow it (--allow-config)"));
        }
        match (base.get_mut(&name), change) {
            (Some(Value::Object(known)), Value::Object(change)) if name == "options" => known.extend(change),
            (Some(known), change) => *known = change,
            (None, _) => return Err(Error::new(ErrorKind::Config, format!("a configuration has no field {name:?}"))),
        }
    }
    let mut config: PipelineConfig = serde_json::from_value(base).map_err(unreadable)?;
    if let Some(brand) = config.options.brand.as_mut().filter(|_| sets_brand) {
        admit_files(options, brand.files_mut())?;
        brand.forget_ids();
    }
    if config.options.clips > MOST_CLIPS {
        return Err(Error::new(ErrorKind::Config, format!("{} clips are asked for: ask for at most {MOST_CLIPS}", config.options.clips)));
    }
    // A client lowers the service's budget, and does not raise it.
    if let Some(budget) = options.config.options.max_cost {
        let asked = config.options.max_cost.unwrap_or(budget);
        config.options.max_cost = Some(if asked < budget { asked } else { budget });
    }
    Ok(config)
}

/// Checks the address. Returns whether it is a file of this machine, whose path is then the real
/// one.
fn admit_address(options: &ServeOptions, job: &mut Job) -> Result<bool> {
    let uri = job.uri.clone();
    let Some((scheme, _)) = uri.split_once("://") else {
        job.uri = local(options, Path::new(&uri))?;
        return Ok(true);
    };
    let scheme = scheme.to_ascii_lowercase();
    if scheme == "upload" {
        let known = upload_key(&uri).ok_or_else(|| Error::new(ErrorKind::InvalidInput, "this is not the address of an upload"));
        return known.map(|_| false);
    }
    if !options.schemes.iter().any(|known| known.eq_ignore_ascii_case(&scheme)) {
        return Err(refused(format!("{scheme}:// addresses are not accepted here")).with_advice("give an http address, or upload the file"));
    }
    if scheme == "http" || scheme == "https" {
        let networks = match &options.config.source {
            SourceConfig::Auto(auto) => [auto.allow_private.clone(), options.allow_private.clone()].concat(),
            _ => options.allow_private.clone(),
        };
        check_public(&uri, &networks)?;
    }
    Ok(false)
}

/// The real path of a file in one of the folders that are allowed. Anything else is refused with
/// the same words, so that nothing is told about other files.
pub(super) fn local(options: &ServeOptions, path: &Path) -> Result<String> {
    let refuse = || refused("files of this machine are not accepted here").with_advice("give an http address, or upload the file");
    if !path.is_absolute() || options.folders.is_empty() {
        return Err(refuse());
    }
    let real = path.canonicalize().map_err(|_| refuse())?;
    if !real.is_file() || !options.folders.iter().any(|folder| real.starts_with(folder)) {
        return Err(refuse());
    }
    real.into_os_string().into_string().map_err(|_| refuse())
}

/// Keeps the images, sounds, fonts and bumpers of operations to files in the folders that are
/// allowed.
pub(super) fn admit_edits(options: &ServeOptions, ops: &mut [EditOp]) -> Result<()> {
    for op in &mut *ops {
        // Without a hash: it would find what others have put into the media store.
        match op {
            EditOp::AddSound { sound } => sound.id = None,
            EditOp::Brand { brand } => brand.forget_ids(),
            EditOp::Intro { bumper } | EditOp::Outro { bumper } => bumper.iter_mut().for_each(|bumper| bumper.id = None),
            _ => {}
        }
        admit_files(options, op.files_mut())?;
    }
    Ok(())
}

fn admit_files<'a>(options: &ServeOptions, files: impl IntoIterator<Item = &'a mut String>) -> Result<()> {
    for file in files {
        let real = local(options, Path::new(file.as_str()));
        *file = real.map_err(|error| error.with_advice("name a file in a folder that the service allows (--allow-folder)"))?;
    }
    Ok(())
}

/// Keeps the source to what was checked.
fn source(options: &ServeOptions, is_local: bool, source: &mut SourceConfig) -> Result<()> {
    if let SourceConfig::Auto(auto) = source {
        auto.local = is_local;
        auto.allow_private.extend_from_slice(&options.allow_private);
    }
    Ok(())
}

/// A publisher of a request. Without more rights, it is a folder in the service's own.
fn publisher_of(options: &ServeOptions, publisher: Value) -> Result<PublisherConfig> {
    let read = |value| {
        serde_json::from_value::<PublisherConfig>(value)
            .map_err(|error| Error::new(ErrorKind::Config, format!("this publisher cannot be read: {error}")))
    };
    if options.allow_config {
        return read(publisher);
    }
    match read(publisher)? {
        PublisherConfig::Folder(mut folder) => {
            folder.path = options.out.join(inside(&folder.path)?);
            Ok(PublisherConfig::Folder(folder))
        }
        #[allow(unreachable_patterns)] // Other kinds of publishers.
        _ => Err(refused("clients of this service may publish only into folders").with_advice("allow it (--allow-config)")),
    }
}

/// A relative path that stays where it is.
fn inside(path: &Path) -> Result<PathBuf> {
    let is_plain = |part: Component<'_>| matches!(part, Component::Normal(_));
    if path.as_os_str().is_empty() || !path.components().all(is_plain) || path.to_string_lossy().contains(['\\', '\0', ':']) {
        return Err(refused("the folder's path leads out of the service's folder").with_advice("give a relative path without `..`"));
    }
    Ok(path.to_owned())
}

fn refused(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Denied, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn request(value: Value) -> JobRequest {
        serde_json::from_value(value).unwrap()
    }

    fn options() -> ServeOptions {
        ServeOptions::default().checked().unwrap()
    }

    #[test]
    fn addresses_that_lead_inside_are_refused() {
        for (uri, kind) in [
            ("/etc/passwd", ErrorKind::Denied),
            ("talk.mp4", ErrorKind::Denied),
            ("../talk.mp4", ErrorKind::Denied),
            ("file:///etc/passwd", ErrorKind::Denied),
            ("FILE:///etc/passwd", ErrorKind::Denied),
            ("s3://bucket/a.mp4", ErrorKind::Denied),
            ("concat://x", ErrorKind::Denied),
            ("http://127.0.0.1/a.mp4", ErrorKind::Denied),
            ("http://localhost:6379/", ErrorKind::Denied),
            ("http://2130706433/a.mp4", ErrorKind::Denied),
            ("http://[::ffff:10.0.0.1]/a.mp4", ErrorKind::Denied),
            ("https://169.254.169.254/latest/meta-data", ErrorKind::Denied),
            ("upload://../../etc/passwd", ErrorKind::InvalidInput),
            ("http://", ErrorKind::InvalidInput),
        ] {
            let error = admit(&options(), "", request(json!({"uri": uri}))).unwrap_err();
            assert_eq!(error.kind(), kind, "{uri}: {error}");
        }
        for uri in ["https://example.com/talk.mp4", "upload://0123456789abcdef0123456789abcdef/talk.mp4"] {
            let job = admit(&options(), "", request(json!({"uri": uri}))).unwrap();
            assert!(matches!(&job.config.source, SourceConfig::Auto(auto) if !auto.local && auto.allow_private.is_empty()));
        }
    }

    #[test]
    fn files_are_accepted_only_below_allowed_folders() {
        let (inside, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (talk, secret) = (inside.path().join("talk.mp4"), outside.path().join("secret.mp4"));
        std::fs::write(&talk, "talk").unwrap();
        std::fs::write(&secret, "secret").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(&secret, inside.path().join("link.mp4")).unwrap();
        let options = ServeOptions { folders: vec![inside.path().to_owned()], ..ServeOptions::default() }.checked().unwrap();
        let ask = |path: &Path| admit(&options, "", request(json!({"uri": path})));
        let job = ask(&talk).unwrap();
        assert!(matches!(&job.config.source, SourceConfig::Auto(auto) if auto.local));
        let traversal = inside.path().join("..").join(outside.path().file_name().unwrap()).join("secret.mp4");
        for refused in [secret, traversal, inside.path().join("link.mp4"), inside.path().join("missing.mp4"), inside.path().to_owned()] {
            assert_eq!(ask(&refused).unwrap_err().kind(), ErrorKind::Denied, "{}", refused.display());
        }
    }

    #[test]
    fn images_of_operations_are_accepted_only_below_allowed_folders() {
        let (inside, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (logo, secret) = (inside.path().join("logo.png"), outside.path().join("secret.png"));
        std::fs::write(&logo, "logo").unwrap();
        std::fs::write(&secret, "secret").unwrap();
        let allowing = ServeOptions { folders: vec![inside.path().to_owned()], ..ServeOptions::default() }.checked().unwrap();
        let ops = |file: &Path| {
            let overlay = json!({"content": {"kind": "image", "file": file}, "place": {"anchor": "top"}});
            vec![serde_json::from_value::<EditOp>(json!({"op": "add_overlay", "overlay": overlay})).unwrap()]
        };
        let mut accepted = ops(&logo);
        admit_edits(&allowing, &mut accepted).unwrap();
        assert_eq!(accepted, ops(&logo.canonicalize().unwrap()));
        for (options, file) in [(&allowing, secret.as_path()), (&allowing, Path::new("logo.png")), (&options(), logo.as_path())] {
            let error = admit_edits(options, &mut ops(file)).unwrap_err();
            assert!(error.kind() == ErrorKind::Denied && error.path().is_none(), "{error}");
        }
        let branded = |file: &Path| {
            let overlay = json!({"content": {"kind": "image", "file": file}, "place": {"anchor": "top"}});
            request(json!({"uri": "https://example.com/talk.mp4", "config": {"options": {"brand": {"overlays": [overlay]}}}}))
        };
        let job = admit(&allowing, "", branded(&logo)).unwrap();
        let file = job.config.options.brand.unwrap().overlays[0].file().map(Path::new).map(Path::to_owned);
        assert_eq!(file, Some(logo.canonicalize().unwrap()));
        assert_eq!(admit(&allowing, "", branded(&secret)).unwrap_err().kind(), ErrorKind::Denied);
        let mut title = vec![EditOp::Title { title: "Clocks".into() }];
        admit_edits(&options(), &mut title).unwrap();
    }

    #[test]
    fn clients_set_options_and_nothing_else_unless_they_may() {
        let uri = "https://example.com/talk.mp4";
        let config = |config: Value| request(json!({"uri": uri, "config": config}));
        let job = admit(&options(), "ann", config(json!({"options": {"clips": 3, "captions": "pop"}}))).unwrap();
        assert_eq!((job.config.options.clips, job.user.as_str()), (3, "ann"));
        for refused in [
            json!({"transcriber": {"kind": "openai", "server": {"base_url": "http://evil.example/v1"}}}),
            json!({"source": {"kind": "file"}}),
            json!({"speech_cache": null}),
            json!({"publishers": []}),
        ] {
            assert_eq!(admit(&options(), "", config(refused.clone())).unwrap_err().kind(), ErrorKind::Denied, "{refused}");
        }
        for wrong in [json!({"options": {"clips": "many"}}), json!({"options": {"clip": 3}}), json!({"options": {"clips": 1_000_000}})] {
            assert_eq!(admit(&options(), "", config(wrong.clone())).unwrap_err().kind(), ErrorKind::Config, "{wrong}");
        }
        let trusting = ServeOptions { allow_config: true, ..options() };
        let job = admit(&trusting, "", config(json!({"tracker": {"kind": "center"}}))).unwrap();
        assert_eq!(job.config.tracker, crate::config::TrackerConfig::Center);
        assert_eq!(admit(&trusting, "", config(json!({"source": {"kind": "file"}}))).unwrap_err().kind(), ErrorKind::Denied);
        let mut saving = options();
        saving.config.options.max_cost = Some(0.5);
        let cost = |asked: Value| admit(&saving, "", config(json!({"options": {"max_cost": asked}}))).unwrap().config.options.max_cost;
        assert_eq!((cost(json!(9.0)), cost(json!(0.1)), cost(Value::Null)), (Some(0.5), Some(0.1), Some(0.5)));
    }

    #[test]
    fn folders_stay_inside_and_a_job_always_has_one() {
        let uri = "https://example.com/talk.mp4";
        let publish = |path: &str| admit(&options(), "", request(json!({"uri": uri, "publish": [{"kind": "folder", "path": path}]})));
        for hostile in ["", "/etc", "..", "a/../../b", "./../x", "C:\\x", "a\\b"] {
            assert_eq!(publish(hostile).unwrap_err().kind(), ErrorKind::Denied, "{hostile}");
        }
        let folder = |job: &Job| match &job.config.publishers[..] {
            [PublisherConfig::Folder(folder)] => folder.path.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(folder(&publish("talks/one").unwrap()), options().out.join("talks/one"));
        let keyed = || admit(&options(), "ann", request(json!({"uri": uri, "idempotency_key": "1"}))).unwrap();
        assert_eq!(keyed(), keyed());
        assert_eq!(folder(&keyed()), options().out.join(JobId::of_key("ann", "1").as_str()));
        let free = || folder(&admit(&options(), "ann", request(json!({"uri": uri}))).unwrap());
        assert_ne!(free(), free());
    }
}
