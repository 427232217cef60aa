//! Running aggregates against the plain definition over the rows held.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Decimal128Array, Float64Array, Int64Array, ListArray, StringArray, StructArray,
};
use arrow::datatypes::{DataType, Field, Fields, Schema};
use datafusion_common::ScalarValue;
use datafusion_expr::AggregateUDF;
use datafusion_functions_aggregate::array_agg::array_agg_udaf;
use datafusion_functions_aggregate::average::avg_udaf;
use datafusion_functions_aggregate::count::count_udaf;
use datafusion_functions_aggregate::min_max::{max_udaf, min_udaf};
use datafusion_functions_aggregate::stddev::{stddev_pop_udaf, stddev_udaf};
use datafusion_functions_aggregate::sum::sum_udaf;
use datafusion_functions_aggregate::variance::{var_pop_udaf, var_samp_udaf};
use datafusion_physical_expr::aggregate::AggregateExprBuilder;
use datafusion_physical_expr::expressions::col;
use proptest::prelude::*;

use super::*;

fn call(function: Arc<AggregateUDF>, of: &DataType, distinct: bool, retractions: Retractions) -> RunningCall {
    let schema = Arc::new(Schema::new(vec![Field::new("v", of.clone(), true)]));
    let function = AggregateExprBuilder::new(function, vec![col("v", &schema).unwrap()])
        .schema(schema.clone())
        .alias("a")
        .with_distinct(distinct)
        .build()
        .unwrap();
    RunningCall::new(&AggregateCall { function: Arc::new(function) }, &schema, retractions).unwrap()
}

/// Adds all rows of a column, takes those of `back` back, and returns the result.
fn result(function: Arc<AggregateUDF>, distinct: bool, column: ArrayRef, back: &[usize]) -> ScalarValue {
    let call = call(function, column.data_type(), distinct, Retractions::Possible);
    let mut aggregate = call.aggregate();
    let columns = [column];
    for row in 0..columns[0].len() {
        aggregate.add(&columns, row).unwrap();
    }
    for row in back {
        aggregate.retract(&columns, *row).unwrap();
    }
    aggregate.value().unwrap()
}

fn floats(values: &[f64]) -> ArrayRef {
    Arc::new(Float64Array::from(values.to_vec()))
}

fn integers(values: &[Option<i64>]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

fn float(value: f64) -> ScalarValue {
    ScalarValue::Float64(Some(value))
}

fn integer(value: i64) -> ScalarValue {
    ScalarValue::Int64(Some(value))
}

#[test]
fn nulls_are_skipped_and_no_rows_give_null_but_a_count_of_zero() {
    let column = integers(&[Some(3), None, Some(4)]);
    assert_eq!(result(count_udaf(), false, column.clone(), &[]), integer(2));
    assert_eq!(result(sum_udaf(), false, column.clone(), &[1]), integer(7));
    assert_eq!(result(max_udaf(), false, column.clone(), &[2]), integer(3));
    for function in [sum_udaf(), min_udaf(), max_udaf()] {
        assert_eq!(result(function, false, column.clone(), &[0, 1, 2]), ScalarValue::Int64(None));
    }
    assert_eq!(result(count_udaf(), false, column, &[0, 1, 2]), integer(0));
    for function in [avg_udaf(), var_pop_udaf(), stddev_udaf()] {
        assert_eq!(result(function, false, floats(&[2.0]), &[0]), ScalarValue::Float64(None));
    }
}

#[test]
fn a_sum_keeps_what_a_great_value_rounded_away() {
    assert_eq!(result(sum_udaf(), false, floats(&[1e20, 1.5, -1e3]), &[0]), float(1.5 - 1e3));
    assert_eq!(result(avg_udaf(), false, floats(&[1e20, 1.5, 2.5]), &[0]), float(2.0));
}

#[test]
fn a_mean_of_decimals_keeps_all_digits() {
    let decimals = |values: &[i128]| -> ArrayRef {
        let column = Decimal128Array::from(values.to_vec()).with_precision_and_scale(19, 1).unwrap();
        Arc::new(column)
    };
    let mean = |unscaled| ScalarValue::Decimal128(unscaled, 23, 5);
    assert_eq!(result(avg_udaf(), false, decimals(&[20, 10, 21]), &[1]), mean(Some(205_000)));
    assert_eq!(result(avg_udaf(), false, decimals(&[-1, -1, 0]), &[]), mean(Some(-6_666)));
    let great = 9_007_199_254_740_993;
    assert_eq!(result(avg_udaf(), false, decimals(&[great, great]), &[]), mean(Some(great * 10_000)));
    assert_eq!(result(avg_udaf(), true, decimals(&[great, great, 1]), &[2]), mean(Some(great * 10_000)));
    assert_eq!(result(avg_udaf(), false, decimals(&[20]), &[0]), mean(None));
}

#[test]
fn a_sum_of_added_rows_is_the_plain_one() {
    assert_eq!(result(sum_udaf(), false, floats(&[0.1, 0.2, 0.3]), &[]), float(0.1 + 0.2 + 0.3));
}

#[test]
fn infinities_and_nan_leave_again() {
    let column = floats(&[1.0, f64::INFINITY, f64::NAN, 2.0, f64::NEG_INFINITY]);
    let sum = |back: &[usize]| result(sum_udaf(), false, column.clone(), back);
    assert_eq!(sum(&[1, 2, 4]), float(3.0));
    assert_eq!(sum(&[2, 4]), float(f64::INFINITY));
    assert!(matches!(sum(&[2]), ScalarValue::Float64(Some(sum)) if sum.is_nan()));
    assert_eq!(result(var_pop_udaf(), false, column.clone(), &[1, 2, 4]), float(0.25));
    assert_eq!(result(max_udaf(), false, column.clone(), &[2]), float(f64::INFINITY));
}

#[test]
fn the_spread_of_whole_numbers_is_exact() {
    let column = floats(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0, 1e15]);
    assert_eq!(result(var_pop_udaf(), false, column.clone(), &[8]), float(4.0));
    assert_eq!(result(stddev_pop_udaf(), false, column, &[8]), float(2.0));
    let column = floats(&[81.0, 100.0, 60.0, 95.0, 86.0]);
    assert_eq!(result(var_samp_udaf(), false, column.clone(), &[]), float(241.3));
    assert_eq!(result(stddev_udaf(), false, column, &[]), float(241.3_f64.sqrt()));
    assert_eq!(result(var_samp_udaf(), false, floats(&[7.0]), &[]), ScalarValue::Float64(None));
}

#[test]
fn a_decimal_sum_that_was_too_great_comes_back() {
    let greatest = 10_i128.pow(38) - 1;
    let column = Decimal128Array::from(vec![greatest, greatest, 5]).with_precision_and_scale(38, 2).unwrap();
    let column: ArrayRef = Arc::new(column);
    assert_eq!(result(sum_udaf(), false, column.clone(), &[]), ScalarValue::Decimal128(None, 38, 2));
    assert_eq!(result(sum_udaf(), false, column, &[0, 1]), ScalarValue::Decimal128(Some(5), 38, 2));
}

#[test]
fn collect_keeps_the_order_of_arrival_and_gives_the_first_equal_value_back() {
    let column: ArrayRef =
        Arc::new(StringArray::from(vec![Some("b"), Some("a"), None, Some("b"), Some("c")]));
    let ScalarValue::List(list) = result(array_agg_udaf(), false, column.clone(), &[3]) else { panic!() };
    assert_eq!(list.value(0).as_ref(), &StringArray::from(vec!["a", "b", "c"]));
    let nothing = result(array_agg_udaf(), false, column, &[0, 1, 2, 3, 4]);
    assert!(nothing.is_null() && matches!(nothing, ScalarValue::List(_)));
}

#[test]
fn distinct_counts_tuples_and_lists_as_values() {
    let names: ArrayRef = Arc::new(StringArray::from(vec!["a", "a", "b", "a"]));
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1, 1, 1, 2]));
    let fields =
        Fields::from(vec![Field::new("v0", DataType::Utf8, true), Field::new("v1", DataType::Int64, true)]);
    let tuples: ArrayRef = Arc::new(StructArray::new(fields, vec![names, numbers], None));
    assert_eq!(result(count_udaf(), true, tuples.clone(), &[]), integer(3));
    assert_eq!(result(count_udaf(), true, tuples.clone(), &[0, 3]), integer(2));
    let lists = ListArray::new(
        Arc::new(Field::new_list_field(DataType::Int64, true)),
        OffsetBuffer::from_lengths([1, 2, 1]),
        Arc::new(Int64Array::from(vec![1, 1, 2, 1])),
        None,
    );
    assert_eq!(result(count_udaf(), true, Arc::new(lists), &[]), integer(2));
    let flags: ArrayRef = Arc::new(BooleanArray::from(vec![true, false, true]));
    assert_eq!(result(count_udaf(), true, flags, &[1]), integer(1));
}

#[test]
fn without_retractions_the_extremes_keep_one_value() {
    let column = integers(&[Some(5), Some(2), Some(9)]);
    for (function, expected) in [(min_udaf(), 2), (max_udaf(), 9)] {
        let call = call(function, &DataType::Int64, false, Retractions::Never);
        let mut aggregate = call.aggregate();
        let empty = aggregate.bytes();
        for row in 0..3 {
            aggregate.add(std::slice::from_ref(&column), row).unwrap();
        }
        assert_eq!((aggregate.value().unwrap(), aggregate.bytes()), (integer(expected), empty));
        assert!(aggregate.retract(std::slice::from_ref(&column), 0).is_err());
    }
}

#[test]
fn the_result_has_the_type_that_the_call_says() {
    let decimal = DataType::Decimal128(10, 2);
    let calls = [
        (max_udaf(), decimal.clone()),
        (sum_udaf(), decimal.clone()),
        (avg_udaf(), DataType::Float64),
        (count_udaf(), decimal),
    ];
    for (function, of) in calls {
        let schema = Arc::new(Schema::new(vec![Field::new("v", of, true)]));
        let function = AggregateExprBuilder::new(function, vec![col("v", &schema).unwrap()])
            .schema(schema.clone())
            .alias("a")
            .build()
            .unwrap();
        let wanted = function.field().data_type().clone();
        let call = AggregateCall { function: Arc::new(function) };
        let call = RunningCall::new(&call, &schema, Retractions::Possible).unwrap();
        let aggregate = call.aggregate();
        assert_eq!(aggregate.value().unwrap().data_type(), wanted);
        let state: Vec<DataType> = aggregate.state().unwrap().iter().map(ScalarValue::data_type).collect();
        assert_eq!(state, call.state_types());
    }
}

/// All functions over integers with the plain definition of each. Integers reach AVG and its relatives as floats.
fn definition(function: &str, held: &[i64]) -> ScalarValue {
    let count = held.len() as i64;
    let sum: i64 = held.iter().sum();
    let squares: i64 = held.iter().map(|value| value * value).sum();
    let spread =
        |divisor: i64| (divisor > 0).then(|| (count * squares - sum * sum) as f64 / (count * divisor) as f64);
    match function {
        "count" => integer(count),
        "sum" => ScalarValue::Int64((count > 0).then_some(sum)),
        "min" => ScalarValue::Int64(held.iter().min().copied()),
        "max" => ScalarValue::Int64(held.iter().max().copied()),
        "avg" => ScalarValue::Float64((count > 0).then(|| sum as f64 / count as f64)),
        "var_pop" => ScalarValue::Float64(spread(count)),
        "stddev" => ScalarValue::Float64(spread(count - 1).map(f64::sqrt)),
        _ => panic!("no definition of {function}"),
    }
}

proptest! {
    /// Rows come and go; after every step, and after a restore in between, the result is that of the rows held.
    #[test]
    fn results_are_those_of_the_rows_held(
        steps in prop::collection::vec((-5_i64..50, any::<bool>(), any::<prop::sample::Index>()), 1..60),
        restore_at in 0_usize..60,
        distinct in any::<bool>(),
    ) {
        for function in [count_udaf(), sum_udaf(), min_udaf(), max_udaf(), avg_udaf(), var_pop_udaf(), stddev_udaf()] {
            let name = function.name().to_string();
            let as_float = matches!(name.as_str(), "avg" | "var_pop" | "stddev");
            if distinct && matches!(name.as_str(), "var_pop" | "stddev") {
                continue;
            }
            let of = if as_float { DataType::Float64 } else { DataType::Int64 };
            let call = call(function, &of, distinct, Retractions::Possible);
            let column = |value: i64| -> [ArrayRef; 1] {
                match as_float {
                    true => [floats(&[value as f64])],
                    false => [integers(&[Some(value)])],
                }
            };
            let mut aggregate = call.aggregate();
            let mut held: Vec<i64> = Vec::new();
            for (number, (value, add, victim)) in steps.iter().enumerate() {
                if number == restore_at {
                    let state = aggregate.state().unwrap();
                    aggregate = call.aggregate();
                    aggregate.restore(&state).unwrap();
                }
                if *add || held.is_empty() {
                    aggregate.add(&column(*value), 0).unwrap();
                    held.push(*value);
                } else {
                    let value = held.swap_remove(victim.index(held.len()));
                    aggregate.retract(&column(value), 0).unwrap();
                }
                let mut seen = held.clone();
                if distinct {
                    seen.sort_unstable();
                    seen.dedup();
                }
                let (found, expected) = (aggregate.value().unwrap(), definition(&name, &seen));
                match (&found, &expected) {
                    (ScalarValue::Float64(Some(found)), ScalarValue::Float64(Some(expected))) => {
                        prop_assert!((found - expected).abs() <= 1e-12 * expected.abs(), "{name}: {found} {expected}");
                    }
                    _ => prop_assert_eq!(found, expected, "{}", name),
                }
            }
        }
    }
}
