//! Publishing into s3s-fs, an S3 server that shares no code with clipkit or with its model of a
//! server. It checks every signature.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clipkit::prelude::*;
use hyper_util::rt::{TokioExecutor, TokioIo};
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;

use crate::publishers::{Stand, context, environment, keeps_the_contract, mp4_files, plan, post};
use crate::s3_server::{ID, SECRET, variables};
use crate::support::with;

const MIB: usize = 1 << 20;

/// Serves a folder with one bucket until the test ends. Returns the variables that lead to it.
async fn serve(root: &Path) -> Vec<(String, String)> {
    std::fs::create_dir_all(root.join("bucket")).unwrap();
    let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(root).unwrap());
    builder.set_auth(SimpleAuth::from_single(ID, SECRET));
    let service = builder.build();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let service = service.clone();
            tokio::spawn(async move {
                let server = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                let _ = server.serve_connection(TokioIo::new(socket), service).await;
            });
        }
    });
    variables(&address)
}

async fn bench(desk: &Path) -> Environment {
    let mut environment = environment(desk);
    environment.object_store = serve(&desk.join("s3")).await.into_iter().collect();
    environment
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_of_s3s_keeps_the_contract() {
    let desk = tempfile::tempdir().unwrap();
    let environment = bench(desk.path()).await;
    let bucket = desk.path().join("s3/bucket");
    let stand = Stand {
        publisher: Box::new(|| Arc::new(ObjectStorePublisher::new("s3://bucket/clips"))),
        environment,
        published: Box::new(move || mp4_files(&bucket)),
        secrets: vec![SECRET.into(), "hunter2".into()],
    };
    keeps_the_contract(&stand, 3 * MIB).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clip_in_parts_is_whole_behind_its_signed_link_and_a_wrong_secret_is_refused() {
    let desk = tempfile::tempdir().unwrap();
    let environment = bench(desk.path()).await;
    let post = post(desk.path(), 3, &plan(10.0, "Why clocks lie!"), 12 * MIB + 123);
    let publisher = with(ObjectStorePublisher::new("s3://bucket/clips"), |it| {
        (it.link, it.part_size) = (Some(Duration::from_secs(60)), 5 * MIB as u64);
    });
    let mut denied = environment.clone();
    denied.object_store.insert("AWS_SECRET_ACCESS_KEY".into(), "hunter3".into());
    let error = publisher.publish(&context(&denied), &post).await.unwrap_err();
    assert_eq!((error.kind(), error.recovery()), (ErrorKind::Denied, &Recovery::RefreshCredentials), "{error:?}");
    assert!(!format!("{error:?}").contains("hunter"), "{error:?}");

    let receipt = publisher.publish(&context(&environment), &post).await.unwrap();
    let sent = std::fs::read(&post.files.video).unwrap();
    assert!(std::fs::read(desk.path().join("s3/bucket").join(&receipt.id)).unwrap() == sent);
    let link = receipt.url.unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = client.get(&link).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()["content-type"].to_str().unwrap()), (200, "video/mp4"));
    assert!(answer.bytes().await.unwrap() == sent);
    // The signature is for this object and this time only.
    for wrong in [link.replace(".mp4", ".jpg"), link.replace("X-Amz-Expires=60", "X-Amz-Expires=600")] {
        assert_eq!(client.get(&wrong).send().await.unwrap().status().as_u16(), 403, "{wrong}");
    }
}
