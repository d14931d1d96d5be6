//! `explain`.

use crate::cli::FINE;
use crate::cli::printer::Printer;
use crate::diag::{Diagnostic, Result, codes};
use crate::stdx::closest;

pub(in crate::cli) fn explain(code: Option<&str>, printer: &Printer) -> Result<u8> {
    let Some(code) = code else {
        for code in codes::ALL {
            printer.data(&format!("{}  {}", code.id, code.explanation));
        }
        return Ok(FINE);
    };
    let found = codes::find(code).ok_or_else(|| {
        let near = closest(code, codes::ALL.iter().map(|code| code.id));
        Diagnostic::error(codes::BAD_ARGUMENT, format!("there is no code `{code}`"))
            .maybe_help(near.map(|near| format!("`{near}` exists")))
            .help("`c360 explain` lists all codes")
    })?;
    printer.data(&format!("{}: {}", found.id, found.explanation));
    Ok(FINE)
}
