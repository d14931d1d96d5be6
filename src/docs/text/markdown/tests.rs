use proptest::prelude::*;

use super::*;

fn html(text: &str) -> String {
    to_html(text).unwrap_or_default()
}

/// Elements that a description may have, with the attributes that they may have.
const ALLOWED: &[(&str, &[&str])] = &[
    ("a", &["href", "rel"]),
    ("ol", &["start"]),
    ("blockquote", &[]),
    ("br", &[]),
    ("code", &[]),
    ("del", &[]),
    ("em", &[]),
    ("h3", &[]),
    ("h4", &[]),
    ("h5", &[]),
    ("h6", &[]),
    ("hr", &[]),
    ("li", &[]),
    ("p", &[]),
    ("pre", &[]),
    ("strong", &[]),
    ("table", &[]),
    ("tbody", &[]),
    ("td", &[]),
    ("th", &[]),
    ("thead", &[]),
    ("tr", &[]),
    ("ul", &[]),
];

/// Reads HTML as a strict reader would and says what is not on the list.
pub(in crate::docs) fn complaint(html: &str) -> Option<String> {
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let end = rest[at..].find('>').map(|end| at + end);
        let Some(end) = end else { return Some(format!("an open tag: {}", &rest[at..])) };
        let tag = rest[at + 1..end].trim_end_matches('/').trim();
        rest = &rest[end + 1..];
        if tag.starts_with('/') {
            continue;
        }
        let (name, mut attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        let Some((_, allowed)) = ALLOWED.iter().find(|(known, _)| *known == name) else {
            return Some(format!("<{name}>"));
        };
        while let Some((key, value)) = attributes.trim().split_once("=\"") {
            if !allowed.contains(&key.trim()) {
                return Some(format!("{key} of <{name}>"));
            }
            let Some(close) = value.find('"') else { return Some("an open attribute".into()) };
            let value_text = &value[..close];
            if key.trim() == "href" && safe_url(value_text).is_none() {
                return Some(format!("a link to {value_text}"));
            }
            attributes = &value[close + 1..];
        }
        if !attributes.trim().is_empty() {
            return Some(format!("attributes {attributes:?}"));
        }
    }
    None
}

#[test]
fn what_people_write() {
    let text = "One row a *month*, see **`mart`**.\n\n- a\n- b\n\n1. x\n\n# Head\n\n```sql\nselect 1 < 2\n```\n\n\
                | a | b |\n|---|--:|\n| 1 | 2 |\n\n~~old~~ [site](https://example.com/?a=1&b=2) <me@example.com>";
    insta::assert_snapshot!(html(text));
    assert_eq!(complaint(&html(text)), None);
}

#[test]
fn html_is_text() {
    let html =
        html("a <img src=x onerror=alert(1)> <script>alert(1)</script>\n\n<div onclick=\"x\">b</div>\n\n<!-- c -->");
    assert_eq!(complaint(&html), None);
    assert!(html.contains("&lt;img src=x onerror=alert(1)&gt;"), "{html}");
    assert!(html.contains("&lt;script&gt;"), "{html}");
    assert!(html.contains("&lt;div onclick"), "{html}");
}

#[test]
fn links_lead_to_pages_and_people() {
    for bad in [
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](<java\tscript:alert(1)>)",
        "[x](&#106;avascript:alert(1))",
        "[x](data:text/html;base64,PHN2Zz4=)",
        "[x](vbscript:x)",
        "[x](file:///etc/passwd)",
        "[x](//evil.example)",
        "[x](../secret)",
        "<javascript:alert(1)>",
        "[x][r]\n\n[r]: javascript:alert(1)",
    ] {
        let html = html(bad);
        assert!(!html.contains("<a"), "{bad} gives {html}");
    }
    assert_eq!(html("[x](#node)"), "<p><a href=\"#node\" rel=\"noopener noreferrer\">x</a></p>");
    let injected = html("[x](https://e.example/\"onmouseover=\"alert(1))");
    assert_eq!(complaint(&injected), None, "{injected}");
    let title = html("[x](https://e.example \"a\\\" onmouseover=\\\"alert(1)\")");
    assert_eq!(complaint(&title), None, "{title}");
}

#[test]
fn images_are_their_text() {
    assert_eq!(html("![a *cat*](https://e.example/x.png)"), "<p>a <em>cat</em></p>");
}

#[test]
fn code_has_no_language_and_tables_no_style() {
    let html = html("```\"><script>\nx\n```\n\n|a|\n|:-:|\n|b|\n");
    assert_eq!(complaint(&html), None, "{html}");
}

#[test]
fn summaries() {
    let short = |text| summary(text, 40);
    assert_eq!(short("One row a **month**. Durations are seconds.\n\nMore."), Some("One row a month.".into()));
    assert_eq!(short("Uses e.g. Files and so. Then"), Some("Uses e.g. Files and so.".into()));
    assert_eq!(short(""), None);
    assert_eq!(
        short("a word and another word and a third word and more"),
        Some("a word and another word and a third…".into())
    );
    assert_eq!(short("no end"), Some("no end".into()));
}

proptest! {
    #[test]
    fn nothing_gets_through(text in "([a-z <>\"'&\\[\\]()!#*_`|:/\\\\\n\t-]|javascript:|<script>|https://|onclick=|&lt;|&#60;|\u{0}){0,60}") {
        let html = html(&text);
        prop_assert_eq!(complaint(&html), None, "{}", html);
    }

    #[test]
    fn nothing_breaks(text in any::<String>()) {
        let html = html(&text);
        prop_assert_eq!(complaint(&html), None, "{}", html);
        let _ = summary(&text, 20);
    }
}
