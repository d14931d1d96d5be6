use proptest::prelude::*;

use super::*;

struct Known;

impl Names for Known {
    fn referenced(&self, call: &str, arguments: &[&str]) -> Option<usize> {
        match (call, arguments) {
            ("ref", ["stg_orders"]) => Some(1),
            ("source", ["lake", "orders"]) => Some(2),
            _ => None,
        }
    }

    fn called(&self, name: &str) -> Option<usize> {
        (name == "cents").then_some(7)
    }

    fn relations(&self) -> Vec<(String, usize)> {
        vec![("\"db\".\"main\".\"a\"".into(), 1), ("db.main.b".into(), 2)]
    }
}

/// A marked word and its class.
type Word = (String, u32);
/// A linked word, and the kind and the number of what it leads to.
type Goal = (String, &'static str, usize);

/// The marked words with their classes, and the linked words with their goals.
fn seen(code: &Code) -> (Vec<Word>, Vec<Goal>) {
    let units: Vec<u16> = code.text.encode_utf16().collect();
    let cut = |start: u32, length: u32| {
        String::from_utf16(&units[start as usize..(start + length) as usize]).expect("whole characters")
    };
    let mut at = 0;
    let mut words = Vec::new();
    for mark in code.marks.chunks(3) {
        words.push((cut(at + mark[0], mark[1]), mark[2]));
        at += mark[0] + mark[1];
    }
    let links = code.links.iter().map(|Link(start, length, kind, number)| (cut(*start, *length), *kind, *number));
    (words, links.collect())
}

fn words(text: &str) -> Vec<Word> {
    seen(&Code::template(text, None, &Known)).0
}

#[test]
fn a_model() {
    let text = "{{ config(tags=['x']) }}\n-- é😀 {{ x }}\nselect count(*) as n, cast(a.select as date), 'it''s' || '{{ v }}x'\n\
                from {{ ref('stg_orders') }} join {{ source('lake', \"orders\") }} {# c #} where {{- cents(1.5) -}} = 10";
    let code = Code::template(text, Some("models/a.sql"), &Known);
    let (marked, linked) = seen(&code);
    insta::assert_debug_snapshot!(marked.iter().map(|(word, class)| format!("{class} {word}")).collect::<Vec<_>>());
    let expected =
        [("'stg_orders'", "node", 1), ("'lake'", "node", 2), ("\"orders\"", "node", 2), ("cents", "macro", 7)];
    assert_eq!(linked, expected.map(|(word, kind, number)| (word.to_string(), kind, number)));
}

#[test]
fn names_of_relations_are_links() {
    let text = "select * from \"db\".\"main\".\"a\" join db.main.b join db.main.bb join xdb.main.b -- db.main.b";
    let (marked, linked) = seen(&Code::compiled(text, &Known));
    assert!(marked.contains(&("\"db\".\"main\".\"a\"".to_string(), Class::QuotedIdentifier as u32)));
    assert_eq!(linked, [("\"db\".\"main\".\"a\"".to_string(), "node", 1), ("db.main.b".to_string(), "node", 2)]);
}

#[test]
fn what_does_not_end() {
    for text in ["'", "\"", "/*", "{{", "{%-", "{#", "{{ '", "'{{", "{{ \"\\", "\"a\".\"", "`", "{", "1."] {
        let total: usize = words(text).iter().map(|(word, _)| word.len()).sum();
        assert!(total <= text.len(), "{text}");
    }
}

proptest! {
    #[test]
    fn marks_stay_inside(text in "([a-z'\"`{}%#() .,\n-]|\\*/|/\\*|\\{\\{|\\}\\}|é|😀|ref\\('stg_orders'\\)){0,60}") {
        let code = Code::template(&text, None, &Known);
        let (_, linked) = seen(&code);
        let length = text.encode_utf16().count() as u32;
        prop_assert!(code.marks.chunks(3).map(|mark| mark[0] + mark[1]).sum::<u32>() <= length);
        prop_assert!(linked.len() <= text.len());
        let _ = seen(&Code::compiled(&text, &Known));
    }
}
