//! Blocks of the kind `console` on pages that are run: commands, each with the lines that it says.

use std::ops::Range;

/// The commands of a block: each without its `$ `, and the lines after it, by number.
pub(crate) fn commands(lines: &[String], block: Range<usize>) -> Result<Vec<(String, Range<usize>)>, String> {
    let starts: Vec<usize> = block.clone().filter(|&at| lines[at].starts_with("$ ")).collect();
    if starts.first() != Some(&block.start) {
        return Err(format!("line {}: a console starts with a command, `$ c360 ...`", block.start + 1));
    }
    let ends = starts[1..].iter().copied().chain([block.end]);
    Ok(starts.iter().copied().zip(ends).map(|(start, end)| (lines[start][2..].to_string(), start + 1..end)).collect())
}
