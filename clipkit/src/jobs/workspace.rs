//! What the steps of jobs leave for each other: documents, and the files of rendered clips.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::JobId;
use crate::context::scratch;
use crate::error::{Error, Result};
use crate::model::{Candidate, ClipPlan, Media, Post, PostFiles, Receipt, Transcript};
use crate::store::{ArtifactKey, ArtifactStore, Document};

/// Rendered clips that no open job needs are removed at this age.
const UNUSED_AFTER: Duration = Duration::from_secs(30 * 60);
const VIDEO: &str = "clip.mp4";
const COVER: &str = "cover.jpg";
const CAPTIONS: &str = "captions.srt";
const PLAN: &str = "plan.json";

/// A folder beside the job database:
///
/// ```text
/// artifacts/           documents, by job and by content
/// clips/<hash>/        the files of a rendered clip
/// scratch/             of running tasks
/// sheets/              contact sheets that were looked at
/// ```
#[derive(Clone, Debug)]
pub(super) struct Workspace {
    folder: PathBuf,
    pub(super) artifacts: ArtifactStore,
}

impl Workspace {
    pub(super) async fn open(folder: PathBuf) -> Result<Self> {
        let artifacts = ArtifactStore::in_folder(folder.join("artifacts")).await?;
        let clips = folder.join("clips");
        std::fs::create_dir_all(&clips).map_err(|error| Error::io(&clips, "make the folder", error))?;
        Ok(Workspace { folder, artifacts })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn scratch(&self) -> PathBuf {
        self.folder.join("scratch")
    }

    pub(super) fn clip(&self, key: &ArtifactKey) -> PathBuf {
        let name = key.to_string();
        self.folder.join("clips").join(name.rsplit('/').next().unwrap_or_default())
    }

    /// Puts the files of a post into a folder of their own, which appears whole or not at all. If
    /// it exists, it stays as it is.
    pub(super) fn keep_clip(&self, folder: &Path, post: &Post, plan: &ClipPlan) -> Result<()> {
        let parent = self.folder.join("clips");
        let failed = |error| Error::io(folder, "keep the rendered clip", error);
        let part = tempfile::Builder::new().prefix(".clipkit-").tempdir_in(&parent).map_err(failed)?;
        let put = |from: &Path, name: &str| {
            let to = part.path().join(name);
            std::fs::rename(from, &to).or_else(|_| std::fs::copy(from, &to).map(drop)).map_err(failed)
        };
        put(&post.files.video, VIDEO)?;
        if let Some(cover) = &post.files.cover {
            put(cover, COVER)?;
        }
        if let Some(captions) = &post.files.captions {
            put(captions, CAPTIONS)?;
        }
        std::fs::write(part.path().join(PLAN), plan.to_json()?).map_err(failed)?;
        match std::fs::rename(part.path(), folder) {
            // Another worker rendered the same clip.
            Err(_) if folder.join(PLAN).is_file() => Ok(()),
            renamed => renamed.map_err(failed),
        }
    }

    /// The post of a kept clip, and the plan that was rendered. `None` if the clip is not there.
    pub(super) fn kept_clip(&self, folder: &Path, rank: usize) -> Result<Option<(Post, ClipPlan)>> {
        let text = match std::fs::read_to_string(folder.join(PLAN)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            text => text.map_err(|error| Error::io(folder, "read the rendered clip", error))?,
        };
        let plan = ClipPlan::from_json(&text).map_err(|error| error.with_path(folder))?;
        let optional = |name: &str| Some(folder.join(name)).filter(|file| file.is_file());
        let mut files = PostFiles::new(folder.join(VIDEO));
        files.cover = optional(COVER);
        files.captions = optional(CAPTIONS);
        files.plan = optional(PLAN);
        Ok(Some((Post::new(rank, &plan, files), plan)))
    }

    /// The rendered clips, and parts of them, that are old enough to be removed.
    pub(super) fn old_clips(&self) -> Vec<PathBuf> {
        old_files(&self.folder.join("clips"))
    }

    /// Removes these clips, what crashed workers left in scratch space, and old documents.
    pub(super) async fn reap(&self, clips: Vec<PathBuf>) -> Result<()> {
        let (scratch_folder, sheets) = (self.scratch(), self.folder.join("sheets"));
        let work = move || {
            scratch::remove_abandoned(&scratch_folder);
            for clip in &clips {
                let _ = std::fs::remove_dir_all(clip);
            }
            for sheet in old_files(&sheets) {
                let _ = std::fs::remove_file(sheet);
            }
        };
        let _ = tokio::task::spawn_blocking(work).await;
        self.artifacts.sweep().await.map(drop)
    }

    /// Removes the documents of a job.
    pub(super) async fn forget(&self, job: &JobId, clips: usize, targets: usize) -> Result<()> {
        let mut keys = vec![of_job::<Media>(job), of_job::<Transcript>(job), of_job::<Vec<Candidate>>(job)];
        for rank in 1..=clips {
            keys.push(of_clip::<ClipPlan>(job, rank));
            keys.extend((0..targets).map(|target| of_receipt(job, rank, target)));
        }
        for key in &keys {
            self.artifacts.remove(key).await?;
        }
        Ok(())
    }

    /// The free bytes of the file system, where they can be found out.
    #[cfg(unix)]
    pub(super) fn free_bytes(&self) -> Option<u64> {
        let found = rustix::fs::statvfs(&self.folder).ok()?;
        Some(found.f_bavail.saturating_mul(found.f_frsize))
    }

    #[cfg(not(unix))]
    pub(super) fn free_bytes(&self) -> Option<u64> {
        None
    }
}

/// The files of a folder that were written longer ago than unused clips are kept.
fn old_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let is_old = |entry: &std::fs::DirEntry| {
        let modified = entry.metadata().and_then(|metadata| metadata.modified()).unwrap_or(SystemTime::now());
        modified.elapsed().is_ok_and(|age| age > UNUSED_AFTER)
    };
    entries.filter(is_old).map(|entry| entry.path()).collect()
}

/// The key of a job's document.
pub(super) fn of_job<D: Document>(job: &JobId) -> ArtifactKey {
    ArtifactKey::of::<D>().text("job", job.as_str())
}

/// The key of a document of one of a job's clips.
pub(super) fn of_clip<D: Document>(job: &JobId, rank: usize) -> ArtifactKey {
    of_job::<D>(job).number("clip", i64::try_from(rank).unwrap_or(i64::MAX))
}

/// The key of a clip's receipt for a target.
pub(super) fn of_receipt(job: &JobId, rank: usize, target: usize) -> ArtifactKey {
    of_clip::<Receipt>(job, rank).number("target", i64::try_from(target).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_old_clips_are_offered_for_removal() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::open(folder.path().to_owned()).await.unwrap();
        let age = |name: &str, minutes: u64| {
            let clip = folder.path().join("clips").join(name);
            std::fs::create_dir(&clip).unwrap();
            std::fs::write(clip.join(VIDEO), "clip").unwrap();
            let opened = std::fs::File::open(&clip).unwrap();
            opened.set_modified(SystemTime::now() - Duration::from_secs(minutes * 60)).unwrap();
            clip
        };
        let (old, young, part) = (age("old", 31), age("young", 29), age(".clipkit-part", 31));
        let mut found = workspace.old_clips();
        found.sort();
        assert_eq!(found, [part.clone(), old.clone()]);
        workspace.reap(found).await.unwrap();
        assert!(!old.exists() && !part.exists() && young.exists());
    }
}
