//! `ref` and `source`.

use std::rc::Rc;

use super::{RelationValue, Resolved, Scope};
use crate::diag::{Diagnostic, Span, codes};
use crate::jinja::interp::Interpreter;
use crate::jinja::stop::{Result, fail};
use crate::jinja::value::{Args, Value};
use crate::node::{Node, RefCall, Relation, ResourceType, SourceCall};

/// Prefix of the common table expression that stands for an ephemeral model.
pub(crate) const EPHEMERAL_PREFIX: &str = "__dbt__cte__";

pub(super) fn ref_function(scope: &Rc<Scope>) -> Value {
    let scope = Rc::clone(scope);
    Value::function("ref", move |interp, args| {
        let call = read_ref(args, interp.site())?;
        match &scope.world.resolved {
            Some(resolved) if scope.execute => find_ref(&scope, resolved, call),
            _ => {
                let placeholder = Relation::new("", "", &call.name);
                capture_ref(&scope, call);
                Ok(RelationValue::value(scope.this().unwrap_or(placeholder), false))
            }
        }
    })
}

fn read_ref(mut args: Args, span: Span) -> Result<RefCall> {
    let version = args.take("version").or_else(|| args.take("v")).filter(|value| !value.is_none());
    if let Some((name, _)) = args.keyword.first() {
        return Err(fail(format!("ref() got an unexpected keyword argument '{name}'")));
    }
    let text = |value: &Value| match value.as_str() {
        Some(text) => Ok(text.to_string()),
        None => Err(fail(format!("ref() takes names, and got {}", value.type_name()))),
    };
    let (package, name) = match args.positional.as_slice() {
        [name] => (None, text(name)?),
        [package, name] => (Some(text(package)?), text(name)?),
        other => return Err(fail(format!("ref() takes one or two names ({} given)", other.len()))),
    };
    let version = version.map(|value| value.to_json()).transpose()?;
    Ok(RefCall { package, name, version, span: Some(span) })
}

fn capture_ref(scope: &Scope, call: RefCall) {
    let mut captured = scope.captured.borrow_mut();
    let known = captured
        .refs
        .iter()
        .any(|other| other.package == call.package && other.name == call.name && other.version == call.version);
    if !known {
        captured.refs.push(call);
    }
}

fn find_ref(scope: &Rc<Scope>, resolved: &Resolved, call: RefCall) -> Result {
    let id = resolved.lookup.find_ref(&call, &scope.package)?;
    let node = known(resolved, id)?;
    check_declared(scope, node, &call)?;
    if let Some(value) = scope.stand_in(node, Some(&call))? {
        return Ok(value);
    }
    if node.is_ephemeral() {
        let mut captured = scope.captured.borrow_mut();
        if !captured.ephemerals.contains(&node.unique_id) {
            captured.ephemerals.push(node.unique_id.clone());
        }
        let name = format!("{EPHEMERAL_PREFIX}{}", cte_name(node));
        return Ok(match &node.relation {
            Some(relation) if scope.world.invocation.flag("EMPTY") => {
                RelationValue::standing_in(relation.clone(), &format!("(select * from {name} where false limit 0)"))
            }
            _ => RelationValue::cte(&name),
        });
    }
    relation_of(node)
}

/// Name of the common table expression of an ephemeral model, without the prefix.
pub(crate) fn cte_name(node: &Node) -> String {
    node.relation.as_ref().map_or_else(|| node.name.clone(), |relation| relation.identifier.clone())
}

fn relation_of(node: &Node) -> Result {
    match &node.relation {
        Some(relation) => Ok(RelationValue::value(relation.clone(), true)),
        None => Err(fail(format!("`{}` is no relation", node.name))),
    }
}

fn known<'a>(resolved: &'a Resolved, id: &str) -> Result<&'a Node> {
    resolved
        .manifest
        .find(id)
        .ok_or_else(|| Diagnostic::error(codes::INTERNAL, format!("`{id}` was found and is not there")).into())
}

/// A reference that parsing did not see would be no edge of the DAG: the node might run too early.
fn check_declared(scope: &Scope, found: &Node, call: &RefCall) -> Result<()> {
    let Some(node) = &scope.node else { return Ok(()) };
    if scope.overrides.as_ref().is_some_and(|overrides| overrides.undeclared) {
        return Ok(());
    }
    let is_free = matches!(node.resource_type, ResourceType::Operation) || node.depends_on.contains(&found.unique_id);
    if is_free || node.unique_id == found.unique_id || node.package.is_empty() {
        return Ok(());
    }
    let mut diagnostic = Diagnostic::error(
        codes::REF_NOT_FOUND,
        format!("`{}` is referenced only when the query runs, so it may not be built by then", call.name),
    );
    if let Some(span) = &call.span {
        diagnostic = diagnostic.label(span.clone(), "not seen when the project was parsed");
    }
    let hint = format!("-- depends_on: {{{{ ref('{}') }}}}", call.name);
    Err(diagnostic.help(format!("declare it outside of any `if execute`: `{hint}`")).into())
}

pub(super) fn source_function(scope: &Rc<Scope>) -> Value {
    let scope = Rc::clone(scope);
    Value::function("source", move |interp: &mut Interpreter<'_>, args: Args| {
        let [source, table] = args.required("source", ["source_name", "table_name"])?;
        let (Some(source), Some(table)) = (source.as_str(), table.as_str()) else {
            return Err(fail("source() takes the names of a source and of a table"));
        };
        let call = SourceCall { source: source.into(), table: table.into(), span: Some(interp.site()) };
        match &scope.world.resolved {
            Some(resolved) if scope.execute => {
                let id = resolved.lookup.find_source(&call, &scope.package)?;
                let node = known(resolved, id)?;
                match scope.stand_in(node, None)? {
                    Some(value) => Ok(value),
                    None => relation_of(node),
                }
            }
            _ => {
                let placeholder = Relation::new("", &call.source, &call.table);
                let mut captured = scope.captured.borrow_mut();
                if !captured.sources.iter().any(|other| other.source == call.source && other.table == call.table) {
                    captured.sources.push(call);
                }
                Ok(RelationValue::value(scope.this().unwrap_or(placeholder), false))
            }
        }
    })
}
