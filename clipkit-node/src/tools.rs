//! Functions that need no pipeline.

use std::path::PathBuf;

use napi::Env;
use napi::bindgen_prelude::PromiseRaw;
use napi_derive::napi;

use clipkit::ErrorKind;
use clipkit::model::{CaptionStyle, ClipPlan, SpeechMap, Transcript};
use clipkit::plan::edit::{EditOp, EditSources, edit as edit_plan};
use clipkit::plan::export::{ExportFormat, ExportOptions};
use clipkit::stage::OpenAiServer;
use clipkit::weights::{Weights, WeightsStore};

use crate::context::Context;
use crate::document::{Document, Text, read};
use crate::error::exception;

/// Runs the command line and returns its exit code. Blocks until it ends.
#[napi]
pub fn cli(arguments: Vec<String>) -> u8 {
    clipkit::cli::run(arguments.into_iter().map(Into::into))
}

/// Cancels all work of the process, which ends, and waits at most a second for it.
#[napi]
pub fn shut_down() -> bool {
    clipkit::shut_down(std::time::Duration::from_secs(1))
}

/// Draws source frames of a plan with their crop windows.
#[napi]
pub fn contact_sheet<'env>(env: &'env Env, cx: &Context, plan: &mut Text, to: String) -> napi::Result<PromiseRaw<'env, ()>> {
    let (cx, plan) = (cx.cx.clone(), plan.take());
    env.spawn_future(async move {
        let draw = async { clipkit::stage::contact_sheet(&cx, &read_plan(&plan)?, &PathBuf::from(to)).await };
        draw.await.map_err(exception)
    })
}

/// Writes a preview of a plan: a draft or a sheet of frames.
#[napi]
pub fn preview<'env>(env: &'env Env, cx: &Context, plan: &mut Text, to: String) -> napi::Result<PromiseRaw<'env, ()>> {
    let (cx, plan) = (cx.cx.clone(), plan.take());
    env.spawn_future(async move {
        let draw = async { clipkit::stage::preview(&cx, &read_plan(&plan)?, &PathBuf::from(to)).await };
        draw.await.map_err(exception)
    })
}

/// Returns an error for a plan that cannot be rendered.
#[napi]
pub fn check_plan<'env>(env: &'env Env, plan: &mut Text) -> napi::Result<PromiseRaw<'env, ()>> {
    let plan = plan.take();
    env.spawn_future(async move { read_plan(&plan).and_then(|plan| plan.validate()).map_err(exception) })
}

/// What [`edit`] takes.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Editing {
    ops: Vec<EditOp>,
    transcript: Option<Transcript>,
    speech: Option<SpeechMap>,
}

/// Applies operations to a plan. Takes the plan and `{ops, transcript, speech}`, returns the plan
/// and what changed.
#[napi(ts_return_type = "Promise<Document>")]
pub fn edit<'env>(env: &'env Env, plan: &mut Text, input: &mut Text) -> napi::Result<PromiseRaw<'env, Document>> {
    let (plan, input) = (plan.take(), input.take());
    env.spawn_future(async move {
        let work = || {
            let plan = read_plan(&plan)?;
            let Editing { ops, transcript, speech } = read(ErrorKind::InvalidInput, "a list of operations", &input)?;
            let mut sources = EditSources::new();
            (sources.transcript, sources.speech) = (transcript.as_ref(), speech.as_ref());
            Document::of(&edit_plan(&plan, &ops, &sources)?)
        };
        work().map_err(exception)
    })
}

/// What [`export_plans`] takes.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Exporting {
    plans: Vec<serde_json::Value>,
    format: ExportFormat,
    #[serde(default)]
    options: ExportOptions,
    to: Option<PathBuf>,
}

/// Writes plans in a format. Takes `{plans, format, options, to}`, returns the text, or nothing
/// where it went to a file.
#[napi(ts_return_type = "Promise<string | null>")]
pub fn export_plans<'env>(env: &'env Env, cx: &Context, input: &mut Text) -> napi::Result<PromiseRaw<'env, Option<String>>> {
    let (cx, input) = (cx.cx.clone(), input.take());
    env.spawn_future(async move {
        let write = async {
            let Exporting { plans, format, options, to } = read(ErrorKind::Config, "an export", &input)?;
            let plans = plans.iter().map(|plan| read_plan(&plan.to_string())).collect::<clipkit::Result<Vec<_>>>()?;
            match to {
                Some(to) => clipkit::stage::export_file(&cx, &plans, format, &options, &to).await.map(|()| None),
                None => clipkit::stage::export(&cx, &plans, format, &options).await.map(Some),
            }
        };
        write.await.map_err(exception)
    })
}

fn read_plan(text: &str) -> clipkit::Result<ClipPlan> {
    ClipPlan::from_json(text)
}

/// A caption style in full, as JSON: a preset by name, or a preset with changes
/// (`{"like": "pop", ...}`).
#[napi]
pub fn caption_style(style: String) -> napi::Result<String> {
    let named: Result<String, _> = serde_json::from_str(&style);
    let style = match named {
        Ok(name) => CaptionStyle::named(&name),
        Err(_) => CaptionStyle::from_json(&style),
    };
    style.and_then(|style| style.to_json()).map_err(exception)
}

/// The names of the caption presets.
#[napi]
pub fn caption_styles() -> Vec<&'static str> {
    CaptionStyle::NAMES.to_vec()
}

/// Whether an API is configured, by an `OpenAiServer` as JSON or by the environment.
#[napi]
pub fn is_configured(server: String) -> napi::Result<bool> {
    let server: OpenAiServer = read(ErrorKind::Config, "a server", &server).map_err(exception)?;
    Ok(server.is_configured())
}

/// What of the things that clipkit can use is on this machine, as JSON.
#[napi]
pub fn doctor<'env>(env: &'env Env) -> napi::Result<PromiseRaw<'env, String>> {
    env.spawn_future(async move {
        let look = |_: &clipkit::Context| {
            let diagnosis = clipkit::doctor(&clipkit::Environment::from_process());
            serde_json::to_string(&diagnosis).map_err(|error| clipkit::Error::new(ErrorKind::Contract, error.to_string()))
        };
        clipkit::Context::new().blocking(look).await.map_err(exception)
    })
}

/// A model that clipkit knows by name.
#[napi(object)]
pub struct ModelInfo {
    pub id: String,
    pub about: String,
    pub license: String,
    pub file: String,
    pub url: String,
    pub sha256: String,
    /// The size of all its files.
    pub bytes: f64,
}

#[napi]
pub fn models() -> Vec<ModelInfo> {
    Weights::all()
        .iter()
        .map(|model| ModelInfo {
            id: model.id.into(),
            about: model.about.into(),
            license: model.license.into(),
            file: model.file.into(),
            url: model.url.into(),
            sha256: model.sha256.into(),
            bytes: model.size() as f64,
        })
        .collect()
}

/// The store of models.
#[napi]
pub struct Store {
    store: WeightsStore,
}

#[napi]
impl Store {
    /// `cache` is the folder for downloads.
    #[napi(constructor)]
    pub fn new(cache: Option<String>) -> Self {
        let store = WeightsStore::new();
        Store { store: cache.map_or(store.clone(), |folder| store.cache_in(folder)) }
    }

    #[napi(getter)]
    pub fn cache(&self) -> Option<String> {
        self.store.cache().map(|folder| folder.to_string_lossy().into_owned())
    }

    /// The path of a model by its name. `None` where it is not on this machine.
    #[napi]
    pub fn find(&self, id: String) -> napi::Result<Option<String>> {
        let model = Weights::by_id(&id).map_err(exception)?;
        Ok(self.store.find(model).map(|path| path.to_string_lossy().into_owned()))
    }

    #[napi]
    pub fn find_speech(&self) -> Option<String> {
        self.store.find_speech().map(|path| path.to_string_lossy().into_owned())
    }

    /// The path of a model by its name or its file's path. A missing model is downloaded.
    #[napi]
    pub fn resolve<'env>(&self, env: &'env Env, cx: &Context, model: String) -> napi::Result<PromiseRaw<'env, String>> {
        let (store, cx) = (self.store.clone(), cx.cx.clone());
        env.spawn_future(async move { store.resolve(&cx, &model).await.map(|path| path.to_string_lossy().into_owned()).map_err(exception) })
    }
}

/// Sets the ONNX Runtime library: its file, or the folder that holds it.
#[napi]
pub fn set_onnx_library(path: String) -> napi::Result<()> {
    clipkit::onnx::set_library(path).map_err(exception)
}
