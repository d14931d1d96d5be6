//! The same text as Jinja2, and errors where it has errors.

use super::{env_of, render_in};
use crate::jinja::{NoContext, Options};

#[derive(serde::Deserialize)]
struct Case {
    template: String,
    expected: Option<String>,
    error: Option<String>,
}

/// Jinja2's words for a mistake and ours, where ours are others on purpose.
const OTHER_WORDS: &[(&str, &str)] = &[
    ("integer modulo by zero", "integer division or modulo by zero"),
    ("'a'", "KeyError: 'a'"),
    ("can't multiply sequence by non-int of type 'str'", "unsupported operand type(s) for *: 'str' and 'str'"),
    ("'break' outside loop", "`{% break %}` stands outside of a loop"),
    ("sync_do_join() takes", "join() takes at most 2 arguments (3 given)"),
    ("Unexpected end of template.", "`{% if %}` is not closed: `{% endif %}` is missing"),
    ("unexpected end of template", "a tag is not closed: `}}` is missing"),
    ("Encountered unknown tag 'endif'", "unexpected `{% endif %}`: the innermost block that is open is `{% for %}`"),
    ("Encountered unknown tag", "unknown tag"),
    ("unexpected char", "a string is not closed"),
    ("Missing end of comment", "a comment is not closed: `#}` is missing"),
    ("Missing end of raw", "a raw block is not closed: `{% endraw %}` is missing"),
    ("Expected an expression, got", "unexpected 'end of statement block'"),
    ("invalid syntax for function call", "a positional argument follows a keyword argument"),
    ("expected token 'end of print statement', got 'b'", "unexpected 'b', expected 'end of print statement'"),
    ("expected token 'name', got", "unexpected 'end of print statement', expected 'name'"),
];

fn same_error(theirs: &str, ours: &str) -> bool {
    let (theirs, ours) = (theirs.to_lowercase(), ours.to_lowercase());
    let alike = ours.starts_with(theirs.trim_end_matches('.'));
    alike
        || OTHER_WORDS
            .iter()
            .any(|(other, words)| theirs.starts_with(&other.to_lowercase()) && ours.starts_with(&words.to_lowercase()))
}

#[test]
fn as_recorded_from_jinja2() {
    let mut wrong = Vec::new();
    for line in include_str!("python_cases.jsonl").lines() {
        let case: Case = serde_json::from_str(line).expect("a case");
        // Macros belong to files of their own: here the template is that file, too.
        let env = env_of(&case.template);
        let got = render_in(&env, &NoContext, Options::default(), &case.template);
        let fine = match (&got, &case.expected, &case.error) {
            (Ok(got), Some(expected), _) => got.text == *expected,
            (Err(got), _, Some(error)) => same_error(error, &got.message) && !got.labels.is_empty(),
            _ => false,
        };
        if !fine {
            let got = got.map(|rendered| rendered.text).map_err(|error| error.message);
            let expected = case.expected.ok_or(case.error);
            wrong.push(format!("{}\n  expected {expected:?}\n  got      {got:?}", case.template));
        }
    }
    assert!(wrong.is_empty(), "{} cases differ:\n{}", wrong.len(), wrong.join("\n"));
}
