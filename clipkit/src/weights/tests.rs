use super::*;
use std::fs;

use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

const BODY: &[u8] = b"a small model";

/// A model whose file is `BODY`, at an address of the test's choice.
fn model(url: String) -> Weights {
    let sha256 = hex(&Sha256::digest(BODY)).leak();
    Weights { id: "test", about: "", license: "MIT", file: "test.onnx", url: url.leak(), sha256, bytes: BODY.len() as u64, others: &[] }
}

fn store(folder: &Path) -> WeightsStore {
    WeightsStore { extra: None, cache: Some(folder.join("models")) }
}

async fn server(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("GET")).and(path("/test.onnx")).respond_with(answer).mount(&server).await;
    server
}

async fn fetch_from(server: &MockServer, folder: &Path) -> Result<PathBuf> {
    store(folder).fetch(&Context::new(), &model(format!("{}/test.onnx", server.uri()))).await
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder.join("models")).map_or(true, |mut entries| entries.next().is_none())
}

#[tokio::test]
async fn a_missing_model_is_downloaded_once() {
    let (root, server) = (tempfile::tempdir().unwrap(), server(ResponseTemplate::new(200).set_body_bytes(BODY)).await);
    let path = fetch_from(&server, root.path()).await.unwrap();
    assert_eq!(fs::read(&path).unwrap(), BODY);
    assert_eq!(fetch_from(&server, root.path()).await.unwrap(), path);
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no temporary file is left");
}

#[tokio::test]
async fn other_bytes_are_refused_and_not_kept() {
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
async fn a_connection_that_breaks_off_is_to_be_tried_again() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let root = tempfile::tempdir().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/test.onnx", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 1024]).await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\na sma").await.unwrap();
    });
    let error = store(root.path()).fetch(&Context::new(), &model(url)).await.unwrap_err();
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
    // Nothing listens on the discard port of this machine.
    let error = store(root.path()).fetch(&Context::new(), &model("http://127.0.0.1:9/test.onnx".to_owned())).await.unwrap_err();
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
    let error = store(root.path()).fetch(&cx, &model(format!("{}/test.onnx", slow.uri()))).await.unwrap_err();
    assert!(error.is_cancelled() && started.elapsed() < Duration::from_secs(5));
    assert!(is_empty(root.path()));
}

#[tokio::test]
async fn a_folder_of_models_is_searched_one_level_deep() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("mine");
    fs::create_dir_all(folder.join("faces")).unwrap();
    fs::write(folder.join("faces/test.onnx"), BODY).unwrap();
    let store = WeightsStore { extra: Some(folder.clone()), cache: None };
    assert_eq!(store.find(&model(String::new())), Some(folder.join("faces/test.onnx")));
}

#[tokio::test]
async fn a_name_that_is_neither_id_nor_file_is_not_found() {
    let store = WeightsStore { extra: None, cache: None };
    for (name, says) in [("yuna", "ultraface-rfb-320"), ("./missing.onnx", "no such model file")] {
        let error = store.resolve(&Context::new(), name).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.to_string().contains(says), "{error}");
    }
}

/// A model of two files; the second comes from `other`.
fn pair(server: &MockServer, other: &str) -> Weights {
    let url = |name: &str| format!("{}/{name}", server.uri()).leak();
    let one = model(url("test.onnx").to_owned());
    let second = WeightsFile { file: "vocab.txt", url: url(other), sha256: one.sha256, bytes: one.bytes };
    Weights { others: vec![second].leak(), ..one }
}

#[tokio::test]
async fn a_model_of_several_files_is_a_folder_and_goes_on_where_it_broke_off() {
    let (root, server) = (tempfile::tempdir().unwrap(), server(ResponseTemplate::new(200).set_body_bytes(BODY)).await);
    let store = store(root.path());
    let heard = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let hearer = heard.clone();
    let cx = Context::builder().on_event(move |event| hearer.lock().unwrap().push(event.clone())).build();
    let cx = cx.for_stage(crate::model::Stage::Transcribe);
    let broken = pair(&server, "missing.txt");
    assert!(store.fetch(&cx, &broken).await.unwrap_err().to_string().contains("404"));
    assert_eq!(store.find(&broken), None, "half of it is none of it");
    let whole = pair(&server, "test.onnx");
    let folder = store.fetch(&cx, &whole).await.unwrap();
    assert_eq!((store.find(&whole), folder.file_name().unwrap().to_str()), (Some(folder.clone()), Some("test")));
    assert_eq!(fs::read(folder.join("vocab.txt")).unwrap(), BODY);
    let asked: Vec<String> = server.received_requests().await.unwrap().iter().map(|request| request.url.path().to_owned()).collect();
    assert_eq!(asked, ["/test.onnx", "/missing.txt", "/test.onnx"]);
    assert!(heard.lock().unwrap().iter().any(|event| matches!(event, crate::context::Event::Progress { .. })));
}

#[test]
fn models_are_pinned() {
    for file in Weights::all().iter().flat_map(Weights::files) {
        assert!(file.sha256.len() == 64 && file.bytes > 0 && file.url.starts_with("https://") && file.url.ends_with(file.file), "{file:?}");
        // No branch, whose bytes change.
        assert!(!["/main/", "/master/"].iter().any(|branch| file.url.contains(branch)), "{}", file.url);
    }
    assert_eq!(Weights::by_id(Weights::DEFAULT_SPEECH).unwrap().size(), 670_619_706);
}

#[test]
fn a_speech_model_is_ones_own_else_the_one_that_was_downloaded() {
    let root = tempfile::tempdir().unwrap();
    let store = WeightsStore { extra: Some(root.path().join("mine")), cache: Some(root.path().join("models")) };
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
