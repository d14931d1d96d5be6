//! A cluster of processes on loopback: a scheduler, two executors, and projects whose profile names them.
//!
//! What a cluster has to do is said by what the same project does without one: [`golden`] and [`formats`] build a project
//! twice, once here and once there, and compare everything. [`faults`] kills what can be killed. Servers take ports that
//! were free a moment ago, write their logs into a folder of their own and die with the value that stands for them.
//!
//! One cluster runs at a time: three more processes beside a build are enough for a small machine.

mod faults;
mod formats;
mod functions;
mod golden;
mod queries;
mod servers;

use std::collections::BTreeMap;

use crate::harness::Project;

pub(crate) use servers::Cluster;

/// The two ways of a project: without and with a cluster.
pub(crate) struct Pair {
    pub(crate) here: Project,
    pub(crate) there: Project,
}

impl Pair {
    pub(crate) fn new(cluster: &Cluster, make: impl Fn() -> Project) -> Pair {
        Pair { here: make(), there: make().on_cluster(&cluster.url()) }
    }

    /// Runs the program in both; both have to succeed.
    pub(crate) fn ok(&self, args: &[&str]) {
        self.here.ok(args);
        self.there.ok(args);
    }

    /// The same file in both.
    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        self.here.write(path, &text);
        self.there.write(path, &text);
    }

    /// Rows of a query in both, sorted, which have to be the same.
    pub(crate) fn same_rows(&self, sql: &str) -> Vec<String> {
        let (rows, difference) = self.compare(sql);
        assert!(difference.is_empty(), "{sql}\n{difference}");
        rows
    }

    /// All rows of these nodes, which have to be the same in both.
    pub(crate) fn same(&self, nodes: &[&str]) -> BTreeMap<String, Vec<String>> {
        let mut all = BTreeMap::new();
        let mut differences = String::new();
        for node in nodes {
            let (rows, difference) = self.compare(&format!("select * from {{{{ ref('{node}') }}}}"));
            if !difference.is_empty() {
                differences += &format!("{node}:\n{difference}");
            }
            all.insert(node.to_string(), rows);
        }
        assert!(differences.is_empty(), "{differences}");
        all
    }

    /// Rows of a query without the cluster, sorted, and what the cluster has too many and too few.
    fn compare(&self, sql: &str) -> (Vec<String>, String) {
        let sorted = |project: &Project| {
            let mut rows = project.table(sql);
            rows.sort();
            rows
        };
        let (here, there) = (sorted(&self.here), sorted(&self.there));
        if here == there {
            return (here, String::new());
        }
        let beyond = |rows: &[String], others: &[String]| {
            let mut others = others.to_vec();
            let mut rest = rows.to_vec();
            rest.retain(|row| others.iter().position(|other| other == row).map(|at| others.swap_remove(at)).is_none());
            (rest.len(), rest.into_iter().take(5).collect::<Vec<_>>())
        };
        let difference = format!(
            "  {} rows instead of {}; too many: {:?}; too few: {:?}\n",
            there.len(),
            here.len(),
            beyond(&there, &here),
            beyond(&here, &there)
        );
        (here, difference)
    }
}
