//! LATERAL VIEW of Spark and Hive as the joins that it stands for.

use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, Join, JoinConstraint, JoinOperator, LateralView,
    Select, TableAlias, TableAliasColumnDef, TableFactor, Value,
};

/// Functions of Spark that make a row of each element.
const EXPLODE: [&str; 3] = ["explode", "explode_outer", "unnest"];

/// `from t lateral view explode(xs) u as x` is `from t cross join unnest(xs) as u(x)`. Other functions stay, for the
/// planner to report.
pub(super) fn joins(select: &mut Select) {
    let views = &select.lateral_views;
    let Some(from) = select.from.last_mut() else { return };
    let Some(joins) = views.iter().map(join).collect::<Option<Vec<Join>>>() else { return };
    from.joins.extend(joins);
    select.lateral_views.clear();
}

fn join(view: &LateralView) -> Option<Join> {
    let Expr::Function(function) = &view.lateral_view else { return None };
    let name = function.name.to_string().to_lowercase();
    let FunctionArguments::List(list) = &function.args else { return None };
    let [FunctionArg::Unnamed(FunctionArgExpr::Expr(array))] = list.args.as_slice() else { return None };
    if !EXPLODE.contains(&name.as_str()) {
        return None;
    }
    let alias = view.lateral_view_name.0.last()?.as_ident()?.clone();
    let column = match view.lateral_col_alias.as_slice() {
        [] => Ident::new("col"),
        [column] => column.clone(),
        _ => return None,
    };
    let always = JoinConstraint::On(Expr::value(Value::Boolean(true)));
    let outer = view.outer || name == "explode_outer";
    let operator = if outer { JoinOperator::LeftOuter(always) } else { JoinOperator::CrossJoin(JoinConstraint::None) };
    let columns = vec![TableAliasColumnDef { name: column, data_type: None }];
    let relation = TableFactor::UNNEST {
        alias: Some(TableAlias { explicit: true, name: alias, columns, at: None }),
        array_exprs: vec![array.clone()],
        with_offset: false,
        with_offset_alias: None,
        with_ordinality: false,
    };
    Some(Join { relation, global: false, join_operator: operator })
}
