//! Rules of ours for plans: what DataFusion would compute, with less work.
//!
//! | rule | what |
//! |---|---|
//! | `key_aggregates` | `min(x)` and `max(x)` of a column that is grouped by are that column |
//! | `one_phase` | aggregates with distinct counts bring the rows of a group together first, and count once |
//! | `one_row_joins` | a cross join holds the side that is one row, not the other |
//! | `compact_views` | texts that are sorted hold no buffers of others |
//! | `large_joins` | joins that would hold more than there is merge sorted rows, which can spill |
//! | `first_rows` | `row_number() .. = 1` over sorted rows: the first row of each run, without counting the others |

mod compact_views;
mod first_rows;
mod key_aggregates;
mod large_joins;
mod one_phase;
mod one_row_joins;
#[cfg(test)]
mod tests;

pub(super) use large_joins::spilling;

use std::sync::Arc;

use datafusion::execution::SessionStateBuilder;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;

/// Adds the rules to a session. `here`: its plans run in this process, so that they may have operators of ours.
pub(super) fn with_rules(builder: SessionStateBuilder, here: bool) -> SessionStateBuilder {
    let mut rules: Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> = PhysicalOptimizer::new().rules;
    // The sides of joins are chosen before it is decided how rows are brought to them.
    let after = rules.iter().position(|rule| rule.name().eq_ignore_ascii_case("join_selection"));
    let after = after.map_or(0, |at| at + 1);
    rules.insert(after, Arc::new(one_row_joins::OneRowJoins));
    if here {
        rules.insert(after, Arc::new(one_phase::OnePhase));
        rules.push(Arc::new(first_rows::FirstRows));
        rules.push(Arc::new(compact_views::CompactViews));
    }
    builder.with_physical_optimizer_rules(rules).with_optimizer_rule(Arc::new(key_aggregates::KeyAggregates))
}
