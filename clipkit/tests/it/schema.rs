//! The committed JSON Schemas are up to date with the types.

use std::path::Path;

use clipkit::model::ClipPlan;

fn is_current(name: &str, schema: &serde_json::Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema").join(name);
    let current = serde_json::to_string_pretty(schema).unwrap() + "\n";
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, &current).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == current, "types changed: run with UPDATE_SCHEMA=1, look at the difference in {name}, and commit it");
}

#[test]
fn the_committed_schema_of_plans_is_current() {
    is_current("clip-plan.schema.json", &ClipPlan::json_schema());
}

#[test]
fn the_committed_schemas_of_all_documents_are_current() {
    is_current("clipkit.schema.json", &clipkit::config::json_schemas());
}
