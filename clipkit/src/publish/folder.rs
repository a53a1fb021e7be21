use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use async_trait::async_trait;

use super::Publisher;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{ClipPlan, Manifest, Post, Receipt};

/// The manifest's name in the folder.
const MANIFEST: &str = "clips.json";
/// File systems take 255 bytes; this leaves room for number, endings and temporary names.
const LONGEST_SLUG: usize = 80;

/// Puts clips into a folder: `NN-slug.mp4`, `NN-slug.plan.json`, `NN-slug.jpg`, and `clips.json` at the end.
///
/// A file of the same name is replaced. The folder is made when the first clip is rendered.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
    keeps_others: bool,
}

impl Folder {
    /// Publishes into `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Folder { path: path.into(), keeps_others: false }
    }

    /// Keeps the clips that an existing `clips.json` of the same video lists, if their files are still there, beside those of this run;
    /// otherwise `clips.json` lists this run's alone. For rendering some clips again.
    #[must_use]
    pub fn keep_others(mut self) -> Self {
        self.keeps_others = true;
        self
    }

    /// Writes a plan into the folder without its clip, under the name that its clip would have.
    pub fn write_plan(&self, rank: usize, plan: &ClipPlan) -> Result<String> {
        let name = format!("{}.plan.json", stem(rank, &plan.title));
        write_whole(&self.path, &name, plan.to_json()?.as_bytes())?;
        Ok(name)
    }
}

impl Folder {
    /// A manifest that is missing or cannot be read has no others.
    fn add_others(&self, manifest: &mut Manifest) {
        let Ok(text) = fs::read_to_string(self.path.join(MANIFEST)) else { return };
        let Ok(old) = serde_json::from_str::<Manifest>(&text) else { return };
        if old.version != manifest.version || old.source.id != manifest.source.id {
            return;
        }
        let replaced = |file: &str| manifest.clips.iter().any(|clip| number(&clip.file) == number(file));
        let others: Vec<_> = old.clips.into_iter().filter(|clip| !replaced(&clip.file) && self.path.join(&clip.file).is_file()).collect();
        manifest.clips.extend(others);
        // Names start with the rank.
        manifest.clips.sort_by(|a, b| a.file.cmp(&b.file));
    }
}

#[async_trait]
impl Publisher for Folder {
    async fn publish(&self, cx: &Context, post: &Post) -> Result<Receipt> {
        let folder = self.clone();
        let post = post.clone();
        cx.blocking(move |_| {
            fs::create_dir_all(&folder.path).map_err(|error| Error::io(&folder.path, "make the folder", error))?;
            let stem = stem(post.rank, &post.plan.title);
            let place = |from: &Path, name: &str| move_into(from, &folder.path.join(name));
            let (file, cover) = (format!("{stem}.mp4"), format!("{stem}.jpg"));
            // The clip last: who sees it finds its plan and cover too.
            let plan = folder.write_plan(post.rank, &post.plan)?;
            place(&post.clip.cover, &cover)?;
            place(&post.clip.video, &file)?;
            Ok(Receipt { file, plan: Some(plan), cover: Some(cover) })
        })
        .await
    }

    async fn conclude(&self, cx: &Context, manifest: &Manifest) -> Result<()> {
        let (folder, mut manifest) = (self.clone(), manifest.clone());
        cx.blocking(move |_| {
            if folder.keeps_others {
                folder.add_others(&mut manifest);
            }
            let mut text = serde_json::to_vec_pretty(&manifest)
                .map_err(|error| Error::new(ErrorKind::Io, format!("the manifest cannot be written: {error}")))?;
            text.push(b'\n');
            write_whole(&folder.path, MANIFEST, &text)
        })
        .await
    }

    fn staging(&self) -> Option<&Path> {
        Some(&self.path)
    }
}

/// `3`, `Why clocks lie!` -> `03-why-clocks-lie`.
fn stem(rank: usize, title: &str) -> String {
    let mut slug = slug::slugify(title);
    if slug.len() > LONGEST_SLUG {
        // A slug is ASCII, so any byte is a boundary.
        slug.truncate(slug[..LONGEST_SLUG].rfind('-').unwrap_or(LONGEST_SLUG));
    }
    if slug.is_empty() {
        slug.push_str("clip");
    }
    format!("{rank:02}-{slug}")
}

/// `03-why-clocks-lie.mp4` -> `03`.
fn number(file: &str) -> &str {
    file.split('-').next().unwrap_or_default()
}

/// Moves a file into place: a rename, or a copy beside the target and a rename where scratch space is on another file system.
fn move_into(from: &Path, to: &Path) -> Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == std::io::ErrorKind::CrossesDevices => {
            let folder = to.parent().unwrap_or(Path::new("."));
            let mut source = fs::File::open(from).map_err(|error| Error::io(from, "read", error))?;
            write_with(folder, to, |file| std::io::copy(&mut source, file).map(|_| ()))
        }
        Err(error) => Err(Error::io(to, "put the file in place", error)),
        Ok(()) => Ok(()),
    }
}

fn write_whole(folder: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    fs::create_dir_all(folder).map_err(|error| Error::io(folder, "make the folder", error))?;
    write_with(folder, &folder.join(name), |file| file.write_all(bytes))
}

/// Writes beside the target and renames, so the target is whole or absent.
fn write_with(folder: &Path, to: &Path, write: impl FnOnce(&mut fs::File) -> std::io::Result<()>) -> Result<()> {
    let attempt = || {
        let mut file = crate::context::scratch::beside(folder)?;
        write(file.as_file_mut())?;
        file.persist(to).map_err(|error| error.error)?;
        Ok(())
    };
    attempt().map_err(|error| Error::io(to, "write", error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ContentId, ManifestClip, PlanSource, Score, Span, Timestamp, Timing};

    fn manifest(id: &str, files: &[&str]) -> Manifest {
        let clip = |file: &&str| ManifestClip {
            file: file.to_string(),
            plan: None,
            cover: None,
            span: Span::between(Timestamp::ZERO, Timestamp::from_secs(20.0)),
            score: Score::default(),
            title: String::new(),
            reason: String::new(),
            hook_line: None,
            warnings: Vec::new(),
            folder: None,
        };
        let source = PlanSource { path: "talk.mp4".into(), id: ContentId::new("none", id), width: 1, height: 1, duration: Timestamp::ZERO };
        Manifest {
            version: 1,
            source,
            clips: files.iter().map(clip).collect(),
            warnings: Vec::new(),
            timings: Timing::default(),
            usage: Vec::new(),
        }
    }

    #[tokio::test]
    async fn clips_made_again_stand_beside_the_others_of_their_video() {
        let root = tempfile::tempdir().unwrap();
        let (cx, folder) = (Context::new(), Folder::new(root.path()));
        let listed = || -> Vec<String> {
            let text = fs::read_to_string(root.path().join(MANIFEST)).unwrap();
            serde_json::from_str::<Manifest>(&text).unwrap().clips.into_iter().map(|clip| clip.file).collect()
        };
        folder.conclude(&cx, &manifest("a", &["01-a.mp4", "02-b.mp4", "03-c.mp4"])).await.unwrap();
        fs::write(root.path().join("01-a.mp4"), "x").unwrap();
        fs::write(root.path().join("02-b.mp4"), "x").unwrap();
        folder.clone().keep_others().conclude(&cx, &manifest("a", &["02-new.mp4"])).await.unwrap();
        assert_eq!(listed(), ["01-a.mp4", "02-new.mp4"]);
        folder.clone().keep_others().conclude(&cx, &manifest("other", &["02-new.mp4"])).await.unwrap();
        assert_eq!(listed(), ["02-new.mp4"]);
        folder.conclude(&cx, &manifest("other", &["04-d.mp4"])).await.unwrap();
        assert_eq!(listed(), ["04-d.mp4"]);
    }

    #[test]
    fn file_names_are_plain_short_and_numbered() {
        assert_eq!(stem(3, "Why clocks lie!"), "03-why-clocks-lie");
        assert_eq!(stem(12, "../../etc/passwd"), "12-etc-passwd");
        assert_eq!(stem(1, "\u{1F600}\u{0}"), "01-grinning");
        assert_eq!(stem(1, ""), "01-clip");
        let long = stem(1, &"word ".repeat(60));
        assert!(long.len() <= LONGEST_SLUG + 3 && long.ends_with("word"), "{long}");
    }
}
