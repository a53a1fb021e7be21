use std::path::Path as FilePath;
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use url::Url;

use crate::context::Environment;
use crate::error::{Error, ErrorKind, Result};

/// Refuses an address that no store can have. Opens nothing.
pub(crate) fn check(address: &str, environment: &Environment) -> Result<()> {
    match folder(address)? {
        Some(_) => Ok(()),
        None => connect(address, environment).map(drop),
    }
}

/// The store at an address: a folder's path, or a URL.
pub(super) async fn open(address: &str, environment: &Environment) -> Result<Arc<dyn ObjectStore>> {
    match folder(address)? {
        Some(folder) => open_folder(folder).await,
        None => connect(address, environment),
    }
}

/// The folder, if the address is a path and not a URL.
fn folder(address: &str) -> Result<Option<&FilePath>> {
    if address.is_empty() {
        return Err(Error::new(ErrorKind::Config, "the store's folder has no name"));
    }
    Ok((!address.contains("://")).then(|| FilePath::new(address)))
}

pub(super) async fn open_folder(folder: &FilePath) -> Result<Arc<dyn ObjectStore>> {
    let unusable = |error| Error::io(folder, "make the store's folder", error);
    tokio::fs::create_dir_all(folder).await.map_err(unusable)?;
    let store = LocalFileSystem::new_with_prefix(folder)
        .map_err(|error| Error::new(ErrorKind::Io, format!("cannot open the store: {error}")).with_path(folder))?;
    Ok(Arc::new(store))
}

/// The store of the object at a URL, and the object's path there.
pub(crate) fn open_object(address: &str, environment: &Environment) -> Result<(Box<dyn ObjectStore>, Path)> {
    const SCHEMES: [&str; 9] = ["s3", "s3a", "gs", "az", "azure", "adl", "abfs", "abfss", "file"];
    let refuse = |what: &str| {
        Error::new(ErrorKind::Config, format!("there can be no object at this address: {what}")).with_url(address).with_advice(
            "give s3://bucket/key, gs://bucket/key or az://container/key; each kind of store is a crate feature (s3, gcs, azure)",
        )
    };
    let url = Url::parse(address).map_err(|error| refuse(&error.to_string()))?;
    if !SCHEMES.contains(&url.scheme()) {
        return Err(refuse("it is not one of an object store"));
    }
    // The store's own message may repeat the address, which may hold a password.
    let (store, path) = object_store::parse_url_opts(&url, environment.object_store.iter())
        .map_err(|error| refuse(&error.to_string().replace(address, "the address")))?;
    if path.as_ref().is_empty() { Err(refuse("it names no object")) } else { Ok((store, path)) }
}

fn connect(address: &str, environment: &Environment) -> Result<Arc<dyn ObjectStore>> {
    let refuse = |what: String| {
        Error::new(ErrorKind::Config, format!("there can be no store at this address: {what}")).with_url(address).with_advice(
            "give a folder, s3://bucket/prefix, gs://bucket/prefix or az://container/prefix; each kind of store is a crate feature",
        )
    };
    let url = Url::parse(address).map_err(|error| refuse(error.to_string()))?;
    let settings = environment.object_store.iter();
    // The store's own message may repeat the address, which may hold a password.
    let (store, prefix) =
        object_store::parse_url_opts(&url, settings).map_err(|error| refuse(error.to_string().replace(address, "the address")))?;
    Ok(Arc::new(PrefixStore::new(store, prefix)))
}
