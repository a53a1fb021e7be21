use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder with real models, media and transcripts: `CLIPKIT_TESTDATA`, else `../shared` next to
/// the workspace.
pub(crate) fn testdata() -> PathBuf {
    let folder = match std::env::var_os("CLIPKIT_TESTDATA") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
    };
    assert!(folder.is_dir(), "no test data at {}: set CLIPKIT_TESTDATA", folder.display());
    folder
}

/// The files two levels below `folder`, sorted.
pub(crate) fn videos(folder: &Path) -> Vec<PathBuf> {
    let list = |folder: &Path| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    let mut files: Vec<PathBuf> = list(folder).iter().flat_map(|below| list(below)).collect();
    files.sort();
    files
}

/// Runs the `ffmpeg` command; arguments are separated by white space.
pub(crate) fn ffmpeg(arguments: &str) {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-nostdin", "-y"]).args(arguments.split_whitespace());
    let output = command.output().expect("the ffmpeg command is needed for tests: run `make setup`");
    assert!(output.status.success(), "ffmpeg {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The log of the `ffmpeg` command about a file.
pub(crate) fn ffmpeg_complaints(arguments: &str) -> String {
    let output = Command::new("ffmpeg").args(["-v", "error", "-nostdin"]).args(arguments.split_whitespace()).output().unwrap();
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub(crate) fn ffmpeg_bytes(file: &Path, arguments: &str) -> Vec<u8> {
    let output =
        Command::new("ffmpeg").args(["-v", "error", "-nostdin", "-i"]).arg(file).args(arguments.split_whitespace()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// The brightness of every pixel, frame by frame.
pub(crate) fn luma_frames(file: &Path, width: usize, height: usize) -> Vec<Vec<u8>> {
    let bytes = ffmpeg_bytes(file, "-an -fps_mode passthrough -f rawvideo -pix_fmt yuv420p -");
    bytes.chunks(width * height * 3 / 2).map(|frame| frame[..width * height].to_vec()).collect()
}

/// The audio at 48 kHz, mixed to one channel.
pub(crate) fn samples(file: &Path) -> Vec<f32> {
    let bytes = ffmpeg_bytes(file, "-vn -ac 1 -ar 48000 -f f32le -");
    bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

/// The output of ffprobe for a file.
pub(crate) fn probe_json(file: &Path) -> serde_json::Value {
    let output = Command::new("ffprobe").args(["-v", "error", "-show_streams", "-show_format", "-of", "json"]).arg(file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Whether each frame, in file order, is a key frame.
pub(crate) fn key_frames(file: &Path) -> Vec<bool> {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", "v:0", "-show_entries", "packet=flags", "-of", "csv=p=0"])
        .arg(file)
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).lines().map(|flags| flags.starts_with('K')).collect()
}

/// Integrated loudness in LUFS and true peak in dBTP, as `ffmpeg` measures them.
pub(crate) fn loudness(file: &Path) -> (f64, f64) {
    let mut command = Command::new("ffmpeg");
    let output = command.args(["-hide_banner", "-nostdin", "-i"]).arg(file).args(["-af", "ebur128=peak=true", "-f", "null", "-"]).output();
    let text = String::from_utf8_lossy(&output.unwrap().stderr).into_owned();
    let summary = text.rsplit_once("Summary:").unwrap_or_else(|| panic!("{text}")).1;
    let after = |name: &str| summary.split_once(name).unwrap().1.split_whitespace().next().unwrap().parse().unwrap();
    (after("I:"), after("Peak:"))
}

/// Returns the changed value, for structs that are `non_exhaustive`.
pub(crate) fn with<T>(mut value: T, change: impl FnOnce(&mut T)) -> T {
    change(&mut value);
    value
}
