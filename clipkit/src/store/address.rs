use std::path::{Path, PathBuf};
use std::sync::Arc;

use etcetera::BaseStrategy;
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::prefix::PrefixStore;
use url::Url;

use crate::error::{Error, ErrorKind, Result};

/// `clipkit/artifacts` in `XDG_CACHE_HOME` or the platform's cache folder; `None` on a machine
/// without a home folder.
pub(crate) fn user_folder() -> Option<PathBuf> {
    etcetera::choose_base_strategy().ok().map(|base| base.cache_dir().join("clipkit").join("artifacts"))
}

/// Refuses an address that no store can have. Opens nothing.
pub(crate) fn check(address: &str) -> Result<()> {
    match folder(address)? {
        Some(_) => Ok(()),
        None => connect(address).map(drop),
    }
}

/// The store at an address: a folder's path, or a URL.
pub(super) async fn open(address: &str) -> Result<Arc<dyn ObjectStore>> {
    match folder(address)? {
        Some(folder) => open_folder(folder).await,
        None => connect(address),
    }
}

/// The folder, if the address is a path and not a URL.
fn folder(address: &str) -> Result<Option<&Path>> {
    if address.is_empty() {
        return Err(Error::new(ErrorKind::Config, "the store's folder has no name"));
    }
    Ok((!address.contains("://")).then(|| Path::new(address)))
}

pub(super) async fn open_folder(folder: &Path) -> Result<Arc<dyn ObjectStore>> {
    let unusable = |error| Error::io(folder, "make the store's folder", error);
    tokio::fs::create_dir_all(folder).await.map_err(unusable)?;
    let store = LocalFileSystem::new_with_prefix(folder)
        .map_err(|error| Error::new(ErrorKind::Io, format!("cannot open the store: {error}")).with_path(folder))?;
    Ok(Arc::new(store))
}

fn connect(address: &str) -> Result<Arc<dyn ObjectStore>> {
    let refuse = |what: String| {
        Error::new(ErrorKind::Config, format!("there can be no store at this address: {what}")).with_url(address).with_advice(
            "give a folder, s3://bucket/prefix, gs://bucket/prefix or az://container/prefix; each kind of store is a crate feature",
        )
    };
    let url = Url::parse(address).map_err(|error| refuse(error.to_string()))?;
    // Only settings of the stores: the environment holds other secrets too.
    let ours = |name: &str| ["AWS_", "GOOGLE_", "AZURE_"].iter().any(|prefix| name.starts_with(prefix));
    let settings = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let settings = settings.filter(|(name, _)| ours(name));
    // The store's own message may repeat the address, which may hold a password.
    let (store, prefix) =
        object_store::parse_url_opts(&url, settings).map_err(|error| refuse(error.to_string().replace(address, "the address")))?;
    Ok(Arc::new(PrefixStore::new(store, prefix)))
}
