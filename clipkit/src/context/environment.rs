//! The environment variables that the library reads.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use etcetera::BaseStrategy;

/// Prefixes of the variables that object stores read: Amazon S3, Google Cloud Storage, Azure Blob
/// Storage. Other variables are not copied, since the environment holds other secrets too.
const OBJECT_STORE_PREFIXES: [&str; 3] = ["AWS_", "GOOGLE_", "AZURE_"];

/// Prefixes of the variables that publishers read: secrets and tokens.
const PUBLISHER_PREFIXES: [&str; 4] = ["CLIPKIT_WEBHOOK_", "CLIPKIT_YOUTUBE_", "CLIPKIT_TIKTOK_", "CLIPKIT_INSTAGRAM_"];

/// Variables that programs which the library runs get. Names that end in `_` are prefixes.
const FOR_PROGRAMS: [&str; 22] = [
    "PATH",
    "HOME",
    "USER",
    "LANG",
    "LANGUAGE",
    "LC_",
    "TZ",
    "TMPDIR",
    "TEMP",
    "TMP",
    "XDG_",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "SYSTEMROOT",
    "USERPROFILE",
    "APPDATA",
    "LOCALAPPDATA",
    "PATHEXT",
    "COMSPEC",
    "LD_LIBRARY_PATH",
    "WINDIR",
];

/// The values of the environment variables that the library reads.
///
/// The library reads the environment in [`Environment::from_process`] and nowhere else. A
/// [`Context`](crate::Context) carries the value to every stage. A program that must not depend on
/// its process's variables, such as a server with several tenants, gives each context its own:
///
/// ```
/// use clipkit::{Context, Environment};
///
/// let mut environment = Environment::default();
/// environment.openai_base_url = Some("http://localhost:8000/v1".into());
/// let cx = Context::builder().environment(environment).build();
/// assert_eq!(cx.environment().openai_api_key, None);
/// ```
///
/// The default has no variable set. Empty and blank variables count as unset. `None` means that a
/// variable is unset. `Debug` does not print keys, URLs that can hold a password, and values of
/// `object_store`.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Environment {
    /// `OPENAI_API_KEY`: the key for servers with OpenAI's API.
    pub openai_api_key: Option<String>,
    /// `OPENAI_BASE_URL`: the base URL of that API.
    pub openai_base_url: Option<String>,
    /// `OPENAI_ORG_ID`: the organization that requests are charged to.
    pub openai_organization: Option<String>,
    /// `CLIPKIT_CACHE`: the folder or object store URL of the artifact cache.
    pub cache: Option<String>,
    /// `CLIPKIT_MEDIA`: the folder of the media store.
    pub media: Option<PathBuf>,
    /// `CLIPKIT_MODELS`: a folder with model files.
    pub models: Option<PathBuf>,
    /// `CLIPKIT_YTDLP`: the file of the program yt-dlp.
    pub ytdlp: Option<PathBuf>,
    /// `ORT_DYLIB_PATH`: the file of the ONNX Runtime library.
    pub onnx_runtime: Option<PathBuf>,
    /// The user's cache folder: `XDG_CACHE_HOME`, else `~/.cache`; on Windows `%LOCALAPPDATA%`.
    pub cache_folder: Option<PathBuf>,
    /// The folder for temporary files: `TMPDIR`, else `/tmp`; on Windows `GetTempPath2`. `None`
    /// means the system's folder.
    pub temporary_folder: Option<PathBuf>,
    /// `http_proxy`, else `HTTP_PROXY`: the proxy for `http` URLs. The upper-case name is not
    /// read in a CGI process, where a request's `Proxy` header sets it.
    pub http_proxy: Option<String>,
    /// `https_proxy`, else `HTTPS_PROXY`: the proxy for `https` URLs.
    pub https_proxy: Option<String>,
    /// `all_proxy`, else `ALL_PROXY`: the proxy for URLs without a more specific one.
    pub all_proxy: Option<String>,
    /// `no_proxy`, else `NO_PROXY`: hosts to connect to without a proxy, separated by commas.
    pub no_proxy: Option<String>,
    /// The variables whose names start with `AWS_`, `GOOGLE_` or `AZURE_`, for object stores.
    pub object_store: BTreeMap<String, String>,
    /// `CLIPKIT_CREDENTIALS`: the folder of the credentials for platforms, or `keyring` for the
    /// system's keyring.
    pub credentials: Option<PathBuf>,
    /// The user's folder for settings: `XDG_CONFIG_HOME`, else `~/.config`; on Windows `%APPDATA%`.
    pub config_folder: Option<PathBuf>,
    /// The variables whose names start with `CLIPKIT_WEBHOOK_`, `CLIPKIT_YOUTUBE_`,
    /// `CLIPKIT_TIKTOK_` or `CLIPKIT_INSTAGRAM_`: secrets and tokens for publishers.
    pub publishers: BTreeMap<String, String>,
    /// The variables that programs such as yt-dlp are run with: `PATH`, `HOME`, the locale, folders
    /// and certificates. Programs get no others, so no keys. `PATH` is also where they are looked
    /// for.
    pub programs: BTreeMap<String, OsString>,
}

impl Environment {
    /// Reads the current variables of this process.
    ///
    /// A context without an environment of its own calls this when a stage first needs the
    /// environment, and keeps the value for all its clones and runs. Calls that take no context
    /// ([`WeightsStore::new`](crate::weights::WeightsStore::new),
    /// [`OpenAiServer::is_configured`](crate::stage::OpenAiServer::is_configured)) read it each
    /// time.
    pub fn from_process() -> Self {
        let base = etcetera::choose_base_strategy().ok();
        let cache_folder = base.as_ref().map(|base| base.cache_dir());
        let config_folder = base.as_ref().map(|base| base.config_dir());
        Environment {
            cache_folder,
            config_folder,
            temporary_folder: Some(std::env::temp_dir()),
            ..Environment::from_variables(std::env::vars_os())
        }
    }

    /// The folder or URL of the artifact cache: `cache`, else `clipkit/artifacts` in the user's
    /// cache folder.
    pub(crate) fn artifacts(&self) -> Option<String> {
        let folder = || Some(self.cache_folder.as_ref()?.join("clipkit").join("artifacts").to_string_lossy().into_owned());
        self.cache.clone().or_else(folder)
    }

    /// The folder of the media store: `media`, else `clipkit/media` in the user's cache folder.
    pub(crate) fn media_folder(&self) -> Option<PathBuf> {
        self.media.clone().or_else(|| Some(self.cache_folder.as_ref()?.join("clipkit").join("media")))
    }

    /// The folder of the credentials for platforms: `credentials`, else `clipkit/credentials` in
    /// the user's folder for settings.
    pub(crate) fn credentials_folder(&self) -> Option<PathBuf> {
        self.credentials.clone().or_else(|| Some(self.config_folder.as_ref()?.join("clipkit").join("credentials")))
    }

    /// The folder for scratch space: `temporary_folder`, else the system's folder.
    pub(crate) fn folder_for_scratch(&self) -> PathBuf {
        self.temporary_folder.clone().unwrap_or_else(std::env::temp_dir)
    }

    /// Makes an environment from variables, without the platform's folders.
    fn from_variables(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let variables: BTreeMap<OsString, OsString> = variables.into_iter().collect();
        let text = |name: &str| {
            let value = variables.get(&OsString::from(name))?.to_str()?.trim();
            (!value.is_empty()).then(|| value.to_owned())
        };
        let path = |name: &str| {
            let value = variables.get(&OsString::from(name))?;
            (!value.is_empty()).then(|| PathBuf::from(value))
        };
        let is_cgi = variables.contains_key(&OsString::from("REQUEST_METHOD"));
        let starting = |prefixes: &[&str]| -> BTreeMap<String, String> {
            let known = variables.iter().filter_map(|(name, value)| Some((name.to_str()?, value.to_str()?)));
            let asked = known.filter(|(name, _)| prefixes.iter().any(|prefix| name.starts_with(prefix)));
            asked.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
        };
        let (object_store, publishers) = (starting(&OBJECT_STORE_PREFIXES), starting(&PUBLISHER_PREFIXES));
        let is_for_programs = |name: &str| {
            FOR_PROGRAMS.iter().any(|known| if known.ends_with('_') { name.starts_with(known) } else { name.eq_ignore_ascii_case(known) })
        };
        let programs = variables.iter().filter_map(|(name, value)| {
            let name = name.to_str().filter(|name| is_for_programs(name))?;
            Some((name.to_owned(), value.clone()))
        });
        Environment {
            openai_api_key: text("OPENAI_API_KEY"),
            openai_base_url: text("OPENAI_BASE_URL"),
            openai_organization: text("OPENAI_ORG_ID"),
            cache: text("CLIPKIT_CACHE"),
            media: path("CLIPKIT_MEDIA"),
            models: path("CLIPKIT_MODELS"),
            ytdlp: path("CLIPKIT_YTDLP"),
            onnx_runtime: path("ORT_DYLIB_PATH"),
            cache_folder: None,
            temporary_folder: None,
            http_proxy: text("http_proxy").or_else(|| text("HTTP_PROXY").filter(|_| !is_cgi)),
            https_proxy: text("https_proxy").or_else(|| text("HTTPS_PROXY")),
            all_proxy: text("all_proxy").or_else(|| text("ALL_PROXY")),
            no_proxy: text("no_proxy").or_else(|| text("NO_PROXY")),
            object_store,
            credentials: path("CLIPKIT_CREDENTIALS"),
            config_folder: None,
            publishers,
            programs: programs.collect(),
        }
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secret = |value: &Option<String>| value.as_ref().map(|_| "[redacted]");
        f.debug_struct("Environment")
            .field("openai_api_key", &secret(&self.openai_api_key))
            .field("openai_base_url", &secret(&self.openai_base_url))
            .field("openai_organization", &self.openai_organization)
            .field("cache", &secret(&self.cache))
            .field("media", &self.media)
            .field("models", &self.models)
            .field("ytdlp", &self.ytdlp)
            .field("onnx_runtime", &self.onnx_runtime)
            .field("cache_folder", &self.cache_folder)
            .field("temporary_folder", &self.temporary_folder)
            .field("http_proxy", &secret(&self.http_proxy))
            .field("https_proxy", &secret(&self.https_proxy))
            .field("all_proxy", &secret(&self.all_proxy))
            .field("no_proxy", &self.no_proxy)
            .field("object_store", &self.object_store.keys().collect::<Vec<_>>())
            .field("credentials", &self.credentials)
            .field("config_folder", &self.config_folder)
            .field("publishers", &self.publishers.keys().collect::<Vec<_>>())
            .field("programs", &self.programs.keys().collect::<Vec<_>>())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Environment {
        Environment::from_variables(variables.iter().map(|(name, value)| (name.into(), value.into())))
    }

    #[test]
    fn variables_become_fields_and_blank_ones_count_as_unset() {
        let environment = of(&[
            ("OPENAI_API_KEY", "sk-1\n"),
            ("OPENAI_BASE_URL", " "),
            ("CLIPKIT_CACHE", "s3://bucket/x"),
            ("CLIPKIT_MODELS", ""),
            ("ORT_DYLIB_PATH", "/opt/libonnxruntime.so"),
            ("AWS_REGION", "eu-west-1"),
            ("CLIPKIT_YTDLP", "/opt/yt-dlp"),
            ("HOME", "/home/ann"),
            ("LC_ALL", "C"),
            ("SECRET_TOKEN", "x"),
        ]);
        let mut expected = Environment::default();
        expected.openai_api_key = Some("sk-1".into());
        expected.cache = Some("s3://bucket/x".into());
        expected.onnx_runtime = Some("/opt/libonnxruntime.so".into());
        expected.ytdlp = Some("/opt/yt-dlp".into());
        expected.programs = [("HOME".to_owned(), "/home/ann".into()), ("LC_ALL".to_owned(), "C".into())].into();
        expected.object_store = [("AWS_REGION".to_owned(), "eu-west-1".to_owned())].into();
        assert_eq!(environment, expected);
    }

    #[test]
    fn lower_case_proxy_names_win_and_a_cgi_request_sets_no_proxy() {
        let environment = of(&[("http_proxy", "http://a"), ("HTTP_PROXY", "http://b"), ("NO_PROXY", "localhost")]);
        assert_eq!(environment.http_proxy.as_deref(), Some("http://a"));
        assert_eq!(environment.no_proxy.as_deref(), Some("localhost"));
        assert_eq!(of(&[("HTTP_PROXY", "http://b")]).http_proxy.as_deref(), Some("http://b"));
        assert_eq!(of(&[("HTTP_PROXY", "http://b"), ("REQUEST_METHOD", "GET")]).http_proxy, None);
    }

    #[test]
    fn secrets_are_not_printed() {
        let names =
            ["OPENAI_API_KEY", "OPENAI_BASE_URL", "CLIPKIT_CACHE", "https_proxy", "AWS_SECRET_ACCESS_KEY", "CLIPKIT_WEBHOOK_SECRET"];
        let printed = format!("{:?}", of(&names.map(|name| (name, "hunter2"))));
        assert!(!printed.contains("hunter2") && printed.contains("AWS_SECRET_ACCESS_KEY"), "{printed}");
    }
}
