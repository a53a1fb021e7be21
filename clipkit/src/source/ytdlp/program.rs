//! The program yt-dlp on this machine.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::process::{self, Invocation};
use crate::context::{Context, Environment};
use crate::error::{Error, ErrorKind, Result};

const INSTALL: &str = "install it: pip install \"yt-dlp[default]\"; or name the program in CLIPKIT_YTDLP";
/// The longest that `--version` may take. Its first start unpacks and compiles.
const VERSION_LIMIT: Duration = Duration::from_secs(30);

/// The program: `given`, else `CLIPKIT_YTDLP`, else `yt-dlp` in `PATH`.
///
/// # Errors
///
/// [`ErrorKind::Unavailable`] if there is none.
pub(crate) fn find(given: Option<&Path>, environment: &Environment) -> Result<PathBuf> {
    if let Some(path) = given.or(environment.ytdlp.as_deref()) {
        // An absolute path, so that nothing else in the working folder or in PATH is run.
        let path = std::path::absolute(path).map_err(|error| Error::io(path, "find yt-dlp", error))?;
        if path.is_file() {
            return Ok(path);
        }
        return Err(Error::new(ErrorKind::Unavailable, "there is no yt-dlp at this path").with_path(path).with_advice(INSTALL));
    }
    in_path("yt-dlp", environment).ok_or_else(|| Error::new(ErrorKind::Unavailable, "yt-dlp is not on this machine").with_advice(INSTALL))
}

/// A program in `PATH`.
pub(crate) fn in_path(name: &str, environment: &Environment) -> Option<PathBuf> {
    let variable = environment.programs.iter().find(|(variable, _)| variable.eq_ignore_ascii_case("PATH"))?.1;
    let name = if cfg!(windows) { format!("{name}.exe") } else { name.to_owned() };
    // Relative folders are left out: what lies in the working folder is not run.
    std::env::split_paths(variable).filter(|folder| folder.is_absolute()).map(|folder| folder.join(&name)).find(|path| is_program(path))
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

/// The environment of a program: no keys. `proxy` replaces the environment's proxies.
pub(super) fn environment(environment: &Environment, proxy: Option<&str>) -> Vec<(String, OsString)> {
    let mut variables: Vec<(String, OsString)> = environment.programs.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    variables.push(("PYTHONUTF8".into(), "1".into()));
    let mut set = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            variables.push((name.to_owned(), OsStr::new(value).to_owned()));
        }
    };
    // In variables and not in arguments, which all users of the machine can see.
    let Environment { http_proxy, https_proxy, all_proxy, no_proxy, .. } = environment;
    set("http_proxy", proxy.or(http_proxy.as_deref()));
    set("https_proxy", proxy.or(https_proxy.as_deref()));
    set("all_proxy", proxy.or(all_proxy.as_deref()));
    set("no_proxy", no_proxy.as_deref().filter(|_| proxy.is_none()));
    variables
}

/// The arguments that every call has.
pub(super) fn arguments(environment: &Environment) -> Vec<OsString> {
    let fixed = ["--ignore-config", "--no-playlist", "--color=no_color", "--socket-timeout=20", "--retries=3", "--no-update"];
    let mut arguments: Vec<OsString> = fixed.into_iter().map(OsString::from).collect();
    // yt-dlp looks for deno by itself, and for others only on request.
    if in_path("deno", environment).is_none()
        && let Some(node) = in_path("node", environment)
    {
        let mut option = OsString::from("--js-runtimes=node:");
        option.push(node);
        arguments.push(option);
    }
    arguments
}

/// What `yt-dlp --version` answers, such as `2026.10.26`. Blocks.
pub(crate) fn version(cx: &Context, program: &Path) -> Option<String> {
    let text = answer(cx, program, VERSION_LIMIT)?;
    let is_version = text.len() <= 40 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-+@/".contains(&byte));
    is_version.then_some(text)
}

/// The first line that a program writes about its version. `None` if it fails. Blocks.
pub(crate) fn answer(cx: &Context, program: &Path, limit: Duration) -> Option<String> {
    let invocation = Invocation {
        program,
        arguments: vec!["--version".into()],
        environment: environment(cx.environment(), None),
        limit,
        keep_output: true,
    };
    let (exit, output) = process::run(cx, invocation, |_| {}, || Ok(())).ok()?;
    let text = String::from_utf8_lossy(&output);
    let line = text.lines().next().map(str::trim).filter(|line| (1..=200).contains(&line.len()))?;
    (exit.code == Some(0)).then(|| line.to_owned())
}

/// The days since the release of a version that is a date, such as `2026.10.26`.
pub(crate) fn age_in_days(version: &str, now: SystemTime) -> Option<u64> {
    let mut parts = version.splitn(4, '.');
    let mut part = || parts.next()?.parse::<i16>().ok();
    let (year, month, day) = (part()?, i8::try_from(part()?).ok()?, i8::try_from(part()?).ok()?);
    let epoch = jiff::civil::Date::new(1970, 1, 1).ok()?;
    let released = epoch.until(jiff::civil::Date::new(year, month, day).ok()?).ok()?.get_days();
    let today = now.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs() / 86_400;
    today.checked_sub(u64::try_from(released).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_824_000); // 2026-11-28
        assert_eq!(age_in_days("2026.10.26", now), Some(33));
        assert_eq!(age_in_days("2026.10.26.232845", now), Some(33));
        assert_eq!(age_in_days("2025.11.28", now), Some(365));
        for other in ["", "stable", "2026.13.01", "2026.10", "2027.01.01"] {
            assert_eq!(age_in_days(other, now), None, "{other}");
        }
    }

    #[test]
    fn a_program_gets_no_keys() {
        let mut of = Environment::default();
        of.openai_api_key = Some("hunter2".into());
        of.https_proxy = Some("http://p:1".into());
        of.no_proxy = Some("localhost".into());
        of.programs.insert("PATH".into(), "/bin".into());
        let value = |variables: &[(String, OsString)], name: &str| {
            variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.to_string_lossy().into_owned())
        };
        let plain = environment(&of, None);
        assert!(!format!("{plain:?}").contains("hunter2"));
        assert_eq!(value(&plain, "https_proxy").as_deref(), Some("http://p:1"));
        assert_eq!(value(&plain, "PATH").as_deref(), Some("/bin"));
        let proxied = environment(&of, Some("http://q:2"));
        assert_eq!(value(&proxied, "http_proxy").as_deref(), Some("http://q:2"));
        assert_eq!(value(&proxied, "no_proxy"), None);
    }

    #[test]
    #[cfg(unix)]
    fn programs_are_found_by_path_variable_or_name() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("yt-dlp");
        std::fs::write(&program, "").unwrap();
        let mut of = Environment::default();
        assert_eq!(find(None, &of).unwrap_err().kind(), ErrorKind::Unavailable);
        of.programs.insert("PATH".into(), std::env::join_paths([Path::new("."), folder.path()]).unwrap());
        assert_eq!(in_path("yt-dlp", &of), None, "it is not executable");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(find(None, &of).unwrap(), program);
        of.ytdlp = Some("/nowhere/yt-dlp".into());
        assert_eq!(find(None, &of).unwrap_err().path(), Some(Path::new("/nowhere/yt-dlp")));
        assert_eq!(find(Some(&program), &of).unwrap(), program);
    }
}
