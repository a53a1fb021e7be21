//! Uploads by the tus protocol, and a job whose video was uploaded.

use clipkit::store::{MediaLimits, MediaStore};
use reqwest::Method;
use serde_json::json;

use crate::serve_desk::{Answer, Desk, quick};
use crate::support::ffmpeg;

const TUS: (&str, &str) = ("tus-resumable", "1.0.0");
/// `talk.mp4` in Base64.
const NAME: (&str, &str) = ("upload-metadata", "filename dGFsay5tcDQ=");

async fn create(desk: &Desk, length: usize) -> Answer {
    desk.ask(Method::POST, "/v1/uploads", &[TUS, NAME, ("upload-length", &length.to_string())], None).await
}

async fn patch(desk: &Desk, place: &str, offset: usize, bytes: &[u8]) -> Answer {
    let headers = [TUS, ("upload-offset", &offset.to_string()), ("content-type", "application/offset+octet-stream")];
    desk.ask(Method::PATCH, place, &headers, Some(bytes)).await
}

async fn offset(desk: &Desk, place: &str) -> String {
    let answer = desk.ask(Method::HEAD, place, &[TUS], None).await;
    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (200, "no-store"));
    answer.header("upload-offset").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_is_resumed_and_becomes_a_jobs_video() {
    let mut desk = Desk::with(quick(), |options, _| options.stages.retain(|stage| stage != "source")).await;
    let file = desk.folder.path().join("real.mp4");
    ffmpeg(&format!(
        "-f lavfi -i testsrc2=s=320x180:r=25:d=300 -f lavfi -i sine=r=8000:d=300 -c:v libx264 -preset ultrafast -g 250 -c:a aac -b:a 16k {}",
        file.display()
    ));
    let bytes = std::fs::read(&file).unwrap();
    let made = create(&desk, bytes.len()).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let place = made.header("location").to_owned();
    let uri = made.json()["uri"].as_str().unwrap().to_owned();
    assert!(uri.starts_with("upload://") && uri.ends_with("/talk.mp4"), "{uri}");
    let half = bytes.len() / 2;
    let first = patch(&desk, &place, 0, &bytes[..half]).await;
    assert_eq!((first.status.as_u16(), first.header("upload-offset")), (204, half.to_string().as_str()));
    assert_eq!(desk.send(Method::POST, "/v1/jobs", &json!({"uri": uri})).await.problem(404), "not_found", "it is not complete");
    assert_eq!(patch(&desk, &place, 0, &bytes[..half]).await.problem(409), "invalid_input", "these bytes are there");
    assert_eq!(offset(&desk, &place).await, half.to_string());
    let last = patch(&desk, &place, half, &bytes[half..]).await;
    assert_eq!((last.status.as_u16(), last.header("upload-offset")), (204, bytes.len().to_string().as_str()));
    let done = desk.get(&place).await.json();
    assert_eq!((done["complete"].as_bool(), done["length"].as_u64()), (Some(true), Some(bytes.len() as u64)));
    assert_eq!(offset(&desk, &place).await, bytes.len().to_string());
    assert_eq!(patch(&desk, &place, bytes.len(), b"more").await.problem(409), "config");

    let id = desk.submit(&json!({"uri": uri})).await;
    desk.work();
    let job = desk.ended(&id).await;
    assert_eq!(job["state"], "done", "{}", job["error"]);
    assert_eq!((job["uri"].as_str(), job["manifest"]["source"]["media"]["uri"].as_str()), (Some(uri.as_str()), Some(uri.as_str())));
    // The contact sheet is drawn from the uploaded file.
    let sheet = desk.get(&format!("/v1/jobs/{id}/clips/1/sheet")).await;
    assert_eq!((sheet.status.as_u16(), sheet.header("content-type")), (200, "image/jpeg"), "{}", sheet.text());
    assert!(sheet.bytes.starts_with(&[0xff, 0xd8]));
}

/// A client that is refused while it sends reads why.
#[tokio::test(flavor = "multi_thread")]
async fn refusals_reach_a_client_that_still_sends() {
    let desk = Desk::new().await;
    let bytes = vec![7_u8; 8 << 20];
    let place = create(&desk, bytes.len()).await.header("location").to_owned();
    for _ in 0..10 {
        assert_eq!(patch(&desk, &place, 5, &bytes).await.problem(409), "invalid_input");
        let json = [("content-type", "application/json")];
        let refused = desk.ask(Method::POST, "/v1/nothing", &json, Some(&bytes)).await;
        assert_eq!(refused.status.as_u16(), 404);
    }
    assert_eq!(offset(&desk, &place).await, "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_survives_a_restart_of_the_service() {
    let desk = Desk::new().await;
    let place = create(&desk, 10).await.header("location").to_owned();
    patch(&desk, &place, 0, b"12345").await;
    let root = desk.media.folder().to_owned();
    let keep = desk.folder.path().to_owned();
    desk.cx.cancel();
    while !desk.server.is_finished() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    // The folder outlives the first service.
    let copy = tempfile::tempdir().unwrap();
    copy_all(&root, copy.path());
    drop(desk);
    assert!(!keep.exists());
    let store = MediaStore::open(copy.path(), MediaLimits::default().min_free(0)).unwrap();
    let desk = Desk::with(quick(), |options, _| options.media = Some(store)).await;
    assert_eq!(offset(&desk, &place).await, "5");
    assert_eq!(patch(&desk, &place, 5, b"67890").await.status, 204);
    assert_eq!(desk.get(&place).await.json()["complete"], true);
}

fn copy_all(from: &std::path::Path, to: &std::path::Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir_all(&target).unwrap();
            copy_all(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_that_cannot_be_are_refused() {
    let desk = Desk::with(quick(), |options, folder| {
        options.max_upload = 1000;
        options.media = Some(MediaStore::open(folder.path().join("small"), MediaLimits::new(1500).min_free(0)).unwrap());
    })
    .await;
    let told = desk.ask(Method::OPTIONS, "/v1/uploads", &[], None).await;
    assert_eq!((told.status.as_u16(), told.header("tus-version"), told.header("tus-max-size")), (204, "1.0.0", "1000"));
    assert!(told.header("tus-extension").contains("creation"));
    assert_eq!(create(&desk, 1001).await.problem(413), "invalid_input");
    assert_eq!(create(&desk, 0).await.problem(400), "invalid_input");
    let place = create(&desk, 900).await.header("location").to_owned();
    let full = create(&desk, 900).await;
    assert_eq!((full.problem(507).as_str(), full.header("retry-after")), ("io", "60"), "what was promised counts");
    let with = async |method: Method, place: &str, headers: &[(&str, &str)]| desk.ask(method, place, headers, None).await;
    assert_eq!(with(Method::POST, "/v1/uploads", &[("upload-length", "5")]).await.problem(412), "invalid_input");
    assert_eq!(with(Method::POST, "/v1/uploads", &[TUS, ("upload-length", "many")]).await.problem(400), "invalid_input");
    assert_eq!(
        with(Method::POST, "/v1/uploads", &[TUS, ("upload-length", "5"), ("upload-metadata", "filename !")]).await.problem(400),
        "invalid_input"
    );
    assert_eq!(with(Method::PATCH, &place, &[TUS, ("upload-offset", "0")]).await.problem(415), "invalid_input");
    assert_eq!(patch(&desk, &place, 0, &[0; 901]).await.problem(413), "invalid_input");
    let (head, gone) = (format!("{place}0"), format!("/v1/uploads/{}", "0".repeat(32)));
    for missing in [head.as_str(), gone.as_str(), "/v1/uploads/..%2f..%2fjobs.db"] {
        assert_eq!(patch(&desk, missing, 0, b"x").await.problem(404), "not_found", "{missing}");
    }
    assert_eq!(with(Method::DELETE, &place, &[TUS]).await.status, 204);
    assert_eq!(with(Method::DELETE, &place, &[TUS]).await.problem(404), "not_found");
    assert_eq!(create(&desk, 900).await.status, 201, "there is room again");
}
