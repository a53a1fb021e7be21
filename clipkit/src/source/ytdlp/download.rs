//! The download of the media.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::call::{Call, Stopped, Way, joined, written};
use super::failure::classify;
use super::program;
use crate::error::{Error, ErrorKind, Recovery, Result};
use crate::model::Limit;
use crate::store::Partial;

/// A download that neither writes nor says anything for so long is stopped.
const IDLE_LIMIT: Duration = Duration::from_secs(300);
/// How often the size of a download is looked at.
const SIZE_POLL: Duration = Duration::from_millis(500);
/// The start of a line about progress.
const PROGRESS: &str = "[clipkit]";

impl Call<'_> {
    pub(super) fn download(&self, partial: &Partial, json: &Value, way: Way) -> Result<(), Stopped> {
        let folder = self.scratch()?;
        let info = written(folder.path(), json)?;
        let environment = self.cx.environment();
        let merges = program::in_path("ffmpeg", environment).is_some();
        let option = |name: &str, value: &str| OsString::from(format!("--{name}={value}"));
        let mut arguments = vec![
            // Picture and sound apart are better; together need no ffmpeg.
            option("format", if merges { "bv*+ba/b" } else { "b/bv*+ba" }),
            option("format-sort", &format!("res:{},vcodec:h264,acodec:aac,ext:mp4:m4a", self.options.height)),
            option("merge-output-format", "mp4/mkv"),
            OsString::from("--continue"),
            OsString::from("--no-mtime"),
            OsString::from("--restrict-filenames"),
            option("trim-filenames", "80"),
            OsString::from("--newline"),
            OsString::from("--progress"),
            option(
                "progress-template",
                &format!("download:{PROGRESS} %(progress.downloaded_bytes)s %(progress.total_bytes)s %(progress.total_bytes_estimate)s"),
            ),
        ];
        if let Some(section) = self.section {
            arguments.push(option("download-sections", &format!("*{}-{}", section.start().secs(), section.end().secs())));
        }
        arguments.push(joined("--load-info-json=", &info));
        // The format is part of the name, so that no other is continued with it.
        arguments.push(joined("--output=", &partial.folder().join("%(format_id).40s.%(ext)s")));
        let mut progress = Progress::default();
        let heard = std::cell::Cell::new(Instant::now());
        let line = |line: &str| {
            heard.set(Instant::now());
            if let Some(fraction) = progress.read(line) {
                self.cx.progress(fraction * 0.95);
            }
        };
        let mut size = (Instant::now(), 0);
        let watch = || {
            if size.0.elapsed() < SIZE_POLL {
                return Ok(());
            }
            let bytes = partial.bytes()?;
            if bytes > size.1 {
                heard.set(Instant::now());
            }
            size = (Instant::now(), bytes);
            self.check_size(partial, bytes, heard.get())
        };
        let (exit, _) = self.run(arguments, way, false, self.options.timeout, line, watch)?;
        match exit.code {
            Some(0) => Ok(()),
            _ => Err(Stopped::Failed(classify(&exit), exit)),
        }
    }

    fn check_size(&self, partial: &Partial, bytes: u64, heard: Instant) -> Result<()> {
        if let Err(error) = self.cx.limits().check(Limit::DownloadBytes, bytes) {
            partial.clear()?;
            return Err(error);
        }
        if heard.elapsed() > IDLE_LIMIT {
            return Err(Error::new(ErrorKind::TimedOut, format!("nothing arrived for {} s", IDLE_LIMIT.as_secs()))
                .with_recovery(Recovery::Retry { after: None }));
        }
        partial.make_room(0)
    }
}

/// The file that yt-dlp made: the largest that is not incomplete. A merged file is larger than its
/// parts.
pub(super) fn result(partial: &Partial) -> Result<PathBuf> {
    let entries = std::fs::read_dir(partial.folder()).map_err(|error| Error::io(partial.folder(), "read the folder", error))?;
    let files = entries.flatten().filter_map(|entry| {
        // Links are not followed.
        let metadata = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_incomplete = name.contains(".part") || name.contains(".temp.") || [".ytdl", ".json"].iter().any(|end| name.ends_with(end));
        (!is_incomplete && metadata.len() > 0).then(|| (metadata.len(), entry.path()))
    });
    let largest = files.max().map(|(_, path)| path);
    largest.ok_or_else(|| Error::new(ErrorKind::InvalidInput, "yt-dlp made no file").with_advice("update yt-dlp"))
}

/// The progress of a download that may consist of several files, one after the other.
#[derive(Default)]
struct Progress {
    /// The number of files that are complete.
    files: i32,
    /// The bytes of the current file.
    bytes: f64,
}

impl Progress {
    /// Reads `[clipkit] 1000 2000 NA`. The first file counts 90 %, each other 90 % of the rest.
    fn read(&mut self, line: &str) -> Option<f64> {
        let numbers: Vec<Option<f64>> = line.strip_prefix(PROGRESS)?.split_whitespace().map(|text| text.parse().ok()).collect();
        let bytes = numbers.first().copied().flatten()?;
        let total = numbers.get(1).copied().flatten().or(numbers.get(2).copied().flatten()).filter(|total| *total > 0.0)?;
        if bytes < self.bytes {
            self.files += 1;
        }
        self.bytes = bytes;
        let left = 0.1_f64.powi(self.files.clamp(0, 9));
        Some((1.0 - left + left * 0.9 * (bytes / total).clamp(0.0, 1.0)).clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_counts_several_files_and_never_goes_back() {
        let mut progress = Progress::default();
        let lines =
            ["[clipkit] 0 100 NA", "[clipkit] 100 100 NA", "[download] x", "[clipkit] 1 NA 20", "[clipkit] 20 NA 20", "[clipkit] NA NA NA"];
        let shown: Vec<f64> = lines.iter().filter_map(|line| progress.read(line)).collect();
        assert!(shown.is_sorted() && shown.len() == 4 && shown[1] == 0.9 && shown[3] < 1.0, "{shown:?}");
    }
}
