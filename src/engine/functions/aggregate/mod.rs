//! Aggregate functions.

mod codec;
mod count;
mod count_if;
mod distinct_sum;
mod few;
mod interner;
mod max_by;
mod mode;
mod pairs;
mod percentile_disc;
mod sliding_sum;
mod store;
mod sum;
#[cfg(test)]
mod tests;

use datafusion::logical_expr::AggregateUDF;

use super::{Entry, Kind};

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "percentile_disc",
        signature: "percentile_disc(p) within group (order by x)",
        doc: "The first value in the order at which at least the share p (a constant, 0 to 1) of all values is \
              reached. Exact, for numbers, text, dates and every other type with an order; nulls are ignored.",
        example: "percentile_disc(0.5) within group (order by x) from (values (1), (2), (10), (20)) t(x)",
        result: "2",
        kind: Kind::Aggregate(|| AggregateUDF::from(percentile_disc::PercentileDisc::new())),
    },
    Entry {
        name: "quantile_disc",
        signature: "quantile_disc(x, p)",
        doc: "percentile_disc(p) within group (order by x).",
        example: "quantile_disc(x, 0.9) from (values ('a'), ('b'), ('c')) t(x)",
        result: "c",
        kind: Kind::Same("percentile_disc"),
    },
    Entry {
        name: "mode",
        signature: "mode(x), mode() within group (order by x)",
        doc: "The most frequent value; of several, the smallest. Nulls are ignored.",
        example: "mode(x) from (values (3), (1), (3), (1), (7)) t(x)",
        result: "1",
        kind: Kind::Aggregate(|| AggregateUDF::from(mode::Mode::new())),
    },
    Entry {
        name: "max_by",
        signature: "max_by(x, y)",
        doc: "The x of the row with the largest y; of several such rows, the smallest x. Rows whose y is null are ignored.",
        example: "max_by(x, y) from (values ('a', 1), ('b', 3), ('c', 2)) t(x, y)",
        result: "b",
        kind: Kind::Aggregate(|| AggregateUDF::from(max_by::By::max())),
    },
    Entry {
        name: "arg_max",
        signature: "arg_max(x, y)",
        doc: "The same as max_by.",
        example: "arg_max(x, y) from (values ('a', 1), ('b', 3), ('c', 3)) t(x, y)",
        result: "b",
        kind: Kind::Same("max_by"),
    },
    Entry {
        name: "min_by",
        signature: "min_by(x, y)",
        doc: "The x of the row with the smallest y; of several such rows, the smallest x. Rows whose y is null are ignored.",
        example: "min_by(x, y) from (values ('a', 1), ('b', null), ('c', 2)) t(x, y)",
        result: "a",
        kind: Kind::Aggregate(|| AggregateUDF::from(max_by::By::min())),
    },
    Entry {
        name: "arg_min",
        signature: "arg_min(x, y)",
        doc: "The same as min_by.",
        example: "arg_min(x, y) from (values ('a', 1), ('b', 3)) t(x, y)",
        result: "a",
        kind: Kind::Same("min_by"),
    },
    Entry {
        name: "count_if",
        signature: "count_if(condition)",
        doc: "How many rows fulfil the condition.",
        example: "count_if(x > 1) from (values (1), (2), (null), (3)) t(x)",
        result: "2",
        kind: Kind::Aggregate(|| AggregateUDF::from(count_if::CountIf::new())),
    },
    Entry {
        name: "count",
        signature: "count(*), count(x), count(distinct x)",
        doc: "How many rows there are, or values that are not null, or different ones. Any number of count(distinct ..) \
              may stand beside other aggregates.",
        example: "count(distinct x) from (values (1), (2), (2), (null)) t(x)",
        result: "2",
        kind: Kind::Aggregate(|| AggregateUDF::from(count::Count::new())),
    },
    Entry {
        name: "sum",
        signature: "sum(x), sum(distinct x)",
        doc: "The sum, in bigint for whole numbers. A sum that does not fit is an error; a sum of parts that do not fit \
              but together do is right.",
        example: "sum(x) from (values (9223372036854775807), (1), (-1)) t(x)",
        result: "9223372036854775807",
        kind: Kind::Aggregate(|| AggregateUDF::from(sum::Sum::new())),
    },
];
