//! How a timeline names a source file.

use std::path::{Component, Path, PathBuf};

use crate::model::Media;

/// A source file as a timeline names it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reference {
    /// The file's name.
    pub(super) name: String,
    /// The path, absolute or relative to the timeline's folder.
    pub(super) path: String,
    /// The same as a URL (RFC 8089), or as a relative reference (RFC 3986) if the path is relative.
    pub(super) url: String,
}

impl Reference {
    /// The reference to a medium's file. `folder` is the folder of the timeline's file for a
    /// relative path.
    pub(super) fn of(media: &Media, folder: Option<&Path>) -> Self {
        let path = folder.and_then(|folder| relative(&media.path, folder)).unwrap_or_else(|| media.path.clone());
        let name = media.path.file_name().map_or_else(|| "source".to_owned(), |name| name.to_string_lossy().into_owned());
        let text = slashes(&path);
        let url = match url::Url::from_file_path(&path) {
            Ok(url) => url.to_string(),
            Err(()) => escaped(&text),
        };
        Reference { name, path: text, url }
    }

    /// The URL with the host `localhost`, as xmeml has it.
    pub(super) fn localhost_url(&self) -> String {
        match self.url.strip_prefix("file:///") {
            Some(path) => format!("file://localhost/{path}"),
            None => self.url.clone(),
        }
    }
}

/// The path from a folder to a file. `None` if there is none: only one of both is absolute, or
/// they are on different drives.
fn relative(path: &Path, folder: &Path) -> Option<PathBuf> {
    let (path, folder) = (plain(path)?, plain(folder)?);
    let (first, second) = (path.components().next(), folder.components().next());
    let is_root = |part: Option<Component<'_>>| matches!(part, Some(Component::RootDir | Component::Prefix(_)));
    if (is_root(first) || is_root(second)) && first != second {
        return None;
    }
    let shared = path.components().zip(folder.components()).take_while(|(a, b)| a == b).count();
    let up = folder.components().skip(shared).map(|_| Component::ParentDir);
    Some(up.chain(path.components().skip(shared)).collect())
}

/// The path without `.` and `..`. `None` if `..` leaves a relative path.
fn plain(path: &Path) -> Option<PathBuf> {
    let mut parts = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                if !parts.pop() {
                    return None;
                }
            }
            part => parts.push(part),
        }
    }
    Some(parts)
}

fn slashes(path: &Path) -> String {
    let text = path.to_string_lossy();
    if cfg!(windows) { text.replace('\\', "/") } else { text.into_owned() }
}

/// A relative path as a URL reference: all but unreserved characters and slashes are escaped.
fn escaped(path: &str) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => out.push(char::from(byte)),
            // Writing to a string cannot fail.
            byte => _ = write!(out, "%{byte:02X}"),
        }
    }
    out
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::model::ContentId;

    fn reference(path: &str, folder: Option<&str>) -> (String, String) {
        let media = Media::new(path, ContentId::new("blake3", "00"));
        let found = Reference::of(&media, folder.map(Path::new));
        (found.path.clone(), found.url)
    }

    #[test]
    fn a_file_url_escapes_what_is_no_url_character() {
        let (path, url) = reference("/v/Größe 100% & more #1?.mp4", None);
        assert_eq!(path, "/v/Größe 100% & more #1?.mp4");
        assert_eq!(url, "file:///v/Gr%C3%B6%C3%9Fe%20100%25%20&%20more%20%231%3F.mp4");
        assert_eq!(url::Url::parse(&url).unwrap().to_file_path().unwrap(), Path::new(&path));
    }

    #[test]
    fn a_relative_path_leads_from_the_timelines_folder_to_the_file() {
        for (path, folder, expected) in [
            ("/a/b/talk 1.mp4", "/a/b", "talk 1.mp4"),
            ("/a/b/talk.mp4", "/a/c/d", "../../b/talk.mp4"),
            ("/a/./b/../talk.mp4", "/a/c/", "../talk.mp4"),
            ("v/talk.mp4", "out", "../v/talk.mp4"),
            // No path leads from an unknown folder to an absolute one.
            ("/a/talk.mp4", "out", "/a/talk.mp4"),
            ("talk.mp4", "../out", "talk.mp4"),
        ] {
            assert_eq!(reference(path, Some(folder)).0, expected, "{path} from {folder}");
        }
        assert_eq!(reference("/a/b/50% ä.mp4", Some("/a")).1, "b/50%25%20%C3%A4.mp4");
    }
}
