//! The data files of the site. One file of this folder for each kind of them, in the words of the data contract
//! (docs/site-data.md); [`Book::pages`] lists them all, and each is a function of the [`Book`].

mod code;
mod columns;
mod home;
mod index;
mod lineage;
mod macros;
mod node;
mod search;
mod source;
mod tests;

use serde_json::{Map, Value as Json};

use super::read::Artifacts;
use super::results::Results;
use super::site::Site;
use super::text::script::script;

use columns::Columns;

/// Tests that share a file.
const TESTS_OF_FILE: usize = 64;

/// Everything that pages are made from.
pub(super) struct Book<'a> {
    site: Site<'a>,
    results: Results<'a>,
    columns: Columns<'a>,
}

/// A data file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Page {
    Index,
    Lineage,
    Search,
    Sql,
    Node(usize),
    Tests(usize),
    Macro(usize),
}

impl<'a> Book<'a> {
    pub(super) fn new(artifacts: &'a Artifacts) -> Book<'a> {
        let site = Site::new(artifacts);
        let columns = Columns::new(&site);
        Book { results: Results::new(artifacts), columns, site }
    }

    /// All data files; those that take longest first.
    pub(super) fn pages(&self) -> Vec<Page> {
        let mut pages = vec![Page::Index, Page::Lineage, Page::Search, Page::Sql];
        pages.extend((0..self.site.nodes.len()).map(Page::Node));
        pages.extend((0..self.site.tests.len().div_ceil(TESTS_OF_FILE)).map(Page::Tests));
        pages.extend((0..self.site.macros.len()).map(Page::Macro));
        pages
    }

    /// How many nodes, tests and macros the site shows.
    pub(super) fn counts(&self) -> [usize; 3] {
        [self.site.nodes.len(), self.site.tests.len(), self.site.macros.len()]
    }

    /// The bytes of a page.
    pub(super) fn render(&self, page: Page) -> Vec<u8> {
        let name = page.name();
        match page {
            Page::Index => script(&name, &index::index(self)),
            Page::Lineage => script(&name, &lineage::lineage(self)),
            Page::Search => script(&name, &search::search(self)),
            Page::Sql => script(&name, &search::sql(self)),
            Page::Node(number) => script(&name, &node::node(self, number)),
            Page::Tests(chunk) => script(&name, &tests::chunk(self, chunk)),
            Page::Macro(number) => script(&name, &macros::page(self, number)),
        }
    }
}

impl Page {
    /// The name that its script says, and its path below `data/` without `.js`.
    pub(super) fn name(self) -> String {
        match self {
            Page::Index => "index".into(),
            Page::Lineage => "lineage".into(),
            Page::Search => "search".into(),
            Page::Sql => "sql".into(),
            Page::Node(number) => format!("nodes/{number}"),
            Page::Tests(chunk) => format!("tests/{chunk}"),
            Page::Macro(number) => format!("macros/{number}"),
        }
    }
}

/// A setting as people read it: texts as they are, the rest as JSON; none for what says nothing.
fn plain(value: &Json) -> Option<String> {
    match value {
        Json::Null => None,
        Json::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Json::Array(items) if items.is_empty() => None,
        Json::Object(map) if map.is_empty() => None,
        other => Some(other.to_string()),
    }
}

/// Keys and what they are set to.
fn pairs(map: &Map<String, Json>, leave_out: &[&str]) -> Vec<(String, String)> {
    let shown = map.iter().filter(|(key, _)| !leave_out.contains(&key.as_str()));
    shown.filter_map(|(key, value)| Some((key.clone(), plain(value)?))).collect()
}
