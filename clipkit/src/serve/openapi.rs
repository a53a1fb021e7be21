//! The OpenAPI document: paths from the handlers, schemas of documents as everywhere in the crate.

use std::borrow::Cow;
use std::collections::BTreeSet;

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
use crate::error::{Error, ErrorKind, Result};
use crate::jobs::{ClipLink, JobEvent, JobStatus};
use crate::model::ClipPlan;
use crate::plan::edit::Edited;

/// Where schemas stand in the document.
const SCHEMAS: &str = "#/components/schemas/";

/// Names of schemas for handlers, and the schemas by name.
macro_rules! bodies {
    ($schemas:ident, $contract:ident, $($body:ident: $document:ty),* $(,)?) => {
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

        fn $schemas() -> Map<String, Value> {
            let settings = SchemaSettings::draft2020_12().with(|settings| settings.definitions_path = "/components/schemas".into());
            let mut generator = settings.$contract().into_generator();
            $(let _ = generator.subschema_for::<$document>();)*
            generator.take_definitions(true)
        }
    };
}

// What clients send: a field with a default may be missing.
bodies! {
    requests, for_deserialize,
    JobRequestBody: JobRequest,
    EditRequestBody: EditRequest,
    SessionBody: SessionRequest,
}

// What the service answers: a field with a default is there.
bodies! {
    responses, for_serialize,
    ProblemBody: ProblemDocument,
    JobStatusBody: JobStatus,
    JobViewBody: JobView,
    JobListBody: JobList,
    JobEventBody: JobEvent,
    ClipListBody: ClipList,
    ClipViewBody: ClipView,
    ClipLinkBody: ClipLink,
    ClipPlanBody: ClipPlan,
    EditedBody: Edited,
    UploadViewBody: UploadView,
    QueueListBody: QueueList,
    DeadListBody: DeadList,
    SessionViewBody: SessionView,
}

/// The schemas of all documents. A type that requests and responses have in different forms is
/// `NAMEInput` in requests.
fn schemas() -> Map<String, Value> {
    let (mut all, requests) = (responses(), requests());
    let mut inputs: BTreeSet<String> = requests
        .iter()
        .filter(|(name, schema)| all.get(*name).is_some_and(|other| other != *schema))
        .map(|(name, _)| name.clone())
        .collect();
    // What refers to such a type has two forms, too.
    loop {
        let refers = |schema: &Value| {
            let mut found = false;
            references(&mut schema.clone(), &mut |name| found |= inputs.contains(name.as_str()));
            found
        };
        let more: Vec<String> = requests
            .iter()
            .filter(|(name, schema)| all.contains_key(*name) && !inputs.contains(*name) && refers(schema))
            .map(|(name, _)| name.clone())
            .collect();
        if more.is_empty() {
            break;
        }
        inputs.extend(more);
    }
    let input = |name: String| if inputs.contains(&name) { format!("{name}Input") } else { name };
    for (name, mut schema) in requests {
        references(&mut schema, &mut |name| *name = input(std::mem::take(name)));
        all.insert(input(name), schema);
    }
    all
}

/// Visits the names of the schemas that a schema refers to.
fn references(schema: &mut Value, visit: &mut impl FnMut(&mut String)) {
    match schema {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::String(target) if key == "$ref" => {
                        if let Some(name) = target.strip_prefix(SCHEMAS) {
                            let mut name = name.to_owned();
                            visit(&mut name);
                            *target = format!("{SCHEMAS}{name}");
                        }
                    }
                    value => references(value, visit),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| references(item, visit)),
        _ => {}
    }
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
