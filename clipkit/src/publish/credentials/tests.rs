use super::*;
use crate::publish::Secret;

pub(super) fn context(change: impl FnOnce(&mut Environment)) -> Context {
    let mut environment = Environment::default();
    change(&mut environment);
    Context::builder().environment(environment).build()
}

pub(super) fn tokens() -> Tokens {
    let mut tokens = Tokens::new();
    (tokens.access, tokens.refresh) = (Some("hunter2-a".into()), Some("hunter2-r".into()));
    (tokens.client_id, tokens.client_secret) = (Some("id".into()), Some("hunter2-c".into()));
    tokens.expires_at = Some(std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_800_000_000));
    tokens
}

#[test]
fn names_cannot_leave_the_folder() {
    assert_eq!(Account::new("youtube", "main").unwrap().to_string(), "youtube:main");
    for wrong in ["", ".", "..", "../x", "a/b", "a\\b", "a b", "\u{e9}", &"a".repeat(65)] {
        assert_eq!(Account::new("youtube", wrong).unwrap_err().kind(), ErrorKind::Config, "{wrong:?}");
    }
}

#[tokio::test]
async fn files_keep_tokens_for_their_user_alone() {
    let root = tempfile::tempdir().unwrap();
    let (cx, store) = (context(|_| {}), FileCredentials::new(root.path().join("a/b")));
    let account = Account::new("youtube", "main").unwrap();
    let error = store.load(&cx, &account).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Denied && error.to_string().contains("clipkit login youtube --account main"), "{error}");
    store.store(&cx, &account, &tokens()).await.unwrap();
    assert_eq!(store.load(&cx, &account).await.unwrap(), tokens());
    let path = store.path(&account);
    assert!(path.ends_with("youtube-main.json"));
    let names: Vec<_> = std::fs::read_dir(path.parent().unwrap()).unwrap().collect();
    assert_eq!(names.len(), 1, "{names:?}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let error = store.load(&cx, &account).await.unwrap_err();
        assert!(error.kind() == ErrorKind::Denied && error.to_string().contains("chmod 600"), "{error}");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    std::fs::write(&path, r#"{"access_token": "hunter2"#).unwrap();
    let error = store.load(&cx, &account).await.unwrap_err();
    assert!(error.kind() == ErrorKind::InvalidInput && !format!("{error:?}").contains("hunter2"), "{error:?}");
}

#[tokio::test]
async fn the_environment_has_accounts_and_an_app_for_all_of_them() {
    let cx = context(|environment| {
        for (name, value) in [
            ("CLIPKIT_YOUTUBE_MY_CHANNEL_REFRESH_TOKEN", " hunter2-r\n"),
            ("CLIPKIT_YOUTUBE_CLIENT_ID", "id"),
            ("CLIPKIT_YOUTUBE_CLIENT_SECRET", "hunter2-c"),
            ("CLIPKIT_YOUTUBE_MY_CHANNEL_CLIENT_ID", "own"),
        ] {
            environment.publishers.insert(name.into(), value.into());
        }
    });
    let (store, account) = (EnvironmentCredentials::new(), Account::new("youtube", "my-channel").unwrap());
    let found = store.load(&cx, &account).await.unwrap();
    assert_eq!(found.refresh.as_ref().map(Secret::reveal), Some("hunter2-r"));
    assert_eq!((found.client_id.as_deref(), found.client_secret.is_some(), found.access.is_none()), (Some("own"), true, true));
    let error = store.load(&cx, &Account::new("youtube", "other").unwrap()).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Denied && error.to_string().contains("CLIPKIT_YOUTUBE_OTHER_REFRESH_TOKEN"), "{error}");
    store.store(&cx, &account, &tokens()).await.unwrap();
    assert_eq!(store.load(&cx, &account).await.unwrap(), tokens());
    assert!(!store.keeps() && !format!("{store:?} {:?}", tokens()).contains("hunter2"));
    assert!(EnvironmentCredentials::has(cx.environment(), &account));
}

#[test]
fn a_store_is_chosen_by_name_and_a_given_one_is_not_written() {
    let auto: CredentialsConfig = serde_json::from_str(r#"{"kind": "auto"}"#).unwrap();
    assert_eq!(auto, CredentialsConfig::default());
    let file: CredentialsConfig = serde_json::from_str(r#"{"kind": "file", "folder": "a"}"#).unwrap();
    assert_eq!(file, CredentialsConfig::File { folder: Some("a".into()) });
    let keyring: CredentialsConfig = serde_json::from_str(r#"{"kind": "keyring"}"#).unwrap();
    let mut environment = Environment::default();
    environment.credentials = Some("keyring".into());
    for config in [keyring, auto] {
        let open = config.open(&environment, &Account::new("youtube", "main").unwrap()).unwrap();
        assert!(format!("{open:?}").contains("KeyringCredentials"), "{open:?}");
    }
    environment.credentials = Some("./keyring".into());
    assert!(format!("{:?}", credentials_of_the_user(&environment).unwrap()).contains("FileCredentials"));
    let given = CredentialsConfig::from(FileCredentials::new("a"));
    assert!(given == given.clone() && given != CredentialsConfig::from(FileCredentials::new("a")));
    assert!(serde_json::to_string(&given).is_err());
    let account = Account::new("youtube", "main").unwrap();
    let none = CredentialsConfig::Auto.open(&Environment::default(), &account).err().unwrap();
    assert!(none.kind() == ErrorKind::Unavailable && none.to_string().contains("CLIPKIT_CREDENTIALS"), "{none}");
}
