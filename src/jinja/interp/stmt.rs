//! Statements.

use std::sync::Arc;

use crate::jinja::output::Buffer;
use crate::jinja::stop::{Result, fail};
use crate::jinja::syntax::ast::{CallBlock, Expr, FilterBlock, If, Loc, Macro, SetBlock, Stmt, Target, With};
use crate::jinja::value::{MacroValue, Value};

use super::Interpreter;
use crate::jinja::functions::Namespace;

/// What follows a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    /// The next one.
    Next,
    /// The end of the loop.
    Break,
    /// The next item of the loop.
    Continue,
}

impl Interpreter<'_> {
    pub(super) fn body(&mut self, body: &[Stmt]) -> Result<Flow> {
        for statement in body {
            let flow = match statement {
                Stmt::Text(at) => self.write_text(*at)?,
                Stmt::Emit(expr, at) => self.emit(expr, *at)?,
                _ => self.statement(statement)?,
            };
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn statement(&mut self, statement: &Stmt) -> Result<Flow> {
        self.step()?;
        match statement {
            Stmt::Text(_) | Stmt::Emit(..) => {}
            Stmt::For(item) => return self.run_for(item),
            Stmt::If(item) => return self.run_if(item),
            Stmt::Set(target, value) => self.set(target, value)?,
            Stmt::SetBlock(item) => self.set_block(item)?,
            Stmt::With(item) => return self.with(item),
            Stmt::FilterBlock(item) => self.filter_block(item)?,
            Stmt::CallBlock(item) => self.call_block(item)?,
            Stmt::Macro(item) => self.define(item),
            Stmt::Do(expr) => drop(self.eval(expr)?),
            Stmt::Break => return Ok(Flow::Break),
            Stmt::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::Next)
    }

    fn write_text(&mut self, at: Loc) -> Result<Flow> {
        self.recorder.mark(&mut self.out, self.frame.file_number, at, true);
        self.out.text.push_str(&self.frame.file.text[at.range()]);
        self.check_output(at)?;
        Ok(Flow::Next)
    }

    fn check_output(&mut self, at: Loc) -> Result<()> {
        self.spend((at.end - at.start) as u64 / 16 + 1)?;
        if self.out.text.len() > self.options.limits.output {
            let limit = crate::stdx::human_bytes(self.options.limits.output as u64);
            let stop = self.limit(&format!("writes more than {limit}"));
            return Err(self.place(stop, at));
        }
        Ok(())
    }

    fn emit(&mut self, expr: &Expr, at: Loc) -> Result<Flow> {
        let value = self.eval(expr)?;
        self.write_value(&value, at)?;
        Ok(Flow::Next)
    }

    /// Writes what `{{ value }}` writes.
    pub(super) fn write_value(&mut self, value: &Value, at: Loc) -> Result<()> {
        let before = self.out.text.len();
        match value {
            Value::Str(text) => self.recorder.write(&mut self.out, text, self.frame.file_number, at),
            Value::Undefined(_) => {}
            _ => {
                self.recorder.mark(&mut self.out, self.frame.file_number, at, false);
                let text = value.text();
                self.out.text.push_str(&text);
            }
        }
        self.spend((self.out.text.len() - before) as u64 / 16)?;
        self.check_output(at)
    }

    /// What `run` writes, as a value.
    pub(super) fn capture(&mut self, run: impl FnOnce(&mut Self) -> Result<()>) -> Result {
        let outer = std::mem::take(&mut self.out);
        let result = run(self);
        let buffer = std::mem::replace(&mut self.out, outer);
        result?;
        self.keep(buffer)
    }

    /// A buffer as a value that remembers where its text comes from.
    pub(super) fn keep(&mut self, mut buffer: Buffer) -> Result {
        let text: Arc<str> = std::mem::take(&mut buffer.text).into();
        self.spend(text.len() as u64 / 16)?;
        self.recorder.remember(&text, buffer);
        Ok(Value::Str(text))
    }

    /// Runs `run` in a scope of its own.
    pub(super) fn scoped<T>(&mut self, run: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let scope = std::mem::replace(&mut self.frame.scope, self.frame.vars.len());
        let start = self.frame.scope;
        let result = run(self);
        self.frame.vars.truncate(start);
        self.frame.scope = scope;
        result
    }

    fn run_if(&mut self, item: &If) -> Result<Flow> {
        for (condition, body) in &item.branches {
            if self.eval(condition)?.is_true() {
                return self.body(body);
            }
        }
        self.body(&item.otherwise)
    }

    fn set(&mut self, target: &Target, value: &Expr) -> Result<()> {
        let result = self.eval(value)?;
        self.assign(target, result)
    }

    fn set_block(&mut self, item: &SetBlock) -> Result<()> {
        let text = self.capture(|interp| interp.scoped(|interp| interp.body(&item.body)).map(drop))?;
        let value = match &item.filter {
            Some(filter) => self.filter_text(filter, text)?,
            None => text,
        };
        self.assign(&item.target, value)
    }

    fn filter_block(&mut self, item: &FilterBlock) -> Result<()> {
        let text = self.capture(|interp| interp.scoped(|interp| interp.body(&item.body)).map(drop))?;
        let value = self.filter_text(&item.filter, text)?;
        self.write_value(&value, item.filter.at)
    }

    fn with(&mut self, item: &With) -> Result<Flow> {
        let values = item.assignments.iter().map(|(_, value)| self.eval(value)).collect::<Result<Vec<_>>>()?;
        self.scoped(|interp| {
            for ((target, _), value) in item.assignments.iter().zip(values) {
                interp.assign(target, value)?;
            }
            interp.body(&item.body)
        })
    }

    fn call_block(&mut self, item: &CallBlock) -> Result<()> {
        let caller = self.closure(&item.caller);
        let value = self.eval_call(&item.call, item.at, Some(caller)).map_err(|stop| self.place(stop, item.at))?;
        self.write_value(&value, item.at)
    }

    /// A macro inside of a template, with the variables that it sees.
    fn closure(&mut self, item: &Arc<Macro>) -> Value {
        MacroValue::with_captured(Arc::clone(item), self.frame.vars.clone())
    }

    /// As in dbt, a macro inside of a template gets a name under which only the initiated find it: macros belong into
    /// files of their own.
    fn define(&mut self, item: &Arc<Macro>) {
        let value = self.closure(item);
        self.assign_name(&Arc::from(format!("dbt_macro__{}", item.name)), value);
    }

    /// Assigns in the innermost scope.
    pub(super) fn assign_name(&mut self, name: &Arc<str>, value: Value) {
        let scope = self.frame.scope;
        match self.frame.vars[scope..].iter_mut().find(|(other, _)| other == name) {
            Some((_, slot)) => *slot = value,
            None => self.frame.vars.push((Arc::clone(name), value)),
        }
    }

    pub(super) fn assign(&mut self, target: &Target, value: Value) -> Result<()> {
        match target {
            Target::Name(name, _) => {
                self.assign_name(name, value);
                Ok(())
            }
            Target::Attr(name, attr, at) => {
                let holder = self.lookup(name);
                match holder.as_ref().and_then(|holder| holder.as_object::<Namespace>()) {
                    Some(namespace) => {
                        namespace.set(attr, value);
                        Ok(())
                    }
                    None => {
                        let stop = fail(format!("cannot assign attribute on non-namespace object `{name}`"));
                        Err(self.place(stop, *at))
                    }
                }
            }
            Target::Tuple(targets, at) => {
                let items = self.unpack(&value, targets.len()).map_err(|stop| self.place(stop, *at))?;
                targets.iter().zip(items).try_for_each(|(target, item)| self.assign(target, item))
            }
        }
    }

    fn unpack(&mut self, value: &Value, expected: usize) -> Result<Vec<Value>> {
        let items = match value {
            Value::Undefined(undefined) => return Err(undefined.error()),
            Value::Tuple(items) if items.len() == expected => return Ok(items.to_vec()),
            _ => value.items().map_err(|_| fail(format!("cannot unpack non-iterable {} object", value.type_name())))?,
        };
        match items.len() {
            len if len == expected => Ok(items),
            len if len < expected => Err(fail(format!("not enough values to unpack (expected {expected}, got {len})"))),
            _ => Err(fail(format!("too many values to unpack (expected {expected})"))),
        }
    }
}
