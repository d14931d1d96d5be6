//! The walk over operators, from the scans up.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::{Column, JoinType};
use datafusion::logical_expr::{
    Aggregate, Distinct, DistinctOn, Expr, Join, LogicalPlan, RecursiveQuery, Union, Unnest, Values, Window,
};

use super::expr::{Frame, computed};
use super::relations::Relations;
use super::rows::Rows;
use super::text;
use super::value::{Output, Uses, Value};
use super::{ColumnLineage, Input, Names, PlanLineage, RowKind};

/// Rounds after which the columns of a recursive query count as known: one that permutes its columns needs as many as it
/// has columns, and nobody writes more.
const RECURSION_ROUNDS: usize = 32;

/// How many rows of VALUES are shown as what makes a column.
const SHOWN_VALUES: usize = 3;

/// One walk over one plan.
pub(super) struct Walk<'a> {
    pub(super) names: &'a dyn Names,
    pub(super) relations: Relations,
    /// Results of operators that several others read.
    shared: HashMap<*const LogicalPlan, Arc<Output>>,
    /// Queries around the one that is walked, the innermost last.
    pub(super) scopes: Vec<Frame>,
    /// Recursive queries around the place, by the name under which they read themselves.
    pub(super) working: Vec<(String, Arc<Output>)>,
    /// The first thing that could not be told.
    unknown: Option<String>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(names: &'a dyn Names) -> Walk<'a> {
        Walk {
            names,
            relations: Relations::default(),
            shared: HashMap::new(),
            scopes: Vec::new(),
            working: Vec::new(),
            unknown: None,
        }
    }

    pub(super) fn lineage(mut self, plan: &LogicalPlan) -> Result<PlanLineage, String> {
        let output = self.plan(plan);
        if let Some(unknown) = self.unknown {
            return Err(unknown);
        }
        let relations = &self.relations;
        let column = |(field, value): (&Arc<Field>, &Arc<Value>)| ColumnLineage {
            name: field.name().clone(),
            inputs: (value.uses.iter())
                .map(|one| Input { source: relations.source(one.origin), kind: one.kind, carries: one.carries })
                .collect(),
            expression: value.text.as_ref().map(|text| Arc::clone(&text.sql)),
            is_copy: value.is_copy,
        };
        let columns = plan.schema().fields().iter().zip(&output.columns).map(column).collect();
        let mut rows: Vec<_> =
            output.rows.flatten().into_iter().map(|(origin, kind)| (relations.source(origin), kind)).collect();
        rows.sort();
        Ok(PlanLineage { columns, rows })
    }

    /// The result of `plan`, which others may share.
    fn input(&mut self, plan: &Arc<LogicalPlan>) -> Arc<Output> {
        if Arc::strong_count(plan) == 1 {
            return self.plan(plan);
        }
        if let Some(output) = self.shared.get(&Arc::as_ptr(plan)) {
            return Arc::clone(output);
        }
        let output = self.plan(plan);
        self.shared.insert(Arc::as_ptr(plan), Arc::clone(&output));
        output
    }

    /// The result of `plan`. Deep plans need deep stacks.
    pub(super) fn plan(&mut self, plan: &LogicalPlan) -> Arc<Output> {
        stacker::maybe_grow(64 << 10, 4 << 20, || self.operator(plan))
    }

    fn operator(&mut self, plan: &LogicalPlan) -> Arc<Output> {
        match plan {
            LogicalPlan::TableScan(scan) => self.scan(scan),
            LogicalPlan::SubqueryAlias(alias) => match self.boundary(alias) {
                Some(output) => output,
                None => self.input(&alias.input),
            },
            LogicalPlan::Projection(projection) => {
                let (frame, rows) = self.frame(&projection.input);
                let columns = projection.expr.iter().map(|expr| self.column(expr, &frame)).collect();
                Arc::new(Output { columns, rows })
            }
            LogicalPlan::Filter(filter) => self.deciding(&filter.input, [&filter.predicate], RowKind::Filter),
            LogicalPlan::Sort(sort) => {
                self.deciding(&sort.input, sort.expr.iter().map(|sort| &sort.expr), RowKind::Sort)
            }
            LogicalPlan::Limit(limit) => {
                let bounds = limit.skip.iter().chain(&limit.fetch).map(|bound| &**bound);
                self.deciding(&limit.input, bounds, RowKind::Filter)
            }
            LogicalPlan::Window(window) => self.window_operator(window),
            LogicalPlan::Aggregate(aggregate) => self.aggregate_operator(aggregate),
            LogicalPlan::Join(join) => self.join(join),
            LogicalPlan::Union(union) => self.union(union),
            LogicalPlan::Distinct(Distinct::All(input)) => {
                let output = self.input(input);
                let mut rows = output.rows.clone();
                for column in &output.columns {
                    rows = rows.and(&column.uses, RowKind::Group);
                }
                Arc::new(Output { columns: output.columns.clone(), rows })
            }
            LogicalPlan::Distinct(Distinct::On(distinct)) => self.distinct_on(distinct),
            LogicalPlan::Unnest(unnest) => self.unnest(unnest),
            LogicalPlan::RecursiveQuery(query) => self.recursive(query),
            LogicalPlan::Subquery(subquery) => self.input(&subquery.subquery),
            LogicalPlan::Repartition(repartition) => self.input(&repartition.input),
            LogicalPlan::Values(values) => self.values(values),
            LogicalPlan::EmptyRelation(_) => Arc::default(),
            other => {
                self.give_up(|| format!("the plan has an operator `{}`", name_of(other)));
                let columns = other.schema().fields().iter().map(|_| Arc::default()).collect();
                Arc::new(Output { columns, rows: Rows::default() })
            }
        }
    }

    /// What expressions over `input` see, and what decides about its rows.
    fn frame(&mut self, input: &Arc<LogicalPlan>) -> (Frame, Rows) {
        let output = self.input(input);
        let rows = output.rows.clone();
        (vec![(Arc::clone(input.schema()), output)], rows)
    }

    /// An operator that gives the columns of its input, for rows that `exprs` decide about.
    fn deciding<'e>(
        &mut self,
        input: &Arc<LogicalPlan>,
        exprs: impl IntoIterator<Item = &'e Expr>,
        kind: RowKind,
    ) -> Arc<Output> {
        let (frame, rows) = self.frame(input);
        let decided = self.decided(rows.clone(), exprs, kind, &frame);
        let [(_, output)] = frame.as_slice() else { return Arc::default() };
        Arc::new(Output { columns: output.columns.clone(), rows: decided })
    }

    fn decided<'e>(
        &mut self,
        rows: Rows,
        exprs: impl IntoIterator<Item = &'e Expr>,
        kind: RowKind,
        frame: &Frame,
    ) -> Rows {
        exprs.into_iter().fold(rows, |rows, expr| rows.and(&self.uses(expr, frame), kind))
    }

    fn window_operator(&mut self, window: &Window) -> Arc<Output> {
        let (frame, rows) = self.frame(&window.input);
        let [(_, output)] = frame.as_slice() else { return Arc::default() };
        let mut columns = output.columns.clone();
        columns.extend(window.window_expr.iter().map(|expr| self.column(expr, &frame)));
        Arc::new(Output { columns, rows })
    }

    fn aggregate_operator(&mut self, aggregate: &Aggregate) -> Arc<Output> {
        let (frame, rows) = self.frame(&aggregate.input);
        let keys = aggregate.group_expr.iter().flat_map(|expr| match expr {
            Expr::GroupingSet(set) => set.distinct_expr(),
            expr => vec![expr],
        });
        let keys: Vec<&Expr> = keys.collect();
        let mut columns: Vec<Arc<Value>> = keys.iter().map(|expr| self.column(expr, &frame)).collect();
        let rows = self.decided(rows, keys, RowKind::Group, &frame);
        // The number of the grouping set has a column of its own.
        let made = aggregate.schema.fields().len() - aggregate.aggr_expr.len().min(aggregate.schema.fields().len());
        columns.resize_with(made, Arc::default);
        columns.extend(aggregate.aggr_expr.iter().map(|expr| self.column(expr, &frame)));
        Arc::new(Output { columns, rows })
    }

    fn join(&mut self, join: &Join) -> Arc<Output> {
        let left = self.input(&join.left);
        let left_frame: Frame = vec![(Arc::clone(join.left.schema()), Arc::clone(&left))];
        // A lateral right side reads the left one.
        self.scopes.push(left_frame.clone());
        let right = self.input(&join.right);
        self.scopes.pop();
        let right_frame: Frame = vec![(Arc::clone(join.right.schema()), Arc::clone(&right))];
        let mut keys = Uses::default();
        for (left, right) in &join.on {
            keys.join(self.uses(left, &left_frame).iter());
            keys.join(self.uses(right, &right_frame).iter());
        }
        if let Some(filter) = &join.filter {
            let both = left_frame.into_iter().chain(right_frame).collect();
            keys.join(self.uses(filter, &both).iter());
        }
        let rows = Rows::all([left.rows.clone(), right.rows.clone()]);
        let columns = match join.join_type {
            JoinType::Inner | JoinType::Left | JoinType::Right | JoinType::Full => {
                left.columns.iter().chain(&right.columns).cloned().collect()
            }
            JoinType::LeftSemi | JoinType::LeftAnti => left.columns.clone(),
            JoinType::RightSemi | JoinType::RightAnti => right.columns.clone(),
            JoinType::LeftMark | JoinType::RightMark => {
                let side = if join.join_type == JoinType::LeftMark { &left } else { &right };
                let mark = Arc::new(computed(keys.clone()));
                side.columns.iter().cloned().chain([mark]).collect()
            }
        };
        Arc::new(Output { columns, rows: rows.and(&keys, RowKind::Join) })
    }

    /// Columns meet by position.
    fn union(&mut self, union: &Union) -> Arc<Output> {
        let inputs: Vec<Arc<Output>> = union.inputs.iter().map(|input| self.input(input)).collect();
        let columns = (0..union.schema.fields().len())
            .map(|index| {
                let branches: Vec<&Value> =
                    inputs.iter().filter_map(|input| input.columns.get(index)).map(|value| &**value).collect();
                Arc::new(self.merged(&branches))
            })
            .collect();
        Arc::new(Output { columns, rows: Rows::all(inputs.iter().map(|input| input.rows.clone())) })
    }

    fn distinct_on(&mut self, distinct: &DistinctOn) -> Arc<Output> {
        let (frame, rows) = self.frame(&distinct.input);
        let rows = self.decided(rows, &distinct.on_expr, RowKind::Group, &frame);
        let sorts = distinct.sort_expr.iter().flatten().map(|sort| &sort.expr);
        let rows = self.decided(rows, sorts, RowKind::Sort, &frame);
        let columns = distinct.select_expr.iter().map(|expr| self.column(expr, &frame)).collect();
        Arc::new(Output { columns, rows })
    }

    /// Rows are multiplied by lists; a struct becomes a column for each of its fields.
    fn unnest(&mut self, unnest: &Unnest) -> Arc<Output> {
        let input = self.input(&unnest.input);
        let mut rows = input.rows.clone();
        let mut columns = Vec::new();
        let mut before = None;
        let mut field = 0;
        for (index, from) in unnest.dependency_indices.iter().enumerate() {
            let value = input.columns.get(*from).cloned().unwrap_or_default();
            field = if before == Some(*from) { field + 1 } else { 0 };
            before = Some(*from);
            if unnest.struct_type_columns.contains(from) {
                let name = field_name(unnest.input.schema().field(*from).data_type(), field);
                columns.push(Arc::new(self.part(&value, &name.unwrap_or_default())));
                continue;
            }
            let output = unnest.schema.field(index).name();
            let list =
                unnest.list_type_columns.iter().find(|(at, list)| at == from && list.output_column.name == *output);
            let Some((_, list)) = list else {
                columns.push(value);
                continue;
            };
            rows = rows.and(&value.uses, RowKind::Join);
            let mut element = Value { fields: None, ..Value::clone(&value) };
            for _ in 0..list.depth {
                element = self.part(&element, "[]");
            }
            columns.push(Arc::new(Value { is_inline: true, text: text::unnested(&value, unnest, *from), ..element }));
        }
        Arc::new(Output { columns, rows })
    }

    /// The recursive term reads the query itself: its columns are followed until nothing new comes.
    fn recursive(&mut self, query: &RecursiveQuery) -> Arc<Output> {
        let start = self.input(&query.static_term);
        let mut known = Arc::clone(&start);
        for _ in 0..RECURSION_ROUNDS {
            // What was learned of operators in the recursive term holds for one round.
            let shared = std::mem::take(&mut self.shared);
            self.working.push((query.name.clone(), Arc::clone(&known)));
            let step = self.plan(&query.recursive_term);
            self.working.pop();
            self.shared = shared;
            let columns: Vec<Arc<Value>> = (start.columns.iter().zip(&step.columns))
                .map(|(start, step)| Arc::new(self.merged(&[start, step])))
                .collect();
            let mut rows = Rows::all([start.rows.clone(), step.rows.clone()]);
            if query.is_distinct {
                rows = columns.iter().fold(rows, |rows, column| rows.and(&column.uses, RowKind::Group));
            }
            let next = Arc::new(Output { columns, rows });
            let is_done = extent(&next) == extent(&known);
            known = next;
            if is_done {
                break;
            }
        }
        known
    }

    /// A column that has the values of all `branches`.
    fn merged(&self, branches: &[&Value]) -> Value {
        let mut uses = Uses::default();
        for branch in branches {
            uses.join(branch.uses.iter());
        }
        let is_plain = branches.iter().all(|branch| branch.text.is_none() && branch.is_copy);
        let text = |branch: &&Value| match (&branch.text, branch.uses.iter().next()) {
            (Some(text), _) => Some(Ok(text.clone())),
            (None, Some(one)) => Some(Err(self.relations.source(one.origin).column)),
            (None, None) => None,
        };
        Value {
            uses,
            is_copy: branches.iter().all(|branch| branch.is_copy),
            text: if is_plain { None } else { text::union(branches.iter().filter_map(text)) },
            ..Value::default()
        }
    }

    /// Rows that stand in the query.
    fn values(&mut self, values: &Values) -> Arc<Output> {
        let frame = Frame::default();
        let column = |index: usize| {
            let mut rows = values.values.iter().filter_map(|row| row.get(index)).map(|expr| Ok(text::of(expr, &frame)));
            let shown: Vec<_> = rows.by_ref().take(SHOWN_VALUES).collect();
            let more = rows.next().map(|_| Ok(text::named("...")));
            Arc::new(Value { text: text::union(shown.into_iter().chain(more)), ..Value::default() })
        };
        let columns = (0..values.schema.fields().len()).map(column).collect();
        Arc::new(Output { columns, rows: Rows::default() })
    }

    /// Notes that a name could not be told.
    pub(super) fn unknown_column(&mut self, column: &Column) -> Uses {
        self.give_up(|| format!("the plan names a column `{}` that is not there", column.flat_name()));
        Uses::default()
    }

    fn give_up(&mut self, why: impl Fn() -> String) {
        self.unknown.get_or_insert_with(why);
    }
}

/// How much is known of an output. It only grows while a recursion is followed.
fn extent(output: &Output) -> usize {
    let uses = output.columns.iter().flat_map(|column| column.uses.iter());
    uses.map(|one| 1 + one.kind as usize).sum::<usize>() + output.rows.flatten().len()
}

/// The name of the field at `index`.
fn field_name(data_type: &DataType, index: usize) -> Option<String> {
    match data_type {
        DataType::Struct(fields) => fields.get(index).map(|field| field.name().clone()),
        _ => None,
    }
}

/// The name of an operator.
fn name_of(plan: &LogicalPlan) -> String {
    let text = plan.display().to_string();
    text.split([':', ' ']).next().unwrap_or_default().to_string()
}
