mod leftovers;

use std::fs;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::folder_lock::FolderLock;
use super::naming::stem;
use super::{Publisher, Target};
use crate::context::{Context, scratch};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{
    ClipPlan, ContentId, Manifest, ManifestClip, Post, PublishedFiles, Receipt, Stage, Warning, WarningKind, moment, shown_uri,
};

/// The name of the manifest in the folder.
const MANIFEST: &str = "clips.json";
/// Publishes into a folder: `NN-slug.mp4`, `NN-slug.plan.json`, `NN-slug.jpg`, and `clips.json`.
///
/// - A missing folder is created. Existing files of the same name are replaced.
/// - The manifest is the record of the folder. Publishing a clip adds it under the folder's lock,
///   so several processes can publish into one folder. A clip that is published again replaces its
///   earlier entry, even with another rank or title.
/// - At the end of a run, the manifest lists that run's clips and, with `keep_others`, those of
///   earlier runs of the same video.
/// - Files that the manifest of an earlier run of the same video names and the new one does not are
///   then removed, if their size and BLAKE3 hash are those that their receipts record
///   ([`Receipt::resume`]). Files that were changed since, and those of clips that could not be
///   made anew, stay, with a warning that names them. Files of other videos and files that no
///   manifest names are never removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Folder {
    /// The folder.
    pub path: PathBuf,
    /// Whether the manifest keeps the clips of earlier runs of the same video whose files exist.
    /// Use it to render some of the clips again. Default: `false`: files of clips that the new run
    /// did not make are removed.
    #[serde(default)]
    pub keep_others: bool,
}

impl Folder {
    /// Publishes into `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Folder { path: path.into(), keep_others: false }
    }

    /// Sets [`Folder::keep_others`].
    #[must_use]
    pub fn keep_others(mut self) -> Self {
        self.keep_others = true;
        self
    }

    /// Writes a plan without its clip into the folder, with the name it would have beside its clip.
    /// Returns the file's name.
    pub fn write_plan(&self, rank: usize, plan: &ClipPlan) -> Result<String> {
        let name = format!("{}.plan.json", stem(rank, &plan.title));
        write_whole(&self.path, &name, plan.to_json()?.as_bytes())?;
        Ok(name)
    }

    /// Reads the folder's manifest. `None` if there is none, or if it cannot be read.
    fn manifest(&self) -> Option<Manifest> {
        let text = fs::read_to_string(self.path.join(MANIFEST)).ok()?;
        serde_json::from_str::<Manifest>(&text).ok().filter(|manifest| manifest.version == Manifest::VERSION)
    }

    fn write_manifest(&self, manifest: &Manifest) -> Result<()> {
        let mut text = serde_json::to_vec_pretty(manifest)
            .map_err(|error| Error::new(ErrorKind::Io, format!("the manifest cannot be written: {error}")))?;
        text.push(b'\n');
        write_whole(&self.path, MANIFEST, &text)
    }

    /// Puts a post's files into the folder and adds the clip to the manifest.
    fn put(&self, cx: &Context, post: &Post) -> Result<Receipt> {
        // Nothing is written if a file is missing.
        let given = [Some(&post.files.video), post.files.cover.as_ref(), post.files.plan.as_ref()];
        for file in given.into_iter().flatten() {
            fs::metadata(file).map_err(|error| Error::io(file, "read", error))?;
        }
        fs::create_dir_all(&self.path).map_err(|error| Error::io(&self.path, "make the folder", error))?;
        let _lock = FolderLock::acquire(cx, &self.path)?;
        let plan = post.files.plan.as_deref().map(read_plan).transpose()?;
        let stem = stem(post.rank, &post.title);
        let mut files = PublishedFiles::new(format!("{stem}.mp4"));
        files.plan = plan.as_ref().map(|_| format!("{stem}.plan.json"));
        files.cover = post.files.cover.as_ref().map(|_| format!("{stem}.jpg"));

        let manifest = match &plan {
            Some(plan) => self.manifest_of(cx, &plan.source.media.id),
            None => self.manifest(),
        };
        let earlier = manifest.as_ref().and_then(|manifest| manifest.clips.iter().find(|clip| clip.id == post.clip));
        let published = earlier.and_then(|clip| clip.receipts.iter().find(|receipt| receipt.target == TARGET));
        if let Some(receipt) = published.filter(|receipt| receipt.files.as_ref() == Some(&files))
            && same_size(&post.files.video, &self.path.join(&files.video))
        {
            return Ok(receipt.clone());
        }

        // The clip is last, so that its plan and cover exist once it appears.
        for (from, name) in [
            (post.files.plan.as_deref(), files.plan.as_deref()),
            (post.files.cover.as_deref(), files.cover.as_deref()),
            (Some(&*post.files.video), Some(&*files.video)),
        ] {
            if let (Some(from), Some(name)) = (from, name) {
                copy_into(from, &self.path, name, cx.owns(from))?;
            }
        }
        let mut receipt = Receipt::new(TARGET, files.video.clone());
        receipt.published_at = Some(published.and_then(|receipt| receipt.published_at).unwrap_or_else(moment::now));
        receipt.resume = Some(leftovers::record(cx, &self.path, &files)?);
        receipt.files = Some(files);
        let published = published.cloned();
        let stale: Vec<String> = published
            .as_ref()
            .and_then(|receipt| receipt.files.as_ref())
            .map(|old| old.names().map(str::to_owned).collect())
            .unwrap_or_default();
        if let Some(plan) = plan {
            self.enter(manifest, post, &plan, receipt.clone())?;
        }
        for name in stale {
            if receipt.files.as_ref().is_some_and(|files| files.names().all(|new| new != name))
                && let Some(reason) = leftovers::remove_one(cx, &self.path, &name, published.as_ref())?
            {
                let message = format!("{name}, an earlier file of this clip, stays beside {}: {reason}", receipt.id);
                cx.warn_of(WarningKind::Publish, message);
            }
        }
        Ok(receipt)
    }

    /// Reads the folder's manifest if it is of this video. That of another video leaves a warning
    /// if its files are still there.
    fn manifest_of(&self, cx: &Context, video: &ContentId) -> Option<Manifest> {
        let old = self.manifest()?;
        if old.source.media.id == *video {
            return Some(old);
        }
        let others = leftovers::existing(&self.path, &old);
        if !others.is_empty() {
            let message = format!(
                "the folder has {} files of another video, {}, which the new {MANIFEST} does not list: {}",
                others.len(),
                shown_uri(&old.source.media.uri),
                shortened(&others)
            );
            cx.warn_of(WarningKind::Publish, message);
        }
        None
    }

    /// Removes the files of earlier runs that the manifest does not name. A warning about those
    /// that stay goes into the manifest, too.
    fn tidy(&self, cx: &Context, old: &Manifest, manifest: &mut Manifest) -> Result<()> {
        let kept = leftovers::remove(cx, &self.path, old, manifest)?;
        if kept.is_empty() {
            return Ok(());
        }
        let message = format!("{} files of an earlier run stay beside the new clips: {}", kept.len(), shortened(&kept));
        manifest.warnings.push(Warning::new(WarningKind::Publish, Stage::Publish, message.clone()));
        cx.warn_of(WarningKind::Publish, message);
        Ok(())
    }

    /// Adds a clip to the manifest. It replaces its earlier entry, and an entry of the same file
    /// name.
    fn enter(&self, manifest: Option<Manifest>, post: &Post, plan: &ClipPlan, receipt: Receipt) -> Result<()> {
        let mut manifest = manifest.unwrap_or_else(|| Manifest::new(plan.source.clone()));
        let clip = ManifestClip::published(post.rank, plan, &post.title, vec![receipt]);
        manifest.clips.retain(|other| other.id != clip.id && other.file != clip.file);
        manifest.clips.push(clip);
        manifest.clips.sort_by_key(|clip| clip.rank);
        self.write_manifest(&manifest)
    }

    /// Adds the clips of an earlier run of the same video whose files exist.
    fn add_others(&self, old: &Manifest, manifest: &mut Manifest) {
        let replaced =
            |other: &ManifestClip| manifest.clips.iter().any(|clip| clip.id == other.id || number(&clip.file) == number(&other.file));
        let others: Vec<_> = old.clips.iter().filter(|clip| !replaced(clip) && self.path.join(&clip.file).is_file()).cloned().collect();
        manifest.clips.extend(others);
        // Names start with the rank.
        manifest.clips.sort_by(|a, b| a.file.cmp(&b.file));
    }
}

/// The target's name in [`Receipt::target`].
const TARGET: &str = "folder";

#[async_trait]
impl Publisher for Folder {
    async fn publish(&self, cx: &Context, post: &Post) -> Result<Receipt> {
        let (folder, post) = (self.clone(), post.clone());
        cx.check()?;
        cx.blocking(move |cx| folder.put(cx, &post)).await
    }

    fn target(&self) -> Target {
        Target::new(TARGET).with_account(self.path.to_string_lossy())
    }

    async fn conclude(&self, cx: &Context, manifest: &Manifest) -> Result<()> {
        let (folder, mut manifest) = (self.clone(), manifest.clone());
        cx.blocking(move |cx| {
            fs::create_dir_all(&folder.path).map_err(|error| Error::io(&folder.path, "make the folder", error))?;
            let _lock = FolderLock::acquire(cx, &folder.path)?;
            if let Some(old) = folder.manifest_of(cx, &manifest.source.media.id) {
                if folder.keep_others {
                    folder.add_others(&old, &mut manifest);
                }
                folder.tidy(cx, &old, &mut manifest)?;
            }
            folder.write_manifest(&manifest)
        })
        .await
    }

    fn staging(&self) -> Option<&Path> {
        Some(&self.path)
    }
}

fn read_plan(path: &Path) -> Result<ClipPlan> {
    let bytes = fs::read(path).map_err(|error| Error::io(path, "read the plan", error))?;
    ClipPlan::from_json(&String::from_utf8_lossy(&bytes)).map_err(|error| error.with_path(path))
}

fn same_size(one: &Path, other: &Path) -> bool {
    let size = |path: &Path| fs::metadata(path).ok().map(|metadata| metadata.len());
    size(one).is_some() && size(one) == size(other)
}

/// At most six names for a message.
fn shortened(names: &[String]) -> String {
    const MOST: usize = 6;
    let more = names.len().saturating_sub(MOST);
    let listed = names[..names.len() - more].join(", ");
    if more > 0 { format!("{listed} and {more} more") } else { listed }
}

/// Whether a name from a manifest is a plain file name, without a path.
fn is_plain(name: &str) -> bool {
    Path::new(name).file_name().is_some_and(|file| file == name)
}

/// `03-why-clocks-lie.mp4` -> `03`.
fn number(file: &str) -> &str {
    file.split('-').next().unwrap_or_default()
}

/// Copies a file into the folder atomically. A temporary file of the run is hard-linked if the file
/// system allows it, which needs no space; the content of other files is copied.
fn copy_into(from: &Path, folder: &Path, name: &str, temporary_file: bool) -> Result<()> {
    let to = folder.join(name);
    let attempt = || {
        let temporary = scratch::beside(folder)?.into_temp_path();
        fs::remove_file(&temporary)?;
        if !temporary_file || fs::hard_link(from, &temporary).is_err() {
            let mut source = fs::File::open(from)?;
            let mut file = fs::OpenOptions::new().write(true).create_new(true).open(&temporary)?;
            std::io::copy(&mut source, &mut file)?;
        }
        temporary.persist(&to).map_err(|error| error.error)
    };
    attempt().map_err(|error| Error::io(&to, "put the file in place", error))
}

fn write_whole(folder: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    fs::create_dir_all(folder).map_err(|error| Error::io(folder, "make the folder", error))?;
    let to = folder.join(name);
    scratch::write(&to, bytes).map_err(|error| Error::io(&to, "write", error))
}

#[cfg(test)]
mod tests;
