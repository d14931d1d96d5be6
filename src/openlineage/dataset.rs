//! Names of datasets, as the specification wants them: a namespace that says which store, and a name in it.

use std::path::Path;

use serde_json::{Map, Value as Json, json};
use url::Url;

use crate::node::{External, Relation, plain};
use crate::stores::clean;
use crate::warehouse::{Warehouse, parse_location};

/// A dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dataset {
    /// `file`, `hdfs://namenode:9000`, `s3://bucket`, `mysql://host:3306`.
    pub(super) namespace: String,
    /// A path, or `database.table`.
    pub(super) name: String,
}

impl Dataset {
    fn new(namespace: impl Into<String>, name: impl Into<String>) -> Dataset {
        Dataset { namespace: namespace.into(), name: name.into() }
    }

    /// The folder of a relation of the warehouse.
    pub(super) fn of_relation(warehouse: &Warehouse, relation: &Relation) -> Dataset {
        of_url(&warehouse.table_url(relation))
    }

    /// The files of a source (the folder that they all are in), or its table in a database.
    pub(super) fn of_source(
        external: &External,
        identifier: &str,
        root: &Path,
        databases: &[&Map<String, Json>],
    ) -> Dataset {
        if external.location.is_empty() {
            let text = |key: &str| external.settings.get(key).map(plain);
            let table = text("table").unwrap_or_else(|| identifier.to_string());
            let connection = text("connection").or_else(|| text("database")).unwrap_or_default();
            let config = databases.iter().find_map(|all| all.get(&connection));
            return of_database(&connection, config, &table, root);
        }
        let pattern = external.location.find(['*', '?', '[', '{']);
        let folder = match pattern {
            Some(at) => external.location[..at].rsplit_once('/').map_or("", |(folder, _)| folder),
            None => &external.location,
        };
        match parse_location(folder, root) {
            Ok(url) => of_url(&url),
            Err(_) => Dataset::new("file", clean(&external.location)),
        }
    }

    /// A table of a destination.
    pub(super) fn of_destination(name: &str, table: &str, destinations: &Map<String, Json>, root: &Path) -> Dataset {
        of_database(name, destinations.get(name), table, root)
    }

    /// As JSON, with facets.
    pub(super) fn json(&self, facets: Map<String, Json>, more: Option<(&str, Map<String, Json>)>) -> Json {
        let mut dataset = json!({ "namespace": self.namespace, "name": self.name, "facets": facets });
        if let (Some((key, facets)), Some(dataset)) = (more, dataset.as_object_mut()) {
            dataset.insert(key.to_string(), Json::Object(facets));
        }
        dataset
    }
}

fn of_url(url: &Url) -> Dataset {
    let path = url.path().trim_end_matches('/');
    let path = Url::to_file_path(url).map_or_else(|()| path.to_string(), |path| path.to_string_lossy().into_owned());
    let path = path.trim_end_matches('/').to_string();
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    // `container@account` names the store of Azure and no person.
    let container = match url.scheme() {
        "abfs" | "abfss" | "wasb" | "wasbs" if !url.username().is_empty() => format!("{}@", url.username()),
        _ => String::new(),
    };
    match url.scheme() {
        "file" => Dataset::new("file", path),
        scheme @ ("s3" | "s3a" | "gs" | "gcs") => Dataset::new(
            format!("{}://{host}", if scheme == "s3a" { "s3" } else { scheme }),
            path.trim_start_matches('/'),
        ),
        scheme => Dataset::new(format!("{scheme}://{container}{host}{port}"), path),
    }
}

/// A table behind a connection of the profile. Nothing of it is told but where it is.
fn of_database(name: &str, config: Option<&Json>, table: &str, root: &Path) -> Dataset {
    let text = |key: &str| config.and_then(|config| config.get(key)).map(plain).filter(|text| !text.is_empty());
    let kind = text("type").unwrap_or_default();
    let (kind, port, schema) = match kind.as_str() {
        "mysql" | "mariadb" => ("mysql", "3306", None),
        "postgres" | "postgresql" => ("postgres", "5432", text("schema").or_else(|| Some("public".to_string()))),
        _ => return of_place(name, text("path").or_else(|| text("location")), table, root),
    };
    let host = text("host").unwrap_or_else(|| "localhost".into());
    let port = text("port").unwrap_or_else(|| port.into());
    let dots = table.matches('.').count();
    let database = text("database").or_else(|| text("dbname")).filter(|_| dots == 0 || schema.is_some());
    let schema = schema.filter(|_| dots == 0);
    let name = [database, schema, Some(table.to_string())].into_iter().flatten().collect::<Vec<_>>().join(".");
    Dataset::new(format!("{kind}://{host}:{port}"), name)
}

/// A table of a database file, or files in a folder.
fn of_place(name: &str, place: Option<String>, table: &str, root: &Path) -> Dataset {
    match place.and_then(|place| parse_location(&place, root).ok()) {
        Some(url) => {
            let Dataset { namespace, name } = of_url(&url);
            Dataset::new(namespace, format!("{name}/{table}"))
        }
        None => Dataset::new(format!("c360://{name}"), table),
    }
}
