//! Expressions.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::jinja::stop::{Result, Stop, fail};
use crate::jinja::syntax::ast::{BinaryOp, CompareOp, Expr, ExprKind, Filter, IfElse, Loc, Slice, Test};
use crate::jinja::value::{Key, Map, Value, binary, compare, concat, contains, equals, negate, slice};
use crate::jinja::{filters, predicates};

use super::Interpreter;

impl Interpreter<'_> {
    /// The value of an expression. Errors that have no place yet get the place of the innermost expression.
    pub(super) fn eval(&mut self, expr: &Expr) -> Result {
        let result = match &expr.kind {
            ExprKind::Str(text) => return Ok(Value::Str(Arc::clone(text))),
            ExprKind::Int(number) => return Ok(Value::Int(*number)),
            ExprKind::Bool(value) => return Ok(Value::Bool(*value)),
            ExprKind::None => return Ok(Value::None),
            ExprKind::Float(number) => return Ok(Value::Float(*number)),
            ExprKind::Name(name) => {
                self.spend(1)?;
                return Ok(self.eval_name(name));
            }
            ExprKind::Call(call) => {
                self.step()?;
                return self.eval_call(call, expr.at, None);
            }
            _ => self.eval_compound(expr),
        };
        result.map_err(|stop| self.place(stop, expr.at))
    }

    fn eval_compound(&mut self, expr: &Expr) -> Result {
        self.step()?;
        match &expr.kind {
            ExprKind::Attr(base, name) => {
                let base = self.eval(base)?;
                self.get_attr(&base, name)
            }
            ExprKind::Item(base, index) => {
                let base = self.eval(base)?;
                let index = self.eval(index)?;
                self.get_item(&base, &index)
            }
            ExprKind::Filter(filter) => self.eval_filter(filter, None, expr.at),
            ExprKind::Test(test) => self.eval_test(test),
            ExprKind::Binary(first, rest) => self.eval_binary(first, rest),
            ExprKind::Concat(items) => self.eval_concat(items),
            ExprKind::Compare(first, rest) => self.eval_compare(first, rest),
            ExprKind::And(items) => self.eval_logic(items, false),
            ExprKind::Or(items) => self.eval_logic(items, true),
            ExprKind::Not(inner) => Ok(Value::Bool(!self.eval(inner)?.is_true())),
            ExprKind::IfElse(item) => self.eval_if(item),
            ExprKind::List(items) => Ok(Value::list(self.eval_all(items)?)),
            ExprKind::Tuple(items) => Ok(Value::tuple(self.eval_all(items)?)),
            ExprKind::Dict(entries) => self.eval_dict(entries),
            ExprKind::Slice(item) => self.eval_slice(item),
            ExprKind::Neg(inner) => negate(&self.eval(inner)?),
            ExprKind::Pos(inner) => {
                let value = self.eval(inner)?;
                match value.as_float() {
                    Some(_) => Ok(value),
                    None => Err(fail(format!("bad operand type for unary +: '{}'", value.type_name()))),
                }
            }
            // The forms that `eval` answers itself.
            _ => Ok(Value::None),
        }
    }

    fn eval_all(&mut self, items: &[Expr]) -> Result<Vec<Value>> {
        items.iter().map(|item| self.eval(item)).collect()
    }

    fn eval_dict(&mut self, entries: &[(Expr, Expr)]) -> Result {
        let mut map = Map::with_capacity(entries.len());
        for (key, value) in entries {
            let key = self.eval(key)?;
            let value = self.eval(value)?;
            map.insert(Key::new(key)?, value);
        }
        Ok(Value::dict(map))
    }

    fn eval_slice(&mut self, item: &Slice) -> Result {
        let base = self.eval(&item.base)?;
        let mut part = |expr: &Option<Expr>| expr.as_ref().map(|expr| self.eval(expr)).transpose();
        let (start, stop, step) = (part(&item.start)?, part(&item.stop)?, part(&item.step)?);
        let result = slice(&base, start, stop, step)?;
        self.spend_on(&result)?;
        Ok(result)
    }

    fn eval_binary(&mut self, first: &Expr, rest: &[(BinaryOp, Expr)]) -> Result {
        let mut value = self.eval(first)?;
        for (op, right) in rest {
            let operand = self.eval(right)?;
            let result = binary(*op, &value, &operand);
            value = result.map_err(|stop| self.explain(stop, (&value, first.at), (&operand, right.at)))?;
            self.spend_on(&value)?;
        }
        Ok(value)
    }

    /// Adds "did you mean" to errors about undefined operands.
    #[cold]
    fn explain(&self, stop: Stop, left: (&Value, Loc), right: (&Value, Loc)) -> Stop {
        for (value, at) in [left, right] {
            if let (Stop::Error(error), Value::Undefined(undefined)) = (&stop, value)
                && error.message == undefined.message
            {
                return self.place(self.undefined_error(undefined, false), at);
            }
        }
        stop
    }

    fn eval_concat(&mut self, items: &[Expr]) -> Result {
        let values = self.eval_all(items)?;
        let result = concat(&values)?;
        self.spend_on(&result)?;
        Ok(result)
    }

    fn eval_compare(&mut self, first: &Expr, rest: &[(CompareOp, Expr)]) -> Result {
        let mut left = self.eval(first)?;
        let mut left_at = first.at;
        for (op, right) in rest {
            let operand = self.eval(right)?;
            let holds = match self.names_contain(*op, &left, &operand) {
                Some(holds) => Ok(holds),
                None => compared(*op, &left, &operand),
            };
            if !holds.map_err(|stop| self.explain(stop, (&left, left_at), (&operand, right.at)))? {
                return Ok(Value::Bool(false));
            }
            left = operand;
            left_at = right.at;
        }
        Ok(Value::Bool(true))
    }

    /// `and` and `or` give one of their operands, as in Python.
    fn eval_logic(&mut self, items: &[Expr], stop_at: bool) -> Result {
        let mut value = Value::None;
        for item in items {
            value = self.eval(item)?;
            if value.is_true() == stop_at {
                break;
            }
        }
        Ok(value)
    }

    fn eval_if(&mut self, item: &IfElse) -> Result {
        if self.eval(&item.condition)?.is_true() {
            return self.eval(&item.then);
        }
        match &item.other {
            Some(other) => self.eval(other),
            None => Ok(Value::undefined_because(
                "",
                "the inline if-expression evaluated to false and no else section was defined".to_string(),
            )),
        }
    }

    /// A filter; the innermost one without input gets `text`.
    fn eval_filter(&mut self, filter: &Filter, text: Option<Value>, at: Loc) -> Result {
        let input = match (&filter.input, text) {
            (None, text) => text.unwrap_or(Value::None),
            (Some(inner), None) => self.eval(inner)?,
            (Some(inner), Some(text)) => self.filter_text(inner, text)?,
        };
        let Some(function) = filters::find(&filter.name) else {
            let mut error = crate::diag::Diagnostic::error(
                crate::diag::codes::JINJA_UNDEFINED,
                format!("no filter named '{}'", filter.name),
            )
            .label(filter.name_at.span(&self.frame.file), "");
            if let Some(near) = crate::stdx::closest(&filter.name, filters::NAMES.iter().copied()) {
                error = error.help(format!("did you mean `{near}`?"));
            }
            return Err(error.into());
        };
        let args = self.eval_args(&filter.args, None)?;
        let outer = std::mem::replace(&mut self.site, at);
        let result = function(self, input, args);
        self.site = outer;
        let value = result?;
        self.spend_on(&value)?;
        Ok(value)
    }

    /// Sends a text through the filters of a block.
    pub(super) fn filter_text(&mut self, filter: &Expr, text: Value) -> Result {
        self.step()?;
        match &filter.kind {
            ExprKind::Filter(inner) => {
                self.eval_filter(inner, Some(text), filter.at).map_err(|stop| self.place(stop, filter.at))
            }
            _ => Ok(text),
        }
    }

    fn eval_test(&mut self, test: &Test) -> Result {
        let input = self.eval(&test.input)?;
        let Some(function) = predicates::find(&test.name) else {
            let mut error = crate::diag::Diagnostic::error(
                crate::diag::codes::JINJA_UNDEFINED,
                format!("no test named '{}'", test.name),
            )
            .label(test.name_at.span(&self.frame.file), "");
            if let Some(near) = crate::stdx::closest(&test.name, predicates::NAMES.iter().copied()) {
                error = error.help(format!("did you mean `{near}`?"));
            }
            return Err(error.into());
        };
        let args = self.eval_args(&test.args, None)?;
        let result = function(self, &input, args)?;
        Ok(Value::Bool(result != test.negated))
    }
}

/// `left op right`.
pub(crate) fn compared(op: CompareOp, left: &Value, right: &Value) -> Result<bool> {
    Ok(match op {
        CompareOp::Eq => equals(left, right),
        CompareOp::Ne => !equals(left, right),
        CompareOp::Lt => compare(left, right, "<")? == Ordering::Less,
        CompareOp::Le => compare(left, right, "<=")? != Ordering::Greater,
        CompareOp::Gt => compare(left, right, ">")? == Ordering::Greater,
        CompareOp::Ge => compare(left, right, ">=")? != Ordering::Less,
        CompareOp::In => contains(right, left)?,
        CompareOp::NotIn => !contains(right, left)?,
    })
}
