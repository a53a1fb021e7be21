//! Functions beside the pipeline: models, caption styles, contact sheets, the command.

use std::ffi::OsString;
use std::path::PathBuf;

use clipkit::model::{CaptionStyle, ClipPlan, SpeechMap, Transcript};
use clipkit::plan::edit::{EditOp, EditSources};
use clipkit::plan::export::{ExportFormat, ExportOptions};
use clipkit::weights::{Weights, WeightsStore};
use pyo3::prelude::*;

use crate::context::{self, Context};
use crate::convert;
use crate::error::raise;
use crate::runtime::{self, Work};

/// Draws a plan as a contact sheet into a PNG file.
#[pyfunction]
pub(crate) fn contact_sheet(py: Python<'_>, call: Py<PyAny>, cx: &Context, plan: &Bound<'_, PyAny>, to: PathBuf) -> PyResult<Work> {
    let (cx, plan) = (context::of_call(cx, &call, py), convert::plan(plan)?);
    let under = cx.clone();
    let work = async move { clipkit::stage::contact_sheet(&under, &plan, &to).await };
    runtime::start(py, call, cx, work, |py, ()| Ok(py.None()))
}

/// Writes a preview of a plan: a draft or a sheet of frames.
#[pyfunction]
pub(crate) fn preview(py: Python<'_>, call: Py<PyAny>, cx: &Context, plan: &Bound<'_, PyAny>, to: PathBuf) -> PyResult<Work> {
    let (cx, plan) = (context::of_call(cx, &call, py), convert::plan(plan)?);
    let under = cx.clone();
    let work = async move { clipkit::stage::preview(&under, &plan, &to).await };
    runtime::start(py, call, cx, work, |py, ()| Ok(py.None()))
}

/// A plan as JSON, as every part of clipkit writes it. It is not validated: an unfinished plan can be
/// saved.
#[pyfunction]
pub(crate) fn plan_json(py: Python<'_>, plan: &Bound<'_, PyAny>) -> PyResult<String> {
    let plan: ClipPlan = convert::document(plan, "a clip plan")?;
    plan.to_json().map_err(|error| raise(py, &error))
}

/// The known models: identifier, description, licence, size in bytes.
#[pyfunction]
pub(crate) fn models() -> Vec<(&'static str, &'static str, &'static str, u64)> {
    Weights::all().iter().map(|model| (model.id, model.about, model.license, model.size())).collect()
}

fn store(cache: Option<PathBuf>) -> WeightsStore {
    cache.into_iter().fold(WeightsStore::new(), WeightsStore::cache_in)
}

/// The local path of a model. `None` where it is not downloaded.
#[pyfunction]
#[pyo3(signature = (id, cache = None))]
pub(crate) fn find_model(py: Python<'_>, id: &str, cache: Option<PathBuf>) -> PyResult<Option<PathBuf>> {
    let model = Weights::by_id(id).map_err(|error| raise(py, &error))?;
    Ok(py.detach(|| store(cache).find(model)))
}

/// The local folder of a speech model. `None` where there is none.
#[pyfunction]
#[pyo3(signature = (cache = None))]
pub(crate) fn find_speech(py: Python<'_>, cache: Option<PathBuf>) -> Option<PathBuf> {
    py.detach(|| store(cache).find_speech())
}

/// The identifiers of the default models: face detector, voice detector, speech recognition.
#[pyfunction]
pub(crate) fn default_models() -> (&'static str, &'static str, &'static str) {
    (Weights::DEFAULT_FACE_DETECTOR, Weights::VOICE_DETECTOR, Weights::DEFAULT_SPEECH)
}

/// Resolves a model's identifier, downloading the model if it is missing, or a path.
#[pyfunction]
#[pyo3(signature = (call, cx, id_or_path, cache = None))]
pub(crate) fn fetch_model(py: Python<'_>, call: Py<PyAny>, cx: &Context, id_or_path: String, cache: Option<PathBuf>) -> PyResult<Work> {
    let cx = context::of_call(cx, &call, py);
    let under = cx.clone();
    let work = async move { store(cache).resolve(&under, &id_or_path).await };
    runtime::start(py, call, cx, work, |py, path| Ok(path.into_pyobject(py)?.unbind().into_any()))
}

/// A caption style: a preset by its name, or a style described relative to one.
#[pyfunction]
pub(crate) fn caption_style(py: Python<'_>, given: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    let style = match given.extract::<String>() {
        Ok(name) => CaptionStyle::named(&name),
        Err(_) => CaptionStyle::from_json(&convert::setting::<serde_json::Value>(given, "a caption style")?.to_string()),
    };
    convert::to_python(py, "CaptionStyle", &style.map_err(|error| raise(py, &error))?)
}

/// What of the things that clipkit can use is on this machine, and what each lack costs.
#[pyfunction]
pub(crate) fn doctor(py: Python<'_>) -> PyResult<Py<PyAny>> {
    let diagnosis = py.detach(|| clipkit::doctor(&clipkit::Environment::from_process()));
    convert::to_python(py, "Diagnosis", &diagnosis)
}

/// Applies operations to a plan. Returns the plan and what changed.
#[pyfunction]
#[pyo3(signature = (plan, ops, transcript = None, speech = None))]
pub(crate) fn edit(
    py: Python<'_>,
    plan: &Bound<'_, PyAny>,
    ops: &Bound<'_, PyAny>,
    transcript: Option<&Bound<'_, PyAny>>,
    speech: Option<&Bound<'_, PyAny>>,
) -> PyResult<(Py<PyAny>, Py<PyAny>)> {
    let (plan, ops): (_, Vec<EditOp>) = (convert::plan(plan)?, convert::document(ops, "a list of operations")?);
    let transcript: Option<Transcript> = transcript.map(|given| convert::document(given, "a transcript")).transpose()?;
    let speech: Option<SpeechMap> = speech.map(|given| convert::document(given, "a speech map")).transpose()?;
    let edited = py.detach(|| {
        let mut sources = EditSources::new();
        (sources.transcript, sources.speech) = (transcript.as_ref(), speech.as_ref());
        clipkit::plan::edit::edit(&plan, &ops, &sources)
    });
    let edited = edited.map_err(|error| raise(py, &error))?;
    Ok((convert::to_python(py, "ClipPlan", &edited.plan)?, convert::to_python(py, "EditChanges", &edited.changes)?))
}

/// Writes plans in a format. Returns the text, or nothing where it went to a file.
#[pyfunction]
#[pyo3(signature = (call, cx, plans, format, options, to = None))]
pub(crate) fn export(
    py: Python<'_>,
    call: Py<PyAny>,
    cx: &Context,
    plans: Vec<Bound<'_, PyAny>>,
    format: &str,
    options: &Bound<'_, PyAny>,
    to: Option<PathBuf>,
) -> PyResult<Work> {
    let plans = plans.iter().map(convert::plan).collect::<PyResult<Vec<_>>>()?;
    let format = format.parse::<ExportFormat>().map_err(|error| raise(py, &error))?;
    let options: ExportOptions = convert::setting(options, "options of an export")?;
    let cx = context::of_call(cx, &call, py);
    let under = cx.clone();
    let work = async move {
        match to {
            Some(to) => clipkit::stage::export_file(&under, &plans, format, &options, &to).await.map(|()| None),
            None => clipkit::stage::export(&under, &plans, format, &options).await.map(Some),
        }
    };
    runtime::start(py, call, cx, work, |py, text| Ok(text.into_pyobject(py)?.unbind()))
}

/// Runs the `clipkit` command. The first argument is the program's name; returns the exit code.
#[pyfunction]
pub(crate) fn run_command(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| clipkit::cli::run(arguments))
}

/// Sets the ONNX Runtime library: its file, or the folder that holds it.
#[pyfunction]
pub(crate) fn set_onnx_library(py: Python<'_>, path: PathBuf) -> PyResult<()> {
    clipkit::onnx::set_library(path).map_err(|error| raise(py, &error))
}

/// The version of the crate.
#[pyfunction]
pub(crate) fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
