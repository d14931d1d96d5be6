//! Two runs that write one table of the warehouse at the same time: what both add is kept, and a rewrite that has read an
//! older version is refused instead of undoing what the other run wrote.

use std::process::{Child, Stdio};

use crate::harness::Project;

fn model(strategy: &str) -> String {
    format!(
        "{{{{ config(materialized='incremental', unique_key={key}, incremental_strategy='{strategy}') }}}}\n\
         select cast(value as bigint) + {{{{ var('round') }}}} * 1000000 as id, {{{{ var('round') }}}} as r, \
         md5(cast(value as varchar)) as m from generate_series(1, {SIZE})",
        key = if strategy == "append" { "none" } else { "'id'" },
    )
}

const SIZE: usize = 30_000;

fn start(project: &Project, round: usize) -> Child {
    let (vars, target) = (format!("{{round: {round}}}"), format!("target/{round}"));
    let mut command = project.command(&["build", "--vars", &vars, "--target-path", &target]);
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("starts")
}

/// Whether the build has succeeded, and what it said.
fn end(child: Child) -> (bool, String) {
    let output = child.wait_with_output().expect("an end");
    (output.status.success(), String::from_utf8(output.stderr).expect("text"))
}

#[test]
fn no_rows_are_lost_and_the_loser_is_told_who_won() {
    for strategy in ["append", "merge", "delete+insert"] {
        let project = Project::models(&[("a", &model(strategy))]);
        project.ok(&["build", "--vars", "{round: 0}"]);
        let mut expected = 1;
        for pair in 0..3 {
            let rounds = [2 * pair + 1, 2 * pair + 2];
            for (child, round) in rounds.map(|round| start(&project, round)).into_iter().zip(rounds) {
                let (succeeded, said) = end(child);
                if !succeeded {
                    assert_ne!(strategy, "append", "what is only added has no conflicts\n{said}");
                    assert!(said.contains("C5013") && said.contains("by invocation"), "{said}");
                    project.ok(&["build", "--vars", &format!("{{round: {round}}}")]);
                }
                expected += 1;
            }
            let sql = "select count(*) as n, count(distinct id) as d, count(distinct r) as r from {{ ref('a') }}";
            let found = project.rows_with(sql, &["--vars", "{round: 0}"]);
            let rows = expected * SIZE;
            assert_eq!(crate::harness::bars(&found[0]), format!("{rows}|{rows}|{expected}"), "{strategy} {pair}");
        }
        let left = std::fs::read_dir(project.path("warehouse/main")).expect("a folder").flatten();
        let left: Vec<_> = left.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        assert_eq!(left, ["a"], "and no staged rows");
    }
}
