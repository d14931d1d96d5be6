//! Expressions as SQL for people: what the analyst wrote, as near as the plan still knows it.
//!
//! Names have a qualifier only where two columns would be mistaken for each other. A column that nobody named, such as
//! the `sum(x)` inside of `coalesce(sum(x), 0)`, which is an operator of its own in the plan, is shown as what makes it.

use std::fmt::Write;
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, DFSchemaRef};
use datafusion::logical_expr::expr::{AggregateFunction, InList, ScalarFunction, Sort, WindowFunction};
use datafusion::logical_expr::{Between, Case, Expr, Like, Operator, Unnest};
use datafusion::scalar::ScalarValue;

use super::expr::{Frame, find};
use super::value::{Text, Value};
use crate::engine::type_name;

/// Characters after which a text is cut.
const LIMIT: usize = 4000;

/// How tightly things bind that are no binary operators; those have [`Operator::precedence`].
const LOOSE: u8 = 0;
const NOT: u8 = 12;
const TEST: u8 = 22;
const NEGATIVE: u8 = 50;
const ATOM: u8 = 100;

const CUT: &str = " ...";

/// `expr` without its aliases, and the outermost of them.
pub(super) fn unaliased(expr: &Expr) -> (&Expr, Option<&str>) {
    let Expr::Alias(outer) = expr else { return (expr, None) };
    let mut inner = &*outer.expr;
    while let Expr::Alias(alias) = inner {
        inner = &alias.expr;
    }
    (inner, Some(&outer.name))
}

/// `expr` as SQL.
pub(super) fn of(expr: &Expr, frame: &Frame) -> Text {
    let mut writer = Writer { out: String::new(), frame };
    writer.expr(expr, LOOSE);
    if writer.out.len() > LIMIT {
        let end = (0..=LIMIT).rev().find(|end| writer.out.is_char_boundary(*end)).unwrap_or(0);
        writer.out.truncate(end);
        writer.out.push_str(CUT);
    }
    Text { binding: binding(expr, frame), ..named(&writer.out) }
}

/// An element of the list at column `from` of an UNNEST.
pub(super) fn unnested(list: &Value, unnest: &Unnest, from: usize) -> Option<Text> {
    let name = unnest.input.schema().field(from).name();
    let written = name.strip_prefix("__unnest_placeholder(").and_then(|name| name.strip_suffix(')')).unwrap_or(name);
    let inner = match &list.text {
        Some(text) => text.sql.to_string(),
        None => identifier(written.rsplit('.').next().unwrap_or(written)),
    };
    Some(named(&format!("unnest({inner})")))
}

/// What makes the columns of the branches of a UNION, each once. A branch is an expression, or the name of what it copies.
/// A UNION of more than two is one inside of another in the plan.
pub(super) fn union(branches: impl IntoIterator<Item = Result<Text, Arc<str>>>) -> Option<Text> {
    let mut texts: Vec<Text> = Vec::new();
    for branch in branches {
        let text = branch.unwrap_or_else(|name| named(&identifier(&name)));
        let parts = text.branches.as_ref().map_or_else(|| vec![text.clone()], |parts| parts.to_vec());
        for part in parts {
            if !texts.iter().any(|other| other.sql == part.sql) {
                texts.push(part);
            }
        }
    }
    if texts.len() < 2 {
        return texts.pop();
    }
    let mut sql = String::new();
    for (index, text) in texts.iter().enumerate() {
        if sql.len() > LIMIT {
            sql.push_str(CUT);
            break;
        }
        sql.push_str(if index > 0 { " union " } else { "" });
        sql.push_str(&text.sql);
    }
    Some(Text { sql: Arc::from(sql), binding: LOOSE, branches: Some(Arc::new(texts)) })
}

/// What table functions and rows in the query are shown as.
pub(super) fn named(text: &str) -> Text {
    Text { sql: Arc::from(text), binding: ATOM, branches: None }
}

fn is_plain(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|first| first.is_alphabetic() || first == '_')
        && chars.all(|next| next.is_alphanumeric() || next == '_')
}

fn identifier(name: &str) -> String {
    if is_plain(name) { name.to_string() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

fn binding(expr: &Expr, frame: &Frame) -> u8 {
    match expr {
        Expr::Alias(alias) => binding(&alias.expr, frame),
        Expr::BinaryExpr(binary) => binary.op.precedence(),
        Expr::Not(_) => NOT,
        Expr::Negative(_) => NEGATIVE,
        Expr::Literal(value, _) if is_negative(value) => NEGATIVE,
        Expr::Column(column) => inline(column, frame).map_or(ATOM, |text| text.binding),
        Expr::Like(_)
        | Expr::SimilarTo(_)
        | Expr::Between(_)
        | Expr::InList(_)
        | Expr::InSubquery(_)
        | Expr::SetComparison(_)
        | Expr::IsNull(_)
        | Expr::IsNotNull(_)
        | Expr::IsTrue(_)
        | Expr::IsNotTrue(_)
        | Expr::IsFalse(_)
        | Expr::IsNotFalse(_)
        | Expr::IsUnknown(_)
        | Expr::IsNotUnknown(_) => TEST,
        Expr::Lambda(_) => LOOSE,
        _ => ATOM,
    }
}

fn is_negative(value: &ScalarValue) -> bool {
    value.data_type().is_numeric() && value.to_string().starts_with('-')
}

/// The text that stands for a column without a name.
fn inline<'a>(column: &Column, frame: &'a Frame) -> Option<&'a Text> {
    find(frame, column).filter(|value| value.is_inline).and_then(|value| value.text.as_ref())
}

struct Writer<'a> {
    out: String,
    frame: &'a Frame,
}

impl Writer<'_> {
    fn put(&mut self, text: &str) {
        self.out.push_str(text);
    }

    /// Writes `expr`, in parentheses if what is around it binds more tightly.
    fn expr(&mut self, expr: &Expr, around: u8) {
        if self.out.len() > LIMIT {
            return;
        }
        let is_nested = binding(expr, self.frame) < around;
        if is_nested {
            self.put("(");
        }
        stacker::maybe_grow(64 << 10, 4 << 20, || self.bare(expr));
        if is_nested {
            self.put(")");
        }
    }

    fn bare(&mut self, expr: &Expr) {
        match expr {
            Expr::Alias(alias) => self.bare(&alias.expr),
            Expr::Column(column) => match inline(column, self.frame) {
                Some(text) => self.out.push_str(&text.sql),
                None => self.column(column),
            },
            Expr::OuterReferenceColumn(_, column) => self.column(column),
            Expr::Literal(value, _) => self.literal(value),
            Expr::BinaryExpr(binary) => {
                let op = binary.op;
                let own = op.precedence();
                self.expr(&binary.left, own);
                self.put(&format!(" {} ", op.to_string().to_lowercase()));
                // `a - (b - c)` needs its parentheses, `a and b and c` none.
                let is_chain = matches!(op, Operator::And | Operator::Or);
                self.expr(&binary.right, if is_chain { own } else { own + 1 });
            }
            Expr::Not(inner) => self.around("not ", inner, NOT, ""),
            Expr::Negative(inner) => self.around("-", inner, NEGATIVE + 1, ""),
            Expr::IsNull(inner) => self.around("", inner, TEST, " is null"),
            Expr::IsNotNull(inner) => self.around("", inner, TEST, " is not null"),
            Expr::IsTrue(inner) => self.around("", inner, TEST, " is true"),
            Expr::IsNotTrue(inner) => self.around("", inner, TEST, " is not true"),
            Expr::IsFalse(inner) => self.around("", inner, TEST, " is false"),
            Expr::IsNotFalse(inner) => self.around("", inner, TEST, " is not false"),
            Expr::IsUnknown(inner) => self.around("", inner, TEST, " is unknown"),
            Expr::IsNotUnknown(inner) => self.around("", inner, TEST, " is not unknown"),
            Expr::Like(like) => self.like(like, if like.case_insensitive { "ilike" } else { "like" }),
            Expr::SimilarTo(like) => self.like(like, "similar to"),
            Expr::Between(between) => self.between(between),
            Expr::InList(list) => self.in_list(list),
            Expr::Case(case) => self.case(case),
            Expr::Cast(cast) => self.cast("cast", &cast.expr, cast.field.data_type()),
            Expr::TryCast(cast) => self.cast("try_cast", &cast.expr, cast.field.data_type()),
            Expr::ScalarFunction(function) => self.scalar_function(function),
            Expr::AggregateFunction(function) => self.aggregate(function),
            Expr::WindowFunction(function) => self.window(function),
            Expr::Unnest(unnest) => self.call("unnest", [&*unnest.expr]),
            Expr::HigherOrderFunction(function) => self.call(function.name(), &function.args),
            Expr::Lambda(lambda) => {
                match lambda.params.as_slice() {
                    [one] => self.put(one),
                    params => self.put(&format!("({})", params.join(", "))),
                }
                self.around(" -> ", &lambda.body, LOOSE, "");
            }
            Expr::LambdaVariable(variable) => self.put(&variable.name),
            Expr::ScalarSubquery(subquery) => self.subquery("", subquery.subquery.schema().field(0).name()),
            Expr::Exists(exists) => self.put(if exists.negated { "not exists (...)" } else { "exists (...)" }),
            Expr::InSubquery(membership) => {
                self.expr(&membership.expr, TEST);
                let word = if membership.negated { " not in " } else { " in " };
                self.subquery(word, membership.subquery.subquery.schema().field(0).name());
            }
            other => {
                let text = other.to_string();
                self.put(&text);
            }
        }
    }

    fn around(&mut self, before: &str, inner: &Expr, binding: u8, after: &str) {
        self.put(before);
        self.expr(inner, binding);
        self.put(after);
    }

    fn subquery(&mut self, before: &str, column: &str) {
        self.put(&format!("{before}(select {column} ...)"));
    }

    fn column(&mut self, column: &Column) {
        let same = |(schema, _): &(DFSchemaRef, _)| {
            schema.fields().iter().filter(|field| *field.name() == column.name).count()
        };
        if let Some(relation) = &column.relation
            && self.frame.iter().map(same).sum::<usize>() > 1
        {
            self.put(&format!("{}.", identifier(relation.table())));
        }
        self.put(&identifier(&column.name));
    }

    fn literal(&mut self, value: &ScalarValue) {
        use DataType::{Binary, Date32, Date64, Interval, Timestamp};
        if value.is_null() {
            return self.put("null");
        }
        if let Some(Some(text)) = value.try_as_str() {
            return self.put(&format!("'{}'", text.replace('\'', "''")));
        }
        let written = match value.data_type() {
            Date32 | Date64 => format!("date '{value}'"),
            Timestamp(..) => match value.cast_to(&DataType::Utf8) {
                Ok(text) => format!("timestamp '{}'", text.to_string().replace('T', " ")),
                Err(_) => value.to_string(),
            },
            Interval(_) => match value.cast_to(&DataType::Utf8) {
                Ok(text) => format!("interval '{text}'"),
                Err(_) => value.to_string(),
            },
            Binary => format!("x'{value}'"),
            _ => value.to_string(),
        };
        self.put(&written);
    }

    fn list<'e>(&mut self, exprs: impl IntoIterator<Item = &'e Expr>) {
        for (index, expr) in exprs.into_iter().enumerate() {
            if index > 0 {
                self.put(", ");
            }
            self.expr(expr, LOOSE);
        }
    }

    fn call<'e>(&mut self, name: &str, args: impl IntoIterator<Item = &'e Expr>) {
        self.put(name);
        self.put("(");
        self.list(args);
        self.put(")");
    }

    fn cast(&mut self, word: &str, inner: &Expr, to: &DataType) {
        self.put(word);
        self.put("(");
        self.expr(inner, LOOSE);
        self.put(&format!(" as {})", type_name(to)));
    }

    fn like(&mut self, like: &Like, word: &str) {
        self.expr(&like.expr, TEST + 1);
        self.put(if like.negated { " not " } else { " " });
        self.put(word);
        self.put(" ");
        self.expr(&like.pattern, TEST + 1);
        if let Some(escape) = like.escape_char {
            self.put(&format!(" escape '{escape}'"));
        }
    }

    fn between(&mut self, between: &Between) {
        self.expr(&between.expr, TEST + 1);
        self.put(if between.negated { " not between " } else { " between " });
        self.expr(&between.low, TEST + 1);
        self.put(" and ");
        self.expr(&between.high, TEST + 1);
    }

    fn in_list(&mut self, list: &InList) {
        self.expr(&list.expr, TEST + 1);
        self.put(if list.negated { " not in (" } else { " in (" });
        self.list(&list.list);
        self.put(")");
    }

    fn case(&mut self, case: &Case) {
        self.put("case");
        if let Some(subject) = &case.expr {
            self.around(" ", subject, LOOSE, "");
        }
        for (when, then) in &case.when_then_expr {
            self.around(" when ", when, LOOSE, "");
            self.around(" then ", then, LOOSE, "");
        }
        if let Some(otherwise) = &case.else_expr {
            self.around(" else ", otherwise, LOOSE, "");
        }
        self.put(" end");
    }

    fn scalar_function(&mut self, function: &ScalarFunction) {
        match (function.name(), function.args.as_slice()) {
            ("get_field" | "array_element", [base, keys @ ..]) => {
                self.expr(base, ATOM);
                for key in keys {
                    self.put("[");
                    self.expr(key, LOOSE);
                    self.put("]");
                }
            }
            ("make_array", items) => {
                self.put("[");
                self.list(items);
                self.put("]");
            }
            ("btrim", args) => self.call("trim", args),
            (name, args) => self.call(name, args),
        }
    }

    fn aggregate(&mut self, function: &AggregateFunction) {
        let params = &function.params;
        let is_within = function.func.supports_within_group_clause() && !params.order_by.is_empty();
        let args = if is_within { params.args.get(1..).unwrap_or_default() } else { &params.args };
        self.arguments(function.func.name(), args, params.distinct, if is_within { &[] } else { &params.order_by });
        if is_within {
            self.put(" within group (order by ");
            self.sorts(&params.order_by);
            self.put(")");
        }
        self.filter(params.filter.as_deref());
    }

    fn window(&mut self, function: &WindowFunction) {
        let params = &function.params;
        self.arguments(function.fun.name(), &params.args, params.distinct, &[]);
        self.filter(params.filter.as_deref());
        self.put(" over (");
        if !params.partition_by.is_empty() {
            self.put("partition by ");
            self.list(&params.partition_by);
        }
        if !params.order_by.is_empty() {
            self.put(if params.partition_by.is_empty() { "order by " } else { " order by " });
            self.sorts(&params.order_by);
        }
        self.put(")");
    }

    /// Name and arguments of an aggregate; `count(1)` is what `count(*)` became.
    fn arguments(&mut self, name: &str, args: &[Expr], distinct: bool, order_by: &[Sort]) {
        self.put(name);
        self.put(if distinct { "(distinct " } else { "(" });
        match args {
            [Expr::Literal(ScalarValue::Int64(Some(1)), _)] if name == "count" => self.put("*"),
            args => self.list(args),
        }
        if !order_by.is_empty() {
            self.put(" order by ");
            self.sorts(order_by);
        }
        self.put(")");
    }

    fn filter(&mut self, filter: Option<&Expr>) {
        if let Some(filter) = filter {
            self.around(" filter (where ", filter, LOOSE, ")");
        }
    }

    fn sorts(&mut self, sorts: &[Sort]) {
        for (index, sort) in sorts.iter().enumerate() {
            if index > 0 {
                self.put(", ");
            }
            self.expr(&sort.expr, LOOSE);
            let _ = write!(self.out, "{}", if sort.asc { "" } else { " desc" });
        }
    }
}
