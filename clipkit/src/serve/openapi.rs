//! The OpenAPI document: paths from the handlers, schemas of documents as everywhere in the crate.

use std::borrow::Cow;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{OpenApi, Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use super::admit::JobRequest;
use super::clips::{ClipList, ClipView, EditRequest};
use super::jobs::{JobList, JobView};
use super::problem::{Answer, ProblemDocument};
use super::queues::{DeadList, QueueList};
use super::state::App;
use super::system::{SessionRequest, SessionView};
use super::uploads::routes::UploadView;
use crate::config::PipelineConfig;
use crate::error::{Error, ErrorKind, Result};
use crate::jobs::{ClipLink, JobEvent, JobStatus};
use crate::model::ClipPlan;
use crate::plan::edit::Edited;

/// Names of schemas for handlers, and the schemas.
macro_rules! bodies {
    ($($body:ident: $document:ty),* $(,)?) => {
        $(
            /// A reference to the schema of a document.
            pub(super) struct $body;

            impl PartialSchema for $body {
                fn schema() -> RefOr<Schema> {
                    Ref::from_schema_name(<$document as JsonSchema>::schema_name()).into()
                }
            }

            impl ToSchema for $body {
                fn name() -> Cow<'static, str> {
                    <$document as JsonSchema>::schema_name()
                }
            }
        )*

        /// The schemas of all documents, by name.
        fn schemas() -> Map<String, Value> {
            let settings = SchemaSettings::draft2020_12().with(|settings| settings.definitions_path = "/components/schemas".into());
            let mut generator = settings.for_serialize().into_generator();
            $(let _ = generator.subschema_for::<$document>();)*
            let _ = generator.subschema_for::<PipelineConfig>();
            let _ = generator.subschema_for::<ClipPlan>();
            generator.take_definitions(true)
        }
    };
}

bodies! {
    ProblemBody: ProblemDocument,
    JobRequestBody: JobRequest,
    JobStatusBody: JobStatus,
    JobViewBody: JobView,
    JobListBody: JobList,
    JobEventBody: JobEvent,
    ClipListBody: ClipList,
    ClipViewBody: ClipView,
    ClipLinkBody: ClipLink,
    EditRequestBody: EditRequest,
    EditedBody: Edited,
    UploadViewBody: UploadView,
    QueueListBody: QueueList,
    DeadListBody: DeadList,
    SessionBody: SessionRequest,
    SessionViewBody: SessionView,
}

/// The document of the routes.
pub(super) fn document(paths: &OpenApi) -> Result<Value> {
    let failed = |error: serde_json::Error| Error::new(ErrorKind::Contract, format!("the API cannot be described: {error}"));
    let mut document = serde_json::to_value(paths).map_err(failed)?;
    document["openapi"] = json!("3.1.0");
    document["info"] = json!({
        "title": "clipkit",
        "version": env!("CARGO_PKG_VERSION"),
        "description": "Turns long videos into ranked, vertical, captioned short clips.",
        "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
    });
    // The names of handlers are unique within their tag.
    let operations = document["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut());
    for operation in operations.filter_map(Value::as_object_mut).flat_map(|item| item.values_mut()) {
        let name = |field: &Value| field.as_str().unwrap_or_default().to_owned();
        let (tag, id) = (name(&operation["tags"][0]), name(&operation["operationId"]));
        operation["operationId"] = format!("{tag}_{id}").into();
    }
    document["servers"] = json!([{"url": "/"}]);
    document["tags"] = json!([
        {"name": "jobs", "description": "Jobs and their events."},
        {"name": "clips", "description": "The clips of a job."},
        {"name": "uploads", "description": "Files for jobs, by the tus protocol 1.0."},
        {"name": "queues", "description": "Queues and dead letters."},
        {"name": "system", "description": "Health, metrics, sessions."},
    ]);
    document["components"] = json!({
        "schemas": schemas(),
        "securitySchemes": {
            "key": {"type": "http", "scheme": "bearer", "description": "An API key, if the service has any."},
            "session": {"type": "apiKey", "in": "cookie", "name": super::sessions::COOKIE_NAME},
        },
    });
    document["security"] = json!([{"key": []}, {"session": []}, {}]);
    Ok(document)
}

/// The description of the API (OpenAPI 3.1).
#[utoipa::path(
    get, path = "/v1/openapi.json", tag = "system",
    responses((status = 200, description = "This document.", content_type = "application/json"))
)]
pub(super) async fn openapi(State(app): State<App>) -> Answer<Response> {
    let text = app.described.get().cloned().unwrap_or_default();
    Ok(([(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-cache")], text).into_response())
}
