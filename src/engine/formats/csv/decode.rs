//! A record of delimited text to a row of columns.

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::error::ArrowError;

use crate::diag::{self, Diagnostic, codes};
use crate::stdx::closest;

use super::super::columns::{Column, StructColumn};
use super::super::json::{Bad, append_json};
use super::super::records::{Cut, Problem, RecordFormat};
use super::super::spec::CsvOptions;
use super::cut::{FieldAt, cut};

/// Records of one file.
pub(in super::super) struct Csv {
    options: CsvOptions,
    /// All declared columns.
    schema: SchemaRef,
    root: StructColumn,
    /// The file's name in messages.
    label: String,
    fields: Vec<FieldAt>,
    header: Option<Header>,
}

/// What the first record says.
struct Header {
    /// How many fields each record has.
    width: usize,
    /// Which of them each declared column is.
    places: Vec<usize>,
}

impl Csv {
    /// Appends rows of `schema` to `root`.
    pub(in super::super) fn new(options: CsvOptions, schema: SchemaRef, root: StructColumn, label: String) -> Csv {
        let header = (!options.header)
            .then(|| Header { width: schema.fields().len(), places: (0..schema.fields().len()).collect() });
        Csv { options, schema, root, label, fields: Vec::new(), header }
    }

    fn read_header(&self, record: &[u8]) -> diag::Result<Header> {
        let names: Vec<String> = self
            .fields
            .iter()
            .map(|field| String::from_utf8_lossy(&field.text(record, &self.options)).into_owned())
            .enumerate()
            .map(|(at, name)| named(at, name))
            .collect();
        let mut places = Vec::with_capacity(self.schema.fields().len());
        for field in self.schema.fields() {
            let wanted = field.name();
            let folded = wanted.trim().to_lowercase();
            let exact = names.iter().position(|name| name == wanted);
            match exact.or_else(|| names.iter().position(|name| name.trim().to_lowercase() == folded)) {
                Some(place) => places.push(place),
                None => return Err(self.missing(wanted, &names)),
            }
        }
        Ok(Header { width: names.len(), places })
    }

    fn missing(&self, wanted: &str, names: &[String]) -> Box<Diagnostic> {
        let near = closest(wanted, names.iter().map(String::as_str));
        let names: Vec<&str> = names.iter().map(String::as_str).take(30).collect();
        Diagnostic::error(codes::SCHEMA_MISMATCH, format!("`{}` has no column `{wanted}`", self.label))
            .note(format!("its header names {}", names.join(", ")))
            .maybe_help(near.map(|near| format!("a column named `{near}` exists")))
            .help("correct the declared columns, or the delimiter; a file without a header needs `header: false`")
    }

    fn append_row(&mut self, record: &[u8]) -> Result<(), Bad> {
        if let Err(error) = std::str::from_utf8(record) {
            return Err(Bad::new(error.valid_up_to(), "the text is not valid UTF-8"));
        }
        let Some(header) = &self.header else { return Ok(()) };
        if self.fields.len() != header.width {
            let reason = format!("{} fields where {} are expected", self.fields.len(), header.width);
            return Err(Bad::new(0, reason));
        }
        let Csv { root, fields, options, schema, .. } = self;
        for (index, (column, place)) in root.children.iter_mut().zip(&header.places).enumerate() {
            let Some(field) = fields.get(*place) else { continue };
            append_field(column, field, record, options).map_err(|bad| {
                Bad::new(field.at.start + bad.at, format!("column `{}`: {}", schema.field(index).name(), bad.reason))
            })?;
        }
        root.end_row();
        Ok(())
    }
}

/// The name of the column at `at` whose header says `name`: a column has one even if its header has none.
pub(super) fn named(at: usize, name: String) -> String {
    if name.trim().is_empty() { format!("column_{}", at + 1) } else { name }
}

/// Appends one field. An empty unquoted field is NULL; a quoted one is the empty string where text is declared.
fn append_field(column: &mut Column, field: &FieldAt, record: &[u8], options: &CsvOptions) -> Result<(), Bad> {
    let text = field.text(record, options);
    let is_text = matches!(column, Column::Scalar(scalar) if scalar.is_text());
    let null = match field.quoted {
        true => text.is_empty() && !is_text,
        false => text.is_empty() || options.null_value.as_deref().is_some_and(|null| null.as_bytes() == text.as_ref()),
    };
    match column {
        _ if null => column.append_null(),
        Column::Scalar(scalar) => scalar.append_text(&text).map_err(|reason| Bad::new(0, reason))?,
        nested => append_json(nested, &text)?,
    }
    Ok(())
}

impl RecordFormat for Csv {
    fn is_line_based(&self) -> bool {
        false
    }

    fn cut(&mut self, buffer: &[u8], at_end: bool) -> Cut {
        cut(buffer, at_end, &self.options, &mut self.fields)
    }

    fn decode(&mut self, record: &[u8], in_range: bool) -> Result<bool, Problem> {
        if self.fields.len() == 1 && !self.fields[0].quoted && record.trim_ascii().is_empty() {
            return Ok(false);
        }
        if self.header.is_none() {
            self.header = Some(self.read_header(record).map_err(Problem::Fatal)?);
            return Ok(false);
        }
        if !in_range {
            return Ok(false);
        }
        let rows = self.root.len();
        self.append_row(record).inspect_err(|_| self.root.truncate(rows))?;
        Ok(true)
    }

    fn rows(&self) -> usize {
        self.root.len()
    }

    fn finish(&mut self) -> Result<Vec<ArrayRef>, ArrowError> {
        self.root.finish_children()
    }
}
