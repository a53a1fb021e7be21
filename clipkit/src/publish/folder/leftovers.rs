//! Files of earlier runs in a folder: which are ours, and their removal.
//!
//! A receipt records the size and the BLAKE3 hash of each file that was put into the folder. Only a
//! file that still has that content is removed, so what a person edited or put there stays.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::TARGET;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::model::{Manifest, PublishedFiles, Receipt};

/// What a receipt of a folder records in [`Receipt::resume`]: the content of each file by its name.
#[derive(Serialize, Deserialize)]
struct Record {
    files: BTreeMap<String, Content>,
}

#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct Content {
    size: u64,
    blake3: String,
}

/// Why a file of an earlier run stays.
const CHANGED: &str = "changed since it was written";
const UNKNOWN: &str = "written by a version that did not record its content";
const FAILED: &str = "its clip could not be made anew";

/// The record of the files that were put into a folder.
pub(super) fn record(cx: &Context, folder: &Path, files: &PublishedFiles) -> Result<serde_json::Value> {
    let mut written = BTreeMap::new();
    for name in files.names() {
        let path = folder.join(name);
        let content = content(cx, &path).map_err(|error| error_of(error, &path))?;
        written.insert(name.to_owned(), content);
    }
    serde_json::to_value(Record { files: written })
        .map_err(|error| Error::new(crate::error::ErrorKind::Io, format!("the receipt cannot be written: {error}")))
}

/// Removes the files that `old` names and `new` does not, where they are as they were written.
/// Returns the others that exist, each with the reason why it stays.
pub(super) fn remove(cx: &Context, folder: &Path, old: &Manifest, new: &Manifest) -> Result<Vec<String>> {
    let named: BTreeSet<&str> = names(new).collect();
    let mut kept = Vec::new();
    for clip in &old.clips {
        let is_failed = new.failed.iter().any(|failed| failed.span.intersection(clip.span).is_some());
        let entry = [Some(&clip.file), clip.plan.as_ref(), clip.cover.as_ref()].into_iter().flatten();
        let receipt = receipt_of(&clip.receipts);
        let files = receipt.and_then(|receipt| receipt.files.as_ref()).map(|files| files.names().map(str::to_owned).collect::<Vec<_>>());
        // Without a receipt of the folder, the names may be addresses elsewhere.
        for name in files.unwrap_or_else(|| if clip.receipts.is_empty() { entry.cloned().collect() } else { Vec::new() }) {
            if named.contains(name.as_str()) {
                continue;
            }
            let reason = if is_failed && exists(folder, &name) { Some(FAILED) } else { remove_one(cx, folder, &name, receipt)? };
            kept.extend(reason.map(|reason| format!("{name} ({reason})")));
        }
    }
    kept.dedup();
    Ok(kept)
}

/// Removes a file that `receipt` records, if it is as it was written. Returns why it stays, if it
/// exists.
pub(super) fn remove_one(cx: &Context, folder: &Path, name: &str, receipt: Option<&Receipt>) -> Result<Option<&'static str>> {
    if !exists(folder, name) {
        return Ok(None);
    }
    let record = receipt.and_then(|receipt| receipt.resume.as_ref()).and_then(|record| Record::deserialize(record).ok());
    let Some(written) = record.as_ref().and_then(|record| record.files.get(name)) else { return Ok(Some(UNKNOWN)) };
    let path = folder.join(name);
    // A file of another size need not be read.
    let is_same_size = fs::metadata(&path).is_ok_and(|metadata| metadata.len() == written.size);
    let is_ours = is_same_size
        && match content(cx, &path) {
            Ok(content) => content == *written,
            Err(Failure::Cancelled(error)) => return Err(error),
            Err(Failure::Io(_)) => false,
        };
    if !is_ours {
        return Ok(Some(CHANGED));
    }
    match fs::remove_file(&path) {
        Ok(()) => Ok(None),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            tracing::warn!("{} cannot be removed: {error}", path.display());
            Ok(Some("it cannot be removed"))
        }
    }
}

/// The names of the files that a manifest names and that are in the folder.
pub(super) fn existing(folder: &Path, manifest: &Manifest) -> Vec<String> {
    let named: BTreeSet<&str> = names(manifest).collect();
    named.into_iter().filter(|name| exists(folder, name)).map(str::to_owned).collect()
}

fn names(manifest: &Manifest) -> impl Iterator<Item = &str> {
    manifest.clips.iter().flat_map(|clip| {
        let receipts = clip.receipts.iter().filter_map(|receipt| receipt.files.as_ref()).flat_map(PublishedFiles::names);
        let entry = [Some(&clip.file), clip.plan.as_ref(), clip.cover.as_ref()].into_iter().flatten();
        receipts.chain(entry.map(String::as_str))
    })
}

fn receipt_of(receipts: &[Receipt]) -> Option<&Receipt> {
    receipts.iter().find(|receipt| receipt.target == TARGET)
}

/// Whether a name from a manifest is that of a file in the folder: no path, no link, no folder.
fn exists(folder: &Path, name: &str) -> bool {
    super::is_plain(name) && fs::symlink_metadata(folder.join(name)).is_ok_and(|metadata| metadata.is_file())
}

enum Failure {
    Io(std::io::Error),
    Cancelled(Error),
}

fn error_of(failure: Failure, path: &Path) -> Error {
    match failure {
        Failure::Io(error) => Error::io(path, "read the file", error),
        Failure::Cancelled(error) => error,
    }
}

fn content(cx: &Context, path: &Path) -> Result<Content, Failure> {
    let mut file = fs::File::open(path).map_err(Failure::Io)?;
    let (mut hasher, mut size) = (blake3::Hasher::new(), 0);
    let mut block = vec![0; 1 << 18];
    loop {
        cx.check().map_err(Failure::Cancelled)?;
        match file.read(&mut block).map_err(Failure::Io)? {
            0 => return Ok(Content { size, blake3: hasher.finalize().to_hex().to_string() }),
            read => {
                size += read as u64;
                hasher.update(&block[..read]);
            }
        }
    }
}
