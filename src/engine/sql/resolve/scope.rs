//! What a name may stand for at one place of a query.

use arrow::datatypes::DataType;
use datafusion::sql::sqlparser::ast::{Expr, Ident};

use super::notes::History;

/// A column that a query can see.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Column {
    /// Exact name; empty for an expression without a name that could be written.
    pub(super) name: String,
    /// Type, where it is known.
    pub(super) data_type: Option<DataType>,
    /// The dotted name that the planner knows it by, if that is not qualifier and name; see `lateral`.
    pub(super) at: Option<Vec<String>>,
    /// What became of it on its way.
    pub(super) history: History,
}

impl Column {
    /// A column of a relation.
    pub(super) fn stored(name: String, data_type: DataType) -> Column {
        let history = History { stored: true, ..History::default() };
        Column { name, data_type: Some(data_type), at: None, history }
    }

    /// A column that is where its relation is.
    pub(super) fn new(name: impl Into<String>, data_type: Option<DataType>) -> Column {
        Column { name: name.into(), data_type, at: None, history: History::default() }
    }
}

/// Columns under one qualifier.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Visible {
    /// The alias, or one to three parts of the relation's name; empty for a subquery without alias.
    pub(super) qualifier: Vec<String>,
    /// Columns in order, as far as they are known.
    pub(super) columns: Vec<Column>,
    /// There may be more columns than `columns`.
    pub(super) open: bool,
    /// Other names of the first column: DuckDB calls the column of `range(3)` `range`, Postgres by the alias.
    pub(super) also: Vec<String>,
}

impl Visible {
    /// A relation about which nothing is known.
    pub(super) fn unknown() -> Visible {
        Visible { open: true, ..Visible::default() }
    }

    /// The same columns under another qualifier.
    pub(super) fn named(mut self, qualifier: Vec<String>) -> Visible {
        self.qualifier = qualifier;
        self
    }
}

/// Which of two kinds of names wins, where both are visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Prefer {
    /// Columns of FROM: `GROUP BY`, and everything inside aggregates and window functions.
    #[default]
    Inputs,
    /// Columns of the projection: `ORDER BY`, `HAVING`, `QUALIFY`, `DISTINCT ON`.
    Outputs,
}

/// The names that one SELECT sees.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    /// Items of FROM.
    pub(super) relations: Vec<Visible>,
    /// Columns of the projection, for clauses that see them.
    pub(super) outputs: Vec<Column>,
    /// Who wins.
    pub(super) prefer: Prefer,
    /// Columns that joins merged with USING: unqualified they are one.
    pub(super) merged: Vec<String>,
    /// Aliases of the projection that WHERE and later items may use, with what they stand for as it was written.
    pub(super) aliases: Vec<(Ident, Expr)>,
    /// The planner sees these names as those of an outer query: left neighbours of a lateral item.
    pub(super) lateral: bool,
}

/// What a search came to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Found {
    /// A column under this exact name.
    Column(Column),
    /// Several names that differ by case alone.
    Ambiguous,
    /// Nothing known, but a relation may have more columns than are known.
    Maybe,
    /// No such name.
    Nothing,
}

/// Two names are the same but for case.
pub(super) fn same(a: &str, b: &str) -> bool {
    a == b
        || (a.len() == b.len() && a.eq_ignore_ascii_case(b))
        || (!a.is_ascii() && a.to_lowercase() == b.to_lowercase())
}

/// The best of `names` for `name`: the exact one, else the only one that differs by case alone. The error is true if
/// there are several of them.
pub(super) fn best<'a, T: 'a>(
    name: &str,
    candidates: impl Iterator<Item = &'a T> + Clone,
    text: impl Fn(&T) -> &str,
) -> Result<&'a T, bool> {
    if name.is_empty() {
        return Err(false);
    }
    if let Some(exact) = candidates.clone().find(|candidate| text(candidate) == name) {
        return Ok(exact);
    }
    let mut similar = candidates.filter(|candidate| same(text(candidate), name));
    let Some(first) = similar.next() else { return Err(false) };
    if similar.any(|other| text(other) != text(first)) { Err(true) } else { Ok(first) }
}

fn search<'a>(name: &str, columns: impl Iterator<Item = &'a Column> + Clone) -> Found {
    match best(name, columns, |column| &column.name) {
        Ok(column) => Found::Column(column.clone()),
        Err(true) => Found::Ambiguous,
        Err(false) => Found::Nothing,
    }
}

/// Finds `name` in one relation.
pub(super) fn column_of(relation: &Visible, name: &str) -> Found {
    match search(name, relation.columns.iter()) {
        Found::Nothing if relation.open => Found::Maybe,
        found => found,
    }
}

impl Scope {
    /// A scope of one relation.
    pub(super) fn of(relation: Visible) -> Scope {
        Scope { relations: vec![relation], ..Scope::default() }
    }

    /// Finds an unqualified name.
    pub(super) fn column(&self, ident: &Ident) -> Found {
        let name = &ident.value;
        let inputs = || self.input(name);
        let outputs = || search(name, self.outputs.iter());
        let (first, second) = match self.prefer {
            Prefer::Inputs => (inputs(), outputs()),
            Prefer::Outputs => (outputs(), inputs()),
        };
        // A quoted name means what it spells before it means anything else.
        let exact = |found: &Found| matches!(found, Found::Column(column) if column.name == *name);
        if ident.quote_style.is_some() && !exact(&first) && exact(&second) {
            return second;
        }
        match first {
            Found::Nothing => match second {
                Found::Nothing if self.relations.iter().any(|relation| relation.open) => Found::Maybe,
                found => found,
            },
            found => found,
        }
    }

    fn input(&self, name: &str) -> Found {
        let columns = self.relations.iter().flat_map(|relation| &relation.columns);
        let mut found = search(name, columns.clone());
        if found == Found::Nothing {
            let named = |relation: &&Visible| relation.also.iter().any(|other| same(other, name));
            let column = self.relations.iter().find(named).and_then(|relation| relation.columns.first());
            found = column.map_or(Found::Nothing, |column| Found::Column(column.clone()));
        }
        // Columns that moved have names of their own, so the planner would not see that two of them had the same.
        if let Found::Column(column) = &found
            && column.at.is_some()
            && !self.merged.contains(&column.name)
            && columns.filter(|other| other.name == column.name).count() > 1
        {
            return Found::Ambiguous;
        }
        found
    }

    /// The relations that `qualifier` (one to three parts) may mean: those with the very name, else those whose name
    /// differs by case alone.
    pub(super) fn relations_named(&self, qualifier: &[Ident]) -> Vec<&Visible> {
        let matching = |equal: fn(&str, &str) -> bool| -> Vec<&Visible> {
            let fits = |relation: &&Visible| {
                !relation.qualifier.is_empty()
                    && qualifier.iter().rev().zip(relation.qualifier.iter().rev()).all(|(a, b)| equal(&a.value, b))
            };
            self.relations.iter().filter(fits).collect()
        };
        let exact = matching(|a, b| a == b);
        if exact.is_empty() { matching(same) } else { exact }
    }

    /// All columns, as `*` lists them: columns that were merged once.
    pub(super) fn star(&self) -> Visible {
        let mut star = Visible::default();
        for relation in &self.relations {
            star.open |= relation.open;
            for column in &relation.columns {
                let twice = self.merged.contains(&column.name) && star.columns.iter().any(|c| c.name == column.name);
                if !twice {
                    star.columns.push(Column { at: None, ..column.clone() });
                }
            }
        }
        star
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(names: &[&str]) -> Scope {
        let columns = names.iter().map(|name| Column::new(*name, None)).collect();
        Scope::of(Visible { qualifier: vec!["main".into(), "T".into()], columns, ..Visible::default() })
    }

    fn found(scope: &Scope, name: &str) -> Found {
        match scope.column(&Ident::new(name)) {
            Found::Column(column) => Found::Column(Column { data_type: None, ..column }),
            found => found,
        }
    }

    fn column(name: &str) -> Found {
        Found::Column(Column::new(name, None))
    }

    #[test]
    fn exact_names_win_and_doubtful_ones_stay() {
        let scope = scope(&["Contract", "ID", "id", "Tên"]);
        assert_eq!(found(&scope, "CONTRACT"), column("Contract"));
        assert_eq!(found(&scope, "id"), column("id"));
        assert_eq!(found(&scope, "Id"), Found::Ambiguous);
        assert_eq!(found(&scope, "TÊN"), column("Tên"));
        assert_eq!(found(&scope, "other"), Found::Nothing);
    }

    #[test]
    fn qualifiers_match_from_the_right() {
        let scope = scope(&["a"]);
        assert_eq!(scope.relations_named(&[Ident::new("t")]).len(), 1);
        assert_eq!(scope.relations_named(&[Ident::new("MAIN"), Ident::new("t")]).len(), 1);
        assert_eq!(scope.relations_named(&[Ident::new("other"), Ident::new("t")]).len(), 0);
    }
}
