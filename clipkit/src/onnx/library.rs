//! Finding and loading the ONNX Runtime library.
//!
//! The library is loaded here and handed to `ort` as a table of functions, because `ort`'s own loader panics on a missing or
//! unfit library.

use std::ffi::{CStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use libloading::Library;

use crate::error::{Error, ErrorKind, Result};

/// The variable that names the library, the same that `ort` reads.
const VARIABLE: &str = "ORT_DYLIB_PATH";
const ADVICE: &str = "install it with `pip install onnxruntime`, or set ORT_DYLIB_PATH to the library's path";
/// Python starts in well under a second; one that does not is not waited for.
const PYTHON_LIMIT: Duration = Duration::from_secs(5);
/// Where a wheel keeps the library, below `site-packages`.
const IN_WHEEL: &str = "onnxruntime/capi";

/// The library that this process uses. It is never unloaded: sessions and the runtime's own threads live in it.
static LOADED: Mutex<Option<Library>> = Mutex::new(None);

/// Where the program says that a library is.
static FOLDERS: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Has the ONNX Runtime library looked for in this folder before the usual places (`ORT_DYLIB_PATH` goes before it). For programs that bring
/// the library with them; it matters until the first model is opened, since a process loads one such library.
pub fn onnx_runtime_in(folder: impl Into<PathBuf>) {
    FOLDERS.lock().unwrap_or_else(PoisonError::into_inner).push(folder.into());
}

/// Loads the library unless one is loaded. A failure is not remembered, so a later call may find what was installed meanwhile.
pub(super) fn load(explicit: Option<&Path>) -> Result<()> {
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if loaded.is_none() {
        let (library, api) = choose(explicit, |name| std::env::var_os(name))?;
        // `false` means that the program has set up `ort` itself before: its choice stands.
        if ort::set_api(api) {
            // Microsoft's builds for Windows report usage unless told not to.
            ort::init().with_name("clipkit").with_telemetry(false).commit();
        }
        *loaded = Some(library);
    }
    Ok(())
}

type Found = (Library, ort::sys::OrtApi);

/// The first fit library: the one asked for, or else the first of the usual places. One that was asked for and is unfit is an error,
/// not a reason to look further.
fn choose(explicit: Option<&Path>, variable: impl Fn(&str) -> Option<OsString>) -> Result<Found> {
    let named = variable(VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(path) = explicit.map(Path::to_owned).or(named) {
        return check(&path).map_err(|why| {
            Error::new(ErrorKind::Unavailable, format!("this is not a usable ONNX Runtime library: {why}"))
                .with_path(&path)
                .with_advice(ADVICE)
        });
    }
    let mut refused = Vec::new();
    let environments = variable("VIRTUAL_ENV").map(PathBuf::from).into_iter().chain(beside_the_program());
    let mut try_all = |candidates: Vec<PathBuf>| {
        candidates.into_iter().find_map(|path| check(&path).map_err(|why| refused.push(format!("{}: {why}", path.display()))).ok())
    };
    let given = FOLDERS.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let found = try_all(given.iter().flat_map(|folder| libraries_in(folder)).collect())
        .or_else(|| try_all(environments.flat_map(|folder| in_environment(&folder)).collect()))
        .or_else(|| try_all(ask_python().map(|package| libraries_in(&package.join("capi"))).unwrap_or_default()))
        .or_else(|| try_all(system_names().iter().map(PathBuf::from).collect()));
    found.ok_or_else(|| {
        tracing::debug!(?refused, "no ONNX Runtime");
        Error::new(ErrorKind::Unavailable, "ONNX Runtime, which runs models, is not on this machine").with_advice(ADVICE)
    })
}

/// The `.venv` of the checkout that the program was built in: the folder of `target/release/clipkit`, up to four levels. Never the
/// working folder's: where a user stands must not decide what code runs.
fn beside_the_program() -> Vec<PathBuf> {
    let program = std::env::current_exe().unwrap_or_default();
    program.ancestors().skip(1).take(4).map(|folder| folder.join(".venv")).collect()
}

/// The names that the system's loader knows the library by.
fn system_names() -> &'static [&'static str] {
    if cfg!(windows) {
        // Windows has an old onnxruntime.dll of its own; the version check refuses it.
        &["onnxruntime.dll"]
    } else if cfg!(target_os = "macos") {
        &["libonnxruntime.dylib"]
    } else {
        &["libonnxruntime.so.1", "libonnxruntime.so"]
    }
}

/// Whether a file name is the library's: `libonnxruntime.so.1.31.1`, but not `libonnxruntime_providers_shared.so`.
fn is_library(name: &str) -> bool {
    if cfg!(windows) {
        name.eq_ignore_ascii_case("onnxruntime.dll")
    } else if cfg!(target_os = "macos") {
        name.starts_with("libonnxruntime.") && name.ends_with(".dylib")
    } else {
        name.starts_with("libonnxruntime.so")
    }
}

/// The libraries of a Python virtual environment's onnxruntime wheel.
fn in_environment(folder: &Path) -> Vec<PathBuf> {
    let versions = children(&folder.join("lib"), |name| name.starts_with("python3"));
    let sites = versions.into_iter().map(|version| version.join("site-packages")).chain([folder.join("Lib/site-packages")]);
    sites.flat_map(|site| libraries_in(&site.join(IN_WHEEL))).collect()
}

fn libraries_in(folder: &Path) -> Vec<PathBuf> {
    children(folder, is_library)
}

/// The absolute paths of a folder's entries whose names fit, in reverse order of name, so that a newer version comes first.
fn children(folder: &Path, fits: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let Ok(folder) = std::path::absolute(folder) else { return Vec::new() };
    let Ok(entries) = std::fs::read_dir(&folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> =
        entries.flatten().filter(|entry| fits(&entry.file_name().to_string_lossy())).map(|entry| entry.path()).collect();
    paths.sort_unstable_by(|a, b| b.cmp(a));
    paths
}

/// Asks Python where its onnxruntime package is. The package is found, not run; the working folder is not searched.
fn ask_python() -> Option<PathBuf> {
    const QUESTION: &str = "import sys; sys.path = [p for p in sys.path if p]
import importlib.util as u; s = u.find_spec('onnxruntime')
print(list(s.submodule_search_locations)[0] if s and s.submodule_search_locations else '')";
    let mut python = Command::new(if cfg!(windows) { "python" } else { "python3" })
        .args(["-c", QUESTION])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let asked = Instant::now();
    let ended = loop {
        match python.try_wait() {
            Ok(Some(status)) => break status.success(),
            Ok(None) if asked.elapsed() < PYTHON_LIMIT => std::thread::sleep(Duration::from_millis(10)),
            _ => break false,
        }
    };
    if !ended {
        let _ = python.kill();
        let _ = python.wait();
        return None;
    }
    let answer = std::io::read_to_string(python.stdout.take()?).ok()?;
    let folder = answer.trim();
    (!folder.is_empty()).then(|| PathBuf::from(folder))
}

/// Loads a candidate and takes its table of functions, or says why it is unfit.
fn check(path: &Path) -> Result<Found, String> {
    type Base = unsafe extern "C" fn() -> *const ort::sys::OrtApiBase;
    // A bare name is for the system's loader; anything else must be a file.
    if path.components().count() > 1 && !path.is_file() {
        return Err("there is no such file".to_owned());
    }
    // SAFETY: loading runs the library's initialisers. The path is what the user named, or a file with the runtime's name in the
    // places where installers put it, which is the same trust as linking to it.
    let library = unsafe { Library::new(path) }.map_err(|error| error.to_string())?;
    // SAFETY: `OrtGetApiBase` has had this signature in every release of ONNX Runtime's C API.
    let base = unsafe { library.get::<Base>(c"OrtGetApiBase") }.map_err(|_| "it has no function OrtGetApiBase".to_owned())?;
    // SAFETY: the function takes nothing and answers a pointer to a static table, or null.
    let Some(base) = (unsafe { base().as_ref() }) else {
        return Err("it answers no API".to_owned());
    };
    // SAFETY: the function answers a static, null-terminated string, or null.
    let version = unsafe {
        let text = (base.GetVersionString)();
        if text.is_null() { String::new() } else { CStr::from_ptr(text).to_string_lossy().into_owned() }
    };
    if !new_enough(&version) {
        return Err(format!("its version is {version:?}; 1.{} or newer is needed", ort::sys::ORT_API_VERSION));
    }
    // SAFETY: the version is supported, as was just checked; an unsupported one would be answered with null.
    let Some(api) = (unsafe { (base.GetApi)(ort::sys::ORT_API_VERSION).as_ref() }) else {
        return Err(format!("version {version} does not offer API {}", ort::sys::ORT_API_VERSION));
    };
    let api = api.clone();
    Ok((library, api))
}

/// Whether a version such as `1.31.1` offers the API that this crate is built for.
fn new_enough(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().ok());
    let (major, minor) = (parts.next().flatten(), parts.next().flatten());
    major.zip(minor).is_some_and(|version| version >= (1, ort::sys::ORT_API_VERSION))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn versions_compare_as_numbers() {
        assert!(new_enough("1.31.1") && new_enough("1.18.0") && new_enough("2.0"));
        assert!(!new_enough("1.9.0") && !new_enough("1.17.3") && !new_enough("") && !new_enough("x.y"));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_virtual_environments_wheel_is_found_newest_first() {
        let root = tempfile::tempdir().unwrap();
        for (python, file) in [
            ("python3.11", "libonnxruntime.so.1.20.0"),
            ("python3.13", "libonnxruntime.so.1.31.1"),
            ("python3.13", "libonnxruntime_providers_shared.so"),
        ] {
            let folder = root.path().join("lib").join(python).join("site-packages").join(IN_WHEEL);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join(file), b"not a library").unwrap();
        }
        let found = in_environment(root.path());
        assert_eq!(found.len(), 2);
        assert!(found[0].ends_with("libonnxruntime.so.1.31.1"), "{found:?}");
    }

    #[test]
    fn a_named_library_that_is_unfit_is_an_error_with_advice() {
        let root = tempfile::tempdir().unwrap();
        let junk = root.path().join("junk.so");
        fs::write(&junk, b"not a library").unwrap();
        for (explicit, variable) in [(Some(junk.as_path()), None), (None, Some(root.path().join("missing.so")))] {
            let refusal = choose(explicit, |name| if name == VARIABLE { variable.clone().map(Into::into) } else { None });
            let error = refusal.map(|_| ()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unavailable);
            assert!(error.to_string().contains("pip install onnxruntime"), "{error}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_library_without_the_runtimes_functions_is_refused() {
        let why = check(Path::new("libc.so.6")).map(|_| ()).unwrap_err();
        assert!(why.contains("OrtGetApiBase"), "{why}");
    }
}
