//! Named windows, put where they are used: the planner finds them in the projection alone, and there by their exact
//! name.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, NamedWindowDefinition, NamedWindowExpr, OrderByKind, Query, Select, SetExpr, VisitMut, WindowSpec,
    WindowType, visit_expressions_mut,
};

/// How many names may lead to one another.
const CHAIN: usize = 16;

/// Puts the windows of a SELECT into its projection and QUALIFY.
pub(super) fn inline(select: &mut Select) {
    if select.named_window.is_empty() {
        return;
    }
    let windows = select.named_window.clone();
    inline_in(&mut select.projection, &windows);
    inline_in(&mut select.qualify, &windows);
}

/// Puts the windows of a SELECT into ORDER BY of its query.
pub(super) fn inline_in_order_by(query: &mut Query) {
    let SetExpr::Select(select) = query.body.as_ref() else { return };
    if select.named_window.is_empty() {
        return;
    }
    let Some(OrderByKind::Expressions(exprs)) = query.order_by.as_mut().map(|order_by| &mut order_by.kind) else {
        return;
    };
    inline_in(exprs, &select.named_window);
}

fn inline_in<T: VisitMut>(exprs: &mut T, windows: &[NamedWindowDefinition]) {
    let _ = visit_expressions_mut(exprs, |expr| {
        if let Expr::Function(function) = expr {
            let spec = match &function.over {
                Some(WindowType::NamedWindow(name)) => named(&name.value, windows),
                Some(WindowType::WindowSpec(spec)) if spec.window_name.is_some() => Some(based(spec, windows)),
                _ => None,
            };
            if let Some(spec) = spec {
                function.over = Some(WindowType::WindowSpec(spec));
            }
        }
        ControlFlow::<()>::Continue(())
    });
}

/// The window under a name, whatever its case; a name may stand for another name.
fn named(name: &str, windows: &[NamedWindowDefinition]) -> Option<WindowSpec> {
    let mut name = name.to_string();
    for _ in 0..CHAIN {
        let NamedWindowDefinition(_, window) =
            windows.iter().find(|window| window.0.value.to_lowercase() == name.to_lowercase())?;
        match window {
            NamedWindowExpr::NamedWindow(other) => name.clone_from(&other.value),
            NamedWindowExpr::WindowSpec(spec) => return Some(spec.clone()),
        }
    }
    None
}

/// `over (w order by x)`: what `w` says, and what is added to it.
fn based(spec: &WindowSpec, windows: &[NamedWindowDefinition]) -> WindowSpec {
    let base = spec.window_name.as_ref().and_then(|name| named(&name.value, windows));
    let Some(base) = base else { return spec.clone() };
    WindowSpec {
        window_name: None,
        partition_by: if spec.partition_by.is_empty() { base.partition_by } else { spec.partition_by.clone() },
        order_by: if spec.order_by.is_empty() { base.order_by } else { spec.order_by.clone() },
        window_frame: spec.window_frame.clone().or(base.window_frame),
    }
}
