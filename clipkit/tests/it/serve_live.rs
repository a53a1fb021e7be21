//! Live events of the service: server-sent events, WebSockets, webhooks, and how it stops.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use clipkit::publishing::Secret;
use clipkit::serve::WebhookOptions;
use clipkit::stage::Webhook;
use futures::StreamExt;
use reqwest::Method;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Error as WsError, Message, client::IntoClientRequest};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::serve_desk::{Desk, TALK, answer, quick, sse};

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_goes_on_where_it_broke_off() {
    let mut desk = Desk::new().await;
    let id = desk.submit(&json!({"uri": TALK})).await;
    let path = format!("/v1/jobs/{id}/events");
    // A listener that was there before the first event, and reads as it comes.
    let early = desk.request(Method::GET, &path).send().await.unwrap();
    assert_eq!(early.headers()["content-type"], "text/event-stream");
    let early = tokio::spawn(early.bytes());
    desk.work();
    let whole = tokio::time::timeout(Duration::from_secs(20), early).await.expect("the stream ends with the job").unwrap().unwrap();
    let whole = sse(std::str::from_utf8(&whole).unwrap());
    let numbers: Vec<u64> = whole.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "each event once, in order");
    assert_eq!(whole.last().unwrap().1["event"], "ended");
    assert_eq!(whole.iter().filter(|(_, event)| event["event"] == "clip").count(), 3);
    assert!(whole.iter().all(|(number, event)| event["number"] == *number));

    let from = whole[4].0;
    let late = desk.ask(Method::GET, &path, &[("last-event-id", &from.to_string())], None).await;
    assert_eq!(sse(&late.text()), whole[5..]);
    let asked = desk.get(&format!("{path}?since={from}")).await;
    assert_eq!(sse(&asked.text()), whole[5..]);
    // The header is newer than the address, as when a browser connects again.
    let both = desk.ask(Method::GET, &format!("{path}?since=0"), &[("last-event-id", &from.to_string())], None).await;
    assert_eq!(sse(&both.text()), whole[5..]);
    let last = whole.last().unwrap().0;
    assert_eq!(desk.get(&format!("{path}?since={last}")).await.status, 204);
    assert_eq!(desk.get("/v1/jobs/nobody/events").await.problem(404), "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_web_socket_has_the_same_events_and_closes_after_the_last() {
    let mut desk = Desk::new().await;
    let id = desk.submit(&json!({"uri": TALK})).await;
    let address = format!("{}/v1/jobs/{id}/events", desk.base.replace("http", "ws"));
    let (mut socket, _) = tokio_tungstenite::connect_async(&address).await.unwrap();
    desk.work();
    let mut events: Vec<Value> = Vec::new();
    let mut closed = None;
    let read = async {
        while let Some(message) = socket.next().await {
            match message.unwrap() {
                Message::Text(text) => events.push(serde_json::from_str(&text).unwrap()),
                Message::Close(frame) => {
                    closed = frame;
                    break;
                }
                _ => {}
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), read).await.expect("the socket closes");
    assert_eq!(closed.map(|frame| u16::from(frame.code)), Some(1000));
    let streamed = sse(&desk.get(&format!("/v1/jobs/{id}/events")).await.text());
    assert_eq!(events, streamed.into_iter().map(|(_, event)| event).collect::<Vec<_>>());

    let foreign = |origin: &str| {
        let mut request = address.as_str().into_client_request().unwrap();
        request.headers_mut().insert("origin", origin.parse().unwrap());
        tokio_tungstenite::connect_async(request)
    };
    let refused = foreign("https://evil.example").await.unwrap_err();
    assert!(matches!(refused, WsError::Http(answer) if answer.status() == 403));
    foreign(&desk.base).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn many_listeners_all_see_the_end_and_the_api_answers_meanwhile() {
    let mut desk = Desk::with(quick(), |options, _| options.burst = 10_000).await;
    let id = desk.submit(&json!({"uri": TALK})).await;
    let mut listeners = Vec::new();
    for _ in 0..200 {
        let response = desk.request(Method::GET, &format!("/v1/jobs/{id}/events")).send().await.unwrap();
        listeners.push(tokio::spawn(response.bytes()));
    }
    desk.work();
    let mut took = Vec::new();
    for _ in 0..60 {
        let began = Instant::now();
        assert_eq!(desk.get(&format!("/v1/jobs/{id}")).await.status, 200);
        took.push(began.elapsed());
    }
    took.sort_unstable();
    println!("with 200 listeners: p50 {:?}, p95 {:?}, maximum {:?}", took[30], took[57], took[59]);
    let mut ended = 0;
    for listener in listeners {
        let bytes = tokio::time::timeout(Duration::from_secs(20), listener).await.unwrap().unwrap().unwrap();
        ended += usize::from(sse(std::str::from_utf8(&bytes).unwrap()).last().is_some_and(|(_, event)| event["event"] == "ended"));
    }
    assert_eq!(ended, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_stops_with_streams_open() {
    let desk = Desk::new().await;
    let id = desk.submit(&json!({"uri": TALK})).await;
    let stream = desk.request(Method::GET, &format!("/v1/jobs/{id}/events")).send().await.unwrap();
    let address = format!("{}/v1/jobs/{id}/events", desk.base.replace("http", "ws"));
    let (mut socket, _) = tokio_tungstenite::connect_async(&address).await.unwrap();
    let began = Instant::now();
    desk.cx.cancel();
    let text = stream.bytes().await.unwrap();
    assert!(sse(std::str::from_utf8(&text).unwrap()).is_empty());
    while let Some(Ok(message)) = socket.next().await {
        if matches!(message, Message::Close(_)) {
            break;
        }
    }
    drop(socket);
    while !desk.server.is_finished() {
        assert!(began.elapsed() < Duration::from_secs(10), "it stops within 10 s");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!("stopped after {:?}", began.elapsed());
    assert!(desk.request(Method::GET, "/healthz").send().await.is_err(), "nobody listens any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_are_signed_come_in_order_and_are_sent_again() {
    const SECRET: &str = "a secret of the tests";
    let receiver = MockServer::start().await;
    type Delivery = (String, Vec<u8>);
    let got: Arc<Mutex<Vec<Delivery>>> = Arc::default();
    // The first two requests fail.
    let (kept, left) = (got.clone(), Mutex::new(2));
    Mock::given(method("POST"))
        .and(path("/hook"))
        .respond_with(move |request: &Request| {
            let mut left = left.lock().unwrap();
            if *left > 0 {
                *left -= 1;
                return ResponseTemplate::new(500);
            }
            let header = |name: &str| request.headers[name].to_str().unwrap().to_owned();
            let signed = Webhook::verify(
                &Secret::new(SECRET),
                &header("webhook-id"),
                &header("webhook-timestamp"),
                &header("webhook-signature"),
                &request.body,
                std::time::SystemTime::now(),
            );
            signed.unwrap();
            kept.lock().unwrap().push((header("webhook-id"), request.body.clone()));
            ResponseTemplate::new(204)
        })
        .mount(&receiver)
        .await;
    let url = format!("{}/hook", receiver.uri());
    let mut desk = Desk::with(quick(), |options, _| options.webhooks = vec![WebhookOptions::new(url, SECRET)]).await;
    desk.work();
    let id = desk.submit(&json!({"uri": TALK})).await;
    desk.ended(&id).await;
    let deadline = Instant::now() + Duration::from_secs(20);
    let ended = |got: &[(String, Vec<u8>)]| got.last().is_some_and(|(_, body)| String::from_utf8_lossy(body).contains("\"ended\""));
    while !ended(&got.lock().unwrap()) {
        assert!(Instant::now() < deadline, "the end of the job is not sent");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let got = got.lock().unwrap().clone();
    let mut numbers = Vec::new();
    for (delivery, body) in &got {
        let event: Value = serde_json::from_slice(body).unwrap();
        assert_eq!(event["job"], id.as_str());
        assert_eq!(*delivery, format!("{id}:{}", event["number"]));
        numbers.push(event["number"].as_u64().unwrap());
    }
    assert!(numbers.is_sorted_by(|a, b| a < b), "in order, each once: {numbers:?}");
    let kind = |body: &[u8]| serde_json::from_slice::<Value>(body).unwrap()["event"].as_str().unwrap().to_owned();
    let kinds: Vec<String> = got.iter().map(|(_, body)| kind(body)).filter(|kind| kind != "warning").collect();
    assert_eq!(kinds, ["clip", "clip", "clip", "ended"]);
    let answer = answer(desk.request(Method::GET, "/v1/jobs")).await;
    assert!(!answer.text().contains(SECRET));
}
