//! Templates that want too much get a diagnostic, and the program lives on.

use super::{env_of, render_in, render_with};
use crate::jinja::{Limits, NoContext, Options};

/// Renders with less fuel than usual, so that the test is quick.
fn little(macros: &str, text: &str) -> String {
    let limits = Limits { fuel: 3_000_000, ..Limits::default() };
    match render_in(&env_of(macros), &NoContext, Options { limits, ..Options::default() }, text) {
        Ok(rendered) => rendered.text,
        Err(error) => format!("{}: {}", error.code.id, error.message),
    }
}

#[test]
fn endless_work_stops() {
    let macros = "{% macro down(n) %}{{ down(n + 1) }}{% endmacro %}\
        {% macro busy() %}{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}{% endmacro %}\
        {% macro grow() %}{% set ns = namespace(x='0123456789') %}{% for i in range(100) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}{% endmacro %}\
        {% macro write() %}{% for i in range(100000) %}{{ 'x' * 100000 }}{% endfor %}{% endmacro %}";
    assert_eq!(little(macros, "{{ down(1) }}"), "C3005: macro `down` is called at a depth of more than 200 calls");
    assert_eq!(little(macros, "{{ busy() }}"), "C3005: macro `busy` takes more than 3000000 steps");
    assert!(little(macros, "{{ grow() }}").starts_with("C3005"));
    assert!(little(macros, "{{ write() }}").starts_with("C3005"));
    for greedy in [
        "{{ 'a' * 10 ** 12 }}",
        "{{ [0] * 10 ** 12 }}",
        "{{ 'a'.center(10 ** 12) }}",
        "{{ '%1000000000000d' % 1 }}",
        "{{ '{:>1000000000000}'.format(1) }}",
        "{{ modules.itertools.product(range(1000), repeat=9) }}",
        "{{ modules.itertools.permutations(range(100)) }}",
        "{{ ('a' * 100000).replace('a', 'b' * 100000) }}",
        "{{ (',' * 20000000).split(',') }}",
        "{{ ('a' * 20000000) | list }}",
        "{{ modules.re.findall('', 'a' * 20000000) }}",
        "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
    ] {
        let got = little("", greedy);
        assert!(got.starts_with("C3005"), "{greedy}: {got}");
    }
}

#[test]
fn the_limit_names_the_macro_and_the_calls() {
    let env = env_of("{% macro a() %}{{ b() }}{% endmacro %}\n{% macro b() %}{{ 'x' * 2000 }}{% endmacro %}");
    let limits = Limits { output: 1000, ..Limits::default() };
    let error =
        render_in(&env, &NoContext, Options { limits, ..Options::default() }, "select {{ a() }}").expect_err("limit");
    assert_eq!(error.message, "macro `b` writes more than 1000 B");
    let labels: Vec<String> = error.labels.iter().map(|label| format!("{} {}", label.span, label.text)).collect();
    assert_eq!(
        labels,
        [
            "macros/m.sql:2:16 ",
            "macros/m.sql:1:19 in macro `b` called here",
            "models/t.sql:1:11 in macro `a` called here"
        ]
    );
}

#[test]
fn deep_nesting_is_an_error_not_a_crash() {
    let many = |open: &str, close: &str, times: usize| format!("{}1{}", open.repeat(times), close.repeat(times));
    for text in [
        format!("{{{{ {} }}}}", many("(", ")", 100_000)),
        format!("{{{{ {} }}}}", many("[", "]", 100_000)),
        format!("{{{{ {}1 }}}}", "not ".repeat(100_000)),
        format!("{{{{ {}1 }}}}", "-".repeat(100_000)),
        format!("{{{{ x{} }}}}", ".a".repeat(100_000)),
        format!("{{{{ 1{} }}}}", " if 1 else 2".repeat(100_000)),
        "{% if 1 %}".repeat(100_000),
    ] {
        assert!(render_with("", &text).starts_with("C3001"), "{}", &text[..40]);
    }
}

#[test]
fn long_is_not_deep() {
    assert_eq!(render_with("", &format!("{{{{ 0{} }}}}", " + 1".repeat(50_000))), "50000");
    assert_eq!(render_with("", &format!("{{{{ ('a'{}) | length }}}}", " ~ 'b'".repeat(50_000))), "50001");
    let branches = "{% elif 0 %}".repeat(50_000);
    assert_eq!(render_with("", &format!("{{% if 0 %}}{branches}{{% else %}}x{{% endif %}}")), "x");
    assert_eq!(render_with("", &format!("{{{{ 1{} }}}}", " and 1".repeat(50_000))), "1");
}

#[test]
fn recursion_of_200_macros_fits_a_big_stack() {
    let run = || {
        let env = env_of(
            "{% macro down(n) %}{% if n > 0 %}{% for x in [1] %}{{ down(n - 1) }}{% endfor %}{% else %}ok{% endif %}{% endmacro %}",
        );
        let limits = Limits::for_stack(crate::jinja::STACK_SIZE);
        let options = Options { limits, ..Options::default() };
        render_in(&env, &NoContext, options, "{{ down(198) }}").map(|rendered| rendered.text)
    };
    let thread = std::thread::Builder::new().stack_size(crate::jinja::STACK_SIZE).spawn(run).expect("a thread");
    assert_eq!(thread.join().expect("no panic").expect("renders"), "ok");
}

#[test]
fn values_nested_without_end_are_harmless() {
    let nest = "{% set ns = namespace(x=[]) %}{% for i in range(100000) %}{% set ns.x = WRAP %}{% endfor %}done";
    for wrap in ["[ns.x]", "(ns.x,)", "{'k': ns.x}", "namespace(y=ns.x)", "zip([ns.x])"] {
        assert_eq!(render_with("", &nest.replace("WRAP", wrap)), "done");
    }
    assert_eq!(render_with("", "{% set l = [1] %}{% do l.append(l) %}{{ l }} {{ l == l }}"), "[1, [...]] True");
    let looped = "{% set a = [] %}{% do a.append(a) %}{% set b = [] %}{% do b.append(b) %}";
    assert_eq!(render_with("", &format!("{looped}{{{{ a == b }}}}{{{{ tojson(a) }}}}")), "FalseNone");
}

/// Cuts, doubles and splices the recorded templates; whatever comes out, it is a text or a diagnostic.
#[test]
fn broken_templates_do_not_panic() {
    let cases: Vec<&str> = include_str!("python_cases.txt").lines().filter(|line| !line.starts_with("##")).collect();
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below.max(1) as u64) as usize
    };
    let limits = Limits { fuel: 20_000, output: 100_000, ..Limits::default() };
    for _ in 0..4000 {
        let mut chars: Vec<char> = cases[random(cases.len())].chars().collect();
        for _ in 0..1 + random(4) {
            let (from, len) = (random(chars.len()), 1 + random(6));
            let to = (from + len).min(chars.len());
            match random(3) {
                0 => drop(chars.drain(from..to)),
                1 => {
                    let part: Vec<char> = chars[from..to].to_vec();
                    let at = random(chars.len());
                    chars.splice(at..at, part);
                }
                _ => {
                    let other: Vec<char> = cases[random(cases.len())].chars().collect();
                    let start = random(other.len());
                    let part = other[start..(start + 8).min(other.len())].to_vec();
                    chars.splice(from..to, part);
                }
            }
        }
        let text: String = chars.into_iter().collect();
        let env = env_of(&text);
        let options = Options { limits, ..Options::default() };
        if let Err(error) = render_in(&env, &NoContext, options, &text) {
            assert!(!error.labels.is_empty(), "no place for `{}` in {text}", error.message);
        }
    }
}

#[test]
fn every_rendering_starts_with_all_the_fuel() {
    let env = env_of("");
    let template =
        crate::jinja::parse_template(&crate::diag::SourceFile::new("t", "{% for i in range(500) %}{% endfor %}"))
            .expect("parses");
    let limits = Limits { fuel: 1500, ..Limits::default() };
    let mut interp = crate::jinja::Interpreter::new(&env, &NoContext, Options { limits, ..Options::default() });
    for _ in 0..5 {
        interp.render(&template).expect("renders");
    }
}
