//! What functions do with their arguments, where that is not the common case.

/// True for an aggregate whose result is one of the values that it was given, or a list of them.
pub(super) fn gives_values(aggregate: &str) -> bool {
    matches!(
        aggregate,
        "any_value"
            | "approx_median"
            | "approx_percentile_cont"
            | "approx_percentile_cont_with_weight"
            | "array_agg"
            | "bool_and"
            | "bool_or"
            | "collect_list"
            | "collect_set"
            | "first_value"
            | "last_value"
            | "max"
            | "max_by"
            | "median"
            | "min"
            | "min_by"
            | "mode"
            | "nth_value"
            | "percentile_cont"
            | "percentile_disc"
            | "string_agg"
    )
}

/// True for an aggregate whose second argument only says which first argument is taken.
pub(super) fn is_chosen_by_second(aggregate: &str) -> bool {
    matches!(aggregate, "max_by" | "min_by")
}

/// True for a window function that gives values of other rows.
pub(super) fn reads_other_rows(window: &str) -> bool {
    matches!(window, "lag" | "lead" | "first_value" | "last_value" | "nth_value")
}

/// True for a scalar function that answers yes or no: what it was asked about cannot be read off the answer.
pub(super) fn is_predicate(function: &str) -> bool {
    matches!(
        function,
        "array_has"
            | "array_has_all"
            | "array_has_any"
            | "contains"
            | "ends_with"
            | "isnan"
            | "iszero"
            | "regexp_like"
            | "starts_with"
    )
}

/// How many of the first arguments of a scalar function only decide which of the others it gives.
pub(super) fn conditions(function: &str) -> usize {
    usize::from(matches!(function, "if" | "nvl2"))
}

/// True for an argument that only decides whether another one is given: the second of `nullif`.
pub(super) fn is_condition(function: &str, index: usize) -> bool {
    index < conditions(function) || (function == "nullif" && index == 1)
}

/// True for functions that put a struct together: of names and values, or of values alone.
pub(super) fn makes_struct(function: &str) -> bool {
    matches!(function, "named_struct" | "struct")
}
