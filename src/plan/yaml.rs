//! EXPLAIN (FORMAT YAML) → the JSON that the same plan has.
//!
//! PostgreSQL writes strings as JSON does and numbers bare, so that the two differ in their brackets only.

use serde_json::Value;

use super::NotAPlan;

/// Takes what EXPLAIN gives (`- Plan: …`) and what `auto_explain` logs (`Query Text: …`, `Plan: …`).
pub(super) fn read(text: &str) -> Result<Value, NotAPlan> {
    let mut json: Value =
        serde_yaml::from_str(text).map_err(|error| NotAPlan { why: format!("it is not YAML: {error}") })?;
    let plans = match &mut json {
        Value::Array(plans) => plans.as_mut_slice(),
        plan => std::slice::from_mut(plan),
    };
    for plan in plans {
        // An empty list is written as nothing.
        if let Some(triggers @ Value::Null) = plan.get_mut("Triggers") {
            *triggers = Value::Array(Vec::new());
        }
    }
    Ok(json)
}
