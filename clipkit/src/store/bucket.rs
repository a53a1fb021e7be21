use std::sync::Arc;
use std::time::Duration;

use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreScheme};
use url::Url;

use crate::context::Environment;
use crate::error::{Error, ErrorKind, Result, scrub};

/// The longest time for one request, a part of a large object included, where the environment sets
/// no other (`AWS_TIMEOUT` and its kin): 8 MiB at 0.25 Mbit/s.
#[cfg(any(feature = "s3", feature = "gcs", feature = "azure"))]
const REQUEST_TIMEOUT: &str = "270 seconds";
/// The longest time that a link can be valid: what signature version 4 allows.
const LONGEST_LINK: Duration = Duration::from_secs(7 * 24 * 3600);

/// A place for objects: a store, the prefix of all keys there, and who signs links.
#[derive(Clone)]
pub(crate) struct Bucket {
    pub(crate) store: Arc<dyn ObjectStore>,
    prefix: Path,
    signer: Option<Arc<dyn Signs>>,
    /// Whether objects have a content type and metadata. Files have none.
    pub(crate) keeps_metadata: bool,
}

/// Signs links, with whatever kind of store.
#[async_trait::async_trait]
trait Signs: Send + Sync {
    async fn sign(&self, path: &Path, valid: Duration) -> object_store::Result<Url>;
}

#[cfg(any(feature = "s3", feature = "gcs", feature = "azure"))]
#[async_trait::async_trait]
impl<T: object_store::signer::Signer> Signs for T {
    async fn sign(&self, path: &Path, valid: Duration) -> object_store::Result<Url> {
        self.signed_url(object_store::signer::Method::GET, path, valid).await
    }
}

/// Builds the store of one kind with the environment's settings; the later ones win.
#[cfg(any(feature = "s3", feature = "gcs", feature = "azure"))]
macro_rules! built {
    ($builder:ty, $url:expr, $environment:expr) => {{
        let settings = $environment.object_store.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
        let builder = std::iter::once(("timeout".to_owned(), REQUEST_TIMEOUT.to_owned())).chain(settings).fold(
            <$builder>::new().with_url($url.as_str()),
            |builder, (name, value)| match name.parse() {
                Ok(name) => builder.with_config(name, value),
                Err(_) => builder,
            },
        );
        builder.build().map(|store| {
            let store = Arc::new(store);
            (store.clone() as Arc<dyn ObjectStore>, Some(store as Arc<dyn Signs>), true)
        })
    }};
}

type Opened = object_store::Result<(Arc<dyn ObjectStore>, Option<Arc<dyn Signs>>, bool)>;

impl Bucket {
    /// Refuses an address at which this build finds no store, without opening it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if there can be no store at the address; [`ErrorKind::Unavailable`] if
    /// clipkit was built without that kind of store.
    pub(crate) fn check(address: &str) -> Result<()> {
        known(address).map(drop)
    }

    /// Opens `s3://bucket/prefix` and its kin; nothing is sent. Credentials and endpoints are the
    /// environment's.
    ///
    /// # Errors
    ///
    /// Those of [`check`](Bucket::check).
    pub(crate) fn open(address: &str, environment: &Environment) -> Result<Self> {
        let (url, scheme, prefix) = known(address)?;
        // A build without any of these stores needs neither.
        let _ = (&url, environment);
        let opened: Opened = match scheme {
            ObjectStoreScheme::Local => Ok((Arc::new(LocalFileSystem::new()), None, false)),
            #[cfg(feature = "s3")]
            ObjectStoreScheme::AmazonS3 => built!(object_store::aws::AmazonS3Builder, url, environment),
            #[cfg(feature = "gcs")]
            ObjectStoreScheme::GoogleCloudStorage => built!(object_store::gcp::GoogleCloudStorageBuilder, url, environment),
            #[cfg(feature = "azure")]
            ObjectStoreScheme::MicrosoftAzure => built!(object_store::azure::MicrosoftAzureBuilder, url, environment),
            _ => return Err(refused(address, UNKNOWN)),
        };
        let (store, signer, keeps_metadata) = opened.map_err(|error| unusable(address, &error))?;
        Ok(Bucket { store, prefix, signer, keeps_metadata })
    }

    /// The path of the object with a key below the prefix.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if no object can have this key.
    pub(crate) fn path(&self, key: &str) -> Result<Path> {
        let unusable = |error: object_store::path::Error| {
            Error::new(ErrorKind::Config, format!("no object can have the key {key:?}: {error}"))
                .with_advice("use letters, digits, hyphens and slashes")
        };
        let key = Path::parse(key).map_err(unusable)?;
        Ok(self.prefix.parts().chain(key.parts()).collect())
    }

    /// A link with which everybody can get the object for this long.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the store signs no links, or none for so long.
    pub(crate) async fn link(&self, path: &Path, valid: Duration) -> Result<Url> {
        let Some(signer) = &self.signer else {
            return Err(Error::new(ErrorKind::Config, "this store signs no links").with_advice("leave out link"));
        };
        check_link(valid)?;
        let unsigned = |error: object_store::Error| {
            Error::new(ErrorKind::Denied, format!("no link can be signed: {}", scrub(&error.to_string(), 300)))
                .with_advice("check the store's credentials: a key of an account or a service is needed")
        };
        signer.sign(path, valid).await.map_err(unsigned)
    }

    /// Whether links can be signed.
    pub(crate) fn signs(&self) -> bool {
        self.signer.is_some()
    }
}

/// Refuses times for which no link can be signed.
pub(crate) fn check_link(valid: Duration) -> Result<()> {
    if valid < Duration::from_secs(1) || valid > LONGEST_LINK {
        return Err(Error::new(ErrorKind::Config, format!("a link cannot be valid for {} s", valid.as_secs_f64()))
            .with_advice("give 1 second to 7 days"));
    }
    Ok(())
}

const UNKNOWN: &str = "no store is known at such an address";

/// The parts of an address of a store that this build has.
fn known(address: &str) -> Result<(Url, ObjectStoreScheme, Path)> {
    let url = Url::parse(address).map_err(|error| refused(address, &error.to_string()))?;
    if url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err(refused(address, "it has a password, a query or a fragment"));
    }
    let (scheme, prefix) = ObjectStoreScheme::parse(&url).map_err(|error| unusable(address, &error))?;
    let (what, feature, is_built) = match scheme {
        ObjectStoreScheme::Local => return Ok((url, scheme, prefix)),
        _ if url.scheme().starts_with("http") => return Err(refused(address, UNKNOWN)),
        ObjectStoreScheme::AmazonS3 => ("S3 and compatible services", "s3", cfg!(feature = "s3")),
        ObjectStoreScheme::GoogleCloudStorage => ("Google Cloud Storage", "gcs", cfg!(feature = "gcs")),
        ObjectStoreScheme::MicrosoftAzure => ("Azure Blob Storage", "azure", cfg!(feature = "azure")),
        _ => return Err(refused(address, UNKNOWN)),
    };
    if is_built {
        return Ok((url, scheme, prefix));
    }
    let lack = Error::new(ErrorKind::Unavailable, format!("clipkit was built without {what}"));
    Err(lack.with_url(address).with_advice(format!("build it with the Cargo feature `{feature}`")))
}

fn unusable(address: &str, error: &dyn std::fmt::Display) -> Error {
    refused(address, &error.to_string().replace(address, "the address"))
}

fn refused(address: &str, what: &str) -> Error {
    Error::new(ErrorKind::Config, format!("nothing can be published at this address: {}", scrub(what, 300)))
        .with_url(address)
        .with_advice("give s3://bucket/prefix, gs://bucket/prefix, az://container/prefix or file:///folder")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_without_a_store_are_refused_without_their_secrets() {
        for address in
            ["", "clips", "s3:/bucket", "http://host/a", "ftp://host/a", "file:///a?key=hunter2", "s3://me:hunter2@bucket/a", "memory:///"]
        {
            let error = Bucket::open(address, &Environment::default()).err().unwrap();
            assert_eq!(Bucket::check(address).unwrap_err().kind(), error.kind());
            assert!(error.kind() == ErrorKind::Config && !error.to_string().contains("hunter2"), "{address}: {error}");
        }
    }

    #[test]
    fn keys_lie_below_the_prefix() {
        let bucket = Bucket::open("file:///a/b%20c", &Environment::default()).unwrap();
        assert_eq!(bucket.path("x/1-y.mp4").unwrap().as_ref(), "a/b c/x/1-y.mp4");
        for key in ["../x", "x//y", "x/./y", "a\u{0}b"] {
            assert_eq!(bucket.path(key).unwrap_err().kind(), ErrorKind::Config, "{key:?}");
        }
        assert!(!bucket.signs() && !bucket.keeps_metadata);
    }

    #[test]
    fn links_are_valid_for_a_second_to_a_week() {
        assert!(check_link(Duration::from_secs(3600)).is_ok() && check_link(LONGEST_LINK).is_ok());
        assert!(check_link(Duration::ZERO).is_err() && check_link(LONGEST_LINK + Duration::from_secs(1)).is_err());
    }
}
