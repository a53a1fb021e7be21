//! The service over HTTP: jobs, clips, edits, queues, metrics.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clipkit::prelude::*;
use clipkit::serve::record_metrics;
use reqwest::Method;
use serde_json::{Value, json};

#[cfg(feature = "s3")]
use crate::s3_server::S3;
use crate::serve_desk::{Desk, TALK, quick};
use crate::support::with;

#[tokio::test(flavor = "multi_thread")]
async fn a_video_becomes_clips_that_play_in_parts() {
    let mut desk = Desk::new().await;
    let id = desk.submit(&json!({"uri": TALK, "config": {"options": {"clips": 3}}})).await;
    let waiting = desk.get(&format!("/v1/jobs/{id}")).await.json();
    assert_eq!((waiting["state"].as_str(), waiting["progress"].as_f64()), (Some("waiting"), Some(0.0)));
    assert_eq!(desk.get(&format!("/v1/jobs/{id}/clips")).await.json(), json!({"clips": []}));
    desk.work();
    let job = desk.ended(&id).await;
    assert_eq!((job["state"].as_str(), job["progress"].as_f64()), (Some("done"), Some(1.0)), "{job}");
    assert_eq!(job["stages"]["render"], json!({"done": 3}));

    let clips = desk.get(&format!("/v1/jobs/{id}/clips")).await.json();
    let clips = clips["clips"].as_array().unwrap();
    assert_eq!(clips.len(), 3);
    let first = &clips[0];
    assert_eq!(
        (first["state"].as_str(), first["title"].as_str(), first["score"]["total"].as_f64()),
        (Some("ready"), Some("From 10"), Some(90.0))
    );
    assert!(first["captions"][0]["words"][0].as_str().is_some_and(|word| word.starts_with("word")), "{first}");
    assert_eq!(first["receipts"][0]["target"], "folder");

    let video = first["links"]["video"].as_str().unwrap();
    let whole = desk.get(video).await;
    assert_eq!((whole.status.as_u16(), whole.text().as_str()), (200, "the video of From 10"));
    assert_eq!((whole.header("content-type"), whole.header("accept-ranges")), ("video/mp4", "bytes"));
    let part = desk.ask(Method::GET, video, &[("range", "bytes=4-8")], None).await;
    assert_eq!((part.status.as_u16(), part.text().as_str()), (206, "video"));
    assert_eq!(part.header("content-range"), "bytes 4-8/20");
    let end = desk.ask(Method::GET, video, &[("range", "bytes=-2")], None).await;
    assert_eq!((end.status.as_u16(), end.text().as_str()), (206, "10"));
    assert_eq!(desk.ask(Method::GET, video, &[("range", "bytes=999-")], None).await.problem(416), "invalid_input");
    let head = desk.ask(Method::HEAD, video, &[], None).await;
    assert_eq!((head.status.as_u16(), head.header("content-length"), head.bytes.len()), (200, "20", 0));
    let saved = desk.get(&format!("{video}?download=true")).await;
    assert!(saved.header("content-disposition").starts_with("attachment; filename=\"01-"), "{:?}", saved.headers);

    assert_eq!(desk.get(first["links"]["cover"].as_str().unwrap()).await.header("content-type"), "image/jpeg");
    let captions = desk.get(first["links"]["captions"].as_str().unwrap()).await.text();
    assert!(captions.starts_with("1\n00:00:00,") && captions.contains(" --> "), "{captions}");
    let plan = desk.get(first["links"]["plan"].as_str().unwrap()).await;
    assert_eq!(ClipPlan::from_json(&plan.text()).unwrap().title, "From 10");
    assert_eq!(desk.get(&format!("/v1/jobs/{id}/clips/9/video")).await.problem(404), "not_found");
    // The clips are in the job's own folder.
    assert!(desk.folder.path().join("out").join(&id).join("clips.json").is_file());
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_listed_in_pages_by_state_cancelled_retried_and_removed() {
    let mut desk = Desk::new().await;
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(desk.submit(&json!({"uri": format!("https://example.com/{n}.mp4?token=secret"), "priority": n})).await);
    }
    ids.reverse();
    let mut seen = Vec::new();
    let mut before = String::new();
    loop {
        let page = desk.get(&format!("/v1/jobs?limit=2{before}")).await.json();
        seen.extend(page["jobs"].as_array().unwrap().iter().map(|job| job["id"].as_str().unwrap().to_owned()));
        assert!(!page.to_string().contains("secret"), "an address can hold a token");
        let Some(next) = page["next"].as_str() else { break };
        before = format!("&before={next}");
    }
    assert_eq!(seen, ids);
    let (cancelled, removed) = (&ids[0], &ids[1]);
    assert_eq!(desk.ask(Method::DELETE, &format!("/v1/jobs/{cancelled}"), &[], None).await.json()["state"], "cancelled");
    let of = async |state: &str| {
        let page = desk.get(&format!("/v1/jobs?state={state}")).await.json();
        page["jobs"].as_array().unwrap().iter().map(|job| job["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(of("cancelled").await, std::slice::from_ref(cancelled));
    assert_eq!(of("waiting").await, ids[1..]);
    assert_eq!(desk.get("/v1/jobs?state=sleeping").await.problem(400), "invalid_input");
    assert_eq!(desk.get("/v1/jobs?limit=0").await.problem(400), "invalid_input");

    let remove = async |id: &str| desk.ask(Method::DELETE, &format!("/v1/jobs/{id}?remove=true"), &[], None).await;
    assert_eq!(remove(removed).await.problem(409), "config", "it has not ended");
    let retry = async |id: &str| desk.ask(Method::POST, &format!("/v1/jobs/{id}/retry"), &[], None).await;
    assert_eq!(retry(removed).await.problem(409), "config", "nothing failed");
    assert_eq!(retry(cancelled).await.json()["state"], "waiting");
    assert_eq!(retry("nobody").await.problem(404), "not_found");
    desk.work();
    for id in &ids {
        assert_eq!(desk.ended(id).await["state"], "done");
    }
    let remove = async |id: &str| desk.ask(Method::DELETE, &format!("/v1/jobs/{id}?remove=true"), &[], None).await;
    assert_eq!(remove(removed).await.status, 204);
    assert_eq!(desk.get(&format!("/v1/jobs/{removed}")).await.problem(404), "not_found");
    assert_eq!(remove(removed).await.problem(404), "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_for_one_job_and_full_queues_say_when_to_come_back() {
    let desk = Desk::with(with(quick(), |it| it.most_open_per_user = 3), |_, _| {}).await;
    let job = json!({"uri": TALK, "idempotency_key": "1"});
    let first = desk.submit(&job).await;
    assert_eq!(desk.submit(&job).await, first);
    let header = async |key: &str| {
        let headers = [("content-type", "application/json"), ("idempotency-key", key)];
        desk.ask(Method::POST, "/v1/jobs", &headers, Some(json!({"uri": TALK}).to_string().as_bytes())).await
    };
    assert_eq!(header("1").await.json()["id"], first.as_str());
    let other = desk.send(Method::POST, "/v1/jobs", &json!({"uri": TALK, "idempotency_key": "1", "priority": 9})).await;
    assert_eq!(other.problem(409), "config");
    header("2").await;
    header("3").await;
    let refused = header("4").await;
    assert_eq!(refused.problem(429), "rate_limited");
    assert_eq!(refused.header("retry-after"), "60");
    assert_eq!(refused.json()["recovery"], json!({"action": "retry", "after": 60.0}));
    assert_eq!(header("1").await.status, 202, "a known key is never refused");

    let full = Desk::with(with(quick(), |it| it.min_free = u64::MAX), |_, _| {}).await;
    assert_eq!(full.send(Method::POST, "/v1/jobs", &json!({"uri": TALK})).await.problem(503), "io");
    assert_eq!(full.get("/readyz").await.problem(503), "io");
    assert_eq!(full.get("/healthz").await.text(), "ok\n");
    assert_eq!(desk.get("/readyz").await.text(), "ready\n");
}

/// The file passes through the object store, not through the service.
#[cfg(feature = "s3")]
#[tokio::test(flavor = "multi_thread")]
async fn a_clip_in_an_object_store_has_a_signed_link() {
    let s3 = S3::start();
    let mut environment = Environment::default();
    environment.object_store = s3.variables().into_iter().collect();
    let held = environment.clone();
    let mut desk = Desk::with(quick(), move |options, _| {
        options.allow_config = true;
        options.cx = Context::builder().environment(held).build();
    })
    .await;
    desk.work_in(environment);
    let publish = json!([{"kind": "object_store", "url": "s3://bucket/clips", "link": 60}]);
    let id = desk.submit(&json!({"uri": "https://host.example/talk.mp4", "publish": publish})).await;
    let job = desk.ended(&id).await;
    assert_eq!(job["state"], "done", "{}", job["error"]);
    let link = desk.get(&format!("/v1/jobs/{id}/clips/1/link?valid=20")).await.json();
    let url = link["url"].as_str().unwrap();
    assert!(url.contains("X-Amz-Expires=20") && link["expires"].as_str().is_some(), "{link}");
    let fetched = reqwest::Client::builder().no_proxy().build().unwrap().get(url).send().await.unwrap();
    assert_eq!(fetched.status(), 200);
    let played = desk.get(&format!("/v1/jobs/{id}/clips/1/video")).await;
    assert!(fetched.bytes().await.unwrap() == played.bytes.as_slice());
    // No longer than the publisher says.
    let longest = desk.get(&format!("/v1/jobs/{id}/clips/1/link?valid=9000")).await.json();
    assert!(longest["url"].as_str().unwrap().contains("X-Amz-Expires=60"), "{longest}");
    // A job without such a publisher has none.
    let other = desk.submit(&json!({"uri": "https://host.example/other.mp4"})).await;
    desk.ended(&other).await;
    assert_eq!(desk.get(&format!("/v1/jobs/{other}/clips/1/link")).await.problem(404), "not_found");
    assert_eq!(desk.get(&format!("/v1/jobs/{id}/clips/99/link")).await.problem(404), "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clip_is_edited_and_rendered_again() {
    let mut desk = Desk::new().await;
    let id = desk.submit(&json!({"uri": TALK})).await;
    let plan = format!("/v1/jobs/{id}/clips/1/plan");
    let ops = json!({"ops": [
        {"op": "correct_caption", "words": {"from": 0, "to": 1}, "text": "Corrected"},
        {"op": "delete_words", "words": {"from": 2, "to": 6}},
        {"op": "title", "title": "A better title"},
    ]});
    assert_eq!(desk.send(Method::PATCH, &plan, &ops).await.problem(409), "config", "the job has not ended");
    desk.work();
    desk.ended(&id).await;
    let before = desk.get(&format!("/v1/jobs/{id}/clips/1")).await.json();

    let dry = with(ops.clone(), |ops| ops["dry_run"] = true.into());
    let preview = desk.send(Method::PATCH, &plan, &dry).await;
    assert_eq!(preview.status, 200);
    let changes = &preview.json()["changes"];
    assert_eq!(changes["after"]["words"].as_u64(), changes["before"]["words"].as_u64().map(|words| words - 4));
    assert_eq!(desk.get(&format!("/v1/jobs/{id}/clips/1")).await.json(), before, "a dry run changes nothing");

    let edited = desk.send(Method::PATCH, &plan, &ops).await;
    assert_eq!(edited.status, 202, "{}", edited.text());
    let job = desk.ended(&id).await;
    assert_eq!((job["state"].as_str(), job["manifest"]["clips"].as_array().map(Vec::len)), (Some("done"), Some(3)));
    let after = desk.get(&format!("/v1/jobs/{id}/clips/1")).await.json();
    assert_eq!((after["title"].as_str(), after["state"].as_str()), (Some("A better title"), Some("ready")));
    assert_eq!(after["captions"][0]["words"][0], "Corrected");
    assert!(after["duration"].as_f64() < before["duration"].as_f64());
    let video = desk.get(after["links"]["video"].as_str().unwrap()).await;
    assert_eq!(video.text(), "the video of A better title");
    // The others stay as they were.
    let calls = desk.fake.calls.lock().unwrap().iter().filter(|call| *call == "render").count();
    assert_eq!(calls, 4);

    for (wrong, status, kind) in [
        (json!({"ops": []}), 422, "invalid_input"),
        (json!({"ops": vec![json!({"op": "title", "title": "x"}); 201]}), 422, "invalid_input"),
        (json!({"ops": [{"op": "delete_words", "words": {"quote": "never said"}}]}), 422, "invalid_input"),
        (json!({"ops": [{"op": "explode"}]}), 422, "invalid_input"),
        (json!({"ops": [{"op": "tighten", "level": "gentle"}]}), 422, "invalid_input"),
    ] {
        assert_eq!(desk.send(Method::PATCH, &plan, &wrong).await.problem(status), kind, "{wrong}");
    }
    assert_eq!(desk.send(Method::PATCH, &format!("/v1/jobs/{id}/clips/7/plan"), &ops).await.problem(404), "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn queues_dead_letters_and_metrics_tell_what_goes_on() {
    record_metrics().unwrap();
    let mut desk = Desk::new().await;
    let broken = Arc::new(AtomicBool::new(true));
    let (still, tracked) = (broken.clone(), desk.fake.tracks.clone());
    desk.fake.tracks = Arc::new(move |cx, tracking| match cx.clip() {
        Some(2) if still.load(Ordering::SeqCst) => Err(Error::new(ErrorKind::Decode, "damaged").with_path("/secret/talk.mp4")),
        _ => tracked(cx, tracking),
    });
    let stop = desk.ask(Method::POST, "/v1/queues/fetch/pause", &[], None).await;
    assert_eq!(stop.status, 204);
    let id = desk.submit(&json!({"uri": TALK})).await;
    let queue = async |name: &str| {
        tokio::time::sleep(Duration::from_millis(1100)).await;
        let queues = desk.get("/v1/queues").await.json();
        queues["queues"].as_array().unwrap().iter().find(|queue| queue["name"] == name).unwrap().clone()
    };
    let fetch = queue("fetch").await;
    assert_eq!((fetch["waiting"].as_u64(), fetch["paused"].as_bool()), (Some(1), Some(true)));
    assert!(fetch["waited"].as_f64().unwrap() > 1.0);
    assert_eq!(desk.ask(Method::POST, "/v1/queues/dance/pause", &[], None).await.problem(404), "not_found");
    assert_eq!(desk.ask(Method::POST, "/v1/queues/fetch/resume", &[], None).await.status, 204);
    desk.work();
    let job = desk.ended(&id).await;
    assert_eq!(job["manifest"]["failed"][0]["rank"], 2);
    assert!(!job.to_string().contains("/secret"), "{job}");

    let dead = desk.get("/v1/dead").await.json();
    let task = dead["tasks"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!((dead["tasks"].as_array().map(Vec::len), task.as_str()), (Some(1), format!("{id}:track:2").as_str()));
    let track = async || {
        tokio::time::sleep(Duration::from_millis(1100)).await;
        let queues = desk.get("/v1/queues").await.json();
        queues["queues"].as_array().unwrap().iter().find(|queue| queue["name"] == "track").unwrap().clone()
    };
    let seen = track().await;
    assert_eq!((seen["dead"].as_u64(), &seen["failures"]), (Some(1), &json!({"decode": 1})));
    assert!(seen["p95"].is_number() && seen["failure_rate"].as_f64().unwrap() > 0.3, "{seen}");
    let metrics = desk.get("/metrics").await;
    assert!(metrics.header("content-type").starts_with("text/plain"));
    for line in [
        "clipkit_queue_tasks{queue=\"track\",state=\"dead\"} 1",
        "clipkit_dead_letters{queue=\"track\",kind=\"decode\"} 1",
        "clipkit_task_failures_total{queue=\"track\",kind=\"decode\"}",
        "clipkit_task_seconds_bucket{queue=\"fetch\",outcome=\"done\",le=\"+Inf\"}",
        "clipkit_http_request_seconds_count{method=\"GET\",route=\"/v1/jobs/{id}\",status=\"200\"}",
        "clipkit_queue_waiting_age_seconds{queue=\"fetch\"}",
    ] {
        assert!(metrics.text().contains(line), "{line} is not in\n{}", metrics.text());
    }

    broken.store(false, Ordering::SeqCst);
    assert_eq!(desk.ask(Method::POST, &format!("/v1/dead/{task}/replay"), &[], None).await.status, 202);
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while desk.get(&format!("/v1/jobs/{id}")).await.json()["manifest"]["clips"].as_array().map(Vec::len) != Some(3) {
        assert!(std::time::Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(desk.get("/v1/dead").await.json(), json!({"tasks": []}));
    for hostile in ["nothing", "a:fetch", "..%2F..%2Fetc", "a:publish:1"] {
        assert_eq!(desk.ask(Method::POST, &format!("/v1/dead/{hostile}/replay"), &[], None).await.problem(404), "not_found", "{hostile}");
        assert_eq!(desk.ask(Method::DELETE, &format!("/v1/dead/{hostile}"), &[], None).await.problem(404), "not_found", "{hostile}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_is_described_whole() {
    let desk = Desk::new().await;
    let document = desk.get("/v1/openapi.json").await.json();
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().unwrap();
    let described: Vec<String> = paths
        .iter()
        .flat_map(|(path, item)| item.as_object().unwrap().keys().map(move |method| format!("{} {path}", method.to_uppercase())))
        .collect();
    let mut names: Vec<&str> = Vec::new();
    for (path, item) in paths {
        for (method, operation) in item.as_object().unwrap() {
            names.push(operation["operationId"].as_str().unwrap());
            assert!(operation["summary"].is_string(), "{method} {path} says nothing");
            assert!(operation["responses"].as_object().is_some_and(|responses| !responses.is_empty()), "{method} {path}");
            // Each parameter in the path is described, and no other.
            let named: Vec<&str> = path.split(['{', '}']).skip(1).step_by(2).collect();
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let in_path: Vec<&str> = parameters
                .iter()
                .filter(|parameter| parameter["in"] == "path")
                .map(|parameter| parameter["name"].as_str().unwrap())
                .collect();
            assert_eq!(in_path, named, "{method} {path}");
        }
    }
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count, "names of operations are unique: {names:?}");
    for route in [
        "POST /v1/jobs",
        "GET /v1/jobs",
        "GET /v1/jobs/{id}",
        "DELETE /v1/jobs/{id}",
        "POST /v1/jobs/{id}/retry",
        "GET /v1/jobs/{id}/events",
        "GET /v1/jobs/{id}/clips",
        "GET /v1/jobs/{id}/clips/{clip}",
        "GET /v1/jobs/{id}/clips/{clip}/video",
        "GET /v1/jobs/{id}/clips/{clip}/cover",
        "GET /v1/jobs/{id}/clips/{clip}/captions",
        "GET /v1/jobs/{id}/clips/{clip}/plan",
        "PATCH /v1/jobs/{id}/clips/{clip}/plan",
        "GET /v1/jobs/{id}/clips/{clip}/sheet",
        "OPTIONS /v1/uploads",
        "POST /v1/uploads",
        "HEAD /v1/uploads/{id}",
        "PATCH /v1/uploads/{id}",
        "DELETE /v1/uploads/{id}",
        "GET /v1/queues",
        "GET /v1/dead",
        "POST /v1/dead/{task}/replay",
        "GET /metrics",
        "GET /healthz",
        "GET /readyz",
        "GET /v1/openapi.json",
    ] {
        assert!(described.iter().any(|known| known == route), "{route} is not in {described:?}");
    }
    // Every described route is answered by something else than the fallback.
    for route in &described {
        let (method, path) = route.split_once(' ').unwrap();
        let path = path.replace("{id}", "0").replace("{clip}", "1").replace("{task}", "a:fetch").replace("{queue}", "none");
        let answer = desk.ask(Method::from_bytes(method.as_bytes()).unwrap(), &path, &[], None).await;
        assert_ne!(answer.status, 405, "{route}");
        assert!(!answer.text().contains("there is nothing here"), "{route}");
    }
    let mut broken = Vec::new();
    references(&document, &mut |reference| {
        let found = reference.strip_prefix('#').and_then(|pointer| document.pointer(pointer));
        if found.is_none_or(|schema| !schema.is_object())
            || document.pointer(&reference[1..]).is_some_and(|schema| schema["$ref"] == reference)
        {
            broken.push(reference.to_owned());
        }
    });
    assert!(broken.is_empty(), "{broken:?}");
    let of = |name: &str| document.pointer(&format!("/components/schemas/{name}/properties")).unwrap().as_object().unwrap();
    assert!(
        of("Problem").contains_key("recovery")
            && of("JobRequest").contains_key("idempotency_key")
            && of("JobStatus").contains_key("manifest")
    );
}

fn references(value: &Value, found: &mut impl FnMut(&str)) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                match field {
                    Value::String(reference) if name == "$ref" => found(reference),
                    _ => references(field, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}
