use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::PipelineConfig;
use crate::context::{Context, Environment};
use crate::error::{Error, ErrorKind, Result};
use crate::layer::{BuiltLayer, LayerConfig, StageExt, WithLayers};
use crate::model::{ClipPlan, Stage};
use crate::openai::OpenAiServer;
use crate::pipeline::PipelineBuilder;
use crate::publish::{Folder, Instagram, ObjectStorePublisher, Publisher, Target, TikTok, Webhook, YouTube};
use crate::render::{FfmpegRenderer, Renderer};
use crate::score::{Heuristic, OpenAiScorer, Scorer};
use crate::source::{AutoSource, FileSource, HttpSource, ObjectStoreSource, Source, YtDlp};
use crate::track::{CenterTracker, FaceModel, FaceTracker, MotionTracker};
use crate::transcribe::{Captions, OpenAiTranscriber, SpeechModel, Transcriber};

/// A stage of any of the six kinds, called with JSON documents. Bindings and queue workers use it.
#[derive(Clone)]
pub enum AnyStage {
    /// A source.
    Source(Arc<dyn Source>),
    /// A transcriber.
    Transcriber(Arc<dyn Transcriber>),
    /// A scorer.
    Scorer(Arc<dyn Scorer>),
    /// A face tracker.
    Tracker(Arc<dyn FaceTracker>),
    /// A renderer.
    Renderer(Arc<dyn Renderer>),
    /// A publisher.
    Publisher(Arc<dyn Publisher>),
}

/// Applies the same expression to the stage of any kind.
macro_rules! each {
    ($any:expr, $stage:ident => $call:expr) => {
        match $any {
            AnyStage::Source($stage) => AnyStage::Source($call),
            AnyStage::Transcriber($stage) => AnyStage::Transcriber($call),
            AnyStage::Scorer($stage) => AnyStage::Scorer($call),
            AnyStage::Tracker($stage) => AnyStage::Tracker($call),
            AnyStage::Renderer($stage) => AnyStage::Renderer($call),
            AnyStage::Publisher($stage) => AnyStage::Publisher($call),
        }
    };
}

impl AnyStage {
    /// Creates a built-in stage from its type name (`FileSource`, `OnnxTracker`) and its options. A
    /// missing model is downloaded.
    ///
    /// The options are those of the stage's variant in [`PipelineConfig`]. A server's `api_key`,
    /// which is never part of a document, is also read from them.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the name or an option is unknown, else the errors of loading the
    /// model.
    pub async fn built_in(cx: &Context, name: &str, options: Value) -> Result<Self> {
        match name {
            "OnnxTracker" => Ok(AnyStage::Tracker(Arc::new(read::<FaceModel>(name, options)?.load(&cx.for_stage(Stage::Track)).await?))),
            "LocalTranscriber" => {
                let opened = read::<SpeechModel>(name, options)?.load(&cx.for_stage(Stage::Transcribe)).await?;
                Ok(AnyStage::Transcriber(Arc::new(opened)))
            }
            _ => AnyStage::without_model(name, options),
        }
    }

    /// The same for stages without a model. It does not block.
    pub fn without_model(name: &str, options: Value) -> Result<Self> {
        Ok(match name {
            "FileSource" => AnyStage::Source(Arc::new(read::<FileSource>(name, options)?)),
            "AutoSource" => AnyStage::Source(Arc::new(read::<AutoSource>(name, options)?)),
            "HttpSource" => AnyStage::Source(Arc::new(read::<HttpSource>(name, options)?)),
            "ObjectStoreSource" => AnyStage::Source(Arc::new(read::<ObjectStoreSource>(name, options)?)),
            "YtDlp" => AnyStage::Source(Arc::new(read::<YtDlp>(name, options)?)),
            "Captions" => AnyStage::Transcriber(Arc::new(read::<Captions>(name, options)?)),
            "OpenAiTranscriber" => {
                let (options, key) = without_key(options);
                let mut stage: OpenAiTranscriber = read(name, options)?;
                set_key(&mut stage.server, key);
                AnyStage::Transcriber(Arc::new(stage))
            }
            "Heuristic" => AnyStage::Scorer(Arc::new(read::<Heuristic>(name, options)?)),
            "OpenAiScorer" => {
                let (options, key) = without_key(options);
                let mut stage: OpenAiScorer = read(name, options)?;
                set_key(&mut stage.server, key);
                AnyStage::Scorer(Arc::new(stage))
            }
            "MotionTracker" => AnyStage::Tracker(Arc::new(read::<MotionTracker>(name, options)?)),
            "CenterTracker" => AnyStage::Tracker(Arc::new(CenterTracker)),
            "FfmpegRenderer" => AnyStage::Renderer(Arc::new(read::<FfmpegRenderer>(name, options)?)),
            "Folder" => AnyStage::Publisher(Arc::new(read::<Folder>(name, options)?)),
            "ObjectStorePublisher" => AnyStage::Publisher(Arc::new(read::<ObjectStorePublisher>(name, options)?)),
            "TikTok" => AnyStage::Publisher(Arc::new(read::<TikTok>(name, options)?)),
            "Instagram" => AnyStage::Publisher(Arc::new(read::<Instagram>(name, options)?)),
            "YouTube" => AnyStage::Publisher(Arc::new(read::<YouTube>(name, options)?)),
            "Webhook" => AnyStage::Publisher(Arc::new(read::<Webhook>(name, options)?)),
            _ => return Err(Error::new(ErrorKind::Config, format!("there is no built-in stage {name:?}"))),
        })
    }

    /// Creates the stage of a kind from a pipeline's configuration, inside its layers. Of several
    /// publishers, the first is used. A missing model may be downloaded.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] for [`Stage::Plan`], which no stage does, and if there is no
    /// publisher.
    pub async fn from_config(cx: &Context, kind: Stage, config: &PipelineConfig) -> Result<Self> {
        let layers = config.layers.get(&kind).map(Vec::as_slice);
        Ok(match kind {
            Stage::Source => AnyStage::Source(config.source.build(layers)?),
            Stage::Transcribe => AnyStage::Transcriber(config.transcriber.build(layers)?),
            Stage::Score => AnyStage::Scorer(config.scorer.build(layers)?),
            Stage::Track => AnyStage::Tracker(config.tracker.build(cx, layers).await?),
            Stage::Render => AnyStage::Renderer(config.renderer.build(layers)?),
            Stage::Publish => match config.publishers.first() {
                Some(publisher) => AnyStage::Publisher(publisher.build(layers)?),
                None => return Err(Error::new(ErrorKind::Config, "the configuration has no publisher")),
            },
            Stage::Plan => return Err(Error::new(ErrorKind::Config, "plans are made by no stage")),
        })
    }

    /// The stage of a run that this implements.
    pub fn kind(&self) -> Stage {
        match self {
            AnyStage::Source(_) => Stage::Source,
            AnyStage::Transcriber(_) => Stage::Transcribe,
            AnyStage::Scorer(_) => Stage::Score,
            AnyStage::Tracker(_) => Stage::Track,
            AnyStage::Renderer(_) => Stage::Render,
            AnyStage::Publisher(_) => Stage::Publish,
        }
    }

    /// Puts layers around the stage; the first layer is the innermost.
    pub fn with_layers(self, layers: &[LayerConfig]) -> Result<Self> {
        Ok(each!(self, stage => stage.with_layers(layers)?))
    }

    /// Puts a layer around the stage. The layer may be shared with other stages.
    pub fn with_layer(self, layer: &BuiltLayer) -> Result<Self> {
        Ok(each!(self, stage => stage.with_layer(layer)?))
    }

    /// Combines two stages of the same kind: the second is called if the first fails.
    pub fn or(self, other: AnyStage) -> Result<Self> {
        Ok(match (self, other) {
            (AnyStage::Source(one), AnyStage::Source(other)) => AnyStage::Source(Arc::new(one.or(other))),
            (AnyStage::Transcriber(one), AnyStage::Transcriber(other)) => AnyStage::Transcriber(Arc::new(one.or(other))),
            (AnyStage::Scorer(one), AnyStage::Scorer(other)) => AnyStage::Scorer(Arc::new(one.or(other))),
            (AnyStage::Tracker(one), AnyStage::Tracker(other)) => AnyStage::Tracker(Arc::new(one.or(other))),
            (AnyStage::Renderer(one), AnyStage::Renderer(other)) => AnyStage::Renderer(Arc::new(one.or(other))),
            (AnyStage::Publisher(one), AnyStage::Publisher(other)) => AnyStage::Publisher(Arc::new(one.or(other))),
            (one, other) => {
                return Err(Error::new(
                    ErrorKind::Config,
                    format!("a stage for {} cannot stand in for one for {}", other.kind(), one.kind()),
                ));
            }
        })
    }

    /// Sets this stage in a pipeline builder. Publishers are added to those set before.
    pub fn give(self, builder: PipelineBuilder) -> PipelineBuilder {
        match self {
            AnyStage::Source(stage) => builder.source(stage),
            AnyStage::Transcriber(stage) => builder.transcriber(stage),
            AnyStage::Scorer(stage) => builder.scorer(stage),
            AnyStage::Tracker(stage) => builder.tracker(stage),
            AnyStage::Renderer(stage) => builder.renderer(stage),
            AnyStage::Publisher(stage) => builder.publisher(stage),
        }
    }

    /// Identifies everything besides the input that decides the output. `None` if the stage has no
    /// fingerprint.
    pub fn fingerprint(&self, environment: &Environment) -> Option<String> {
        match self {
            AnyStage::Transcriber(stage) => stage.fingerprint(environment),
            AnyStage::Scorer(stage) => stage.fingerprint(environment),
            AnyStage::Tracker(stage) => stage.fingerprint(environment),
            _ => None,
        }
    }

    /// The width and height in pixels that a renderer is configured for.
    pub fn size(&self) -> Option<(u32, u32)> {
        match self {
            AnyStage::Renderer(stage) => stage.size(),
            _ => None,
        }
    }

    /// The folder of a publisher on whose file system clips should be rendered.
    pub fn staging(&self) -> Option<&Path> {
        match self {
            AnyStage::Publisher(stage) => stage.staging(),
            _ => None,
        }
    }

    /// The target of a publisher.
    pub fn target(&self) -> Option<Target> {
        match self {
            AnyStage::Publisher(stage) => Some(stage.target()),
            _ => None,
        }
    }

    /// Calls the stage with a document and returns a document, both as JSON.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if the input is not the document that the stage takes, else the
    /// stage's error.
    pub async fn call(&self, cx: &Context, input: &str) -> Result<String> {
        let cx = &if cx.stage().is_none() { cx.for_stage(self.kind()) } else { cx.clone() };
        cx.check()?;
        self.answer(cx, input).await.map_err(|error| error.with_stage(self.kind()))
    }

    async fn answer(&self, cx: &Context, input: &str) -> Result<String> {
        match self {
            AnyStage::Source(stage) => written(&stage.fetch(cx, &document::<String>("a path or an address", input)?).await?),
            AnyStage::Transcriber(stage) => written(&stage.transcribe(cx, &document("a media", input)?).await?),
            AnyStage::Scorer(stage) => written(&stage.score(cx, &document("a scoring", input)?).await?),
            AnyStage::Tracker(stage) => written(&stage.track(cx, &document("a tracking", input)?).await?),
            AnyStage::Renderer(stage) => written(&stage.render(cx, &ClipPlan::from_json(input)?).await?),
            AnyStage::Publisher(stage) => {
                let post: crate::model::Post = document("a post", input)?;
                let cx = cx.with_idempotency_key(&stage.target().idempotency_key(&post.clip));
                written(&stage.publish(&cx, &post).await?)
            }
        }
    }
}

fn read<T: DeserializeOwned>(name: &str, options: Value) -> Result<T> {
    let options = if options.is_null() { Value::Object(serde_json::Map::new()) } else { options };
    serde_json::from_value(options).map_err(|error| Error::new(ErrorKind::Config, format!("this is not a setting of {name}: {error}")))
}

fn document<T: DeserializeOwned>(what: &str, json: &str) -> Result<T> {
    serde_json::from_str(json).map_err(|error| Error::new(ErrorKind::InvalidInput, format!("this is not {what}: {error}")))
}

fn written(answer: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(answer).map_err(|error| Error::new(ErrorKind::Contract, format!("the answer cannot be written: {error}")))
}

/// Removes a server's key from the options, since documents contain no keys.
fn without_key(mut options: Value) -> (Value, Option<String>) {
    let server = options.get_mut("server").and_then(Value::as_object_mut);
    let key = server.and_then(|server| server.remove("api_key")).and_then(|key| String::deserialize(key).ok());
    (options, key)
}

fn set_key(server: &mut OpenAiServer, key: Option<String>) {
    server.api_key = key.or(server.api_key.take());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn stages_are_made_by_name_and_called_with_documents() {
        let cx = Context::new();
        let scorer = AnyStage::built_in(&cx, "Heuristic", Value::Null).await.unwrap();
        assert_eq!(scorer.kind(), Stage::Score);
        assert_eq!(scorer.call(&cx, r#"{"transcript": {"words": []}}"#).await.unwrap(), "[]");
        let error = scorer.call(&cx, "{}").await.unwrap_err();
        assert_eq!((error.kind(), error.stage()), (ErrorKind::InvalidInput, Some(Stage::Score)));
        let missing = AnyStage::without_model("FileSource", Value::Null).unwrap().call(&cx, r#""no.mp4""#).await.unwrap_err();
        assert_eq!((missing.kind(), missing.stage()), (ErrorKind::NotFound, Some(Stage::Source)));
        let folder = AnyStage::without_model("Folder", serde_json::json!({"path": "clips"})).unwrap();
        assert_eq!(folder.target().unwrap().to_string(), "folder:clips");
        assert!(scorer.clone().or(folder).err().unwrap().to_string().contains("publish"));
        assert_eq!(AnyStage::built_in(&cx, "Oracle", Value::Null).await.err().unwrap().kind(), ErrorKind::Config);
        let unknown = AnyStage::without_model("Folder", serde_json::json!({"folder": "clips"}));
        assert!(unknown.err().unwrap().to_string().contains("Folder"));
    }

    #[test]
    fn a_key_is_taken_from_the_options_and_never_written() {
        let options = serde_json::json!({"server": {"base_url": "http://[::1]/v1", "api_key": "sk-secret"}});
        let (options, key) = without_key(options);
        assert_eq!((key.as_deref(), options.to_string().contains("secret")), (Some("sk-secret"), false));
    }
}
