//! `explain`.

use std::io::IsTerminal;

use serde_json::json;

use crate::cli::args::{ColorArg, ExplainOutput, GlobalArgs};
use crate::cli::markdown::{faint, for_terminal, strong};
use crate::cli::printer::Printer;
use crate::cli::{FINE, exit_code_of};
use crate::diag::{Code, Diagnostic, Result, Shelf, codes, pages};
use crate::stdx::closest;

pub(in crate::cli) fn explain(
    global: &GlobalArgs,
    asked: &[String],
    output: ExplainOutput,
    printer: &Printer,
) -> Result<u8> {
    let colour = printer.colour() && (std::io::stdout().is_terminal() || global.color == Some(ColorArg::Always));
    let found = asked.iter().map(|id| find(id)).collect::<Result<Vec<_>>>()?;
    match output {
        ExplainOutput::Json => {
            let all = if asked.is_empty() { codes::ALL } else { &found };
            let all: Vec<_> = all.iter().map(|code| entry(*code)).collect();
            printer.data(&serde_json::Value::Array(all).to_string());
        }
        _ if asked.is_empty() => list(colour, printer),
        ExplainOutput::Markdown => found.iter().for_each(|code| printer.data(&text(*code))),
        ExplainOutput::Text => {
            for (at, code) in found.iter().enumerate() {
                if at > 0 {
                    printer.data("");
                }
                printer.data(&for_terminal(&text(*code), printer.width(), colour));
            }
        }
    }
    Ok(FINE)
}

fn find(id: &str) -> Result<Code> {
    codes::find(id).ok_or_else(|| {
        let near = closest(&id.to_uppercase(), codes::ALL.iter().map(|code| code.id));
        Diagnostic::error(codes::BAD_ARGUMENT, format!("there is no code `{id}`"))
            .maybe_help(near.map(|near| format!("`{near}` exists")))
            .help("`c360 explain` lists all codes")
    })
}

/// The page about a code, with whose failure it is under the title.
fn text(code: Code) -> String {
    let page = pages::page(code).map(str::to_string);
    let page = page.unwrap_or_else(|| format!("# {}: {}\n", code.id, code.explanation));
    let (title, rest) = page.split_once('\n').unwrap_or((&page, ""));
    format!("{title}\n\n{}.\n{rest}", effect(code))
}

/// Whose failure it is, and what that does to the exit code.
fn effect(code: Code) -> String {
    match pages::is_warning(code) {
        true => "A warning: the exit code is 0, unless `--warn-error` counts it as an error".to_string(),
        false => format!("{}: exit code {}", whose(code), exit_code_of(code)),
    }
}

fn whose(code: Code) -> &'static str {
    match code.shelf {
        Shelf::User => "The project, its configuration or the command line is wrong",
        Shelf::World => "A node, a file or a server failed",
        Shelf::Bug => "A bug of c360",
    }
}

fn entry(code: Code) -> serde_json::Value {
    json!({
        "code": code.id,
        "title": pages::title(code),
        "explanation": code.explanation,
        "severity": if pages::is_warning(code) { "warning" } else { "error" },
        "exit_code": if pages::is_warning(code) { FINE } else { exit_code_of(code) },
        "page": pages::page(code),
    })
}

/// Every code with a line, by family.
fn list(colour: bool, printer: &Printer) {
    for (start, about) in pages::FAMILIES {
        printer.data(&strong(colour, about));
        for code in codes::ALL.iter().filter(|code| code.id.starts_with(start)) {
            printer.data(&format!("  {}  {}", code.id, pages::title(*code)));
        }
        printer.data("");
    }
    printer.data(&faint(colour, "`c360 explain C2001` shows an example and how to mend it."));
}
