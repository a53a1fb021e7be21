//! The media store: what it keeps, what it removes, and leases of other processes.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clipkit::model::ContentId;
use clipkit::store::{Lease, MediaLimits, MediaStore};
use clipkit::{ErrorKind, Recovery};

/// Environment variable for the process that holds a lease: the store's folder and the content.
const HOLDS: &str = "CLIPKIT_TEST_HOLDS_A_LEASE";

fn limits(bytes: u64) -> MediaLimits {
    MediaLimits::new(bytes).min_free(0)
}

fn store(folder: &Path, bytes: u64) -> MediaStore {
    MediaStore::open(folder, limits(bytes)).unwrap()
}

fn bytes(fill: u8, count: usize) -> Vec<u8> {
    vec![fill; count]
}

fn add(store: &MediaStore, content: &[u8]) -> (ContentId, Lease) {
    let mut writer = store.reserve(content.len() as u64).unwrap();
    writer.append(content).unwrap();
    writer.commit("mp4").unwrap()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn a_file_is_found_by_its_content_also_when_the_store_has_moved() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder.path().join("media"), 1000);
    let (id, lease) = add(&store, b"a film");
    assert_eq!(id.as_str(), format!("blake3:{}", blake3::hash(b"a film").to_hex()));
    assert_eq!((std::fs::read(lease.path()).unwrap(), lease.id()), (b"a film".to_vec(), &id));
    assert!(lease.path().extension().is_some_and(|extension| extension == "mp4"));
    store.bind("https://example.com/film?token=secret", &id).unwrap();

    // Equal content is stored once, under any name.
    let mut again = store.writer().unwrap();
    again.write_all(b"a film").unwrap();
    let (same, other) = again.commit("../../MKV").unwrap();
    assert_eq!((&same, other.path()), (&id, lease.path()));
    drop((lease, other));

    let moved = folder.path().join("elsewhere");
    std::fs::rename(store.folder(), &moved).unwrap();
    let store = MediaStore::open(&moved, limits(1000)).unwrap();
    let found = store.lookup("https://example.com/film?token=secret").unwrap();
    assert_eq!(found.as_ref(), Some(&id));
    let lease = store.find(&id).unwrap().unwrap();
    assert!(lease.path().starts_with(&moved) && std::fs::read(lease.path()).unwrap() == b"a film");
    assert_eq!(store.lookup("https://example.com/film").unwrap(), None);
    // The address is not stored in clear text.
    for path in files(&moved.join("uris")) {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains("secret") && !path.to_string_lossy().contains("example"), "{text}");
    }
}

#[test]
fn the_least_recently_used_file_goes_first_and_a_leased_one_stays() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), 300);
    let [a, b, c] = [1, 2, 3].map(|fill| add(&store, &bytes(fill, 100)).0);
    // `a` was used again, so `b` is the oldest now.
    drop(store.find(&a).unwrap().unwrap());
    let d = add(&store, &bytes(4, 100)).0;
    let has = |id: &ContentId| store.find(id).unwrap().is_some();
    assert!(!has(&b) && has(&a) && has(&c) && has(&d));

    // `a` is the oldest now, but in use by another handle, as in another process.
    let lease = MediaStore::open(folder.path(), limits(300)).unwrap().find(&a).unwrap().unwrap();
    assert!(has(&c) && has(&d));
    let e = add(&store, &bytes(5, 150)).0;
    assert!(has(&a) && !has(&c) && !has(&d) && has(&e) && lease.path().exists());

    // No more is removed than necessary, and a clone keeps the lease.
    let clone = lease.clone();
    drop(lease);
    assert!(store.reserve(250).is_err() && has(&e));
    drop(clone);
    store.reserve(250).unwrap();
    assert!(!has(&a) && !has(&e));
}

#[test]
fn a_full_store_refuses_and_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), 300);
    let (_, lease) = add(&store, &bytes(1, 200));
    let error = store.reserve(200).unwrap_err();
    assert_eq!((error.kind(), error.recovery()), (ErrorKind::Io, &Recovery::Retry { after: None }));
    assert!(error.to_string().contains("in use"), "{error}");
    assert_eq!(store.reserve(301).unwrap_err().kind(), ErrorKind::Config);

    // A writer's reservation counts until it is released.
    let writer = store.reserve(100).unwrap();
    assert!(store.reserve(1).is_err());
    drop(writer);
    let mut growing = store.writer().unwrap();
    growing.append(&bytes(2, 100)).unwrap();
    let error = growing.append(&[2]).unwrap_err();
    assert!(error.kind() == ErrorKind::Io && growing.written() == 100, "{error}");
    let error = std::io::copy(&mut std::io::repeat(0).take(5), &mut growing).unwrap_err();
    assert!(error.to_string().contains("in use"), "{error}");
    growing.commit("mp4").unwrap();
    drop(lease);

    let full = MediaStore::open(folder.path(), MediaLimits::new(1000).min_free(u64::MAX / 2)).unwrap();
    let error = full.reserve(1).unwrap_err();
    assert!(error.kind() == ErrorKind::Io && error.recovery() == &Recovery::GiveUp, "{error:?}");
    assert!(error.to_string().contains("nearly full"), "{error}");
}

#[test]
fn a_store_that_became_too_large_is_brought_within_its_limits() {
    let folder = tempfile::tempdir().unwrap();
    let large = store(folder.path(), 1000);
    let ids = [1, 2, 3].map(|fill| add(&large, &bytes(fill, 100)).0);
    let small = store(folder.path(), 150);
    let lease = small.find(&ids[0]).unwrap().unwrap();
    assert_eq!(small.evict().unwrap(), 200);
    assert!(lease.path().exists() && small.find(&ids[2]).unwrap().is_none());
    assert_eq!(small.evict().unwrap(), 0);
}

#[test]
fn a_writer_that_gives_up_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), 1000);
    let mut writer = store.reserve(500).unwrap();
    writer.append(b"half").unwrap();
    assert_eq!(files(&folder.path().join("incoming")).len(), 1);
    assert!(files(&folder.path().join("files")).is_empty(), "nothing appears before it is whole");
    drop(writer);
    assert_eq!(store.writer().unwrap().commit("mp4").unwrap_err().kind(), ErrorKind::InvalidInput);
    assert!(files(&folder.path().join("incoming")).is_empty() && files(&folder.path().join("files")).is_empty());
}

#[test]
fn names_from_outside_stay_in_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let outside = folder.path().join("secret");
    std::fs::write(&outside, "x").unwrap();
    let store = store(&folder.path().join("media"), 1000);
    for hostile in ["blake3:../../secret", "blake3:", "", "../secret", "blake3:00"] {
        let id: ContentId = serde_json::from_value(hostile.into()).unwrap();
        assert!(store.find(&id).unwrap().is_none(), "{hostile}");
    }
    for (fill, extension) in ["../../x", "a/b", "\\..\\x", "mp4\0", "........", "con.mp4"].iter().enumerate() {
        let mut writer = store.reserve(1).unwrap();
        writer.append(&[fill as u8]).unwrap();
        let (id, lease) = writer.commit(extension).unwrap();
        assert_eq!(lease.path().parent(), Some(folder.path().join("media/files").as_path()), "{extension}");
        assert_eq!(store.find(&id).unwrap().unwrap().path(), lease.path());
    }
    store.bind("../../secret", &serde_json::from_value("blake3:00".into()).unwrap()).unwrap();
    assert_eq!(std::fs::read_to_string(outside).unwrap(), "x");
    // Other files in the folder are neither counted nor removed.
    let foreign = folder.path().join("media/files/holiday.mp4");
    std::fs::write(&foreign, bytes(0, 5000)).unwrap();
    store.evict().unwrap();
    assert!(foreign.exists());
}

#[test]
fn a_file_that_another_process_uses_stays() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), 100);
    let (id, lease) = add(&store, &bytes(1, 100));
    drop(lease);
    let mut holder = Command::new(std::env::current_exe().unwrap())
        .args(["media_store::holds_a_lease_for_another_test", "--exact", "--nocapture"])
        .env(HOLDS, format!("{}\n{id}", folder.path().display()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let held = BufReader::new(holder.stdout.take().unwrap()).lines().any(|line| line.unwrap().ends_with("held"));
    assert!(held);
    assert!(store.reserve(50).is_err());
    // Killed without cleanup, as in a crash.
    holder.kill().unwrap();
    holder.wait().unwrap();
    store.reserve(50).unwrap();
    assert!(store.find(&id).unwrap().is_none());
}

/// The other process of the test above. It does nothing without the variable.
#[test]
fn holds_a_lease_for_another_test() {
    let Ok(given) = std::env::var(HOLDS) else { return };
    let (folder, id) = given.split_once('\n').unwrap();
    let id: ContentId = serde_json::from_value(id.into()).unwrap();
    let _lease = MediaStore::open(folder, limits(100)).unwrap().find(&id).unwrap().unwrap();
    println!("\nheld");
    std::io::stdout().flush().unwrap();
    // Waits until the test kills this process, or until the test's end closes the pipe.
    let _ = std::io::stdin().read(&mut [0]);
}
