//! `clipkit login`: logs an account of a platform in.

use std::path::Path;

use clipkit::publishing::{FileCredentials, Login, Secret};
use clipkit::{Context, Error, ErrorKind, Result};
use serde_json::Value;

use super::args::LoginArgs;
use super::interrupt::Interrupt;
use super::output::{note, say};
use super::{Done, limits, usage};

pub(crate) async fn run(args: LoginArgs, interrupt: &Interrupt) -> Done {
    let cx = limits::builder().build();
    let (id, secret) = app(&args, &cx)?;
    let mut login = Login::youtube(&args.account, id)?;
    login.client_secret = secret;
    let files = FileCredentials::of_the_user(cx.environment())?;
    let show = |address: &str| {
        note("open this address in a browser on this machine, and allow clipkit to post:");
        say(address);
    };
    interrupt.guard(&cx, login.run(&cx, &files, show)).await?;
    note(&format!("logged in: --publish {} uses {}", login.account, files.path(&login.account).display()));
    Ok(())
}

/// The app's id and secret: of the file that Google gives, else of the environment.
fn app(args: &LoginArgs, cx: &Context) -> Result<(String, Option<Secret>)> {
    if let Some(file) = &args.client {
        return read(file);
    }
    let variable = |name: &str| cx.environment().publishers.get(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let id = variable("CLIPKIT_YOUTUBE_CLIENT_ID").ok_or_else(|| {
        usage("the login needs an app of a Google project").with_advice("give its file with --client, or set CLIPKIT_YOUTUBE_CLIENT_ID")
    })?;
    Ok((id, variable("CLIPKIT_YOUTUBE_CLIENT_SECRET").map(Secret::new)))
}

fn read(file: &Path) -> Result<(String, Option<Secret>)> {
    let text = std::fs::read(file).map_err(|error| Error::io(file, "read the app's file", error))?;
    let json: Value = serde_json::from_slice(&text).unwrap_or_default();
    let app = json.get("installed").unwrap_or(&json);
    let text = |name: &str| app[name].as_str().filter(|text| !text.is_empty());
    let id = text("client_id").ok_or_else(|| {
        Error::new(ErrorKind::InvalidInput, "this is not the file of an app on a user's machine")
            .with_path(file)
            .with_advice("download it from the Google project: credentials, OAuth client of the type desktop")
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
        assert_eq!(read(file.path()).unwrap(), ("id".to_owned(), Some(Secret::new("s"))));
        for wrong in ["", "[]", r#"{"web": {"client_id": "id"}}"#] {
            std::fs::write(file.path(), wrong).unwrap();
            assert_eq!(read(file.path()).unwrap_err().kind(), ErrorKind::InvalidInput, "{wrong}");
        }
    }
}
