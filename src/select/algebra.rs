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

/// The same as slowly and plainly as possible: sets of names, walked a step at a time.
mod naive {
    use std::collections::{BTreeMap, BTreeSet};

    use super::Indirect;
    use crate::manifest::Manifest;
    use crate::node::ResourceType;

    type Names = BTreeSet<String>;

    /// A graph of names, and which of them are tests.
    pub(super) struct Graph {
        parents: BTreeMap<String, Names>,
        tests: Names,
    }

    /// A term: names, and how far to go from them; `None` in a walk is no walk, a depth of `usize::MAX` all the way.
    pub(super) struct Term {
        pub(super) base: Names,
        pub(super) parents: Option<usize>,
        pub(super) children: Option<usize>,
        pub(super) at: bool,
    }

    impl Graph {
        pub(super) fn of(manifest: &Manifest) -> Graph {
            let short = |id: &str| id.rsplit('.').next().unwrap_or_default().to_string();
            let parents = manifest.nodes.iter().map(|node| {
                let above = node.depends_on.iter().map(|id| short(id)).collect();
                (short(&node.unique_id), above)
            });
            let tests = manifest.nodes.iter().filter(|node| node.resource_type == ResourceType::Test);
            Graph { tests: tests.map(|node| short(&node.unique_id)).collect(), parents: parents.collect() }
        }

        fn children(&self, of: &str) -> Names {
            self.parents.iter().filter(|(_, above)| above.contains(of)).map(|(name, _)| name.clone()).collect()
        }

        fn walk(&self, from: &Names, steps: usize, up: bool) -> Names {
            let mut all = from.clone();
            for _ in 0..steps.min(self.parents.len()) {
                let next = all.iter().flat_map(|name| match up {
                    true => self.parents[name].clone(),
                    false => self.children(name),
                });
                let next: Names = next.collect();
                all.extend(next);
            }
            all
        }

        /// What a term selects by itself, as dbt's documentation has it.
        pub(super) fn select(&self, term: &Term, mode: Indirect) -> Names {
            let mut chosen = term.base.clone();
            if term.at {
                let below = self.walk(&term.base, usize::MAX, false);
                chosen.extend(self.walk(&below, usize::MAX, true));
            }
            chosen.extend(term.parents.map(|steps| self.walk(&term.base, steps, true)).unwrap_or_default());
            chosen.extend(term.children.map(|steps| self.walk(&term.base, steps, false)).unwrap_or_default());
            let above = self.walk(&chosen, usize::MAX, true);
            let comes = |test: &&String| {
                let tested = &self.parents[*test];
                match mode {
                    Indirect::Empty => false,
                    Indirect::Eager => tested.iter().any(|name| chosen.contains(name)),
                    Indirect::Cautious => !tested.is_empty() && tested.is_subset(&chosen),
                    Indirect::Buildable => tested.iter().any(|name| chosen.contains(name)) && tested.is_subset(&above),
                }
            };
            let tests: Names = self.tests.iter().filter(comes).cloned().collect();
            &chosen | &tests
        }
    }
}

/// A term as it is typed, and as the naive graph takes it.
fn both_ways() -> impl Strategy<Value = (String, Option<usize>, Option<usize>, bool, u8)> {
    let steps = || prop::option::of(prop_oneof![(0usize..4).boxed(), Just(usize::MAX).boxed()]);
    let spelled = |steps: usize| if steps == usize::MAX { String::new() } else { steps.to_string() };
    (steps(), steps(), any::<bool>(), 0u8..9).prop_map(move |(parents, children, at, node)| {
        let (at, children) = (at && children.is_none(), children);
        let text = format!(
            "{}{}m{node}{}",
            if at { "@" } else { "" },
            parents.map_or(String::new(), |steps| format!("{}+", spelled(steps))),
            children.map_or(String::new(), |steps| format!("+{}", spelled(steps))),
        );
        (text, parents, children, at, node)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_term_selects_what_the_naive_walk_selects(manifest in random_manifest(), terms in prop::collection::vec(both_ways(), 1..4)) {
        let graph = naive::Graph::of(&manifest);
        for (_, mode) in Indirect::NAMES {
            let mut all = BTreeSet::new();
            for (text, parents, children, at, node) in &terms {
                let base = BTreeSet::from([format!("m{node}")]);
                let term = naive::Term { base, parents: *parents, children: *children, at: *at };
                let expected = graph.select(&term, mode);
                prop_assert_eq!(&picked(&manifest, mode, &[text], &[]), &expected, "{} {:?}", text, mode);
                all.extend(expected);
            }
            let texts: Vec<&str> = terms.iter().map(|(text, ..)| text.as_str()).collect();
            let together = picked(&manifest, mode, &texts, &[]);
            prop_assert!(together.is_superset(&all), "{:?} {:?}", texts, mode);
            if matches!(mode, Indirect::Eager | Indirect::Empty) {
                prop_assert_eq!(&together, &all, "{:?} {:?}", texts, mode);
            }
            // What is excluded is gone, and nothing else is.
            let without = picked(&manifest, mode, &texts, &[texts[0]]);
            let first = picked(&manifest, mode, &[texts[0]], &[]);
            prop_assert!(without.is_subset(&together) && without.is_disjoint(&first), "{:?} {:?}", texts, mode);
        }
    }
}
