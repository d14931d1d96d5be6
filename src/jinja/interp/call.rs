//! Calls: of macros, functions, methods and objects.

use std::sync::Arc;

use crate::diag::{Diagnostic, codes};
use crate::jinja::methods;
use crate::jinja::stop::{Result, Stop, fail};
use crate::jinja::syntax::ast::{Arg, Call, ExprKind, Loc, Macro, MacroKind};
use crate::jinja::value::{Args, MacroValue, Map, Value};

use super::{CallSite, Frame, Interpreter, Vars};

impl Interpreter<'_> {
    /// Evaluates a call; `caller` is the body of a `{% call %}`.
    pub(super) fn eval_call(&mut self, call: &Call, at: Loc, caller: Option<Value>) -> Result {
        let outer = self.site;
        let result = match &call.callee.kind {
            ExprKind::Attr(base, name) => {
                let base = self.eval(base)?;
                let args = self.eval_args(&call.args, caller)?;
                self.site = at;
                self.call_method(&base, name, args)
            }
            _ => {
                let callee = self.eval(&call.callee)?;
                let args = self.eval_args(&call.args, caller)?;
                self.site = at;
                let result = self.call(&callee, args);
                match result {
                    Err(stop) if callee.is_undefined() => Err(self.place(stop, call.callee.at)),
                    other => other,
                }
            }
        };
        let result = match result {
            Ok(value) => self.spend_on(&value).map(|()| value),
            Err(stop) => Err(self.place(stop, at)),
        };
        self.site = outer;
        result
    }

    pub(super) fn eval_args(&mut self, args: &[Arg], caller: Option<Value>) -> Result<Args> {
        let mut out = Args { positional: Vec::with_capacity(args.len()), keyword: Vec::new() };
        for arg in args {
            match arg {
                Arg::Positional(expr) => {
                    let value = self.eval(expr)?;
                    out.positional.push(value);
                }
                Arg::Keyword(name, expr) => {
                    let value = self.eval(expr)?;
                    out.keyword.push((Arc::clone(name), value));
                }
                Arg::Splat(expr) => {
                    let value = self.eval(expr)?;
                    let items = value.items().map_err(|stop| self.place(stop, expr.at))?;
                    self.spend(items.len() as u64)?;
                    out.positional.extend(items);
                }
                Arg::KeywordSplat(expr) => {
                    let value = self.eval(expr)?;
                    splat_keywords(&value, &mut out).map_err(|stop| self.place(stop, expr.at))?;
                }
            }
        }
        if let Some(caller) = caller {
            out.keyword.push((Arc::from("caller"), caller));
        }
        Ok(out)
    }

    /// `callee(args)`.
    pub fn call(&mut self, callee: &Value, args: Args) -> Result {
        match callee {
            Value::Macro(item) => self.call_macro(item, args),
            Value::Function(function) => {
                let function = std::rc::Rc::clone(function);
                function.call(self, args)
            }
            Value::Method(method) => {
                let method = std::rc::Rc::clone(method);
                self.call_method(&method.receiver, &method.name, args)
            }
            Value::Object(object) if object.is_callable() => {
                let object = std::rc::Rc::clone(object);
                object.call(self, args)
            }
            Value::Undefined(undefined) if undefined.lenient => Ok(callee.clone()),
            Value::Undefined(undefined) => Err(self.undefined_error(undefined, true)),
            _ => Err(fail(format!("'{}' object is not callable", callee.type_name()))),
        }
    }

    /// `base.name(args)`.
    pub fn call_method(&mut self, base: &Value, name: &str, args: Args) -> Result {
        match base {
            Value::Object(object) if object.methods().contains(&name) => {
                let object = std::rc::Rc::clone(object);
                object.call_method(self, name, args)
            }
            Value::Object(_) | Value::Undefined(_) => {
                let callee = self.get_attr(base, name)?;
                self.call(&callee, args)
            }
            _ if methods::has(base, name) => methods::call(self, base, name, args),
            _ => {
                let callee = self.get_attr(base, name)?;
                self.call(&callee, args)
            }
        }
    }

    /// Calls a macro by its definition, for the program: `generate_schema_name` and the like.
    pub fn call_definition(&mut self, item: &Arc<Macro>, args: Args) -> Result {
        let value = Value::of_macro(Arc::clone(item));
        self.entered(|interp| interp.call(&value, args))
    }

    fn call_macro(&mut self, value: &MacroValue, args: Args) -> Result {
        let item = value.definition();
        self.step()?;
        if self.calls.len() >= self.options.limits.depth as usize {
            let what = format!("is called at a depth of more than {} calls", self.options.limits.depth);
            let found = Diagnostic::error(codes::JINJA_LIMIT, format!("macro `{}` {what}", item.name));
            return Err(found.help("a macro that calls itself needs an `if` that ends it").into());
        }
        if matches!(item.kind, MacroKind::Macro | MacroKind::Test | MacroKind::Materialization)
            && !item.package.is_empty()
        {
            self.context.on_macro(item);
        }
        let (vars, missing) = bind(item, value, args)?;
        let frame = Frame {
            file: Arc::clone(&item.file),
            file_number: self.recorder.file(&item.file),
            package: Arc::clone(&item.package),
            vars,
            scope: value.captured().len(),
            lenient: self.options.lenient && item.package.is_empty(),
        };
        let site = self.site;
        let chain = self.recorder.enter(&item.name, self.frame.file_number, site);
        let outer = std::mem::replace(&mut self.frame, frame);
        self.calls.push(CallSite { name: Arc::clone(&item.name), file: Arc::clone(&outer.file), at: site });
        let out = std::mem::take(&mut self.out);
        let result = self.run_macro(item, missing);
        let buffer = std::mem::replace(&mut self.out, out);
        self.calls.pop();
        self.frame = outer;
        self.site = site;
        self.recorder.leave(chain);
        match result {
            Ok(()) => self.keep(buffer),
            Err(Stop::Return(value)) if item.kind != MacroKind::Caller => Ok(*value),
            Err(stop) => Err(stop),
        }
    }

    /// Fills in defaults, then runs the body.
    fn run_macro(&mut self, item: &Macro, missing: Vec<usize>) -> Result<()> {
        for at in missing {
            let param = &item.params[at];
            let value = match &param.default {
                Some(default) => self.eval(default)?,
                None => Value::undefined_because(&param.name, format!("parameter '{}' was not provided", param.name)),
            };
            self.assign_name(&param.name, value);
        }
        self.body(&item.body).map(drop)
    }
}

/// The variables that the call starts with, and the parameters that were not given.
fn bind(item: &Macro, value: &MacroValue, args: Args) -> Result<(Vars, Vec<usize>)> {
    let Args { positional, mut keyword } = args;
    let mut vars = value.captured().clone();
    let mut missing = Vec::new();
    let mut positional = positional.into_iter();
    for (at, param) in item.params.iter().enumerate() {
        let given = positional.next().or_else(|| {
            let at = keyword.iter().position(|(name, _)| *name == param.name)?;
            Some(keyword.remove(at).1)
        });
        match given {
            Some(value) => vars.push((Arc::clone(&param.name), value)),
            None => missing.push(at),
        }
    }
    let rest: Vec<Value> = positional.collect();
    if item.uses_caller && !item.params.iter().any(|param| &*param.name == "caller") {
        let at = keyword.iter().position(|(name, _)| &**name == "caller");
        let caller = match at {
            Some(at) => keyword.remove(at).1,
            None => Value::undefined_because("caller", "no caller defined".to_string()),
        };
        vars.push((Arc::from("caller"), caller));
    }
    if item.uses_kwargs {
        let map: Map = keyword.drain(..).map(|(name, value)| (crate::jinja::value::Key::text(&name), value)).collect();
        vars.push((Arc::from("kwargs"), Value::dict(map)));
    } else if let Some((name, _)) = keyword.first() {
        return Err(fail(format!("macro '{}' takes no keyword argument '{name}'", item.name)));
    }
    if item.uses_varargs {
        vars.push((Arc::from("varargs"), Value::tuple(rest)));
    } else if !rest.is_empty() {
        let count = item.params.len();
        return Err(fail(format!("macro '{}' takes not more than {count} argument(s)", item.name)));
    }
    Ok((vars, missing))
}

fn splat_keywords(value: &Value, out: &mut Args) -> Result<()> {
    let Value::Dict(cell) = value else {
        return Err(fail(format!("argument after ** must be a mapping, not {}", value.type_name())));
    };
    for (key, value) in cell.borrow().iter() {
        let Some(name) = key.value().as_str() else { return Err(fail("keywords must be strings")) };
        if out.keyword.iter().any(|(other, _)| &**other == name) {
            return Err(fail(format!("got multiple values for keyword argument '{name}'")));
        }
        out.keyword.push((Arc::from(name), value.clone()));
    }
    Ok(())
}
