//! Clips whose file a target refuses are encoded again, once.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use clipkit::model::{FrameRate, Output, WarningKind};
use clipkit::prelude::*;

use crate::loopback::Fault;
use crate::publishers::{context, environment};
use crate::render::{centred, fetch, made};
use crate::support::{probe_json, with};
use crate::youtube_server::{REFRESH, YouTubeServer, refusal};

/// A target that refuses files with more than 30 frames per second, or all.
#[derive(Clone, Default)]
struct Picky {
    seen: Arc<Mutex<Vec<(PathBuf, f64)>>>,
    refuses_all: bool,
    says_what_it_takes: bool,
}

fn rate(path: &std::path::Path) -> f64 {
    let probe = probe_json(path);
    let video = probe["streams"].as_array().unwrap().iter().find(|stream| stream["codec_type"] == "video").unwrap();
    let (num, den) = video["r_frame_rate"].as_str().unwrap().split_once('/').unwrap();
    num.parse::<f64>().unwrap() / den.parse::<f64>().unwrap()
}

#[async_trait::async_trait]
impl Publisher for Picky {
    async fn publish(&self, _: &Context, post: &Post) -> Result<Receipt> {
        let rate = rate(&post.files.video);
        let plan = ClipPlan::from_json(&std::fs::read_to_string(post.files.plan.as_ref().unwrap()).unwrap()).unwrap();
        assert_eq!(plan.output.frame_rate.fps().round(), rate.round(), "the plan is that of another file");
        self.seen.lock().unwrap().push((post.files.video.clone(), rate));
        if rate > 30.5 || self.refuses_all {
            return Err(Error::new(ErrorKind::InvalidInput, "too many frames").with_recovery(Recovery::Reencode));
        }
        Ok(Receipt::new("picky", "1"))
    }

    fn target(&self) -> Target {
        Target::new("picky")
    }

    fn strict_output(&self, output: &Output) -> Option<Output> {
        self.says_what_it_takes.then(|| with(output.clone(), |it| it.frame_rate = FrameRate::new(30, 1)))
    }
}

/// A clip of a source with 60 frames per second.
async fn fast_plan(folder: &tempfile::TempDir) -> ClipPlan {
    let sources = "-f lavfi -i testsrc2=s=320x180:r=60:d=3 -f lavfi -i sine=r=48000:d=3";
    let path = made(folder, "fast.mp4", &format!("{sources} -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac"));
    let media = fetch(&path).await;
    with(centred(&media, Span::between(Timestamp::ZERO, media.duration), (180, 320)), |plan| {
        plan.output.frame_rate = FrameRate::new(60, 1);
        (plan.output.preset, plan.output.crf) = (X264Preset::Ultrafast, 18);
    })
}

async fn published(cx: &Context, plan: &ClipPlan, publisher: impl Publisher + 'static) -> Result<Receipt> {
    let config = PipelineConfig::from_json(r#"{"tracker": {"kind": "center"}, "transcriber": {"kind": "captions"}}"#).unwrap();
    let pipeline = Pipeline::builder().publisher(publisher).complete(cx, &config).await?;
    let post = pipeline.render_post(cx, 1, plan).await?;
    pipeline.publish(cx, &post).await
}

#[tokio::test]
async fn a_refused_file_is_encoded_again_once() {
    let folder = tempfile::tempdir().unwrap();
    let plan = fast_plan(&folder).await;
    let (cx, picky) = (Context::new(), Picky { says_what_it_takes: true, ..Picky::default() });
    published(&cx, &plan, picky.clone()).await.unwrap();
    let seen: Vec<f64> = picky.seen.lock().unwrap().iter().map(|(_, rate)| rate.round()).collect();
    assert_eq!(seen, [60.0, 30.0]);
    let warnings: Vec<_> = cx.warnings().into_iter().filter(|warning| warning.kind == WarningKind::Publish).collect();
    assert!(warnings.len() == 1 && warnings[0].message.contains("30.00 frames"), "{warnings:?}");

    // A target that refuses the strict file, too, is not asked a third time.
    let stubborn = Picky { refuses_all: true, says_what_it_takes: true, ..Picky::default() };
    let error = published(&Context::new(), &plan, stubborn.clone()).await.unwrap_err();
    assert_eq!((error.recovery(), stubborn.seen.lock().unwrap().len()), (&Recovery::Reencode, 2));

    let silent = Picky::default();
    let error = published(&Context::new(), &plan, silent.clone()).await.unwrap_err();
    assert!(error.to_string().contains("too many frames") && silent.seen.lock().unwrap().len() == 1, "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn youtube_gets_the_strict_file_after_it_refused_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let plan = fast_plan(&folder).await;
    let refused = std::sync::atomic::AtomicBool::new(false);
    let server = YouTubeServer::with(
        |_, _| Fault::None,
        move |asked| {
            let is_last = asked.method == "PUT" && !asked.body.is_empty();
            (is_last && !refused.swap(true, std::sync::atomic::Ordering::SeqCst)).then(|| refusal(400, "invalidFile"))
        },
    );
    let variables = with(environment(folder.path()), |it| {
        it.publishers = [("CLIPKIT_YOUTUBE_MAIN_REFRESH_TOKEN", REFRESH), ("CLIPKIT_YOUTUBE_CLIENT_ID", "id")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
    });
    let youtube = with(YouTube::new("main"), |it| it.api_url = Some(server.server.url("/")));
    let cx = context(&variables);
    let receipt = published(&cx, &plan, youtube).await.unwrap();
    let videos = server.videos();
    assert!(videos.len() == 1 && !receipt.id.is_empty(), "{receipt:?}");
    let file = folder.path().join("published.mp4");
    std::fs::write(&file, &videos[0].bytes).unwrap();
    assert_eq!(rate(&file).round(), 30.0);
    assert!(cx.warnings().iter().any(|warning| warning.message.contains("it is encoded again")), "{:?}", cx.warnings());
}
