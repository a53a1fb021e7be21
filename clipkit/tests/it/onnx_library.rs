//! Which ONNX Runtime library a process loads, and which folders it does not search.

use std::path::{Path, PathBuf};
use std::process::Command;

use clipkit::ErrorKind;
use clipkit::onnx::set_library;

use crate::support::ffmpeg;

/// A program folder with everything that an attacker could plant next to it. The planted libraries
/// and programs write a file when they are run.
struct Planted {
    folder: tempfile::TempDir,
}

const NAME: &str = if cfg!(target_os = "macos") { "libonnxruntime.1.99.0.dylib" } else { "libonnxruntime.so.1.99.0" };

impl Planted {
    fn new() -> Self {
        // In the build folder, so that the command can be linked there instead of copied.
        let planted = Planted { folder: tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap() };
        for folder in ["program/target/debug", "run", "bin", "cache/clipkit"] {
            std::fs::create_dir_all(planted.path(folder)).unwrap();
        }
        std::fs::hard_link(env!("CARGO_BIN_EXE_clipkit"), planted.path("program/target/debug/clipkit")).unwrap();
        std::fs::write(planted.path("run/junk.onnx"), b"not a model").unwrap();
        let video = planted.path("run/video.mp4");
        ffmpeg(&format!("-f lavfi -i testsrc2=s=160x90:r=25:d=2 -c:v libx264 -preset ultrafast {}", video.display()));
        let source = planted.path("library.c");
        let code = r#"
            #include <stdio.h>
            #include <stdlib.h>
            __attribute__((constructor)) static void loaded(void) {
                FILE *mark = fopen(getenv("PLANTED_MARK"), "w");
                if (mark) fclose(mark);
            }
        "#;
        std::fs::write(&source, code).unwrap();
        let compiled = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(planted.library()).arg(&source).status().unwrap();
        assert!(compiled.success());
        planted
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn library(&self) -> PathBuf {
        self.path(NAME)
    }

    /// Puts the library where a wheel of the virtual environment `environment` has it.
    fn plant_in_environment(&self, environment: &str) {
        let folder = self.path(environment).join("lib/python3.11/site-packages/onnxruntime/capi");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::copy(self.library(), folder.join(NAME)).unwrap();
    }

    /// Runs the command until it opens a model, without `ORT_DYLIB_PATH`. Returns its messages.
    fn run(&self, change: impl FnOnce(&mut Command)) -> String {
        let mut command = Command::new(self.path("program/target/debug/clipkit"));
        command.args(["track", "video.mp4", "--span", "0..1", "--tracker", "onnx", "--model", "junk.onnx", "--no-cache"]);
        command.current_dir(self.path("run"));
        command.env_remove("ORT_DYLIB_PATH").env("XDG_CACHE_HOME", self.path("cache")).env("PLANTED_MARK", self.path("mark"));
        change(&mut command);
        let output = command.output().unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    }

    fn was_loaded(&self) -> bool {
        let mark = self.path("mark");
        mark.exists() && std::fs::remove_file(mark).is_ok()
    }
}

#[test]
fn the_library_is_not_looked_for_in_virtual_environments_nor_by_starting_python() {
    let planted = Planted::new();
    for environment in ["program/target/debug/.venv", "program/target/.venv", "program/.venv", ".venv", "run/.venv", "active"] {
        planted.plant_in_environment(environment);
    }
    let python = planted.path("bin/python3");
    std::fs::write(&python, "#!/bin/sh\n: > \"$PLANTED_MARK\"\n").unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(&python, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let path = std::env::join_paths([planted.path("bin")].into_iter().chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())));
    let stderr = planted.run(|command| {
        command.env("VIRTUAL_ENV", planted.path("active")).env("PATH", path.unwrap());
    });
    assert!(!planted.was_loaded() && stderr.contains("ONNX"), "{stderr}");
    // The planted library writes its file if it is named explicitly.
    let stderr = planted.run(|command| {
        command.env("ORT_DYLIB_PATH", planted.library());
    });
    assert!(planted.was_loaded() && stderr.contains("OrtGetApiBase"), "{stderr}");
}

#[test]
fn the_command_takes_the_library_in_its_cache_folder_unless_the_variable_is_set() {
    let planted = Planted::new();
    let folder = planted.path("cache/clipkit/lib");
    std::fs::create_dir(&folder).unwrap();
    std::fs::copy(planted.library(), folder.join(NAME)).unwrap();
    let stderr = planted.run(|_| ());
    assert!(planted.was_loaded() && stderr.contains("OrtGetApiBase"), "{stderr}");
    let stderr = planted.run(|command| {
        command.env("ORT_DYLIB_PATH", "/nowhere/libonnxruntime.so");
    });
    assert!(!planted.was_loaded() && stderr.contains("/nowhere/libonnxruntime.so"), "{stderr}");
}

#[test]
fn a_library_that_is_set_must_exist_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str| {
        std::fs::write(folder.path().join(name), b"not a library").unwrap();
        folder.path().join(name)
    };
    let kind = |path: &Path| set_library(path).unwrap_err().kind();
    assert_eq!(kind(Path::new("/nowhere/libonnxruntime.so")), ErrorKind::NotFound);
    assert_eq!(kind(folder.path()), ErrorKind::NotFound, "a folder without a library");
    let (first, second) = (write(NAME), write("second.so"));
    set_library(&first).unwrap();
    set_library(&first).unwrap();
    set_library(folder.path()).unwrap();
    let error = set_library(&second).unwrap_err();
    assert_eq!((error.kind(), error.path()), (ErrorKind::Config, Some(second.as_path())));
    assert!(error.to_string().contains(NAME), "{error}");
    // It takes precedence over `ORT_DYLIB_PATH`.
    let error = clipkit::stage::OnnxTracker::load("model.onnx").unwrap_err();
    assert_eq!((error.kind(), error.path()), (ErrorKind::Unavailable, Some(first.as_path())));
}
