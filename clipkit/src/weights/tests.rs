use std::fs;
use std::time::Duration;

use sha2::{Digest, Sha256};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::download::hex;
use super::lr_asd::tests::{checkpoint_without, random_checkpoint};
use super::*;
use crate::error::Recovery;

const BODY: &[u8] = b"a small model";

/// Weights whose file is `BODY`, at the given address.
fn weights(url: String) -> Weights {
    let sha256 = hex(&Sha256::digest(BODY)).leak();
    Weights {
        id: "test",
        about: "",
        license: "MIT",
        file: "test.onnx",
        url: url.leak(),
        sha256,
        bytes: BODY.len() as u64,
        others: &[],
        conversion: None,
    }
}

fn store(folder: &Path) -> WeightsStore {
    WeightsStore { given: None, cache: Some(folder.join("models")) }
}

async fn server(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("GET")).and(path("/test.onnx")).respond_with(answer).mount(&server).await;
    server
}

async fn fetch_from(server: &MockServer, folder: &Path) -> Result<PathBuf> {
    store(folder).fetch(&Context::new(), &weights(format!("{}/test.onnx", server.uri()))).await
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder.join("models")).map_or(true, |mut entries| entries.next().is_none())
}

#[tokio::test]
async fn missing_weights_are_downloaded_once() {
    let (root, server) = (tempfile::tempdir().unwrap(), server(ResponseTemplate::new(200).set_body_bytes(BODY)).await);
    let path = fetch_from(&server, root.path()).await.unwrap();
    assert_eq!(fs::read(&path).unwrap(), BODY);
    assert_eq!(fetch_from(&server, root.path()).await.unwrap(), path);
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no temporary file is left");
}

#[tokio::test]
async fn unexpected_bytes_are_an_error_and_not_stored() {
    for (body, again) in [(&b"a small modem"[..], false), (b"a small model and more", false), (b"a small", true)] {
        let (root, server) = (tempfile::tempdir().unwrap(), server(ResponseTemplate::new(200).set_body_bytes(body)).await);
        let error = fetch_from(&server, root.path()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Network);
        assert_eq!(matches!(error.recovery(), Recovery::Retry { .. }), again, "{error}");
        assert!(error.url().unwrap().ends_with("/test.onnx"));
        assert!(is_empty(root.path()));
    }
}

#[tokio::test]
async fn a_broken_connection_is_an_error_to_retry() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let root = tempfile::tempdir().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/test.onnx", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 1024]).await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\na sma").await.unwrap();
    });
    let error = store(root.path()).fetch(&Context::new(), &weights(url)).await.unwrap_err();
    assert_eq!((error.kind(), error.recovery()), (ErrorKind::Network, &Recovery::Retry { after: None }));
    assert!(is_empty(root.path()));
}

#[tokio::test]
async fn a_refusal_is_final_and_a_busy_server_is_not() {
    let root = tempfile::tempdir().unwrap();
    let gone = server(ResponseTemplate::new(404)).await;
    let error = fetch_from(&gone, root.path()).await.unwrap_err();
    assert_eq!((error.kind(), error.recovery()), (ErrorKind::Network, &Recovery::GiveUp));
    assert!(error.to_string().contains("404") && error.to_string().contains("CLIPKIT_MODELS"), "{error}");

    let busy = server(ResponseTemplate::new(503).insert_header("retry-after", "7")).await;
    let error = fetch_from(&busy, root.path()).await.unwrap_err();
    assert_eq!(error.recovery(), &Recovery::Retry { after: Some(Duration::from_secs(7)) });
}

#[tokio::test]
async fn no_network_is_an_error_to_retry() {
    let root = tempfile::tempdir().unwrap();
    // Nothing listens on the discard port.
    let error = store(root.path()).fetch(&Context::new(), &weights("http://127.0.0.1:9/test.onnx".to_owned())).await.unwrap_err();
    assert_eq!((error.kind(), error.recovery()), (ErrorKind::Network, &Recovery::Retry { after: None }));
}

#[tokio::test]
async fn cancelling_ends_a_slow_download_at_once() {
    let root = tempfile::tempdir().unwrap();
    let slow = server(ResponseTemplate::new(200).set_body_bytes(BODY).set_delay(Duration::from_secs(20))).await;
    let cx = Context::new();
    let canceller = cx.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(100)).await;
        canceller.cancel();
    });
    let started = std::time::Instant::now();
    let error = store(root.path()).fetch(&cx, &weights(format!("{}/test.onnx", slow.uri()))).await.unwrap_err();
    assert!(error.is_cancelled() && started.elapsed() < Duration::from_secs(5));
    assert!(is_empty(root.path()));
}

#[tokio::test]
async fn the_given_folder_is_searched_one_level_deep() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("mine");
    fs::create_dir_all(folder.join("faces")).unwrap();
    fs::write(folder.join("faces/test.onnx"), BODY).unwrap();
    let store = WeightsStore { given: Some(folder.clone()), cache: None };
    assert_eq!(store.find(&weights(String::new())), Some(folder.join("faces/test.onnx")));
}

#[tokio::test]
async fn a_name_that_is_neither_an_id_nor_a_file_is_not_found() {
    let store = WeightsStore { given: None, cache: None };
    for (name, says) in [("yuna", "ultraface-rfb-320"), ("./missing.onnx", "no such model file")] {
        let error = store.resolve(&Context::new(), name).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.to_string().contains(says), "{error}");
    }
}

/// Weights of two files; the second is downloaded from the path `other`.
fn pair(server: &MockServer, other: &str) -> Weights {
    let url = |name: &str| format!("{}/{name}", server.uri()).leak();
    let one = weights(url("test.onnx").to_owned());
    let second = WeightsFile { file: "vocab.txt", url: url(other), sha256: one.sha256, bytes: one.bytes };
    Weights { others: vec![second].leak(), ..one }
}

#[tokio::test]
async fn weights_of_several_files_are_a_folder_and_a_download_resumes() {
    let (root, server) = (tempfile::tempdir().unwrap(), server(ResponseTemplate::new(200).set_body_bytes(BODY)).await);
    let store = store(root.path());
    let events = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let listener = events.clone();
    let cx = Context::builder().on_event(move |event| listener.lock().unwrap().push(event.clone())).build();
    let cx = cx.for_stage(crate::model::Stage::Transcribe);
    let incomplete = pair(&server, "missing.txt");
    assert!(store.fetch(&cx, &incomplete).await.unwrap_err().to_string().contains("404"));
    assert_eq!(store.find(&incomplete), None, "an incomplete model is not found");
    let complete = pair(&server, "test.onnx");
    let folder = store.fetch(&cx, &complete).await.unwrap();
    assert_eq!((store.find(&complete), folder.file_name().unwrap().to_str()), (Some(folder.clone()), Some("test")));
    assert_eq!(fs::read(folder.join("vocab.txt")).unwrap(), BODY);
    let requested: Vec<String> = server.received_requests().await.unwrap().iter().map(|request| request.url.path().to_owned()).collect();
    assert_eq!(requested, ["/test.onnx", "/missing.txt", "/test.onnx"]);
    assert!(events.lock().unwrap().iter().any(|event| matches!(event, crate::context::Event::Progress { .. })));
}

#[test]
fn addresses_are_pinned() {
    for file in Weights::all().iter().flat_map(Weights::files) {
        assert!(file.sha256.len() == 64 && file.bytes > 0 && file.url.starts_with("https://") && file.url.ends_with(file.file), "{file:?}");
        // A branch's bytes change.
        assert!(!["/main/", "/master/"].iter().any(|branch| file.url.contains(branch)), "{}", file.url);
    }
    assert_eq!(Weights::by_id(Weights::DEFAULT_SPEECH).unwrap().size(), 670_619_706);
}

#[test]
fn the_users_speech_model_precedes_the_downloaded_one() {
    let root = tempfile::tempdir().unwrap();
    let store = WeightsStore { given: Some(root.path().join("mine")), cache: Some(root.path().join("models")) };
    assert_eq!(store.find_speech(), None);
    let (known, kept) = (Weights::by_id(Weights::DEFAULT_SPEECH).unwrap(), root.path().join("models").join(Weights::DEFAULT_SPEECH));
    fs::create_dir_all(&kept).unwrap();
    known.files().for_each(|file| fs::write(kept.join(file.file), BODY).unwrap());
    assert_eq!(store.find_speech(), Some(kept));
    let own = root.path().join("mine/speech");
    fs::create_dir_all(&own).unwrap();
    fs::write(own.join("vocab.json"), "{}").unwrap();
    assert_eq!(store.find_speech(), Some(own));
}

#[tokio::test]
async fn a_store_follows_the_contexts_environment_and_not_the_processs() {
    let (root, server) = (tempfile::tempdir().unwrap(), server(ResponseTemplate::new(200).set_body_bytes(BODY)).await);
    let mut environment = Environment::default();
    assert_eq!(WeightsStore::from_environment(&environment), WeightsStore { given: None, cache: None });
    environment.cache_folder = Some(root.path().to_owned());
    environment.http_proxy = Some(server.uri());
    let cx = Context::builder().environment(environment).build();
    let store = WeightsStore::from_environment(cx.environment());
    // The host does not exist: only the environment's proxy can answer.
    let path = store.fetch(&cx, &weights("http://clipkit.invalid/test.onnx".to_owned())).await.unwrap();
    assert_eq!(path, root.path().join("clipkit/models/test.onnx"));
}

/// LR-ASD with a checkpoint of random weights, to be downloaded from a server.
fn speaker_model(checkpoint: &[u8], url: String) -> Weights {
    let known = Weights::by_id(Weights::ACTIVE_SPEAKER).unwrap().clone();
    Weights { url: url.leak(), sha256: hex(&Sha256::digest(checkpoint)).leak(), bytes: checkpoint.len() as u64, ..known }
}

fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_model_that_is_converted_is_fetched_once_and_its_download_is_not_kept() {
    let checkpoint = random_checkpoint();
    let (root, server) = (tempfile::tempdir().unwrap(), server(ResponseTemplate::new(200).set_body_bytes(checkpoint.clone())).await);
    let (store, model) = (store(root.path()), speaker_model(&checkpoint, format!("{}/test.onnx", server.uri())));
    assert_eq!(store.find_active_speaker(), None);
    let folder = store.fetch(&Context::new(), &model).await.unwrap();
    assert_eq!(folder, root.path().join("models/lr-asd"));
    assert_eq!(names_in(&folder), ["LICENSE", "audio_frontend.onnx", "av_backend.onnx", "visual_frontend.onnx"]);
    assert_eq!(names_in(&root.path().join("models")), ["lr-asd"]);
    assert_eq!((store.find(&model), store.find_active_speaker()), (Some(folder.clone()), Some(folder.clone())));
    assert_eq!(store.fetch(&Context::new(), &model).await.unwrap(), folder);
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
    fs::remove_file(folder.join("av_backend.onnx")).unwrap();
    assert_eq!(store.find_active_speaker(), None, "an incomplete model is not found");
}

#[tokio::test]
async fn a_download_that_cannot_be_converted_leaves_nothing() {
    let good = random_checkpoint();
    let lacking = checkpoint_without("model.fusion.attention.weight");
    for (served, expected, kind, says) in [
        (&good[..good.len() - 1], &good, ErrorKind::Network, "bytes were received"),
        (&lacking[..], &good, ErrorKind::Network, "bytes were received"),
        (&lacking[..], &lacking, ErrorKind::InvalidInput, "tensor model.fusion.attention.weight is missing"),
    ] {
        let (root, server) = (tempfile::tempdir().unwrap(), server(ResponseTemplate::new(200).set_body_bytes(served)).await);
        let model = speaker_model(expected, format!("{}/test.onnx", server.uri()));
        let error = store(root.path()).fetch(&Context::new(), &model).await.unwrap_err();
        assert!(error.kind() == kind && error.to_string().contains(says), "{error}");
        assert!(error.url().unwrap().ends_with("/test.onnx"));
        assert!(is_empty(root.path()), "{says}");
        if kind == ErrorKind::InvalidInput {
            assert_eq!(error.path(), Some(Path::new("pretrain_AVA.model")));
        }
    }
    let mut changed = good.clone();
    *changed.last_mut().unwrap() ^= 1;
    let (root, server) = (tempfile::tempdir().unwrap(), server(ResponseTemplate::new(200).set_body_bytes(changed)).await);
    let model = speaker_model(&good, format!("{}/test.onnx", server.uri()));
    let error = store(root.path()).fetch(&Context::new(), &model).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Network && error.to_string().contains("SHA-256") && is_empty(root.path()), "{error}");
}

#[tokio::test]
async fn the_users_own_download_is_verified_and_converted_without_a_network() {
    let checkpoint = random_checkpoint();
    let (root, model) = (tempfile::tempdir().unwrap(), speaker_model(&checkpoint, "http://127.0.0.1:9/pretrain_AVA.model".to_owned()));
    let mine = root.path().join("mine");
    fs::create_dir_all(&mine).unwrap();
    let store = WeightsStore { given: Some(mine.clone()), ..store(root.path()) };
    let own = mine.join("pretrain_AVA.model");
    let mut changed = checkpoint.clone();
    changed[1000] ^= 1;
    for (bytes, says) in
        [(&checkpoint[..1000], "cut short: it has 1000 of"), (&changed[..], "SHA-256"), (&[&changed[..], b"x"].concat(), "longer")]
    {
        fs::write(&own, bytes).unwrap();
        let error = store.fetch(&Context::new(), &model).await.unwrap_err();
        assert!(error.kind() == ErrorKind::InvalidInput && error.to_string().contains(says), "{error}");
        assert_eq!(error.path(), Some(own.as_path()));
        assert!(is_empty(root.path()) && store.find(&model).is_none());
    }
    fs::write(&own, &checkpoint).unwrap();
    let folder = store.fetch(&Context::new(), &model).await.unwrap();
    assert_eq!(folder, root.path().join("models/lr-asd"));
    assert!(own.is_file(), "the user's file is kept");
}

#[tokio::test]
async fn converted_files_that_cannot_be_written_are_an_error() {
    let checkpoint = random_checkpoint();
    let (root, server) = (tempfile::tempdir().unwrap(), server(ResponseTemplate::new(200).set_body_bytes(checkpoint.clone())).await);
    let model = speaker_model(&checkpoint, format!("{}/test.onnx", server.uri()));
    let models = root.path().join("models");
    fs::create_dir(&models).unwrap();
    fs::write(models.join("lr-asd"), "a file where the folder should be").unwrap();
    let error = store(root.path()).fetch(&Context::new(), &model).await.unwrap_err();
    assert_eq!((error.kind(), error.path()), (ErrorKind::Io, Some(models.join("lr-asd").as_path())));
    assert_eq!(names_in(&models), ["lr-asd"], "the download is removed");
}

#[tokio::test]
async fn a_folder_that_is_incomplete_does_not_hide_the_complete_one() {
    let root = tempfile::tempdir().unwrap();
    let store = WeightsStore { given: Some(root.path().join("mine")), ..store(root.path()) };
    let fill = |folder: PathBuf, names: &[&str]| {
        fs::create_dir_all(&folder).unwrap();
        names.iter().for_each(|name| fs::write(folder.join(name), BODY).unwrap());
    };
    let files = Conversion::LrAsd.files();
    fill(root.path().join("mine/faces"), &files[..2]);
    assert_eq!(store.find_active_speaker(), None);
    fill(root.path().join("models/lr-asd"), files);
    assert_eq!(store.find_active_speaker(), Some(root.path().join("models/lr-asd")));
    fill(root.path().join("mine/another"), files);
    fill(root.path().join("mine/lr-asd"), files);
    assert_eq!(store.find_active_speaker(), Some(root.path().join("mine/lr-asd")), "the folder with the model's name comes first");
}
