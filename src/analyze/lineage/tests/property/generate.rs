//! Random queries that can be planned: every expression knows its type.

/// What an expression gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Number,
    Text,
    Date,
    Truth,
}

use Type::{Date, Number, Text, Truth};

#[derive(Debug, Clone)]
struct Column {
    sql: String,
    kind: Type,
}

fn column(sql: impl Into<String>, kind: Type) -> Column {
    Column { sql: sql.into(), kind }
}

/// Writes one query for each seed.
pub(super) struct Generator {
    state: u64,
    aliases: usize,
}

impl Generator {
    pub(super) fn new(seed: u64) -> Generator {
        Generator { state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) + 1, aliases: 0 }
    }

    /// A query: some read common table expressions.
    pub(super) fn query(&mut self) -> String {
        if self.chance(3) {
            return self.select(2).0;
        }
        let (inner, columns) = self.select(1);
        let scope: Vec<Column> =
            columns.iter().enumerate().map(|(at, kind)| column(format!("t.c{at}"), *kind)).collect();
        let again: Vec<Column> =
            columns.iter().enumerate().map(|(at, kind)| column(format!("u.c{at}"), *kind)).collect();
        let both = scope.iter().zip(&again).find(|(one, _)| one.kind == Number);
        match both.filter(|_| self.chance(2)).map(|(one, other)| format!("{} = {}", one.sql, other.sql)) {
            Some(on) => {
                let all: Vec<Column> = scope.iter().chain(&again).cloned().collect();
                let outer = self.over(&format!("shared as t join shared as u on {on}"), &all).0;
                format!("with shared as ({inner}) {outer}")
            }
            None => format!("with shared as ({inner}) {}", self.over("shared as t", &scope).0),
        }
    }

    /// Splitmix64.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// True once in `of`.
    fn chance(&mut self, of: usize) -> bool {
        self.below(of) == 0
    }

    fn alias(&mut self) -> String {
        self.aliases += 1;
        format!("r{}", self.aliases)
    }

    /// A query of columns `c0`, `c1`, .. over random relations.
    fn select(&mut self, depth: usize) -> (String, Vec<Type>) {
        if depth > 0 && self.chance(6) {
            return self.union(depth);
        }
        let (from, scope) = self.from(depth);
        self.over(&from, &scope)
    }

    fn union(&mut self, depth: usize) -> (String, Vec<Type>) {
        let (left, scope) = self.from(depth - 1);
        let (right, other) = self.from(depth - 1);
        let one = |generator: &mut Generator, scope: &[Column]| {
            let (number, text) = (generator.expr(Number, scope, 1), generator.expr(Text, scope, 1));
            format!("{number} as c0, {text} as c1")
        };
        let (first, second) = (one(self, &scope), one(self, &other));
        let all = ["all ", ""][self.below(2)];
        (format!("select {first} from {left} union {all}select {second} from {right}"), vec![Number, Text])
    }

    /// Relations and their columns.
    fn from(&mut self, depth: usize) -> (String, Vec<Column>) {
        let (mut from, mut scope) = self.relation(depth);
        if self.chance(2) {
            let (right, other) = self.relation(depth.saturating_sub(1));
            let (on_left, on_right) = (self.number(&scope), self.number(&other));
            let kind = ["join", "left join", "full join", "semi join", "anti join"][self.below(5)];
            from = format!("{from} {kind} {right} on {on_left} = {on_right}");
            if !kind.starts_with("semi") && !kind.starts_with("anti") {
                scope.extend(other);
            }
        }
        (from, scope)
    }

    fn relation(&mut self, depth: usize) -> (String, Vec<Column>) {
        let alias = self.alias();
        if depth > 0 && self.chance(2) {
            let (sql, columns) = self.select(depth - 1);
            let scope = columns.iter().enumerate().map(|(at, kind)| column(format!("{alias}.c{at}"), *kind)).collect();
            return (format!("({sql}) as {alias}"), scope);
        }
        let (table, columns): (&str, &[(&str, Type)]) = match self.below(4) {
            0 | 1 => {
                let columns = &[
                    ("id", Number),
                    ("customer_id", Number),
                    ("amount", Number),
                    ("tax", Number),
                    ("status", Text),
                    ("day", Date),
                ];
                ("orders", columns)
            }
            2 => ("customers", &[("id", Number), ("name", Text), ("email", Text), ("region", Text), ("active", Truth)]),
            _ => ("events", &[("_source.Contract", Text), ("_source.Deep.Value", Number), ("seq", Number)]),
        };
        let scope = columns.iter().map(|(name, kind)| column(format!("{alias}.{name}"), *kind)).collect();
        (format!("{table} as {alias}"), scope)
    }

    /// SELECT over relations whose columns are `scope`.
    fn over(&mut self, from: &str, scope: &[Column]) -> (String, Vec<Type>) {
        let filter = match self.chance(2) {
            true => format!(" where {}", self.expr(Truth, scope, 2)),
            false => String::new(),
        };
        let count = 1 + self.below(4);
        if self.chance(3) {
            return self.grouped(from, scope, &filter, count);
        }
        let mut items = Vec::new();
        let mut kinds = Vec::new();
        for at in 0..count {
            let kind = [Number, Number, Text, Date, Truth][self.below(5)];
            let sql = match kind {
                Number if self.chance(4) => self.windowed(scope),
                kind => self.expr(kind, scope, 2),
            };
            items.push(format!("{sql} as c{at}"));
            kinds.push(kind);
        }
        let distinct = if self.chance(6) { "distinct " } else { "" };
        let qualify = match distinct.is_empty() && self.chance(6) {
            true => format!(
                " qualify row_number() over (partition by {} order by {}) = 1",
                self.any(scope),
                self.order(scope)
            ),
            false => String::new(),
        };
        let names: Vec<String> = (0..count).map(|at| format!("c{at}")).collect();
        let limit = if self.chance(8) { format!(" order by {} limit 3", names.join(", ")) } else { String::new() };
        (format!("select {distinct}{} from {from}{filter}{qualify}{limit}", items.join(", ")), kinds)
    }

    fn grouped(&mut self, from: &str, scope: &[Column], filter: &str, count: usize) -> (String, Vec<Type>) {
        let kind = [Number, Text, Date][self.below(3)];
        let mut key = self.expr(kind, scope, 1);
        if key.parse::<u64>().is_ok() {
            // A bare number would be a position.
            key = format!("({key} + 0)");
        }
        let mut items = vec![format!("{key} as c0")];
        let mut kinds = vec![kind];
        for at in 1..=count {
            items.push(format!("{} as c{at}", self.aggregate(scope)));
            kinds.push(Number);
        }
        let having = if self.chance(4) { format!(" having {} > 1", self.aggregate(scope)) } else { String::new() };
        (format!("select {} from {from}{filter} group by {key}{having}", items.join(", ")), kinds)
    }

    fn aggregate(&mut self, scope: &[Column]) -> String {
        let value = self.expr(Number, scope, 1);
        let sql = match self.below(5) {
            0 => "count(*)".to_string(),
            1 => format!("count(distinct {})", self.any(scope)),
            2 => format!("min({value})"),
            3 => format!("max({value})"),
            _ => format!("sum({value})"),
        };
        match self.chance(4) {
            true => format!("{sql} filter (where {})", self.expr(Truth, scope, 1)),
            false => sql,
        }
    }

    fn windowed(&mut self, scope: &[Column]) -> String {
        let function = match self.below(4) {
            0 => "row_number()".to_string(),
            1 => format!("sum({})", self.number(scope)),
            2 => format!("lag({})", self.number(scope)),
            _ => "rank()".to_string(),
        };
        format!("cast({function} over (partition by {} order by {}) as bigint)", self.any(scope), self.order(scope))
    }

    /// Every column, so that no two different rows are in either order.
    fn order(&mut self, scope: &[Column]) -> String {
        scope.iter().map(|column| column.sql.as_str()).collect::<Vec<_>>().join(", ")
    }

    fn any(&mut self, scope: &[Column]) -> String {
        scope[self.below(scope.len())].sql.clone()
    }

    fn of(&mut self, kind: Type, scope: &[Column]) -> Option<String> {
        let fitting: Vec<&Column> = scope.iter().filter(|column| column.kind == kind).collect();
        (!fitting.is_empty()).then(|| fitting[self.below(fitting.len())].sql.clone())
    }

    fn number(&mut self, scope: &[Column]) -> String {
        self.of(Number, scope).unwrap_or_else(|| "10".to_string())
    }

    /// An expression of `kind`.
    fn expr(&mut self, kind: Type, scope: &[Column], depth: usize) -> String {
        if depth == 0 || self.chance(2) {
            let constant = match kind {
                Number => "20",
                Text => "'paid'",
                Date => "date '2022-01-10'",
                Truth => "true",
            };
            return self.of(kind, scope).unwrap_or_else(|| constant.to_string());
        }
        let depth = depth - 1;
        match (kind, self.below(6)) {
            (Number, 0) => format!("({} + {})", self.expr(Number, scope, depth), self.expr(Number, scope, depth)),
            (Number, 1) => format!("({} * 2)", self.expr(Number, scope, depth)),
            (Number, 2) => format!("character_length({})", self.expr(Text, scope, depth)),
            (Number, 3) => "(select max(amount) from orders where status = 'paid')".to_string(),
            (Text, 0) => format!("upper({})", self.expr(Text, scope, depth)),
            (Text, 1) => format!("({} || '-' || {})", self.expr(Text, scope, depth), self.expr(Text, scope, depth)),
            (Text, 2) => format!("cast({} as varchar)", self.expr(Number, scope, depth)),
            (Truth, 0) => format!("{} > {}", self.expr(Number, scope, depth), self.expr(Number, scope, depth)),
            (Truth, 1) => format!("({} or {})", self.expr(Truth, scope, depth), self.expr(Truth, scope, depth)),
            (Truth, 2) => format!("{} is not null", self.expr(Text, scope, depth)),
            (Truth, 3) => {
                format!("{} in (select customer_id from orders where tax > 8)", self.expr(Number, scope, depth))
            }
            (Truth, 4) => {
                let number = self.expr(Number, scope, depth);
                format!("exists (select 1 from edges where edges.src < {number})")
            }
            (Date, 0) => format!("cast(date_trunc('month', {}) as date)", self.expr(Date, scope, depth)),
            (kind, 5) => {
                let (one, other) = (self.expr(kind, scope, depth), self.expr(kind, scope, depth));
                format!("case when {} then {one} else {other} end", self.expr(Truth, scope, depth))
            }
            (kind, _) => format!("coalesce({}, {})", self.expr(kind, scope, depth), self.expr(kind, scope, depth)),
        }
    }
}
