//! What the scalar functions of this folder share: arguments that are brought to the type that a function works on,
//! constants that are computed once, and one way in and out.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringViewArray, StringViewBuilder};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::engine::types::type_name;

/// What an argument may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Arg {
    /// Text, or anything that has a text.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Double,
    /// A date, a timestamp, or text that spells one.
    Moment,
    /// As it comes.
    Any,
}

/// A timestamp without time zone, in microseconds.
pub(super) const TIMESTAMP: DataType = DataType::Timestamp(TimeUnit::Microsecond, None);

impl Arg {
    fn coerce(self, name: &str, given: &DataType) -> Result<DataType> {
        use DataType::*;
        if let Dictionary(_, values) = given {
            return self.coerce(name, values);
        }
        let wrong = |wanted: &str| plan_err!("{name} wants {wanted}, not {}", type_name(given));
        match (self, given) {
            (Arg::Any, _) => Ok(given.clone()),
            (Arg::Text, Utf8 | LargeUtf8 | Utf8View) => Ok(given.clone()),
            (Arg::Text, Null) => Ok(Utf8View),
            (Arg::Text, Binary | LargeBinary | BinaryView) => wrong("text"),
            (Arg::Text, _) if given.is_nested() => wrong("text"),
            (Arg::Text, _) => Ok(Utf8View),
            (Arg::Integer, Null) => Ok(Int64),
            (Arg::Integer, _) if given.is_integer() => Ok(Int64),
            (Arg::Integer, _) => wrong("a whole number"),
            (Arg::Double, Null) => Ok(Float64),
            (Arg::Double, _) if given.is_numeric() => Ok(Float64),
            (Arg::Double, _) => wrong("a number"),
            (Arg::Moment, Date32 | Timestamp(_, _)) => Ok(given.clone()),
            (Arg::Moment, Date64 | Null | Utf8 | LargeUtf8 | Utf8View) => Ok(TIMESTAMP),
            (Arg::Moment, _) => wrong("a date or a timestamp"),
        }
    }
}

/// The type of the result, from the types and, where they are constants, the values of the arguments.
pub(super) type Returns = fn(&ReturnFieldArgs) -> Result<DataType>;

/// The function itself.
pub(super) type Body = fn(&Call) -> Result<ArrayRef>;

/// A scalar function without side effects.
pub(super) struct Function {
    /// Its name.
    pub(super) name: &'static str,
    /// The arguments that it may have.
    pub(super) args: &'static [Arg],
    /// How many of them it must have.
    pub(super) required: usize,
    /// True if the last argument may come again and again.
    pub(super) variadic: bool,
    /// The type of its result.
    pub(super) returns: Returns,
    /// What it does.
    pub(super) body: Body,
}

impl Function {
    /// The function as the engine wants it.
    pub(super) fn udf(self) -> ScalarUDF {
        ScalarUDF::from(Wrapped { function: self, signature: Signature::user_defined(Volatility::Immutable) })
    }
}

struct Wrapped {
    function: Function,
    signature: Signature,
}

impl std::fmt::Debug for Wrapped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.function.name)
    }
}

impl PartialEq for Wrapped {
    fn eq(&self, other: &Wrapped) -> bool {
        self.function.name == other.function.name
    }
}

impl Eq for Wrapped {}

impl std::hash::Hash for Wrapped {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.function.name.hash(state);
    }
}

impl ScalarUDFImpl for Wrapped {
    fn name(&self) -> &str {
        self.function.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let Function { name, args, required, variadic, .. } = self.function;
        let most = if variadic { usize::MAX } else { args.len() };
        if arg_types.len() < required || arg_types.len() > most {
            let wanted = match (required, most) {
                (least, usize::MAX) => format!("{least} arguments or more"),
                (1, 1) => "one argument".to_string(),
                (least, most) if least == most => format!("{least} arguments"),
                (least, most) => format!("{least} to {most} arguments"),
            };
            return plan_err!("{name} takes {wanted}, not {}", arg_types.len());
        }
        let kinds = args.iter().chain(args.last().into_iter().cycle());
        arg_types.iter().zip(kinds).map(|(given, kind)| kind.coerce(name, given)).collect()
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        let fields: Vec<FieldRef> =
            arg_types.iter().map(|data_type| Field::new("x", data_type.clone(), true).into()).collect();
        (self.function.returns)(&ReturnFieldArgs { arg_fields: &fields, scalar_arguments: &vec![None; fields.len()] })
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(self.name(), (self.function.returns)(&args)?, true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let call = Call {
            name: self.function.name,
            args: &args.args,
            rows: if constant { 1 } else { args.number_rows },
            returns: args.return_field.data_type(),
        };
        let result = (self.function.body)(&call)?;
        if constant {
            Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?))
        } else {
            Ok(ColumnarValue::Array(result))
        }
    }
}

/// One call on one batch.
pub(super) struct Call<'a> {
    /// The name of the function.
    pub(super) name: &'static str,
    /// The arguments.
    pub(super) args: &'a [ColumnarValue],
    /// How many rows the result has.
    pub(super) rows: usize,
    /// The type of the result.
    pub(super) returns: &'a DataType,
}

impl Call<'_> {
    /// Argument `index` as an array.
    pub(super) fn array(&self, index: usize) -> Result<ArrayRef> {
        match &self.args[index] {
            ColumnarValue::Array(array) => Ok(Arc::clone(array)),
            ColumnarValue::Scalar(scalar) => scalar.to_array_of_size(self.rows),
        }
    }

    /// Argument `index` as an array of `data_type`.
    pub(super) fn array_as(&self, index: usize, data_type: &DataType) -> Result<ArrayRef> {
        let array = self.array(index)?;
        if array.data_type() == data_type { Ok(array) } else { Ok(cast(&array, data_type)?) }
    }

    /// Argument `index` as text.
    pub(super) fn text(&self, index: usize) -> Result<StringViewArray> {
        Ok(self.array_as(index, &DataType::Utf8View)?.as_string_view().clone())
    }

    /// Argument `index` as text, if it was given.
    pub(super) fn optional_text(&self, index: usize) -> Result<Option<StringViewArray>> {
        if index < self.args.len() { Ok(Some(self.text(index)?)) } else { Ok(None) }
    }

    /// The result from text.
    pub(super) fn finish(&self, mut builder: StringViewBuilder) -> Result<ArrayRef> {
        self.cast(Arc::new(builder.finish()))
    }

    /// The result from what has another type of the same kind.
    pub(super) fn cast(&self, array: ArrayRef) -> Result<ArrayRef> {
        if array.data_type() == self.returns { Ok(array) } else { Ok(cast(&array, self.returns)?) }
    }

    /// Text made of the text of the first argument, row by row; null stays null.
    pub(super) fn map_text(&self, mut change: impl FnMut(&str, &mut String)) -> Result<ArrayRef> {
        let input = self.text(0)?;
        let mut builder = StringViewBuilder::with_capacity(input.len());
        let mut buffer = String::new();
        for value in &input {
            match value {
                None => builder.append_null(),
                Some(value) => {
                    buffer.clear();
                    change(value, &mut buffer);
                    builder.append_value(&buffer);
                }
            }
        }
        self.finish(builder)
    }
}

/// A result of the first argument's type.
pub(super) fn like_first(args: &ReturnFieldArgs) -> Result<DataType> {
    match args.arg_fields.first() {
        Some(field) => Ok(field.data_type().clone()),
        None => plan_err!("the function needs an argument"),
    }
}

/// The last thing that was made of a text: patterns and formats are nearly always constants.
pub(super) struct Memo<T> {
    last: Option<(String, T)>,
}

impl<T> Memo<T> {
    /// Nothing yet.
    pub(super) fn new() -> Memo<T> {
        Memo { last: None }
    }

    /// What `make` makes of `text`, made anew only if `text` is not the last one.
    pub(super) fn get(&mut self, text: &str, make: impl FnOnce(&str) -> Result<T>) -> Result<&T> {
        let known = self.last.take().filter(|(last, _)| last == text);
        let made = match known {
            Some(known) => known,
            None => (text.to_string(), make(text)?),
        };
        Ok(&self.last.insert(made).1)
    }
}
