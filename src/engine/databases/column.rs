//! A column outside: how it is asked for, what its values become here, and how far the server compares them as we do.

use datafusion::arrow::datatypes::DataType;

/// A column of a table of a database.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Column {
    /// Its name there, which is its name here.
    pub(super) name: String,
    /// The type as the server spells it, for messages.
    pub(super) server_type: String,
    /// The type that its values are read as.
    pub(super) data_type: DataType,
    /// The type that the declaration wants instead.
    pub(super) wanted: Option<DataType>,
    /// False if the server promises that it is never NULL.
    pub(super) nullable: bool,
    /// True if the server lets no value of another type in. SQLite does, mostly.
    pub(super) exact: bool,
    /// What is selected.
    pub(super) read: Read,
    /// Which comparisons the server may do.
    pub(super) compare: Compare,
}

/// What stands in the select list for a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Read {
    /// The column itself.
    Plain,
    /// The server's text for it.
    Text,
    /// The server's JSON for it (Postgres' arrays and composites).
    Json,
}

/// How the values of a column compare on the server. Only what surely means the same there is pushed down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compare {
    /// Not even `is null` is the same.
    Nothing,
    /// Only `is null` is the same.
    Null,
    /// Whole numbers.
    Integer,
    /// Truth values.
    Boolean,
    /// Exact decimals.
    Decimal,
    /// Dates.
    Date,
    /// Timestamps with microseconds, in UTC; `zoned` if the server knows that.
    Timestamp {
        /// A point in time, and not what a clock on a wall showed.
        zoned: bool,
    },
    /// Text that can be made to compare by its bytes in UTF-8.
    Text {
        /// The server's own `=` holds for texts of equal bytes, so that it may be added to use an index.
        indexed: bool,
        /// `<` on the server is that of the bytes in UTF-8, and not just `=`.
        ordered: bool,
    },
}

impl Column {
    /// The type that queries see.
    pub(super) fn seen_type(&self) -> &DataType {
        self.wanted.as_ref().unwrap_or(&self.data_type)
    }

    /// True if ranges of the column can be cut.
    pub(super) fn is_key(&self) -> bool {
        matches!(self.compare, Compare::Integer | Compare::Date | Compare::Timestamp { .. })
    }
}

/// A table or view that was found on a server.
#[derive(Debug, Clone)]
pub(super) struct Table {
    /// Schema; none for SQLite.
    pub(super) schema: Option<String>,
    /// Its name there.
    pub(super) name: String,
    /// Its columns, in their order.
    pub(super) columns: Vec<Column>,
    /// Position of the only column of its primary key.
    pub(super) key: Option<usize>,
    /// Roughly how many rows it has, if the server knows without counting.
    pub(super) rows: Option<u64>,
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}
