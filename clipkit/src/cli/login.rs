//! `clipkit login`: logs an account of a platform in.

use std::path::Path;

use clipkit::publishing::{DeviceCode, Login, Secret, credentials_of_the_user};
use clipkit::{Context, Error, ErrorKind, Result};
use serde_json::Value;

use super::args::LoginArgs;
use super::interrupt::Interrupt;
use super::output::{note, say};
use super::{Done, limits, usage};

pub(crate) async fn run(args: LoginArgs, interrupt: &Interrupt) -> Done {
    let cx = limits::builder().build();
    let (id, secret) = app(&args, &cx)?;
    if args.device && args.platform != "youtube" {
        return Err(usage(format!("{} has no login with a code", args.platform)).with_advice("log in on a machine with a browser"));
    }
    let mut login = match args.platform.as_str() {
        "tiktok" => Login::tiktok(&args.account, id)?,
        "instagram" => Login::instagram(&args.account, id)?,
        _ if args.device => Login::youtube_device(&args.account, id)?,
        _ => Login::youtube(&args.account, id)?,
    };
    (login.client_secret, login.port, login.user) = (secret, args.port, args.user.clone());
    if !args.scope.is_empty() {
        login.scopes = args.scope.clone();
    }
    let store = credentials_of_the_user(cx.environment())?;
    let show = |address: &str| {
        note("open this address in a browser on this machine, and allow clipkit to post:");
        say(address);
    };
    if args.device {
        let show = |device: &DeviceCode| {
            note("open this address on any machine, and enter the code:");
            say(&format!("{}  {}", device.address, device.code));
        };
        interrupt.guard(&cx, login.run_on_device(&cx, &*store, show)).await?;
    } else {
        interrupt.guard(&cx, login.run(&cx, &*store, show)).await?;
    }
    note(&format!("logged in: --publish {} uses {}", login.account, store.place(&login.account)));
    Ok(())
}

/// The app's id and secret: of a file, else of the environment.
fn app(args: &LoginArgs, cx: &Context) -> Result<(String, Option<Secret>)> {
    if let Some(file) = &args.client {
        return read(file, &args.platform);
    }
    let name = |what: &str| format!("CLIPKIT_{}_CLIENT_{what}", args.platform.to_ascii_uppercase());
    let variable = |what: &str| {
        let value = cx.environment().publishers.get(&name(what)).map(|text| text.trim().to_owned());
        value.filter(|text| !text.is_empty())
    };
    let id = variable("ID").ok_or_else(|| {
        let app = match args.platform.as_str() {
            "tiktok" => "an app of TikTok for Developers",
            "instagram" => "an app of Meta for Developers",
            _ => "an app of a Google project",
        };
        usage(format!("the login needs {app}")).with_advice(format!("give its file with --client, or set {}", name("ID")))
    })?;
    Ok((id, variable("SECRET").map(Secret::new)))
}

fn read(file: &Path, platform: &str) -> Result<(String, Option<Secret>)> {
    let text = std::fs::read(file).map_err(|error| Error::io(file, "read the app's file", error))?;
    let json: Value = serde_json::from_slice(&text).unwrap_or_default();
    let app = json.get("installed").unwrap_or(&json);
    let text = |name: &str| app[name].as_str().filter(|text| !text.is_empty());
    // TikTok calls it the key.
    let id = text("client_id").or(text("client_key")).ok_or_else(|| {
        let advice = if platform == "youtube" {
            "download it from the Google project: credentials, OAuth client of the type desktop"
        } else {
            r#"write one: {"client_id": "...", "client_secret": "..."}"#
        };
        Error::new(ErrorKind::InvalidInput, "this is not the file of an app on a user's machine").with_path(file).with_advice(advice)
    })?;
    Ok((id.to_owned(), text("client_secret").map(Secret::new)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_an_app_is_read() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), r#"{"installed": {"client_id": "id", "client_secret": "s"}}"#).unwrap();
        assert_eq!(read(file.path(), "youtube").unwrap(), ("id".to_owned(), Some(Secret::new("s"))));
        std::fs::write(file.path(), r#"{"client_key": "key", "client_secret": ""}"#).unwrap();
        assert_eq!(read(file.path(), "tiktok").unwrap(), ("key".to_owned(), None));
        for wrong in ["", "[]", r#"{"web": {"client_id": "id"}}"#] {
            std::fs::write(file.path(), wrong).unwrap();
            assert_eq!(read(file.path(), "youtube").unwrap_err().kind(), ErrorKind::InvalidInput, "{wrong}");
        }
    }
}
