//! Calls of functions over columns, and columns of edge values.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array,
    StringArray, Time32MillisecondArray, TimestampMillisecondArray, new_null_array,
};
use arrow::datatypes::{DataType, Field, TimestampMillisecondType};
use datafusion_common::config::ConfigOptions;
use datafusion_common::{Result, ScalarValue};
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs};
use proptest::prelude::*;
use weir_functions::{Call, Context, Parameter, find};

/// An argument: a column, or a literal.
#[derive(Debug, Clone)]
pub struct Column {
    array: ArrayRef,
    literal: bool,
}

impl Column {
    pub fn of(array: ArrayRef) -> Self {
        Self { array, literal: false }
    }

    pub fn text(values: &[Option<&str>]) -> Self {
        Self::of(Arc::new(StringArray::from(values.to_vec())))
    }

    pub fn integer(value: i64) -> Self {
        Self::of(Arc::new(Int64Array::from(vec![value])))
    }

    pub fn double(value: f64) -> Self {
        Self::of(Arc::new(Float64Array::from(vec![value])))
    }

    pub fn doubles(values: &[Option<f64>]) -> Self {
        Self::of(Arc::new(Float64Array::from(values.to_vec())))
    }

    pub fn timestamp(wall: i64) -> Self {
        Self::of(Arc::new(TimestampMillisecondArray::from(vec![wall])))
    }

    pub fn len(&self) -> usize {
        self.array.len()
    }

    pub fn array(&self) -> ArrayRef {
        Arc::clone(&self.array)
    }

    /// Returns the value of a row as a literal.
    pub fn literal(&self, row: usize) -> Self {
        Self { array: self.array.slice(row, 1), literal: true }
    }

    /// Returns a column of the value of one row.
    pub fn only(&self, row: usize) -> Self {
        Self::of(self.array.slice(row, 1))
    }

    pub fn all_null(&self) -> Self {
        Self::of(new_null_array(self.array.data_type(), self.array.len()))
    }

    /// Returns the first value of a column of timestamps.
    pub fn millis(&self) -> i64 {
        self.array.as_primitive::<TimestampMillisecondType>().value(0)
    }
}

/// Calls a function of the registry in UTC.
pub fn named(name: &str, arguments: &[Column]) -> Result<ArrayRef> {
    evaluate(name, arguments, "UTC")
}

/// Calls a function of the registry in a time zone.
pub fn evaluate(name: &str, arguments: &[Column], zone: &str) -> Result<ArrayRef> {
    let function = find(name).unwrap_or_else(|| panic!("no function {name}"));
    let types: Vec<DataType> = arguments.iter().map(|argument| argument.array.data_type().clone()).collect();
    call(&function.call(&types, &Context { time_zone: zone.to_string() }), arguments)
}

/// Calls a function and checks the type of its result.
pub fn call(call: &Call, arguments: &[Column]) -> Result<ArrayRef> {
    let rows = arguments.first().map_or(1, Column::len);
    let value = |argument: &Column| match argument.literal {
        true => Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&argument.array, 0)?)),
        false => Ok(ColumnarValue::Array(Arc::clone(&argument.array))),
    };
    let field = |argument: &Column| Arc::new(Field::new("a", argument.array.data_type().clone(), true));
    let result = call.function.invoke_with_args(ScalarFunctionArgs {
        args: arguments.iter().map(value).collect::<Result<_>>()?,
        arg_fields: arguments.iter().map(field).collect(),
        number_rows: rows,
        return_field: Arc::new(Field::new("r", call.returns.clone(), true)),
        config_options: Arc::new(ConfigOptions::default()),
    })?;
    let result = result.into_array(rows)?;
    assert_eq!(result.data_type(), &call.returns, "{}", call.function.name());
    Ok(result)
}

const TEXTS: &[&str] = &[
    "",
    " ",
    "a",
    "abc",
    "%_",
    "\\",
    "é",
    "e\u{301}",
    "日本語",
    "\u{1f600}",
    "x\u{1f600}y\u{1f469}\u{200d}\u{1f680}",
    "\u{0}",
    "line\nbreak",
    "0042",
    "-1.5e3",
    "{\"a\":[1,{\"b\":\"\\u00e9\"}]}",
    "a=1;b=2",
    "http://h/x",
    "2024-03-31 02:30:00",
    "yyyy-MM-dd",
    "ß",
    "\u{130}",
];
const NUMBERS: &[i64] = &[
    0,
    1,
    -1,
    2,
    7,
    224,
    256,
    -128,
    2_147_483_647,
    -2_147_483_648,
    i64::MAX,
    i64::MIN,
    9_007_199_254_740_993,
];
const DOUBLES: &[f64] = &[
    0.0,
    -0.0,
    0.5,
    -2.5,
    1.005,
    1e300,
    -1e-300,
    5e-324,
    f64::MAX,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
];
/// Around the epoch, leaps of clocks in Berlin, New York and Lord Howe, the ends of the calendar, and beyond.
const INSTANTS: &[i64] = &[
    0,
    -1,
    1_710_498_030_250,
    1_711_846_799_999,
    1_711_846_800_000,
    1_729_987_200_000,
    1_729_990_800_000,
    1_710_054_000_000,
    1_730_613_600_000,
    1_712_415_600_000,
    -62_167_219_200_000,
    253_402_300_799_999,
];
const FAR: &[i64] = &[i64::MIN, i64::MIN + 1, i64::MAX, -8_334_601_228_800_000, 8_210_266_876_799_999];

/// Texts with edges.
pub fn texts() -> impl Strategy<Value = String> {
    prop_oneof![prop::sample::select(TEXTS).prop_map(str::to_string), ".{0,8}"]
}

/// Whole numbers with edges.
pub fn numbers() -> impl Strategy<Value = i64> {
    prop_oneof![prop::sample::select(NUMBERS), any::<i64>()]
}

/// Instants within the calendar and a little beyond.
pub fn instants() -> impl Strategy<Value = i64> {
    prop_oneof![prop::sample::select(INSTANTS), -70_000_000_000_000i64..260_000_000_000_000]
}

/// Wall clocks, also such as no calendar has.
pub fn walls() -> impl Strategy<Value = i64> {
    prop_oneof![instants(), prop::sample::select(FAR), any::<i64>()]
}

/// Makes a column of edge values that a parameter takes; the seed chooses their order and, of several, their type.
pub fn column(parameter: Parameter, seed: u64) -> Column {
    let types = seed % 7;
    let array: ArrayRef = match parameter {
        Parameter::Text => texts_column(seed),
        Parameter::Regex => Arc::new(StringArray::from(shuffled(&["a", "[0-9]+", "", "(a)|(b)", "."], seed))),
        Parameter::DatePattern => Arc::new(StringArray::from(shuffled(
            &["yyyy-MM-dd", "HH:mm:ss.SSS a", "E Z XXX", "", "yyMMdd"],
            seed,
        ))),
        Parameter::Integer | Parameter::BigInt => Arc::new(Int64Array::from(shuffled(NUMBERS, seed))),
        Parameter::Double => Arc::new(Float64Array::from(shuffled(DOUBLES, seed))),
        Parameter::IntegerOrText | Parameter::NumberOrText if types < 3 => texts_column(seed),
        Parameter::IntegerOrText => Arc::new(Int64Array::from(shuffled(NUMBERS, seed))),
        Parameter::Number | Parameter::NumberOrText => number_column(types, seed),
        Parameter::Time if types < 2 => {
            Arc::new(Time32MillisecondArray::from(shuffled(&[0, 1, 43_200_000, 86_399_999], seed)))
        }
        Parameter::Time | Parameter::Day if types < 4 => Arc::new(Date32Array::from(shuffled(
            &[0, -1, 19_797, -719_528, 2_932_896, i32::MIN, i32::MAX],
            seed,
        ))),
        Parameter::Time | Parameter::Day => {
            Arc::new(TimestampMillisecondArray::from(shuffled(&[INSTANTS, FAR].concat(), seed)))
        }
    };
    Column::of(array)
}

fn texts_column(seed: u64) -> ArrayRef {
    Arc::new(StringArray::from(shuffled(TEXTS, seed)))
}

fn number_column(types: u64, seed: u64) -> ArrayRef {
    match types {
        0 | 1 => Arc::new(Int64Array::from(shuffled(NUMBERS, seed))),
        2 => Arc::new(Int32Array::from(shuffled(&[0, 1, -1, i32::MAX, i32::MIN], seed))),
        3 | 4 => {
            let values = shuffled(&[0, 5, -5, 15, 99, -99, 10i128.pow(10) - 1], seed);
            Arc::new(Decimal128Array::from(values).with_precision_and_scale(10, 1).expect("ten digits"))
        }
        _ => Arc::new(Float64Array::from(shuffled(DOUBLES, seed))),
    }
}

/// Chooses twelve values, among them NULL.
fn shuffled<T: Copy>(values: &[T], seed: u64) -> Vec<Option<T>> {
    let mut state = seed | 1;
    (0..12)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let chosen = (state >> 33) as usize % (values.len() + 1);
            values.get(chosen).copied()
        })
        .collect()
}
