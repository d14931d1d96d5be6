//! The files under `~/.aws`: sections of `key = value`, where an indented line belongs to the key above it.

use std::collections::BTreeMap;

/// Sections by name; a nested key is `outer.inner`.
pub(super) type Sections = BTreeMap<String, BTreeMap<String, String>>;

/// Reads `text`. Lines that are none of these things are passed over, as Amazon's own tools do.
pub(super) fn parse(text: &str) -> Sections {
    let mut sections = Sections::new();
    let mut section: Option<String> = None;
    let mut outer: Option<String> = None;
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = trimmed.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            let name = name.0.split_whitespace().collect::<Vec<_>>().join(" ");
            sections.entry(name.clone()).or_default();
            section = Some(name);
            outer = None;
            continue;
        }
        let (Some(section), Some((key, value))) = (&section, trimmed.split_once('=')) else { continue };
        let (key, value) = (key.trim().to_ascii_lowercase(), uncommented(value).trim().to_string());
        let nested = line.starts_with([' ', '\t']);
        let key = match (&outer, nested) {
            (Some(outer), true) => format!("{outer}.{key}"),
            _ => {
                outer = value.is_empty().then(|| key.clone());
                key
            }
        };
        sections.entry(section.clone()).or_default().insert(key, value);
    }
    sections
}

/// A comment in a line of a value starts behind a space.
fn uncommented(value: &str) -> &str {
    let comment = [" #", " ;", "\t#", "\t;"].iter().filter_map(|mark| value.find(mark)).min();
    comment.map_or(value, |at| &value[..at])
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn sections_and_nested_keys() {
        let text = "# mine\nstray = 1\n[default]\nregion = eu-west-1 # near\naws_access_key_id=A=B#C\n\n[profile  lake]\ns3 =\n  \
                    endpoint_url = http://127.0.0.1:9000\n  other = 1\nregion=x\n";
        let sections = parse(text);
        assert_eq!(sections.len(), 2);
        assert_eq!(sections["default"]["region"], "eu-west-1");
        assert_eq!(sections["default"]["aws_access_key_id"], "A=B#C");
        assert_eq!(sections["profile lake"]["s3.endpoint_url"], "http://127.0.0.1:9000");
        assert_eq!(sections["profile lake"]["region"], "x");
    }
}
