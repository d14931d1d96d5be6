//! dbt's ways beyond Jinja2.

use std::sync::Arc;

use super::{add_macros, env_of, render_in, render_with};
use crate::diag::{SourceFile, Style, render};
use crate::jinja::{Args, Environment, Interpreter, NoContext, Options, Stop, Value, parse_expression, parse_template};

#[test]
fn macros_return_values_of_any_type() {
    let macros = "{% macro l() %}text {{ return(['x', 'y']) }} more{% endmacro %}{% macro d() %}{% for i in [1] %}{% do return({'k': [2]}) %}{% endfor %}{% endmacro %}\
        {% macro n() %}{{ return(none) }}{% endmacro %}{% macro early(n) %}{% if n > 5 %}{{ return('big') }}{% endif %}small{% endmacro %}";
    let text = "{% for c in l() %}{{ c }},{% endfor %}{{ d().k[0] + 1 }}{{ n() is none }}{{ early(9) }}{{ early(1) }}";
    assert_eq!(render_with(macros, text), "x,y,3Truebigsmall");
    assert_eq!(render_with("", "{{ return(1) }}"), "C3002: `return` stands outside of a macro");
    let caller = "{% macro wrap() %}[{{ caller() }}]{% endmacro %}{% macro outer() %}{% call wrap() %}{{ return('out') }}{% endcall %}{% endmacro %}";
    assert_eq!(render_with(caller, "{{ outer() }}"), "out");
}

#[test]
fn macros_see_the_context_not_their_caller() {
    let macros = "{% macro show() %}{{ v }}|{{ g }}{% set v = 'mine' %}{{ v }}{% endmacro %}";
    let context = |name: &str| (name == "g").then(|| Value::from("global"));
    let text = "{% set v = 'outer' %}{{ show() }} {{ v }}";
    let rendered = render_in(&env_of(macros), &context, Options::default(), text).expect("renders");
    assert_eq!(rendered.text, "|globalmine outer");
}

/// Two packages, and the macros that c360 brings.
fn packages() -> Environment {
    let mut env = env_of(
        "{% macro who() %}root{% endmacro %}{% macro shared() %}root shared{% endmacro %}{% macro ref(x) %}my {{ builtin }}{% endmacro %}",
    );
    let utils = "{% macro who() %}utils{% endmacro %}{% macro helper() %}help {{ only() }} {{ who() }}{% endmacro %}{% macro only() %}only utils{% endmacro %}";
    add_macros(&mut env, "utils", "utils/m.sql", utils);
    add_macros(
        &mut env,
        "dbt",
        "dbt/m.sql",
        "{% macro who() %}dbt{% endmacro %}{% macro base() %}base {{ shared() }}{% endmacro %}{% macro shared() %}dbt shared{% endmacro %}",
    );
    env
}

#[test]
fn names_of_macros_are_found_in_dbts_order() {
    let env = packages();
    let show = |package: &str, text: &str| {
        let options = Options { package: Arc::from(package), ..Options::default() };
        let context = |name: &str| match name {
            "ref" => Some(Value::from("context")),
            "builtin" => Some(Value::from("b")),
            _ => None,
        };
        render_in(&env, &context, options, text).map_or_else(|error| error.message.clone(), |rendered| rendered.text)
    };
    let all = "{{ who() }}/{{ utils.who() }}/{{ dbt.who() }}/{{ root.who() }}/{{ base() }}";
    assert_eq!(show("root", all), "root/utils/dbt/root/base root shared");
    assert_eq!(show("utils", all), "utils/utils/dbt/root/base root shared");
    assert_eq!(show("root", "{{ utils.helper() }}"), "help only utils root");
    // A macro of the project replaces what the context has under the same name.
    assert_eq!(show("root", "{{ ref('x') }}"), "my b");
    assert_eq!(
        show("root", "{{ context['who']() }} {{ context.get('nope', 'absent') }} {{ context.builtin }}"),
        "root absent b"
    );
    assert_eq!(show("root", "{{ 'who' in context }}{{ 'nope' in context }}{{ 'helper' in utils }}"), "TrueFalseTrue");
    assert_eq!(show("root", "{{ utils.nope() }}"), "'MacroNamespace object' has no attribute 'nope'");
    let generate = env.find_macro("who", Some("utils")).expect("found");
    assert_eq!(&*generate.package, "root");
}

#[test]
fn macros_are_values() {
    let macros = "{% macro add(a, b=1) %}{{ return(a + b) }}{% endmacro %}{% macro apply(f, x) %}{{ return(f(x)) }}{% endmacro %}";
    assert_eq!(
        render_with(macros, "{{ apply(add, 2) }} {{ add.name }} {{ [add][0](1, b=5) }} {{ add is callable }}"),
        "3 add 6 True"
    );
    assert_eq!(render_with(macros, "{{ try_or_compiler_error('bad', add, 3) }}"), "4");
    assert_eq!(render_with(macros, "{{ try_or_compiler_error('bad', add, 'x') }}"), "C3004: bad");
}

#[test]
fn arguments_are_bound_as_python_does() {
    let macros = "{% macro f(a, b='bee', c=none) %}{{ a }}-{{ b }}-{{ c }}{% endmacro %}{% macro v(a) %}{{ varargs | join('|') }}/{% for k, v in kwargs.items() | sort %}{{ k }}={{ v }};{% endfor %}{% endmacro %}";
    assert_eq!(render_with(macros, "{{ f('a') }} {{ f('a', c='see') }} {{ f() }}"), "a-bee-None a-bee-see -bee-None");
    assert_eq!(render_with(macros, "{{ v(1, 2, 3, z=1, y=2) }}"), "2|3/y=2;z=1;");
    assert_eq!(render_with(macros, "{{ f(1, 2, 3, 4) }}"), "C3002: macro 'f' takes not more than 3 argument(s)");
    assert_eq!(render_with(macros, "{{ f(1, a=2) }}"), "C3002: macro 'f' takes no keyword argument 'a'");
}

#[test]
fn inline_macros_are_hidden_as_in_dbt() {
    assert_eq!(render_with("", "{% macro loc(a) %}<{{ a }}>{% endmacro %}{{ loc(1) }}"), "C3006: 'loc' is undefined");
    assert_eq!(render_with("", "{% macro loc(a) %}<{{ a }}>{% endmacro %}{{ dbt_macro__loc(1) }}"), "<1>");
}

#[test]
fn while_parsing_undefined_goes_on() {
    let lenient = Options { lenient: true, ..Options::default() };
    let env = env_of("{% macro strict() %}{{ nope.a }}{% endmacro %}");
    let show = |text: &str| {
        render_in(&env, &NoContext, lenient.clone(), text)
            .map_or_else(|error| error.message.clone(), |rendered| rendered.text)
    };
    assert_eq!(show("[{{ nope(1).deeper['x'].y() }}]"), "[]");
    assert_eq!(show("{{ strict() }}"), "'nope' is undefined");
}

#[test]
fn errors_point_into_the_file_with_the_chain_of_calls() {
    let env = env_of(
        "{% macro cents(col) %}\n  {{ col / scale_of }}\n{% endmacro %}\n{% macro outer(c) %}{{ cents(c) }}{% endmacro %}",
    );
    let error = render_in(&env, &NoContext, Options::default(), "select\n  {{ outer(5) }}").expect_err("fails");
    let expected = "\
error[C3003]: 'scale_of' is undefined
 --> macros/m.sql:2:12
  |
2 |   {{ col / scale_of }}
  |            ^^^^^^^^
3 | {% endmacro %}
4 | {% macro outer(c) %}{{ cents(c) }}{% endmacro %}
  |                        -------- in macro `cents` called here
  |
 ::: models/t.sql:2:6
  |
2 |   {{ outer(5) }}
  |      ^^^^^^^^ in macro `outer` called here";
    assert_eq!(render(&error, Style::Plain), expected);
}

#[test]
fn undefined_names_come_with_a_suggestion() {
    let env = env_of("{% macro cents_to_dollars(c) %}{% endmacro %}");
    let error = render_in(&env, &NoContext, Options::default(), "{{ cents_to_dolars(1) }}").expect_err("fails");
    assert_eq!((error.code.id, error.helps[0].as_str()), ("C3006", "did you mean `cents_to_dollars`?"));
    let error = render_in(&env, &NoContext, Options::default(), "{{ 'a' | uper }}").expect_err("fails");
    assert_eq!(error.helps, ["did you mean `upper`?"]);
}

#[test]
fn functions_call_macros_back() {
    let env = env_of("{% macro twice(x) %}{{ x }}{{ x }}{% endmacro %}{% macro body() %}{{ caller() }}!{% endmacro %}");
    let context = |name: &str| {
        (name == "run").then(|| {
            Value::function("run", |interp, mut args| {
                if let Some(caller) = args.take("caller") {
                    return interp.call(&caller, Args::positional([Value::from("c")]));
                }
                let item = interp.find_macro("twice", None).ok_or_else(|| crate::jinja::fail("no macro"))?;
                let inner = interp.call_definition(&item, args)?;
                Ok(Value::from(format!("{inner}@{}", interp.site())))
            })
        })
    };
    let text = "{{ run('a') }} {% call(v) run() %}<{{ v }}>{% endcall %}";
    let rendered = render_in(&env, &context, Options::default(), text).expect("renders");
    assert_eq!(rendered.text, "aa@models/t.sql:1:4 <c>");
}

#[test]
fn configuration_keeps_types() {
    let env = env_of("");
    let options = Options { native: true, ..Options::default() };
    let value = |text: &str| {
        let template = parse_template(&SourceFile::new("dbt_project.yml", text)).expect("parses");
        Interpreter::new(&env, &NoContext, options.clone()).render_value(&template).expect("renders").repr()
    };
    assert_eq!(value("{{ [1, 'a'] }}"), "[1, 'a']");
    assert_eq!(value("{{ '5' | as_number }}"), "5");
    assert_eq!(value("{{ 'True' | as_bool }}"), "True");
    assert_eq!(value("{{ '[1, (2,)]' | as_native }}"), "[1, (2,)]");
    assert_eq!(value("{{ 5 | as_text }}"), "'5'");
    assert_eq!(value("a {{ 1 }}"), "'a 1'");
    assert_eq!(render_with("", "{{ '5' | as_number }}{{ 1 | as_bool }}"), "51");
}

#[test]
fn dbts_functions() {
    let text = "{{ local_md5('hello') }} {{ fromyaml('k: [1, x]').k }} {{ toyaml({'a': [1]}) }}{{ diff_of_two_dicts({'A': ['x', 'y']}, {'a': ['x']}) }} {{ zip(1, default='d') }} {{ set(1) }} {{ set_strict(['a']) }} {{ fromjson(none, 'd') }}";
    assert_eq!(render_with("", text), "5d41402abc4b2a76b9719d911017c592 [1, 'x'] a:\n- 1\n{'a': ['y']} d None {'a'} d");
    assert_eq!(render_with("", "{{ zip_strict(1) }}"), "C3002: 'int' object is not iterable");
    assert_eq!(
        render_with(
            "",
            "{{ modules.datetime.datetime.now() }} {{ modules.datetime.datetime.now(modules.pytz.timezone('Asia/Ho_Chi_Minh')) }} {{ modules.pytz.utc }}"
        ),
        "1970-01-01 00:00:00 1970-01-01 07:00:00+07:00 UTC"
    );
    assert_eq!(
        render_with("", "{% include 'x' %}"),
        "C3001: `{% include %}` is not supported: macros of all files are visible everywhere, call them by their name"
    );
}

#[test]
fn an_expression_alone_has_a_value() {
    let env = env_of("");
    let file = SourceFile::new("--inline", "{'a': 1}.a + 2");
    let expr = parse_expression(&file).expect("parses");
    let value = Interpreter::new(&env, &NoContext, Options::default()).evaluate(&expr, &file).expect("evaluates");
    assert_eq!(value, Value::Int(3));
    let file = SourceFile::new("--inline", "1 +");
    assert_eq!(parse_expression(&file).expect_err("fails").message, "unexpected 'end of template'");
}

#[test]
fn stops_carry_their_diagnostic() {
    let context = |name: &str| {
        (name == "boom")
            .then(|| Value::function("boom", |_, _| Err(Stop::error(crate::diag::codes::JINJA_RAISED, "custom boom"))))
    };
    let error =
        render_in(&env_of("{% macro m() %}{{ boom() }}{% endmacro %}"), &context, Options::default(), "{{ m() }}");
    let error = error.expect_err("fails");
    assert_eq!((error.code.id, error.message.as_str()), ("C3004", "custom boom"));
    assert_eq!(error.labels.len(), 2);
}

#[test]
fn templates_and_macros_are_shared_by_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Environment>();
    shared::<crate::jinja::Template>();
    shared::<crate::jinja::SourceMap>();
}

#[test]
fn what_has_no_order_is_sorted_without_panic() {
    let text = "{% set nan = 'nan' | float %}{{ ([nan, 2, nan, 1] * 20) | sort | length }}{{ [[1], [0]] | sort }}{{ [2, 1, 3] | sort(reverse=true) }}";
    assert_eq!(render_with("", text), "80[[0], [1]][3, 2, 1]");
}

#[test]
fn ten_thousand_small_models() {
    let env = env_of("{% macro cents(c) %}({{ c }} / 100){% endmacro %}");
    let context =
        |name: &str| (name == "ref").then(|| Value::function("ref", |_, mut args| Ok(args.positional.remove(0))));
    for number in 0..10_000 {
        let text = format!("{{{{ cents('x') }}}} from {{{{ ref('model_{number}') }}}}");
        let rendered = render_in(&env, &context, Options::default(), &text).expect("renders");
        assert!(rendered.text.ends_with(&number.to_string()));
    }
}
