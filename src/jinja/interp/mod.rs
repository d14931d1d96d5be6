//! The evaluator: walks the tree, keeps the scopes, counts what is used up.
//!
//! One [`Interpreter`] belongs to one thread and one rendering after the other. A *frame* is what a template or a macro
//! call sees of its own: variables, in nested scopes of one vector. Everything else a name can mean is looked up in
//! [`Interpreter::resolve`].

mod access;
mod call;
mod errors;
mod expr;
mod loops;
mod names;
mod stmt;

use std::sync::Arc;

use chrono::{DateTime, Utc};

pub(crate) use expr::compared;

use crate::diag::{Diagnostic, SourceFile, Span};

use super::env::{Context, Environment};
use super::limits::Limits;
use super::output::{Buffer, Recorder, Rendered, SourceMap};
use super::stop::{Result, Stop};
use super::syntax::ast::{Expr, Loc, Stmt, Template};
use super::value::Value;

/// How to render.
#[derive(Debug, Clone)]
pub struct Options {
    /// The package of the node: bare macro names are looked up there first. Empty: the root project.
    pub package: Arc<str>,
    /// What `modules.datetime.datetime.now()` answers.
    pub now: DateTime<Utc>,
    /// Attributes and calls of names that are not there are undefined instead of errors, in the template itself (not
    /// in macros): dbt's way while it parses.
    pub lenient: bool,
    /// Keep a source map.
    pub map: bool,
    /// Filters `as_bool`, `as_number`, `as_native` convert, as in configuration files; in SQL they do nothing.
    pub native: bool,
    /// What may be used up.
    pub limits: Limits,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            package: Arc::from(""),
            now: DateTime::UNIX_EPOCH,
            lenient: false,
            map: true,
            native: false,
            limits: Limits::default(),
        }
    }
}

/// Variables; later ones hide earlier ones.
type Vars = Vec<(Arc<str>, Value)>;

/// What a template or a macro call sees of its own.
struct Frame {
    file: Arc<SourceFile>,
    /// Number of the file for the source map.
    file_number: u32,
    /// Package of the macro; empty in templates.
    package: Arc<str>,
    vars: Vars,
    /// Where the innermost scope starts in `vars`.
    scope: usize,
    lenient: bool,
}

/// A macro call that has not returned.
struct CallSite {
    name: Arc<str>,
    file: Arc<SourceFile>,
    at: Loc,
}

/// Renders templates and calls macros.
pub struct Interpreter<'e> {
    env: &'e Environment,
    context: &'e dyn Context,
    options: Options,
    fuel: u64,
    stack_base: usize,
    frame: Frame,
    out: Buffer,
    recorder: Recorder,
    calls: Vec<CallSite>,
    /// How many renderings and calls by the program are going on, one inside of the other.
    active: u32,
    /// The call or filter that is being evaluated, in the file of the frame.
    site: Loc,
    modules: Option<Value>,
}

/// Roughly where the native stack ends now.
fn stack_position() -> usize {
    let marker = 0_u8;
    std::hint::black_box(&raw const marker) as usize
}

impl<'e> Interpreter<'e> {
    /// An interpreter for the macros of `env` and the names of `context`.
    pub fn new(env: &'e Environment, context: &'e dyn Context, mut options: Options) -> Interpreter<'e> {
        if options.package.is_empty() {
            options.package = Arc::clone(env.root());
        }
        let mut recorder = Recorder::new(options.map);
        let frame = new_frame(&mut recorder, &SourceFile::new("", ""), options.lenient);
        Interpreter {
            env,
            context,
            fuel: options.limits.fuel,
            options,
            stack_base: stack_position(),
            frame,
            out: Buffer::default(),
            recorder,
            calls: Vec::new(),
            active: 0,
            site: Loc::default(),
            modules: None,
        }
    }

    /// The macros.
    pub fn env(&self) -> &'e Environment {
        self.env
    }

    /// How it renders.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The call (of a function, a filter, a macro) that is being evaluated: for functions that want to point at it.
    pub fn site(&self) -> Span {
        self.site.span(&self.frame.file)
    }

    /// The macros that are being called, the outermost first.
    pub fn macro_stack(&self) -> impl Iterator<Item = &str> {
        self.calls.iter().map(|call| &*call.name)
    }

    /// Renders a template.
    pub fn render(&mut self, template: &Template) -> Result<Rendered, Box<Diagnostic>> {
        self.render_with(template, Vec::new())
    }

    /// Renders a template that sees further variables.
    pub fn render_with(&mut self, template: &Template, vars: Vars) -> Result<Rendered, Box<Diagnostic>> {
        if template.plain
            && let [Stmt::Text(at)] = template.body.as_slice()
        {
            let text = template.file.text[at.range()].to_string();
            let map = if self.options.map { SourceMap::of_file(&template.file, *at) } else { SourceMap::default() };
            return Ok(Rendered { text, map });
        }
        self.outermost(&template.file, vars, |interp| {
            interp.body(&template.body)?;
            Ok(())
        })
        .map(|((), rendered)| rendered)
    }

    /// The value of a template as configuration files read it: a lone `{{ }}` keeps its type, anything else is text.
    pub fn render_value(&mut self, template: &Template) -> Result<Value, Box<Diagnostic>> {
        if let [Stmt::Emit(expr, _)] = template.body.as_slice() {
            return self.evaluate(expr, &template.file);
        }
        Ok(Value::from(self.render(template)?.text))
    }

    /// The value of an expression.
    pub fn evaluate(&mut self, expr: &Expr, file: &Arc<SourceFile>) -> Result<Value, Box<Diagnostic>> {
        self.outermost(file, Vec::new(), |interp| interp.eval(expr)).map(|(value, _)| value)
    }

    /// Runs `run` in a fresh frame with its own output.
    fn outermost<T>(
        &mut self,
        file: &Arc<SourceFile>,
        vars: Vars,
        run: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<(T, Rendered), Box<Diagnostic>> {
        let mut recorder = Recorder::new(self.options.map);
        let mut frame = new_frame(&mut recorder, file, self.options.lenient);
        frame.vars = vars;
        let recorder = std::mem::replace(&mut self.recorder, recorder);
        let frame = std::mem::replace(&mut self.frame, frame);
        let out = std::mem::take(&mut self.out);
        let site = std::mem::take(&mut self.site);
        let result = self.entered(run);
        self.site = site;
        self.frame = frame;
        let buffer = std::mem::replace(&mut self.out, out);
        let recorder = std::mem::replace(&mut self.recorder, recorder);
        match result {
            Ok(value) => Ok((value, recorder.finish(buffer))),
            Err(stop) => Err(stop.into_diagnostic()),
        }
    }

    /// Runs `run` on behalf of the program; the outermost one starts with all the fuel.
    fn entered<T>(&mut self, run: impl FnOnce(&mut Self) -> T) -> T {
        if self.active == 0 {
            self.fuel = self.options.limits.fuel;
            self.stack_base = stack_position();
        }
        self.active += 1;
        let result = run(self);
        self.active -= 1;
        result
    }

    /// Counts one step and looks at the stack.
    fn step(&mut self) -> Result<()> {
        if self.stack_base.saturating_sub(stack_position()) > self.options.limits.stack {
            return Err(self.limit("nests too deep for the stack"));
        }
        self.spend(1)
    }

    /// Counts steps. Functions that loop or allocate much call it before they do.
    pub fn spend(&mut self, steps: u64) -> Result<()> {
        match self.fuel.checked_sub(steps) {
            Some(rest) => {
                self.fuel = rest;
                Ok(())
            }
            None => {
                self.fuel = 0;
                let limit = self.options.limits.fuel;
                Err(self.limit(&format!("takes more than {limit} steps")))
            }
        }
    }

    /// Counts the making of a value: large ones cost more.
    fn spend_on(&mut self, value: &Value) -> Result<()> {
        let size = match value {
            Value::Str(text) => text.len() / 16,
            Value::List(cell) => cell.borrow().len(),
            Value::Tuple(items) => items.len(),
            Value::Dict(cell) => cell.borrow().len(),
            Value::Set(cell) => cell.borrow().len(),
            _ => 0,
        };
        if size > 8 { self.spend(size as u64) } else { Ok(()) }
    }

    fn limit(&self, what: &str) -> Stop {
        let who = match self.calls.last() {
            Some(call) => format!("macro `{}`", call.name),
            None => "the template".to_string(),
        };
        Stop::error(crate::diag::codes::JINJA_LIMIT, format!("{who} {what}"))
    }
}

fn new_frame(recorder: &mut Recorder, file: &Arc<SourceFile>, lenient: bool) -> Frame {
    Frame {
        file: Arc::clone(file),
        file_number: recorder.file(file),
        package: Arc::from(""),
        vars: Vec::new(),
        scope: 0,
        lenient,
    }
}
