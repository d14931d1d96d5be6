//! What expressions make of the columns that they see.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchemaRef};
use datafusion::logical_expr::expr::{AggregateFunction, ScalarFunction, WindowFunction};
use datafusion::logical_expr::{Cast, Expr, ExprSchemable, Operator, Subquery, TryCast};
use datafusion::scalar::ScalarValue;

use super::casts::is_lossless;
use super::functions;
use super::plan::Walk;
use super::text;
use super::value::{Output, Role, Uses, Value};

/// The columns that an expression sees: results of one operator, or of both sides of a join.
pub(super) type Frame = Vec<(DFSchemaRef, Arc<Output>)>;

/// The value of a name in `frame`.
pub(super) fn find<'a>(frame: &'a Frame, column: &Column) -> Option<&'a Arc<Value>> {
    frame.iter().find_map(|(schema, output)| output.columns.get(schema.maybe_index_of_column(column)?))
}

const COMPUTED: Role = Role::Transformed { carries: true };
const TESTED: Role = Role::Transformed { carries: false };

impl Walk<'_> {
    /// The value of `expr` as a column: what it is made from, and the text that makes it.
    pub(super) fn column(&mut self, expr: &Expr, frame: &Frame) -> Arc<Value> {
        let (inner, alias) = text::unaliased(expr);
        let is_inline = alias.is_none_or(|name| name.starts_with("__unnest_placeholder"));
        if let Expr::Column(column) = inner
            && let Some(value) = find(frame, column)
        {
            if is_inline || !value.is_inline {
                return Arc::clone(value);
            }
            return Arc::new(Value { is_inline, ..Value::clone(value) });
        }
        let mut value = self.value(inner, frame);
        let is_plain = value.is_copy && value.text.is_none() && !matches!(inner, Expr::Cast(_) | Expr::TryCast(_));
        if !is_plain && value.text.is_none() {
            value.text = Some(text::of(inner, frame));
        }
        value.is_inline = is_inline;
        Arc::new(value)
    }

    /// What `expr` is made from.
    pub(super) fn uses(&mut self, expr: &Expr, frame: &Frame) -> Uses {
        match expr {
            Expr::Column(column) => match find(frame, column) {
                Some(value) => value.uses.clone(),
                None => self.unknown_column(column),
            },
            _ => self.value(expr, frame).uses,
        }
    }

    /// The value of `expr`. Deep expressions need deep stacks.
    pub(super) fn value(&mut self, expr: &Expr, frame: &Frame) -> Value {
        stacker::maybe_grow(64 << 10, 4 << 20, || self.value_of(expr, frame))
    }

    fn value_of(&mut self, expr: &Expr, frame: &Frame) -> Value {
        match expr {
            Expr::Alias(alias) => self.value(&alias.expr, frame),
            Expr::Column(column) => match find(frame, column) {
                Some(value) => Value { is_inline: false, ..Value::clone(value) },
                None => made(self.unknown_column(column)),
            },
            Expr::OuterReferenceColumn(_, column) => match self.outer(column) {
                Some(value) => Value::clone(&value),
                None => made(self.unknown_column(column)),
            },
            Expr::Cast(Cast { expr: inner, field }) | Expr::TryCast(TryCast { expr: inner, field }) => {
                self.cast(inner, field.data_type(), frame)
            }
            Expr::ScalarFunction(function) => self.scalar_function(function, frame),
            Expr::AggregateFunction(function) => made(self.aggregate(function, frame)),
            Expr::WindowFunction(function) => made(self.window(function, frame)),
            Expr::Case(case) => {
                let mut uses = Uses::default();
                for (when, then) in &case.when_then_expr {
                    uses.add(self.uses(when, frame).iter(), Role::Condition);
                    uses.add(self.uses(then, frame).iter(), COMPUTED);
                }
                if let Some(subject) = &case.expr {
                    uses.add(self.uses(subject, frame).iter(), Role::Condition);
                }
                if let Some(otherwise) = &case.else_expr {
                    uses.add(self.uses(otherwise, frame).iter(), COMPUTED);
                }
                made(uses)
            }
            Expr::ScalarSubquery(subquery) => self.scalar_subquery(subquery, frame),
            Expr::Exists(exists) => made(self.subquery(&exists.subquery, frame, false)),
            Expr::InSubquery(membership) => {
                let mut uses = Uses::default();
                uses.add(self.uses(&membership.expr, frame).iter(), TESTED);
                uses.join(self.subquery(&membership.subquery, frame, true).iter());
                made(uses)
            }
            Expr::SetComparison(comparison) => {
                let mut uses = Uses::default();
                uses.add(self.uses(&comparison.expr, frame).iter(), TESTED);
                uses.join(self.subquery(&comparison.subquery, frame, true).iter());
                made(uses)
            }
            // The parameters of a lambda stand for elements of the lists that its function gets.
            Expr::LambdaVariable(_) | Expr::Literal(..) | Expr::Placeholder(_) | Expr::ScalarVariable(..) => {
                Value::default()
            }
            other => made(self.children(other, if is_predicate(other) { TESTED } else { COMPUTED }, frame)),
        }
    }

    /// What the parts of `expr` are made from.
    fn children(&mut self, expr: &Expr, role: Role, frame: &Frame) -> Uses {
        let mut uses = Uses::default();
        // The closure never fails.
        let _ = expr.apply_children(|child| {
            uses.add(self.uses(child, frame).iter(), role);
            Ok(TreeNodeRecursion::Continue)
        });
        uses
    }

    fn cast(&mut self, inner: &Expr, to: &DataType, frame: &Frame) -> Value {
        let value = self.value(inner, frame);
        let keeps = value.is_copy
            && match frame.as_slice() {
                [(schema, _)] => inner.get_type(schema.as_ref()).is_ok_and(|from| is_lossless(&from, to)),
                _ => false,
            };
        if keeps {
            return Value { uses: value.uses, is_copy: true, ..Value::default() };
        }
        computed(value.uses)
    }

    fn scalar_function(&mut self, function: &ScalarFunction, frame: &Frame) -> Value {
        let name = function.name();
        if name == "get_field"
            && let [base, fields @ ..] = function.args.as_slice()
        {
            return self.field(base, fields, frame);
        }
        let mut uses = Uses::default();
        let mut values = Vec::new();
        for (index, arg) in function.args.iter().enumerate() {
            let mut value = self.value(arg, frame);
            if functions::makes_struct(name) && !(value.is_copy && value.text.is_none()) {
                value.text = Some(text::of(arg, frame));
            }
            let role = match () {
                () if functions::is_condition(name, index) => Role::Condition,
                () if functions::is_predicate(name) => TESTED,
                () => COMPUTED,
            };
            uses.add(value.uses.iter(), role);
            values.push(value);
        }
        let fields = functions::makes_struct(name).then(|| struct_fields(name, &function.args, values)).flatten();
        Value { fields: fields.map(Arc::new), ..made(uses) }
    }

    /// `base['a']['b']`: a part of a copied column is a copy as well.
    fn field(&mut self, base: &Expr, fields: &[Expr], frame: &Frame) -> Value {
        let mut value = self.value(base, frame);
        for field in fields {
            value = match field {
                Expr::Literal(key, _) => match key.try_as_str().flatten() {
                    Some(name) => self.part(&value, name),
                    None => computed(value.uses),
                },
                key => {
                    let mut uses = Uses::default();
                    uses.add(value.uses.iter(), COMPUTED);
                    uses.add(self.uses(key, frame).iter(), Role::Condition);
                    made(uses)
                }
            };
        }
        value
    }

    /// The field `name` of `value`.
    pub(super) fn part(&mut self, value: &Value, name: &str) -> Value {
        if let Some(fields) = &value.fields
            && let Some((_, field)) = fields.iter().find(|(other, _)| other == name)
        {
            return Value::clone(field);
        }
        if !value.is_copy {
            return computed(value.uses.clone());
        }
        let uses = value.uses.map(|mut one| {
            if one.kind == super::Kind::Copied {
                one.origin = self.inside(one.origin, name);
            }
            one
        });
        Value { uses, is_copy: true, ..Value::default() }
    }

    fn aggregate(&mut self, function: &AggregateFunction, frame: &Frame) -> Uses {
        let params = &function.params;
        let name = function.func.name();
        let role = Role::Aggregated { carries: functions::gives_values(name) };
        let mut uses = Uses::default();
        for (index, arg) in params.args.iter().enumerate() {
            let chosen = index == 1 && functions::is_chosen_by_second(name);
            uses.add(self.uses(arg, frame).iter(), if chosen { Role::Condition } else { role });
        }
        for sort in &params.order_by {
            uses.add(self.uses(&sort.expr, frame).iter(), Role::Condition);
        }
        if let Some(filter) = &params.filter {
            uses.add(self.uses(filter, frame).iter(), Role::Condition);
        }
        uses
    }

    fn window(&mut self, function: &WindowFunction, frame: &Frame) -> Uses {
        use datafusion::logical_expr::WindowFunctionDefinition as Definition;
        let params = &function.params;
        let name = function.fun.name();
        let role = match &function.fun {
            Definition::AggregateUDF(_) => Role::Aggregated { carries: functions::gives_values(name) },
            Definition::WindowUDF(_) => Role::Transformed { carries: functions::reads_other_rows(name) },
        };
        let mut uses = Uses::default();
        for arg in &params.args {
            uses.add(self.uses(arg, frame).iter(), role);
        }
        let sorted = params.order_by.iter().map(|sort| &sort.expr);
        for expr in params.partition_by.iter().chain(sorted) {
            uses.add(self.uses(expr, frame).iter(), Role::Window);
        }
        if let Some(filter) = &params.filter {
            uses.add(self.uses(filter, frame).iter(), Role::Condition);
        }
        uses
    }

    /// A value looked up elsewhere: what decides about the rows there decides which value it is.
    fn scalar_subquery(&mut self, subquery: &Subquery, frame: &Frame) -> Value {
        let output = self.inner(subquery, frame);
        let Some(column) = output.columns.first() else { return Value::default() };
        let mut value = Value { text: None, is_inline: false, ..Value::clone(column) };
        let conditions = self.conditions(&output);
        value.uses.join(conditions.iter());
        value
    }

    /// What the rows of a subquery depend on, and its column if that is `compared`.
    fn subquery(&mut self, subquery: &Subquery, frame: &Frame, compared: bool) -> Uses {
        let output = self.inner(subquery, frame);
        let mut uses = self.conditions(&output);
        if let Some(column) = output.columns.first().filter(|_| compared) {
            uses.add(column.uses.iter(), TESTED);
        }
        uses
    }

    fn inner(&mut self, subquery: &Subquery, frame: &Frame) -> Arc<Output> {
        self.scopes.push(frame.clone());
        let output = self.plan(&subquery.subquery);
        self.scopes.pop();
        output
    }

    fn conditions(&self, output: &Output) -> Uses {
        let mut uses = Uses::default();
        for (origin, _) in output.rows.flatten() {
            uses.add(Uses::one(origin).iter(), Role::Condition);
        }
        uses
    }

    /// A column of a query around this one.
    fn outer(&self, column: &Column) -> Option<Arc<Value>> {
        self.scopes.iter().rev().find_map(|frame| find(frame, column)).map(Arc::clone)
    }
}

/// A value that was made, not taken.
fn made(uses: Uses) -> Value {
    Value { uses, ..Value::default() }
}

/// A value that was computed from what `uses` says.
pub(super) fn computed(uses: Uses) -> Value {
    let mut all = Uses::default();
    all.add(uses.iter(), COMPUTED);
    made(all)
}

/// True for what answers yes or no.
fn is_predicate(expr: &Expr) -> bool {
    match expr {
        Expr::BinaryExpr(binary) => matches!(
            binary.op,
            Operator::Eq
                | Operator::NotEq
                | Operator::Lt
                | Operator::LtEq
                | Operator::Gt
                | Operator::GtEq
                | Operator::IsDistinctFrom
                | Operator::IsNotDistinctFrom
                | Operator::RegexMatch
                | Operator::RegexIMatch
                | Operator::RegexNotMatch
                | Operator::RegexNotIMatch
                | Operator::LikeMatch
                | Operator::ILikeMatch
                | Operator::NotLikeMatch
                | Operator::NotILikeMatch
        ),
        Expr::Like(_)
        | Expr::SimilarTo(_)
        | Expr::IsNull(_)
        | Expr::IsNotNull(_)
        | Expr::IsTrue(_)
        | Expr::IsNotTrue(_)
        | Expr::IsFalse(_)
        | Expr::IsNotFalse(_)
        | Expr::IsUnknown(_)
        | Expr::IsNotUnknown(_)
        | Expr::Between(_)
        | Expr::InList(_) => true,
        _ => false,
    }
}

/// The fields of `named_struct('a', x, ..)` or `struct(x, ..)`.
fn struct_fields(function: &str, args: &[Expr], values: Vec<Value>) -> Option<Vec<(String, Arc<Value>)>> {
    if function == "struct" {
        let named = values.into_iter().enumerate().map(|(index, value)| (format!("c{index}"), Arc::new(value)));
        return Some(named.collect());
    }
    let mut fields = Vec::new();
    for (index, value) in values.into_iter().enumerate().skip(1).step_by(2) {
        let Expr::Literal(name, _) = args.get(index - 1)? else { return None };
        fields.push((ScalarValue::try_as_str(name).flatten()?.to_string(), Arc::new(value)));
    }
    Some(fields)
}
