//! Generic tests: applications of test macros to models, sources and columns, written in properties files.

use serde_json::{Map, Value as Json, json};

use super::Builder;
use super::draft::{defaults, folders, made_file, node};
use super::layers::folder_config;
use super::properties::{Entry, Section, object};
use super::test_names;
use crate::diag::{Diagnostic, Span, codes};
use crate::node::{Column, GenericTest, Node, NodeKind, ResourceType};
use crate::project::ResourceConfig;
use crate::project::yaml::{Kind, Yaml};
use crate::stdx::closest;

/// What the tests stand under.
pub(super) struct Subject {
    pub(super) unique_id: String,
    pub(super) name: String,
    /// Name of the source, for a source's table.
    pub(super) source: Option<String>,
    /// `ref('x')` or `source('a', 'b')`.
    pub(super) call: String,
    /// `models.x`.
    pub(super) file_key: String,
    /// Version of the model, as it appears in names.
    pub(super) version: Option<String>,
}

/// Keys of a test that configure it rather than being arguments.
const CONFIG_KEYS: &[&str] = &[
    "severity",
    "tags",
    "enabled",
    "where",
    "limit",
    "warn_if",
    "error_if",
    "fail_calc",
    "store_failures",
    "store_failures_as",
    "meta",
    "database",
    "schema",
    "alias",
    "group",
];

/// A test as written: its name, arguments and settings.
struct Written {
    name: String,
    span: Span,
    args: Map<String, Json>,
    config: Vec<(String, Json, Span)>,
    custom_name: Option<String>,
    description: Option<Yaml>,
}

impl Builder<'_> {
    /// The tests of `yaml` (a model, seed, snapshot or source table) and of its columns.
    pub(super) fn generic_tests(&mut self, entry: &Entry, yaml: &Yaml, columns: &[(Column, Yaml)], subject: &Subject) {
        for test in tests_of(yaml) {
            self.generic_test(entry, test, None, subject);
        }
        for (column, yaml) in columns {
            for test in tests_of(yaml) {
                self.generic_test(entry, test, Some(column), subject);
            }
        }
    }

    /// Tests of a seed that is listed under `models:`, and the like. As in dbt they are tests all the same, and the rest of
    /// the entry says nothing.
    pub(super) fn misplaced_tests(&mut self) {
        for (section, own) in [(Section::Models, "model"), (Section::Seeds, "seed"), (Section::Snapshots, "snapshot")] {
            for index in self.properties.unused(section) {
                let entry = self.properties.entries[index].clone();
                let fits = |node: &&Node| {
                    let another = node.resource_type.as_str() != own;
                    another && node.package == entry.package && node.name == entry.name
                };
                let Some(node) = self.drafts.iter().find(fits) else { continue };
                let what = node.resource_type.as_str();
                let subject = Subject {
                    unique_id: node.unique_id.clone(),
                    name: node.name.clone(),
                    source: None,
                    call: format!("ref('{}')", node.name),
                    file_key: format!("{own}s.{}", node.name),
                    version: None,
                };
                self.diagnostics.push(
                    Diagnostic::warning(
                        codes::PATCH_WITHOUT_NODE,
                        format!("`{}` is no {own}: only the tests of this entry count", entry.name),
                    )
                    .label(entry.name_span.clone(), format!("it is a {what}"))
                    .help(format!("move the entry below `{what}s:`")),
                );
                self.properties.take(index);
                let columns = self.columns(&entry.yaml, &entry.package);
                self.generic_tests(&entry, &entry.yaml.clone(), &columns, &subject);
            }
        }
    }

    fn generic_test(&mut self, entry: &Entry, test: &Yaml, column: Option<&Column>, subject: &Subject) {
        let Some(mut written) = self.read_test(test) else { return };
        if let Some(column) = column {
            let name = match column.quote {
                Some(true) => format!("\"{}\"", column.name),
                _ => column.name.clone(),
            };
            written.args.entry("column_name").or_insert(json!(name));
        }
        let (namespace, bare) = match written.name.rsplit_once('.') {
            Some((namespace, bare)) => (Some(namespace.to_string()), bare.to_string()),
            None => (None, written.name.clone()),
        };
        self.check_macro(&written, namespace.as_deref(), &bare, entry);
        let mut kwargs = written.args.clone();
        kwargs.insert("model".into(), json!(format!("{{{{ get_where_subquery({}) }}}}", subject.call)));
        let prefixed = namespace.as_ref().map_or(bare.clone(), |namespace| format!("{namespace}_{bare}"));
        let (test_name, target) = match &subject.source {
            Some(source) => (format!("source_{prefixed}"), format!("{source}_{}", subject.name)),
            None => {
                (prefixed, subject.version.as_ref().map_or(subject.name.clone(), |v| format!("{}_{v}", subject.name)))
            }
        };
        let (full, short) = test_names::names(&test_name, &target, &kwargs);
        let name = written.custom_name.clone().unwrap_or_else(|| full.clone());
        let alias = if written.custom_name.is_some() { name.clone() } else { short };
        let hash = test_names::hash(&name, &bare, namespace.as_deref(), &kwargs);
        let generic = GenericTest {
            name: bare.clone(),
            namespace: namespace.clone(),
            kwargs,
            column_name: column.map(|column| column.name.clone()),
            attached_node: subject.unique_id.clone(),
            file_key_name: subject.file_key.clone(),
            column_tags: column.map(|column| column.tags.clone()).unwrap_or_default(),
        };
        let mut node = self.test_node(entry, &name, &alias, generic, &written);
        node.unique_id = format!("test.{}.{name}.{hash}", entry.package);
        self.drafts.push(node);
    }

    fn test_node(&mut self, entry: &Entry, name: &str, alias: &str, generic: GenericTest, written: &Written) -> Node {
        let package = self.package(&entry.package);
        let mut fqn = vec![entry.package.clone()];
        fqn.extend(folders(&entry.file.path));
        fqn.push(name.to_string());
        let mut config = folder_config(self.project, package, ResourceConfig::DataTests, &fqn);
        for (key, value, span) in &written.config {
            config.set(key, value.clone(), Some(span.clone()));
        }
        let raw_code = raw_code(&generic, alias, name);
        let file = made_file(&entry.file, format!("{alias}.sql"));
        let kind = NodeKind::Test(Some(Box::new(generic)));
        let mut node = node(&entry.package, name, ResourceType::Test, &file, fqn, kind);
        node.raw_code = raw_code;
        node.config = config;
        node.config.set_default("alias", json!(alias));
        defaults(&mut node.config, ResourceType::Test);
        node.patch = Some(written.span.clone());
        node.description = match &written.description {
            Some(text) => self.describe(text, &entry.package),
            None => String::new(),
        };
        node
    }

    /// Reads one of the forms `unique`, `{unique: {...}}` and `{test_name: unique, ...}`.
    fn read_test(&mut self, test: &Yaml) -> Option<Written> {
        let written = match &test.kind {
            Kind::Str(name) => Some(empty(name, test.span.clone())),
            Kind::Map(entries) if test.get("test_name").is_some() => {
                let name = test.get("test_name").and_then(Yaml::scalar)?.into_owned();
                let mut written = empty(&name, test.span.clone());
                for (key, value) in entries.iter().filter(|(key, _)| key.name != "test_name") {
                    written.take(&key.name, value, &key.span);
                }
                Some(written)
            }
            Kind::Map(entries) => {
                let (key, value) = entries.first()?;
                let mut written = empty(&key.name, key.span.clone());
                for (key, value) in value.entries().iter().chain(entries.iter().skip(1)) {
                    written.take(&key.name, value, &key.span);
                }
                Some(written)
            }
            _ => None,
        };
        if written.is_none() {
            self.diagnostics.push(
                Diagnostic::error(codes::BAD_VALUE, format!("a data test is {}", test.describe()))
                    .label(test.span.clone(), "the name of a test is expected, or a mapping that starts with one"),
            );
        }
        written
    }

    fn check_macro(&mut self, written: &Written, namespace: Option<&str>, bare: &str, entry: &Entry) {
        let macro_name = format!("test_{bare}");
        if self.templates.has_macro(&macro_name, namespace, &entry.package) {
            return;
        }
        let known = self.templates.test_names();
        let near = closest(bare, known.iter().map(String::as_str));
        self.diagnostics.push(
            Diagnostic::error(codes::TEST_OF_NOTHING, format!("no data test is called `{}`", written.name))
                .label(written.span.clone(), "used here")
                .maybe_help(near.map(|name| format!("`{name}` exists")))
                .maybe_help(near.is_none().then(|| {
                    format!("define it in `tests/generic/` or `macros/`: {{% test {bare}(model, column_name) %}}")
                })),
        );
    }
}

impl Written {
    fn take(&mut self, key: &str, value: &Yaml, span: &Span) {
        match key {
            "name" => self.custom_name = value.scalar().map(std::borrow::Cow::into_owned),
            "description" => self.description = Some(value.clone()),
            "arguments" => self.args.extend(object(Some(value))),
            "config" => {
                for (key, value) in value.entries() {
                    self.config.push((key.name.clone(), value.to_json(), key.span.clone()));
                }
            }
            key if CONFIG_KEYS.contains(&key) => self.config.push((key.into(), value.to_json(), span.clone())),
            key => {
                self.args.insert(key.to_string(), value.to_json());
            }
        }
    }
}

fn empty(name: &str, span: Span) -> Written {
    Written { name: name.to_string(), span, args: Map::new(), config: Vec::new(), custom_name: None, description: None }
}

fn tests_of(yaml: &Yaml) -> impl Iterator<Item = &Yaml> {
    ["data_tests", "tests"].into_iter().filter_map(|key| yaml.get(key)).flat_map(Yaml::items)
}

/// The template behind a generic test: a call of its macro with the arguments of the properties file.
fn raw_code(test: &GenericTest, alias: &str, name: &str) -> String {
    let namespace = test.namespace.as_ref().map_or(String::new(), |namespace| format!("{namespace}."));
    let config = if alias == name { String::new() } else { format!("{{{{ config(alias=\"{alias}\") }}}}") };
    format!("{{{{ {namespace}test_{}(**_dbt_generic_test_kwargs) }}}}{config}", test.name)
}
