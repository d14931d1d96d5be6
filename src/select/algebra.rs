//! What holds for every selection: the laws of sets, and that operators only add.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::json;

use super::testing::{Build, generic_test, manifest, model, names, selecting};
use super::{Criteria, Indirect, Inputs};
use crate::manifest::Manifest;

/// A random project: models that depend on earlier ones, some tagged, with tests of one or two of them.
fn random_manifest() -> impl Strategy<Value = Manifest> {
    let edges = prop::collection::vec((0usize..9, 0usize..9), 0..16);
    let tags = prop::collection::vec(0u8..4, 9);
    let tests = prop::collection::vec((0usize..9, 0usize..9), 0..6);
    (edges, tags, tests).prop_map(|(edges, tags, tests)| {
        let mut nodes: Vec<_> = (0..9).map(|at| model(&format!("models/m{at}.sql"))).collect();
        for (one, other) in edges.iter().filter(|(one, other)| one != other) {
            let parent = format!("m{}", one.min(other));
            let child = *one.max(other);
            nodes[child] = nodes[child].clone().refs(&[&parent]);
        }
        for (node, tags) in nodes.iter_mut().zip(tags) {
            let tags: Vec<&str> = ["a", "b"]
                .into_iter()
                .enumerate()
                .filter(|(bit, _)| tags >> bit & 1 == 1)
                .map(|(_, tag)| tag)
                .collect();
            node.config.set("tags", json!(tags), None);
        }
        for (at, (one, other)) in tests.iter().enumerate() {
            let tested = [format!("m{one}"), format!("m{other}")];
            nodes.push(generic_test("models/x.yml", &format!("t{at}"), "not_null", &[&tested[0], &tested[1]]));
        }
        manifest(nodes)
    })
}

fn expression() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        (0u8..9).prop_map(|at| format!("m{at}")),
        Just("tag:a".to_string()),
        Just("tag:b".to_string()),
        Just("t*".to_string()),
        Just("m[0-4]".to_string()),
    ];
    let term = (prop::option::of(0usize..3), value, prop::option::of(0usize..3), any::<bool>()).prop_map(
        |(parents, value, children, at)| match at {
            true => format!("@{value}"),
            false => format!(
                "{}{value}{}",
                parents.map_or(String::new(), |steps| format!("{steps}+")),
                children.map_or(String::new(), |steps| format!("+{steps}"))
            ),
        },
    );
    prop::collection::vec(term, 1..3).prop_map(|terms| terms.join(","))
}

fn picked(manifest: &Manifest, mode: Indirect, select: &[&str], exclude: &[&str]) -> BTreeSet<String> {
    let criteria =
        Criteria { indirect: mode, exclude: exclude.iter().map(ToString::to_string).collect(), ..selecting(select) };
    names(&criteria, &Inputs::new(manifest)).expect("a selection")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_algebra_of_sets_holds(manifest in random_manifest(), a in expression(), b in expression(), c in expression()) {
        let modes = Indirect::NAMES.map(|(_, mode)| mode);
        for mode in modes {
            let pick = |select: &[&str]| picked(&manifest, mode, select, &[]);
            prop_assert_eq!(pick(&[&a, &b]), pick(&[&b, &a]));
            let (joined, turned) = (format!("{a},{b}"), format!("{b},{a}"));
            prop_assert_eq!(pick(&[&a, &b]), pick(&[&[a.as_str(), " ", b.as_str()].concat()]));
            prop_assert_eq!(pick(&[&a, &a]), pick(&[&a]));
            prop_assert_eq!(pick(&[&joined]), pick(&[&turned]));
            prop_assert!(pick(&[&joined]).is_subset(&pick(&[&a, &b])));
        }
        // Where no test waits for parents that another expression brings, selections are sets and nothing else.
        for mode in [Indirect::Eager, Indirect::Empty] {
            let pick = |select: &[&str]| picked(&manifest, mode, select, &[]);
            let (of_a, of_b, of_c) = (pick(&[&a]), pick(&[&b]), pick(&[&c]));
            prop_assert_eq!(pick(&[&a, &b]), &of_a | &of_b);
            let (with_b, with_c) = (format!("{a},{b}"), format!("{a},{c}"));
            prop_assert_eq!(pick(&[&with_b]), &of_a & &of_b);
            prop_assert_eq!(picked(&manifest, mode, &[&a], &[&b]), &of_a - &of_b);
            prop_assert_eq!(pick(&[&with_b, &with_c]), &of_a & &(&of_b | &of_c));
        }
        // Every mode takes in what the stricter one does.
        let [eager, cautious, buildable, empty] = modes.map(|mode| picked(&manifest, mode, &[&a, &b], &[]));
        prop_assert!(empty.is_subset(&cautious) && cautious.is_subset(&buildable) && buildable.is_subset(&eager));
    }

    #[test]
    fn operators_only_add(manifest in random_manifest(), at in 0u8..9, steps in 0usize..4) {
        let pick = |text: String| picked(&manifest, Indirect::Eager, &[&text], &[]);
        let own = pick(format!("m{at}"));
        let near = pick(format!("{steps}+m{at}"));
        let children = pick(format!("m{at}+{steps}"));
        let (above, around, family) = (pick(format!("+m{at}")), pick(format!("+m{at}+")), pick(format!("@m{at}")));
        prop_assert!(own.is_subset(&near) && near.is_subset(&above) && own.is_subset(&children));
        prop_assert!(children.is_subset(&around) && above.is_subset(&around) && around.is_subset(&family));
        let here = pick(format!("0+m{at}+0"));
        prop_assert_eq!(here, own);
    }
}
