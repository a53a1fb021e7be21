use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use async_trait::async_trait;

use super::{Account, Credentials, Tokens, missing};
use crate::context::{Context, Environment};
use crate::error::{Error, ErrorKind, Result};

/// The longest file that is read.
const SIZE_LIMIT: u64 = 64 << 10;

/// The tokens of accounts in files, one for each: `youtube-main.json`. `clipkit login` makes them.
///
/// On Unix, only the user can read the files (mode 0600); a file that others can read is refused. A
/// file is replaced whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileCredentials {
    folder: PathBuf,
}

impl FileCredentials {
    /// Files in `folder`, which is made when tokens are stored.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        FileCredentials { folder: folder.into() }
    }

    /// Files in the folder `CLIPKIT_CREDENTIALS`, else in `clipkit/credentials` in the user's
    /// folder for settings.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] if there is no such folder.
    pub fn of_the_user(environment: &Environment) -> Result<Self> {
        environment.credentials_folder().map(FileCredentials::new).ok_or_else(|| {
            Error::new(ErrorKind::Unavailable, "there is no folder for credentials").with_advice("name one in CLIPKIT_CREDENTIALS")
        })
    }

    /// The file of an account.
    pub fn path(&self, account: &Account) -> PathBuf {
        self.folder.join(format!("{}-{}.json", account.platform, account.name))
    }
}

#[async_trait]
impl Credentials for FileCredentials {
    async fn load(&self, cx: &Context, account: &Account) -> Result<Tokens> {
        let (path, account) = (self.path(account), account.clone());
        cx.blocking(move |_| read(&path, &account)).await
    }

    async fn store(&self, cx: &Context, account: &Account, tokens: &Tokens) -> Result<()> {
        let (folder, path) = (self.folder.clone(), self.path(account));
        let content =
            tokens.to_json().map_err(|error| Error::new(ErrorKind::Contract, format!("the credentials cannot be written: {error}")))?;
        cx.blocking(move |_| write(&folder, &path, &content).map_err(|error| Error::io(&path, "keep the credentials", error))).await
    }

    fn place(&self, account: &Account) -> String {
        self.path(account).display().to_string()
    }
}

fn read(path: &Path, account: &Account) -> Result<Tokens> {
    let unreadable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            missing(account, format!("log in: clipkit login {} --account {}", account.platform, account.name)).with_path(path)
        }
        _ => Error::io(path, "read the credentials", error),
    };
    let metadata = fs::metadata(path).map_err(unreadable)?;
    check_mode(path, &metadata)?;
    if metadata.len() > SIZE_LIMIT {
        return Err(Error::new(ErrorKind::InvalidInput, "this is no file of credentials").with_path(path));
    }
    let bytes = fs::read(path).map_err(unreadable)?;
    // The parser's message could show a part of a token.
    Tokens::from_json(&bytes).map_err(|_| {
        Error::new(ErrorKind::InvalidInput, "these credentials cannot be read").with_path(path).with_advice("log in again: clipkit login")
    })
}

#[cfg(unix)]
fn check_mode(path: &Path, metadata: &fs::Metadata) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if metadata.permissions().mode() & 0o077 == 0 {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Denied, "others can read these credentials")
        .with_path(path)
        .with_advice(format!("chmod 600 {}", path.display())))
}

#[cfg(not(unix))]
fn check_mode(_path: &Path, _metadata: &fs::Metadata) -> Result<()> {
    Ok(())
}

/// Writes the file so that it survives a loss of power. Temporary files are the user's alone.
fn write(folder: &Path, path: &Path, content: &[u8]) -> std::io::Result<()> {
    make_private(folder)?;
    let mut file = tempfile::Builder::new().prefix(".clipkit-").tempfile_in(folder)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    #[cfg(unix)]
    fs::File::open(folder)?.sync_all()?;
    Ok(())
}

#[cfg(unix)]
fn make_private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make_private(folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)
}
