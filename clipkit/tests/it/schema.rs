//! The committed JSON Schema of the clip plan is the one that the types generate.

use std::path::Path;

use clipkit::ClipPlan;

#[test]
fn the_committed_schema_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/clip-plan.schema.json");
    let current = serde_json::to_string_pretty(&ClipPlan::json_schema()).unwrap() + "\n";
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, &current).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == current, "the plan's types changed: run with UPDATE_SCHEMA=1, look at the difference, and commit it");
}
