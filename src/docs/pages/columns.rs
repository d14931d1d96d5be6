//! The columns of each node: what is declared, what is there, and where it comes from, put together.

use std::collections::HashSet;

use serde::Serialize;

use super::{Book, pairs};
use crate::docs::read::{CatalogColumn, Column, ColumnLineage, Constraint, Histogram, Profile};
use crate::docs::site::Site;
use crate::docs::text::markdown;

/// Tags of columns whose values are nobody's business. They are inherited, and profiles may be older than they are.
const PRIVATE: [&str; 2] = ["pii", "sensitive"];

/// The quantiles that a page shows.
const QUANTILES: [&str; 5] = ["p05", "p25", "p50", "p75", "p95"];

/// A column as the artifacts know it.
pub(super) struct Facts<'a> {
    pub(super) name: &'a str,
    pub(super) declared: Option<&'a Column>,
    real: Option<&'a CatalogColumn>,
    pub(super) lineage: Option<&'a ColumnLineage>,
    /// Declared, but the relation does not have it.
    pub(super) is_absent: bool,
    /// The relation's columns are known, and this one is not declared.
    is_undeclared: bool,
}

/// By node.
pub(super) struct Columns<'a>(Vec<Vec<Facts<'a>>>);

impl<'a> Columns<'a> {
    pub(super) fn new(site: &Site<'a>) -> Columns<'a> {
        Columns((0..site.nodes.len()).map(|number| of_node(site, number)).collect())
    }

    pub(super) fn of(&self, node: usize) -> &[Facts<'a>] {
        self.0.get(node).map(Vec::as_slice).unwrap_or_default()
    }
}

fn of_node<'a>(site: &Site<'a>, number: usize) -> Vec<Facts<'a>> {
    let entry = &site.nodes[number];
    let declared = &entry.node.columns;
    let find = |name: &str| {
        let same = |column: &&Column| column.name.eq_ignore_ascii_case(name);
        declared.get(name).or_else(|| declared.values().find(same))
    };
    let catalog = site.artifacts.catalog.as_ref().and_then(|catalog| catalog.of(entry.id));
    let lineage = site.lineage(entry.id).filter(|lineage| !lineage.columns.is_empty());
    let mut columns: Vec<Facts<'a>> = Vec::new();
    let mut add = |name: &'a str, real: Option<&'a CatalogColumn>| {
        let declared = find(name);
        let lineage = site.column_lineage(entry.id, name);
        // Without any declared column there is no list that it would be missing from.
        let is_undeclared = declared.is_none() && !entry.node.columns.is_empty();
        columns.push(Facts { name, declared, real, lineage, is_absent: false, is_undeclared });
    };
    match (catalog.filter(|catalog| !catalog.columns.is_empty()), lineage) {
        (Some(catalog), _) => catalog.ordered().into_iter().for_each(|column| add(&column.name, Some(column))),
        (None, Some(lineage)) => lineage.columns.keys().for_each(|name| add(name, None)),
        (None, None) => {}
    }
    let is_known = !columns.is_empty();
    let seen: HashSet<String> = columns.iter().map(|column| column.name.to_lowercase()).collect();
    for column in declared.values().filter(|column| !seen.contains(&column.name.to_lowercase())) {
        columns.push(Facts {
            name: &column.name,
            declared: Some(column),
            real: None,
            lineage: site.column_lineage(entry.id, &column.name),
            is_absent: is_known,
            is_undeclared: false,
        });
    }
    columns
}

impl Facts<'_> {
    /// The description as it was written here, inherited along copies, or commented in the database.
    pub(super) fn description(&self) -> &str {
        let own = self.declared.and_then(|column| column.description.some());
        let inherited = || self.lineage.and_then(|lineage| lineage.description.as_ref()?.text.some());
        let comment = || self.real.and_then(|column| column.comment.some());
        own.or_else(inherited).or_else(comment).unwrap_or_default()
    }

    fn kind(&self) -> Option<String> {
        let real = self.real.and_then(|column| column.kind.some());
        let planned = || self.lineage.and_then(|lineage| lineage.kind.some());
        let declared = || self.declared.and_then(|column| column.data_type.some());
        real.or_else(planned).or_else(declared).map(str::to_string)
    }
}

/// A column of a node's page.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ColumnDoc {
    name: String,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nullable: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description_html: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Place>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags_from: Vec<TagFrom>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    meta: Vec<(String, String)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    constraints: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tests: Vec<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<ProfileDoc>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    undeclared: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    absent: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    expression: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    inputs: Vec<InputDoc>,
}

#[derive(Debug, Serialize)]
struct Place {
    node: usize,
    column: String,
}

#[derive(Debug, Serialize)]
struct TagFrom {
    tag: String,
    node: usize,
    column: String,
}

#[derive(Debug, Serialize)]
struct InputDoc {
    node: usize,
    column: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    path: Vec<String>,
    kind: String,
}

#[derive(Debug, Serialize)]
struct ProfileDoc {
    rows: u64,
    nulls: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    distinct: Option<u64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    exact: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    min: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mean: Option<f64>,
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    quantiles: serde_json::Map<String, serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    histogram: Option<HistogramDoc>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    top: Vec<(String, u64)>,
}

#[derive(Debug, Serialize)]
struct HistogramDoc {
    edges: Vec<serde_json::Value>,
    counts: Vec<u64>,
}

/// The columns of a node for its page.
pub(super) fn of_page(book: &Book<'_>, number: usize) -> Vec<ColumnDoc> {
    book.columns.of(number).iter().map(|facts| column(book, number, facts)).collect()
}

fn column(book: &Book<'_>, number: usize, facts: &Facts<'_>) -> ColumnDoc {
    let site = &book.site;
    let written = facts.declared.and_then(|column| column.description.some()).is_some();
    let inherited = facts.lineage.and_then(|lineage| lineage.description.as_ref()).filter(|_| !written);
    let place = |text: &str| {
        let (node, column) = site.column_place(text)?;
        Some(Place { node, column: column.to_string() })
    };
    let mut doc = ColumnDoc {
        name: facts.name.to_string(),
        kind: facts.kind(),
        nullable: facts.lineage.and_then(|lineage| lineage.nullable).filter(|nullable| !nullable),
        description_html: markdown::to_html(facts.description()),
        from: inherited.and_then(|inherited| place(&inherited.from)),
        tests: tests(site, number, facts.name),
        undeclared: facts.is_undeclared,
        absent: facts.is_absent,
        profile: profile(site, number, facts),
        ..ColumnDoc::default()
    };
    if let Some(declared) = facts.declared {
        doc.tags = declared.tags.iter().map(ToString::to_string).collect();
        doc.meta = pairs(&declared.meta, &[]);
        doc.constraints = declared.constraints.iter().map(constraint).collect();
    }
    if let Some(lineage) = facts.lineage {
        doc.expression = lineage.expression.some().map(str::to_string);
        doc.inputs = lineage.inputs.iter().filter_map(|input| input_doc(site, input)).collect();
        for (tag, from) in &lineage.tags {
            if !doc.tags.contains(tag) {
                doc.tags.push(tag.clone());
            }
            if let Some(Place { node, column }) = place(from).filter(|place| place.node != number) {
                doc.tags_from.push(TagFrom { tag: tag.clone(), node, column });
            }
        }
    }
    if doc.tags.iter().any(|tag| PRIVATE.contains(&tag.to_lowercase().as_str())) {
        doc.profile = doc.profile.map(ProfileDoc::without_values);
    }
    doc
}

fn input_doc(site: &Site<'_>, input: &crate::docs::read::Input) -> Option<InputDoc> {
    Some(InputDoc {
        node: site.node(&input.node)?,
        column: input.column.to_string(),
        path: input.path.iter().map(ToString::to_string).collect(),
        kind: input.kind.to_string(),
    })
}

/// Tests on a column.
fn tests(site: &Site<'_>, node: usize, column: &str) -> Vec<usize> {
    let is_on = |number: &&usize| {
        let test = &site.tests[**number];
        test.on == Some(node) && test.node.column_name.eq_ignore_ascii_case(column)
    };
    site.tests_of[node].iter().filter(is_on).copied().collect()
}

fn profile(site: &Site<'_>, number: usize, facts: &Facts<'_>) -> Option<ProfileDoc> {
    let table = site.artifacts.catalog.as_ref()?.of(site.nodes[number].id)?;
    let Profile { rows, nulls, distinct, distinct_exact, min, max, mean, quantiles, histogram, top } =
        table.profile(facts.name)?;
    Some(ProfileDoc {
        rows,
        nulls,
        distinct,
        exact: distinct_exact,
        min: min.some().map(str::to_string),
        max: max.some().map(str::to_string),
        mean,
        quantiles: quantiles.into_iter().filter(|(name, _)| QUANTILES.contains(&name.as_str())).collect(),
        histogram: histogram.and_then(histogram_doc),
        top: top.into_iter().map(|(value, count)| (value.to_string(), count)).collect(),
    })
}

impl ProfileDoc {
    /// How many values there are, and not which.
    fn without_values(self) -> ProfileDoc {
        let ProfileDoc { rows, nulls, distinct, exact, .. } = self;
        let (min, max, mean, histogram) = (None, None, None, None);
        let (quantiles, top) = (serde_json::Map::new(), Vec::new());
        ProfileDoc { rows, nulls, distinct, exact, min, max, mean, quantiles, histogram, top }
    }
}

fn histogram_doc(histogram: Histogram) -> Option<HistogramDoc> {
    let Histogram { edges, counts } = histogram;
    let are_plain = edges.iter().all(|edge| edge.is_number() || edge.is_string());
    (are_plain && !counts.is_empty() && edges.len() == counts.len() + 1).then_some(HistogramDoc { edges, counts })
}

/// A constraint in words.
pub(super) fn constraint(constraint: &Constraint) -> String {
    let kind = constraint.kind.replace('_', " ");
    let columns: Vec<&str> = constraint.columns.iter().map(|column| &**column).collect();
    let mut text = match columns.is_empty() {
        true => kind,
        false => format!("{kind} ({})", columns.join(", ")),
    };
    if let Some(expression) = constraint.expression.some() {
        text = format!("{text} {expression}");
    }
    text.trim().to_string()
}
