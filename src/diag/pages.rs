//! The pages about codes, `docs/codes/C2001.md` and its kin: what happened, an example that fails, and how to mend it.
//!
//! They are part of the program, so that `c360 explain` needs no network. `tests/it/codes` runs every example.

use include_dir::{Dir, include_dir};

use super::Code;

static PAGES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/docs/codes");

/// What the codes of a family are about, by the start of their ids.
pub const FAMILIES: &[(&str, &str)] = &[
    ("C1", "The project, its configuration, the command line"),
    ("C2", "Nodes and the graph"),
    ("C3", "Templates"),
    ("C4", "SQL"),
    ("C5", "Files, the warehouse, clusters"),
    ("C6", "Destinations"),
    ("C7", "Tests and contracts"),
    ("C8", "The run"),
    ("C9", "Bugs of c360"),
];

/// The page about `code`, as Markdown; none if nobody has written it.
pub fn page(code: Code) -> Option<&'static str> {
    let text = PAGES.get_file(format!("{}.md", code.id))?.contents_utf8()?;
    // The front matter is for the test.
    let end = text.strip_prefix("---\n").and_then(|rest| Some(rest.split_once("\n---\n")?.1));
    Some(end.unwrap_or(text))
}

/// What `code` means in a few words: the title of its page, or else its explanation.
pub fn title(code: Code) -> &'static str {
    let title = page(code).and_then(|page| page.lines().next()?.strip_prefix("# ")?.split_once(": "));
    title.map_or(code.explanation, |(_, title)| title)
}

/// True if what the page shows is a warning and no error: then the exit code stays 0.
pub fn is_warning(code: Code) -> bool {
    let has = |severity: &str| page(code).is_some_and(|page| page.contains(&format!("\n{severity}[{}]", code.id)));
    has("warning") && !has("error")
}

#[cfg(test)]
mod tests {
    use super::super::codes::{self, ALL};
    use super::*;

    #[test]
    fn every_code_is_of_a_family() {
        for code in ALL {
            assert_eq!(FAMILIES.iter().filter(|(start, _)| code.id.starts_with(start)).count(), 1, "{}", code.id);
        }
    }

    #[test]
    fn warnings_are_told_from_errors() {
        assert!(is_warning(codes::UNKNOWN_KEY) && !is_warning(codes::REF_NOT_FOUND) && !is_warning(codes::INTERNAL));
    }

    #[test]
    fn a_page_starts_with_its_title() {
        assert_eq!(title(codes::INTERNAL), "a bug of c360");
        assert!(page(codes::INTERNAL).is_some_and(|page| page.starts_with("# C9001: a bug of c360\n")));
    }
}
