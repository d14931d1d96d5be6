//! Lineage as it is drawn.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{LineageForm, LineageStyle, LineageView};
use crate::analyze::lineage::{Column, Input, Kind, Lineage, NodeLineage, RowKind, Source, Target};
use crate::graph::Direction;

fn source(node: &str, column: &str, path: &[&str]) -> Source {
    Source { node: Arc::from(node), column: Arc::from(column), path: path.iter().map(ToString::to_string).collect() }
}

fn column(expression: Option<&str>, inputs: &[(Source, Kind)]) -> Column {
    Column {
        data_type: "bigint".into(),
        expression: expression.map(Arc::from),
        inputs: (inputs.iter())
            .map(|(source, kind)| Input { source: source.clone(), kind: *kind, carries: true })
            .collect(),
        ..Column::default()
    }
}

fn node(columns: Vec<(&str, Column)>, rows: Vec<(Source, RowKind)>) -> NodeLineage {
    NodeLineage { columns: columns.into_iter().map(|(name, column)| (name.to_string(), column)).collect(), rows }
}

fn lineage() -> Lineage {
    let raw = || source("source.p.lake.log", "doc", &["Seconds"]);
    let seconds = || source("model.p.stg", "seconds", &[]);
    let mut lineage = Lineage::default();
    let mut add = |id: &str, of: NodeLineage| lineage.nodes.insert(Arc::from(id), of);
    add("source.p.lake.log", node(vec![("doc", column(None, &[])), ("day", column(None, &[]))], vec![]));
    add(
        "model.p.stg",
        node(
            vec![("seconds", column(None, &[(raw(), Kind::Copied)]))],
            vec![(source("source.p.lake.log", "day", &[]), RowKind::Filter)],
        ),
    );
    let long = "case when seconds > 3600 then 'more than an hour' when seconds > 60 then 'more than a minute' else 'next to \
                nothing at all' end";
    add(
        "model.p.mart",
        node(
            vec![
                ("total", column(Some("sum(seconds)"), &[(seconds(), Kind::Aggregated)])),
                ("label", column(Some(long), &[(seconds(), Kind::Condition)])),
                ("both <b>", column(Some("total || label"), &[(seconds(), Kind::Transformed), (raw(), Kind::Window)])),
            ],
            vec![(seconds(), RowKind::Group)],
        ),
    );
    lineage
}

fn drawn(of: &Target, form: LineageForm, direction: Direction) -> String {
    let lineage = lineage();
    let names = [("source.p.lake.log", "source lake.log"), ("model.p.stg", "stg"), ("model.p.mart", "mart")];
    let view = LineageView {
        lineage: &lineage,
        names: names.iter().map(|(id, name)| (*id, name.to_string())).collect(),
        published: BTreeMap::from([("model.p.mart", vec!["bi: mart_table".to_string()])]),
        exposures: BTreeMap::from([("model.p.mart", vec!["exposure weekly".to_string()])]),
        direction,
    };
    view.draw(of, form, LineageStyle { colour: false, width: Some(80) })
}

#[test]
fn a_tree_upstream() {
    insta::assert_snapshot!(drawn(
        &Target::Column(source("model.p.mart", "both <b>", &[])),
        LineageForm::Text,
        Direction::Upstream
    ));
}

#[test]
fn a_tree_downstream_ends_where_it_is_published() {
    let of = Target::Column(source("source.p.lake.log", "doc", &["Seconds"]));
    insta::assert_snapshot!(drawn(&of, LineageForm::Text, Direction::Downstream));
}

#[test]
fn a_node() {
    let of = Target::Node(Arc::from("model.p.mart"));
    insta::assert_snapshot!(drawn(&of, LineageForm::Text, Direction::Upstream));
}

#[test]
fn drawings() {
    let of = Target::Node(Arc::from("model.p.mart"));
    let all: Vec<String> = [LineageForm::Json, LineageForm::Mermaid, LineageForm::Dot]
        .into_iter()
        .map(|form| drawn(&of, form, Direction::Upstream))
        .collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn lines_fit() {
    let long = drawn(&Target::Node(Arc::from("model.p.mart")), LineageForm::Text, Direction::Upstream);
    assert!(long.lines().all(|line| line.chars().count() <= 80), "{long}");
}
