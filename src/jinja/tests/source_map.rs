//! Every byte of the output has a place.

use super::{env_of, render_in};
use crate::jinja::{NoContext, Options, Rendered};

fn show(rendered: &Rendered, part: &str) -> String {
    let at = rendered.text.find(part).unwrap_or_else(|| panic!("`{part}` in {}", rendered.text));
    let origin = rendered.map.origin(at..at + part.len()).expect("a place");
    let chain: Vec<String> = origin.chain.iter().map(|(name, site)| format!(" <- {name} at {site}")).collect();
    format!("{} {:?} literal={}{}", origin.span, origin.span.text(), origin.literal, chain.concat())
}

#[test]
fn literal_text_is_exact_and_expressions_are_their_tag() {
    let env = env_of(
        "{% macro inner(x) %}in_{{ x }}_er{% endmacro %}\n{% macro outer() %}{{ return(inner('q')) }}{% endmacro %}",
    );
    let text = "select a, {{ 1 + 1 }}\nfrom {{ outer() }} where {{ inner('z') | upper }}";
    let rendered = render_in(&env, &NoContext, Options::default(), text).expect("renders");
    assert_eq!(rendered.text, "select a, 2\nfrom in_q_er where IN_Z_ER");
    assert_eq!(show(&rendered, "a,"), "models/t.sql:1:8 \"a,\" literal=true");
    assert_eq!(show(&rendered, "2"), "models/t.sql:1:11 \"{{ 1 + 1 }}\" literal=false");
    let chain = " <- outer at models/t.sql:2:9 <- inner at macros/m.sql:2:30";
    assert_eq!(show(&rendered, "in_"), format!("macros/m.sql:1:21 \"in_\" literal=true{chain}"));
    assert_eq!(show(&rendered, "q"), format!("macros/m.sql:1:24 \"{{{{ x }}}}\" literal=false{chain}"));
    assert_eq!(show(&rendered, "where"), "models/t.sql:2:20 \"where\" literal=true");
    // A filter makes a new text: it comes from its tag.
    assert_eq!(show(&rendered, "IN_Z"), "models/t.sql:2:26 \"{{ inner('z') | upper }}\" literal=false");
}

#[test]
fn set_blocks_keep_their_places() {
    let text = "{% set q %}select {{ 1 }} as one{% endset %}with x as ({{ q }})";
    let rendered = render_in(&env_of(""), &NoContext, Options::default(), text).expect("renders");
    assert_eq!(show(&rendered, "as one"), "models/t.sql:1:27 \"as one\" literal=true");
    assert_eq!(show(&rendered, ")"), "models/t.sql:1:63 \")\" literal=true");
}

#[test]
fn text_without_tags_is_its_own_map() {
    let rendered = render_in(&env_of(""), &NoContext, Options::default(), "select 1\nfrom t\n").expect("renders");
    assert_eq!(rendered.text, "select 1\nfrom t");
    assert_eq!(show(&rendered, "from"), "models/t.sql:2:1 \"from\" literal=true");
    assert_eq!(rendered.map.len(), 1);
}

#[test]
fn the_map_can_be_left_out() {
    let options = Options { map: false, ..Options::default() };
    let rendered = render_in(&env_of(""), &NoContext, options, "a {{ 1 }} b").expect("renders");
    assert!(rendered.map.is_empty());
}
