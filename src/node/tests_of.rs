//! Tests that live in properties files.

use serde_json::{Map, Value as Json};

/// A data test that is an application of a test macro.
#[derive(Debug, Clone)]
pub struct GenericTest {
    /// Name of the macro without `test_`.
    pub name: String,
    /// Package in the name (`dbt_utils.equal_rowcount`).
    pub namespace: Option<String>,
    /// Arguments, `model` and `column_name` included, unrendered.
    pub kwargs: Map<String, Json>,
    /// Column, if it stands under one.
    pub column_name: Option<String>,
    /// Unique id of the node that it stands under.
    pub attached_node: String,
    /// Key in the properties file, such as `models.stg_orders`.
    pub file_key_name: String,
    /// Tags of the column that it stands under. They select the test and are no settings of it.
    pub column_tags: Vec<String>,
}

/// A unit test.
#[derive(Debug, Clone)]
pub struct UnitTest {
    /// Name of the model under test.
    pub model: String,
    /// Inputs.
    pub given: Vec<Json>,
    /// Expected rows.
    pub expect: Json,
    /// Values of macros, vars and environment variables.
    pub overrides: Json,
    /// Version of the model, for one that has several.
    pub version: Option<Json>,
}
