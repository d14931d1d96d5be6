//! Where the time of a node went: its operators as lines, for `--explain-analyze`.

use serde_json::Value as Json;

use crate::run::UnitResult;
use crate::stdx::{human_bytes, human_duration};

/// How wide an operator's column may be.
const WIDTH: usize = 64;

/// The operators that `result` tells of, or none if it tells of none.
pub fn operators_text(result: &UnitResult) -> Option<String> {
    let plans = result.response.get("operators")?.as_array()?;
    let mut lines = vec![heading(result)];
    for operators in plans.iter().filter_map(Json::as_array) {
        lines.push(format!(
            "  {:<WIDTH$} {:>11} {:>9} {:>9} {:>6} {:>6} {:>9}",
            "operator", "rows", "compute", "read", "files", "pruned", "spilled"
        ));
        lines.extend(operators.iter().map(line));
    }
    Some(lines.join("\n"))
}

fn heading(result: &UnitResult) -> String {
    let name = result.unique_id.rsplit('.').next().unwrap_or(&result.unique_id);
    let wrote = result.bytes.map_or(String::new(), |bytes| format!(", wrote {}", human_bytes(bytes)));
    let held = result.peak_memory.map_or(String::new(), |bytes| format!(", held at most {}", human_bytes(bytes)));
    format!("{name}: {}{wrote}{held}", human_duration(result.execute_time))
}

fn line(operator: &Json) -> String {
    let text = |key: &str| operator.get(key).and_then(Json::as_str).unwrap_or_default();
    let number = |key: &str| operator.get(key).and_then(Json::as_u64);
    let depth = number("depth").unwrap_or(0) as usize;
    let what = format!("{:depth$}{} {}", "", text("name").trim_end_matches("Exec"), text("detail"));
    let what: String = what.chars().take(WIDTH).collect();
    let compute = operator.get("seconds").and_then(Json::as_f64).unwrap_or(0.0);
    let some =
        |value: Option<u64>, shown: fn(u64) -> String| value.filter(|value| *value > 0).map_or(String::new(), shown);
    format!(
        "  {what:<WIDTH$} {:>11} {:>9} {:>9} {:>6} {:>6} {:>9}",
        number("rows").map_or(String::new(), |rows| rows.to_string()),
        human_duration(std::time::Duration::from_secs_f64(compute.max(0.0))),
        some(number("bytes_read"), human_bytes),
        some(number("files_opened"), |files| files.to_string()),
        some(number("files_pruned"), |files| files.to_string()),
        some(number("spilled"), human_bytes),
    )
}
