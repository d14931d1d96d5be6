//! Findings as SARIF 2.1.0, the format that code hosts and editors show beside the lines of a change.

use serde_json::{Value as Json, json};

use crate::diag::{Code, Diagnostic, Diagnostics, Label, Severity};

/// A SARIF log of one run of this program.
pub fn sarif(diagnostics: &Diagnostics) -> Json {
    let mut rules: Vec<Code> = Vec::new();
    for diagnostic in diagnostics.iter() {
        if !rules.contains(&diagnostic.code) {
            rules.push(diagnostic.code);
        }
    }
    rules.sort_by_key(|code| code.id);
    let results: Vec<Json> = diagnostics.iter().map(|diagnostic| result(diagnostic, &rules)).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "c360",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(rule).collect::<Vec<_>>(),
            }},
            // Columns are counted in characters, as in the messages.
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn rule(code: &Code) -> Json {
    json!({
        "id": code.id,
        "shortDescription": {"text": code.explanation},
        "help": {"text": format!("{} `c360 explain {}` tells more.", code.explanation, code.id)},
    })
}

fn result(diagnostic: &Diagnostic, rules: &[Code]) -> Json {
    let mut text = diagnostic.message.clone();
    for note in &diagnostic.notes {
        text.push_str(&format!("\n{note}"));
    }
    for help in &diagnostic.helps {
        text.push_str(&format!("\nhelp: {help}"));
    }
    let mut result = json!({
        "ruleId": diagnostic.code.id,
        "ruleIndex": rules.iter().position(|code| *code == diagnostic.code),
        "level": match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        },
        "message": {"text": text},
    });
    if let Some((first, rest)) = diagnostic.labels.split_first() {
        result["locations"] = json!([location(first)]);
        if !rest.is_empty() {
            result["relatedLocations"] = rest.iter().map(location).collect();
        }
    }
    if let Some(node) = &diagnostic.node {
        result["properties"] = json!({"node": node});
    }
    result
}

fn location(label: &Label) -> Json {
    let span = &label.span;
    let (line, column) = span.line_col();
    let (end_line, end_column) = span.end_line_col();
    let mut location = json!({
        "physicalLocation": {
            "artifactLocation": {"uri": uri(&span.file.path)},
            "region": {
                "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column,
            },
        },
    });
    if !label.text.is_empty() {
        location["message"] = json!({"text": label.text});
    }
    location
}

/// A path as a relative reference: what a URI cannot hold is escaped.
fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => out.push(char::from(byte)),
            b'\\' => out.push('/'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
