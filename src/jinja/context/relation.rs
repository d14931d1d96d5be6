//! Relations as templates see them.

use std::any::Any;

use crate::jinja::interp::Interpreter;
use crate::jinja::stop::Result;
use crate::jinja::value::{Args, Object, Value};
use crate::node::{Relation, quote};

/// A relation: `{{ this }}`, `{{ ref('x') }}`. It renders as its quoted name.
#[derive(Debug, Clone, PartialEq)]
pub struct RelationValue {
    relation: Relation,
    /// `table`, `view`, `cte`; nothing if it is not known.
    kind: Option<String>,
    /// What is written instead of the name, if something stands in for the relation.
    stand_in: Option<String>,
    /// Which parts are written.
    include: [bool; 3],
    /// Which parts are quoted.
    quoted: [bool; 3],
}

/// Names of [`Object::call_method`].
const METHODS: &[&str] =
    &["get", "include", "quote", "render", "without_identifier", "information_schema", "incorporate", "replace_path"];

/// A relation is a mapping, too, with these keys: packages tell relations from texts by that.
const KEYS: &[&str] = &["path", "type", "quote_policy", "include_policy"];

/// What packages look for to know a relation: a type whose name ends with `Relation`.
fn metadata() -> Value {
    Value::dict_of([("type", Value::str("DataFusionRelation"))])
}

impl RelationValue {
    /// A relation of the warehouse. While parsing, nothing is known of it.
    pub(crate) fn value(relation: Relation, _known: bool) -> Value {
        Value::object(RelationValue::new(relation, None))
    }

    /// A relation of a known kind.
    pub(crate) fn of_kind(relation: Relation, kind: &str) -> Value {
        let kind = Some(kind.to_string());
        Value::object(RelationValue::new(relation, kind))
    }

    /// A relation for which `text` is written: a subquery, or the name of a common table expression.
    pub(crate) fn standing_in(relation: Relation, text: &str) -> Value {
        Value::object(RelationValue { stand_in: Some(text.to_string()), ..RelationValue::new(relation, None) })
    }

    fn new(relation: Relation, kind: Option<String>) -> RelationValue {
        RelationValue { relation, kind, stand_in: None, include: [true; 3], quoted: [true; 3] }
    }

    /// The common table expression of an ephemeral model.
    pub(crate) fn cte(name: &str) -> Value {
        Value::object(RelationValue {
            relation: Relation::new("", "", name),
            kind: Some("cte".into()),
            stand_in: None,
            include: [false, false, true],
            quoted: [false; 3],
        })
    }

    /// The relation that it stands for.
    pub fn relation(&self) -> &Relation {
        &self.relation
    }

    fn parts(&self) -> [(&str, bool, bool); 3] {
        let relation = &self.relation;
        let [database, schema, identifier] = self.include;
        let [quote_database, quote_schema, quote_identifier] = self.quoted;
        [
            (&relation.database, database, quote_database),
            (&relation.schema, schema, quote_schema),
            (&relation.identifier, identifier, quote_identifier),
        ]
    }

    /// A value for each part of the name.
    fn by_part(&self, values: [Value; 3]) -> Value {
        Value::dict_of(["database", "schema", "identifier"].into_iter().zip(values))
    }

    /// The parts that are written.
    fn name(&self) -> String {
        let shown = self.parts().into_iter().filter(|(name, include, _)| *include && !name.is_empty());
        let parts: Vec<String> =
            shown.map(|(name, _, quoted)| if quoted { quote(name) } else { name.to_string() }).collect();
        parts.join(".")
    }

    fn changed(&self, args: Args, name: &str, flags: fn(&mut RelationValue) -> &mut [bool; 3]) -> Result {
        let values = args.bind(name, ["database", "schema", "identifier"])?;
        let mut copy = self.clone();
        for (flag, value) in flags(&mut copy).iter_mut().zip(values) {
            if let Some(value) = value {
                *flag = value.is_true();
            }
        }
        Ok(Value::object(copy))
    }
}

impl Object for RelationValue {
    fn type_name(&self) -> &str {
        "Relation"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn get_attr(&self, name: &str) -> Option<Value> {
        let is = |kind: &str| Value::Bool(self.kind.as_deref() == Some(kind));
        Some(match name {
            "database" => text_or_none(&self.relation.database),
            "schema" => text_or_none(&self.relation.schema),
            "identifier" | "name" | "table" => Value::str(&self.relation.identifier),
            "type" => self.kind.as_ref().map_or(Value::None, Value::str),
            "is_table" => is("table"),
            "is_view" => is("view"),
            "is_cte" => is("cte"),
            "is_materialized_view" => is("materialized_view"),
            "is_pointer" | "is_dynamic_table" => Value::Bool(false),
            "metadata" => metadata(),
            "path" => self.by_part(self.parts().map(|(name, _, _)| text_or_none(name))),
            "quote_policy" => self.by_part(self.quoted.map(Value::Bool)),
            "include_policy" => self.by_part(self.include.map(Value::Bool)),
            "can_be_renamed" | "can_be_replaced" => Value::Bool(!matches!(self.kind.as_deref(), Some("cte") | None)),
            "View" | "Table" | "CTE" | "External" | "MaterializedView" => return kind_named(name),
            _ => return None,
        })
    }

    fn methods(&self) -> &[&'static str] {
        METHODS
    }

    fn call_method(&self, _interp: &mut Interpreter<'_>, name: &str, args: Args) -> Result {
        match name {
            "get" => {
                let [key, default] = args.bind(name, ["key", "default"])?;
                let known = key.as_ref().and_then(Value::as_str).filter(|key| *key == "metadata" || KEYS.contains(key));
                let value = known.and_then(|key| self.get_attr(key));
                Ok(value.or(default).unwrap_or(Value::None))
            }
            "include" => self.changed(args, name, |relation| &mut relation.include),
            "quote" => self.changed(args, name, |relation| &mut relation.quoted),
            // What stands in for the relation is left out: that is what people call this method for.
            "render" => Ok(Value::str(self.name())),
            "without_identifier" => {
                let mut copy = self.clone();
                copy.include[2] = false;
                Ok(Value::object(copy))
            }
            "information_schema" => {
                let [view] = args.bind(name, ["view"])?;
                let mut text = quote("information_schema");
                if let Some(view) = view.as_ref().and_then(Value::as_str) {
                    text = format!("{text}.{}", quote(&view.to_lowercase()));
                }
                Ok(Value::str(format!("{}.{text}", quote(&self.relation.database))))
            }
            _ => {
                let mut args = args;
                let mut copy = self.clone();
                if let Some(kind) = args.take("type").and_then(|value| value.as_str().map(str::to_string)) {
                    copy.kind = Some(kind);
                }
                let path = args.take("path").unwrap_or(Value::None);
                let part = |name: &str| match &path {
                    Value::Dict(cell) => cell.get(name).and_then(|value| value.as_str().map(str::to_string)),
                    _ => None,
                };
                let own = |args: &mut Args, name: &str| args.take(name).and_then(|v| v.as_str().map(str::to_string));
                for (name, field) in [
                    ("database", &mut copy.relation.database),
                    ("schema", &mut copy.relation.schema),
                    ("identifier", &mut copy.relation.identifier),
                ] {
                    if let Some(text) = own(&mut args, name).or_else(|| part(name)) {
                        *field = text;
                    }
                }
                Ok(Value::object(copy))
            }
        }
    }

    fn get_item(&self, key: &Value) -> Option<Result> {
        let key = key.as_str().filter(|key| KEYS.contains(key))?;
        self.get_attr(key).map(Ok)
    }

    fn is_mapping(&self) -> bool {
        true
    }

    fn iterate(&self) -> Option<Result<Vec<Value>>> {
        Some(Ok(KEYS.iter().map(Value::str).collect()))
    }

    fn length(&self) -> Option<usize> {
        Some(KEYS.len())
    }

    fn str(&self) -> String {
        if let Some(text) = &self.stand_in {
            return text.clone();
        }
        self.name()
    }

    fn repr(&self) -> String {
        format!("<Relation {}>", self.str())
    }

    fn equals(&self, other: &Value) -> bool {
        other.as_object::<RelationValue>().is_some_and(|other| other.relation == self.relation)
    }

    fn hash_key(&self) -> Option<String> {
        Some(self.relation.render())
    }

    fn to_json(&self) -> Option<serde_json::Value> {
        Some(serde_json::Value::String(self.str()))
    }
}

/// The kinds of relations, under their names in templates: `relation.View`, `api.Relation.Table`.
pub(super) fn kind_named(name: &str) -> Option<Value> {
    Some(Value::str(match name {
        "View" => "view",
        "Table" => "table",
        "CTE" => "cte",
        "External" => "external",
        "MaterializedView" => "materialized_view",
        _ => return None,
    }))
}

fn text_or_none(text: &str) -> Value {
    if text.is_empty() { Value::None } else { Value::str(text) }
}
