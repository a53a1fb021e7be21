//! Shared parts of the tests for API clients: loopback servers that implement the API, and failing
//! ones.

use crate::support::with;
use std::time::Duration;

use clipkit::layer::{LayerConfig, Retry};
use clipkit::stage::OpenAiServer;
use clipkit::{ErrorKind, Recovery};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wiremock::{MockServer, ResponseTemplate};

pub(crate) const KEY: &str = "sk-test-4f9c";

/// A server with a key, and with retries after a short delay.
pub(crate) fn at(uri: &str) -> OpenAiServer {
    let quick = LayerConfig::Retry(Retry::times(3).first(Duration::from_millis(10)));
    with(OpenAiServer::default(), |it| {
        it.base_url = Some(format!("{uri}/v1"));
        it.api_key = Some(KEY.into());
        it.layers = vec![quick];
    })
}

pub(crate) fn on(server: &MockServer) -> OpenAiServer {
    at(&server.uri())
}

/// A failing response, the resulting error, and the number of requests.
pub(crate) struct Fault {
    pub(crate) response: ResponseTemplate,
    pub(crate) kind: ErrorKind,
    pub(crate) recovery: Recovery,
    pub(crate) tries: usize,
}

/// Failing responses. Some repeat the key, as OpenAI's do in part.
pub(crate) fn faults() -> Vec<Fault> {
    let complaint = |status: u16, code: &str| {
        let message = format!("{} Incorrect API key provided: {KEY}", "x".repeat(284));
        ResponseTemplate::new(status).set_body_json(json!({"error": {"message": message, "type": "x", "param": null, "code": code}}))
    };
    let again = |seconds: Option<u64>| Recovery::Retry { after: seconds.map(Duration::from_secs) };
    let fault = |response, kind, recovery, tries| Fault { response, kind, recovery, tries };
    vec![
        fault(complaint(401, "invalid_api_key"), ErrorKind::Denied, Recovery::RefreshCredentials, 1),
        fault(ResponseTemplate::new(403).set_body_string("<html>no</html>"), ErrorKind::Denied, Recovery::RefreshCredentials, 1),
        fault(complaint(429, "insufficient_quota"), ErrorKind::Denied, Recovery::GiveUp, 1),
        fault(ResponseTemplate::new(402), ErrorKind::Denied, Recovery::GiveUp, 1),
        fault(ResponseTemplate::new(429), ErrorKind::RateLimited, again(None), 3),
        fault(complaint(429, "").insert_header("retry-after", "0"), ErrorKind::RateLimited, again(Some(0)), 3),
        // Longer than the maximum wait, so the error is returned at once, with the time.
        fault(complaint(429, "").insert_header("retry-after", "3600"), ErrorKind::RateLimited, again(Some(3600)), 1),
        fault(complaint(400, "bad"), ErrorKind::Config, Recovery::GiveUp, 1),
        fault(complaint(500, ""), ErrorKind::Network, again(None), 3),
        fault(ResponseTemplate::new(503).insert_header("retry-after", "7200"), ErrorKind::Network, again(Some(7200)), 1),
        fault(ResponseTemplate::new(503).set_body_string(KEY), ErrorKind::Network, again(None), 3),
        fault(ResponseTemplate::new(200).set_body_string("{\"choices\": [{\"text\": \"Hel"), ErrorKind::Contract, again(None), 3),
    ]
}

/// The address of a server that starts each response and never finishes it.
pub(crate) async fn dripping() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{\"text\": \"";
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(head.as_bytes()).await;
                while stream.write_all(b"a").await.is_ok() {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            });
        }
    });
    format!("http://{address}")
}

/// The address of a server that does not run.
pub(crate) fn nobody() -> String {
    // The port was bound and released, so nothing listens there.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}
