//! Places in the warehouse.

/// A table or view: database, schema and identifier.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Relation {
    /// Name of the catalog.
    pub database: String,
    /// Schema.
    pub schema: String,
    /// Name of the table or view.
    pub identifier: String,
}

impl Relation {
    /// A relation.
    pub fn new(database: &str, schema: &str, identifier: &str) -> Relation {
        Relation { database: database.into(), schema: schema.into(), identifier: identifier.into() }
    }

    /// The name in SQL: every part quoted.
    pub fn render(&self) -> String {
        format!("{}.{}.{}", quote(&self.database), quote(&self.schema), quote(&self.identifier))
    }

    /// True if `other` is the same place in the warehouse: names match whatever their case.
    pub fn is(&self, other: &Relation) -> bool {
        self.identifier.eq_ignore_ascii_case(&other.identifier) && self.schema.eq_ignore_ascii_case(&other.schema)
    }
}

impl std::fmt::Display for Relation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.schema, self.identifier)
    }
}

/// A quoted identifier.
pub fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
