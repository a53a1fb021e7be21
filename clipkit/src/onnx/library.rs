//! Finding and loading the ONNX Runtime library.
//!
//! The library is loaded here and passed to `ort` as a table of functions, because `ort`'s own
//! loader panics when the library is missing or too old.

use std::ffi::CStr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use libloading::Library;

use crate::context::Environment;
use crate::error::{Error, ErrorKind, Result};

/// The ways to name the library, in the order in which they are tried.
const ADVICE: &str = "name the library in one of these ways, the first that is given is used: the option `library` or \
    clipkit::onnx::set_library, the environment variable ORT_DYLIB_PATH, the Python package onnxruntime (with clipkit for Python) \
    or the npm package onnxruntime-node (with clipkit for Node), an installation that the system's loader finds";

/// The library of this process.
struct State {
    /// The path given to [`set_library`].
    given: Option<PathBuf>,
    loaded: Option<Loaded>,
}

/// A loaded library. It is never unloaded, because sessions and the runtime's threads use its code.
struct Loaded {
    _library: Library,
    /// The path, or the bare name that the system's loader resolved.
    path: PathBuf,
}

static STATE: Mutex<State> = Mutex::new(State { given: None, loaded: None });

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sets the ONNX Runtime library that this process loads when it opens its first model.
///
/// `path` is the library's file, or the folder that holds it (of several versions in one folder,
/// the newest is taken). Nothing is loaded by this call. The library is looked for in this order,
/// and nowhere else:
///
/// 1. the option [`library`](crate::stage::OnnxTrackerOptions::library) of the stage that opens the
///    first model,
/// 2. the path given here; clipkit for Python and for Node give the library of an installed package
///    `onnxruntime` or `onnxruntime-node` where `ORT_DYLIB_PATH` is not set,
/// 3. the environment variable `ORT_DYLIB_PATH`: a file, or a bare name for the system's loader,
/// 4. the system's loader (`libonnxruntime.so.1`, `libonnxruntime.dylib` or `onnxruntime.dll`).
///
/// A library that is named in one of the first three ways and cannot be used is an error when the
/// first model is opened; the search does not go on.
///
/// # Errors
///
/// [`ErrorKind::NotFound`] if there is no such file, or no library in the folder.
/// [`ErrorKind::Config`] if another library was given before or is loaded already: one process uses
/// one ONNX Runtime. The same library may be given again.
///
/// ```no_run
/// clipkit::onnx::set_library("/opt/onnxruntime/lib/libonnxruntime.so")?;
/// # Ok::<(), clipkit::Error>(())
/// ```
pub fn set_library(path: impl AsRef<Path>) -> Result<()> {
    let path = file(path.as_ref())?;
    let mut state = state();
    let current = state.loaded.as_ref().map(|loaded| &loaded.path).or(state.given.as_ref());
    if let Some(current) = current.filter(|current| !is_same_file(current, &path)) {
        let message = format!("another ONNX Runtime library is in use in this process: {}", current.display());
        return Err(Error::new(ErrorKind::Config, message).with_path(path).with_advice("set one library before the first model is opened"));
    }
    state.given = Some(path);
    Ok(())
}

/// Loads the library unless one is loaded. A failure is not remembered: a later call tries again.
pub(super) fn load(option: Option<&Path>) -> Result<()> {
    let mut state = state();
    if let Some(loaded) = &state.loaded {
        if let Some(path) = option.filter(|path| !is_same_file(path, &loaded.path)) {
            tracing::warn!(asked = %path.display(), used = %loaded.path.display(), "another ONNX Runtime library is loaded already");
        }
        return Ok(());
    }
    let (path, library, api) = choose(named(option, state.given.as_deref(), Environment::from_process().onnx_runtime))?;
    tracing::debug!(path = %path.display(), "loaded the ONNX Runtime library");
    // `set_api` returns false if the program initialised `ort` before. Its runtime stays in use.
    if ort::set_api(api) {
        // Microsoft's builds for Windows send telemetry unless it is switched off.
        ort::init().with_name("clipkit").with_telemetry(false).commit();
    }
    state.loaded = Some(Loaded { _library: library, path });
    Ok(())
}

/// The path of the library that would be loaded, or is. It is opened to see whether it can be used.
///
/// # Errors
///
/// [`ErrorKind::Unavailable`] if there is none.
pub(crate) fn find(environment: &Environment) -> Result<PathBuf> {
    let state = state();
    if let Some(loaded) = &state.loaded {
        return Ok(loaded.path.clone());
    }
    let (path, library, _) = choose(named(None, state.given.as_deref(), environment.onnx_runtime.clone()))?;
    // Its threads and exit handlers may use its code, so it stays.
    std::mem::forget(library);
    Ok(path)
}

/// The library that the user named: by option, by [`set_library`] or by environment variable.
fn named(option: Option<&Path>, given: Option<&Path>, variable: Option<PathBuf>) -> Option<PathBuf> {
    option.or(given).map(Path::to_owned).or(variable)
}

type Found = (PathBuf, Library, ort::sys::OrtApi);

/// Loads the named library, or else the first usable one that the system's loader finds.
fn choose(named: Option<PathBuf>) -> Result<Found> {
    if let Some(path) = named {
        return open(&path).map_err(|reason| {
            Error::new(ErrorKind::Unavailable, format!("not a usable ONNX Runtime library: {reason}")).with_path(&path).with_advice(ADVICE)
        });
    }
    let mut refused = Vec::new();
    for name in system_names() {
        match open(Path::new(name)) {
            Ok(found) => return Ok(found),
            Err(reason) => refused.push(format!("{name}: {reason}")),
        }
    }
    tracing::debug!(?refused, "no ONNX Runtime library");
    Err(Error::new(ErrorKind::Unavailable, "the ONNX Runtime library, which runs models, was not found").with_advice(ADVICE))
}

/// The names that the system's loader looks up.
fn system_names() -> &'static [&'static str] {
    if cfg!(windows) {
        // Windows ships an old onnxruntime.dll. The version check refuses it.
        &["onnxruntime.dll"]
    } else if cfg!(target_os = "macos") {
        &["libonnxruntime.dylib"]
    } else {
        &["libonnxruntime.so.1", "libonnxruntime.so"]
    }
}

/// Whether a file name is the library's: `libonnxruntime.so.1.31.1` is, and
/// `libonnxruntime_providers_shared.so` is not.
fn is_library(name: &str) -> bool {
    if cfg!(windows) {
        name.eq_ignore_ascii_case("onnxruntime.dll")
    } else if cfg!(target_os = "macos") {
        name.starts_with("libonnxruntime.") && name.ends_with(".dylib")
    } else {
        name.starts_with("libonnxruntime.so")
    }
}

/// The absolute path of the library's file: `path` itself, or the newest library in that folder.
fn file(path: &Path) -> Result<PathBuf> {
    let path = std::path::absolute(path).map_err(|error| Error::io(path, "find the ONNX Runtime library", error))?;
    if path.is_file() {
        return Ok(path);
    }
    let missing = |what: &str| Error::new(ErrorKind::NotFound, what).with_path(&path);
    let Ok(entries) = std::fs::read_dir(&path) else { return Err(missing("there is no ONNX Runtime library at this path")) };
    let libraries = entries.flatten().filter(|entry| is_library(&entry.file_name().to_string_lossy()) && entry.path().is_file());
    let newest = libraries.max_by_key(|entry| numbers(&entry.file_name().to_string_lossy()));
    newest.map(|entry| entry.path()).ok_or_else(|| missing("there is no ONNX Runtime library in this folder"))
}

/// The numbers in a file name, which compare as a version: `libonnxruntime.so.1.31.1` gives
/// 1, 31, 1.
fn numbers(name: &str) -> Vec<u32> {
    name.split(['.', '-']).filter_map(|part| part.parse().ok()).collect()
}

/// Whether two paths name one file, through links or not.
fn is_same_file(a: &Path, b: &Path) -> bool {
    a == b || std::fs::canonicalize(a).ok().zip(std::fs::canonicalize(b).ok()).is_some_and(|(a, b)| a == b)
}

/// Loads a library and gets its table of functions. The error says why it cannot be used.
fn open(path: &Path) -> Result<Found, String> {
    type Base = unsafe extern "C" fn() -> *const ort::sys::OrtApiBase;
    // A bare name is for the system's loader. Any other path must be a file, since a missing one
    // gives a long message of the loader.
    if path.components().count() > 1 && !path.is_file() {
        return Err("there is no such file".to_owned());
    }
    // SAFETY: loading runs the library's initialisers. The user named the path, or the system's
    // loader resolves the runtime's name, which is the same trust as linking to it.
    let library = unsafe { Library::new(path) }.map_err(|error| error.to_string())?;
    // SAFETY: `OrtGetApiBase` has had this signature in every release of ONNX Runtime's C API.
    let base = unsafe { library.get::<Base>(c"OrtGetApiBase") }.map_err(|_| "it has no function OrtGetApiBase".to_owned())?;
    // SAFETY: the function takes no arguments and returns a pointer to a static table, or null.
    let Some(base) = (unsafe { base().as_ref() }) else {
        return Err("OrtGetApiBase returns null".to_owned());
    };
    // SAFETY: the function returns a static, null-terminated string, or null.
    let version = unsafe {
        let text = (base.GetVersionString)();
        if text.is_null() { String::new() } else { CStr::from_ptr(text).to_string_lossy().into_owned() }
    };
    if !is_supported(&version) {
        return Err(format!("its version is {version:?}; 1.{} or later is required", ort::sys::ORT_API_VERSION));
    }
    // SAFETY: the version was checked just above, and `GetApi` returns null for an API version that
    // it does not support.
    let Some(api) = (unsafe { (base.GetApi)(ort::sys::ORT_API_VERSION).as_ref() }) else {
        return Err(format!("version {version} does not support API version {}", ort::sys::ORT_API_VERSION));
    };
    let api = api.clone();
    Ok((path.to_owned(), library, api))
}

/// Whether a release such as `1.31.1` supports the API version that this crate is built for.
fn is_supported(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().ok());
    let (major, minor) = (parts.next().flatten(), parts.next().flatten());
    major.zip(minor).is_some_and(|version| version >= (1, ort::sys::ORT_API_VERSION))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert!(is_supported("1.31.1") && is_supported("1.18.0") && is_supported("2.0"));
        assert!(!is_supported("1.9.0") && !is_supported("1.17.3") && !is_supported("") && !is_supported("x.y"));
    }

    #[test]
    fn the_option_goes_before_the_given_path_and_that_before_the_variable() {
        let [option, given] = [Path::new("/option.so"), Path::new("/given.so")];
        let variable = || Some(PathBuf::from("/variable.so"));
        assert_eq!(named(Some(option), Some(given), variable()).as_deref(), Some(option));
        assert_eq!(named(None, Some(given), variable()).as_deref(), Some(given));
        assert_eq!(named(None, None, variable()).as_deref(), Some(Path::new("/variable.so")));
        assert_eq!(named(None, None, None), None);
    }

    #[test]
    fn a_named_library_that_cannot_be_used_is_an_error_with_advice() {
        let folder = tempfile::tempdir().unwrap();
        let junk = folder.path().join("junk.so");
        std::fs::write(&junk, b"not a library").unwrap();
        for path in [junk, folder.path().join("missing.so")] {
            let error = choose(Some(path.clone())).map(|_| ()).unwrap_err();
            assert_eq!((error.kind(), error.path()), (ErrorKind::Unavailable, Some(path.as_path())));
            let text = error.to_string();
            let order = ["set_library", "ORT_DYLIB_PATH", "onnxruntime-node", "the system's loader"].map(|way| text.find(way).unwrap());
            assert!(order.is_sorted(), "{text}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_newest_library_of_a_folder_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(file(folder.path()).unwrap_err().kind(), ErrorKind::NotFound);
        for name in ["libonnxruntime.so.1.9.0", "libonnxruntime.so.1.31.1", "libonnxruntime_providers_shared.so", "libz.so.2"] {
            std::fs::write(folder.path().join(name), b"not a library").unwrap();
        }
        assert_eq!(file(folder.path()).unwrap(), folder.path().join("libonnxruntime.so.1.31.1"));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_library_without_the_runtimes_functions_is_refused() {
        let reason = open(Path::new("libc.so.6")).map(|_| ()).unwrap_err();
        assert!(reason.contains("OrtGetApiBase"), "{reason}");
    }
}
