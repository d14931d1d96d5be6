//! What the walk knows of a column: see [`Value`].

use std::sync::Arc;

use super::Kind;
use super::rows::Rows;

/// A column of a relation, or a part of it, by the numbers that the walk gave them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Origin {
    pub(super) relation: u32,
    pub(super) column: u32,
    pub(super) path: u32,
}

/// One origin of a value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Use {
    pub(super) origin: Origin,
    pub(super) kind: Kind,
    pub(super) carries: bool,
}

/// What is done with a value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Role {
    /// It is computed with; `carries` if values of it can be read off the result.
    Transformed { carries: bool },
    /// It is an argument of an aggregate.
    Aggregated { carries: bool },
    /// It partitions or orders a window.
    Window,
    /// It decides which value it is.
    Condition,
}

impl Role {
    fn apply(self, Use { origin, kind, carries }: Use) -> Use {
        let (kind, carries) = match self {
            Role::Transformed { carries: kept } if kind.is_direct() => (kind.max(Kind::Transformed), carries && kept),
            Role::Aggregated { carries: kept } if kind.is_direct() => (Kind::Aggregated, carries && kept),
            Role::Window if kind.is_direct() => (Kind::Window, false),
            Role::Condition if kind.is_direct() => (Kind::Condition, false),
            _ => (kind, carries),
        };
        Use { origin, kind, carries }
    }
}

/// The origins of a value, each once, in the order in which they were met.
#[derive(Debug, Clone, Default)]
pub(super) struct Uses(Vec<Use>);

impl Uses {
    pub(super) fn one(origin: Origin) -> Uses {
        Uses(vec![Use { origin, kind: Kind::Copied, carries: true }])
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Use> + '_ {
        self.0.iter().copied()
    }

    /// Adds what `role` makes of `others`.
    pub(super) fn add(&mut self, others: impl IntoIterator<Item = Use>, role: Role) {
        self.join(others.into_iter().map(|one| role.apply(one)));
    }

    /// Adds `others` as they are.
    pub(super) fn join(&mut self, others: impl IntoIterator<Item = Use>) {
        for other in others {
            match self.0.iter_mut().find(|mine| mine.origin == other.origin) {
                Some(mine) => {
                    mine.kind = mine.kind.max(other.kind);
                    mine.carries |= other.carries;
                }
                None => self.0.push(other),
            }
        }
    }

    /// Replaces each origin.
    pub(super) fn map(&self, mut change: impl FnMut(Use) -> Use) -> Uses {
        let mut out = Uses::default();
        out.join(self.iter().map(&mut change));
        out
    }
}

/// A column of an operator's result.
#[derive(Debug, Clone, Default)]
pub(super) struct Value {
    /// What it is made from.
    pub(super) uses: Uses,
    /// True if it is the value of an origin as it is.
    pub(super) is_copy: bool,
    /// What makes it; none if that is one column.
    pub(super) text: Option<Text>,
    /// True if nobody gave it a name: whoever uses it shows its text.
    pub(super) is_inline: bool,
    /// The fields, if it is a struct that was put together in the query.
    pub(super) fields: Option<Fields>,
}

/// Fields of a struct by name.
pub(super) type Fields = Arc<Vec<(String, Arc<Value>)>>;

/// An expression as SQL, and how tightly its outermost operator binds.
#[derive(Debug, Clone)]
pub(super) struct Text {
    pub(super) sql: Arc<str>,
    pub(super) binding: u8,
    /// The branches of a UNION, each once.
    pub(super) branches: Option<Arc<Vec<Text>>>,
}

/// The result of an operator: its columns, and what decides about its rows.
#[derive(Debug, Clone, Default)]
pub(super) struct Output {
    pub(super) columns: Vec<Arc<Value>>,
    pub(super) rows: Rows,
}
