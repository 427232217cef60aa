//! The types and results of aggregates.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use datafusion_common::DFSchema;
use datafusion_expr::{Expr, LogicalPlan, col};
use datafusion_physical_expr::aggregate::AggregateExprBuilder;
use weir_functions::conversion::from_text;

use super::{evaluated, physical, projected, queried};

/// Returns the type and text of an aggregate over `x` of type INT, as a windowed query computes it.
fn over(expression: &str, values: &[Option<i32>]) -> String {
    let values: Vec<String> =
        values.iter().map(|value| value.map_or("NULL".to_string(), |value| value.to_string())).collect();
    aggregated(expression, "INT", &values.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Returns the type and text of an aggregate over the values of `x`, of which NULL is none; or its refusal.
pub(super) fn aggregated(expression: &str, of: &str, values: &[&str]) -> String {
    let query = format!(
        "SELECT {expression} FROM (SELECT CAST(id AS {of}) AS x, ts FROM cars) GROUP BY TUMBLE(ts, INTERVAL '1' DAY)"
    );
    let plan = match queried(&query, "UTC") {
        Ok(plan) => plan,
        Err(refusal) => return format!("refused {refusal}"),
    };
    let LogicalPlan::Aggregate(node) = plan.inputs()[0] else { panic!("no aggregate") };
    let column = column(node.input.schema().field(0).data_type(), values);
    let schema = Arc::new(Schema::new(vec![Field::new("x", column.data_type().clone(), true)]));
    let input = DFSchema::try_from(schema.as_ref().clone()).expect("one column");
    let batch = RecordBatch::try_new(Arc::clone(&schema), vec![column]).expect("one column");
    let mut fields = vec![];
    let mut results = vec![];
    for (call, column) in node.aggr_expr.iter().zip(node.schema.columns().iter().skip(node.group_expr.len()))
    {
        let Expr::AggregateFunction(call) = call else { panic!("not an aggregate: {call}") };
        let arguments: Vec<_> = call
            .params
            .args
            .iter()
            .map(|argument| physical(argument, &input).expect("an argument"))
            .collect();
        let values: Vec<_> = arguments
            .iter()
            .map(|argument| {
                argument
                    .evaluate(&batch)
                    .and_then(|value| value.into_array(batch.num_rows()))
                    .expect("values")
            })
            .collect();
        let built = AggregateExprBuilder::new(Arc::clone(&call.func), arguments)
            .schema(Arc::clone(&schema))
            .alias(column.name.clone())
            .with_distinct(call.params.distinct)
            .with_ignore_nulls(call.params.null_treatment.is_some())
            .build()
            .expect("an aggregate");
        let mut accumulator = built.create_accumulator().expect("an accumulator");
        accumulator.update_batch(&values).expect("rows");
        let result = accumulator.evaluate().expect("a result").to_array().expect("one row");
        fields.push(Field::new(&column.name, result.data_type().clone(), true));
        results.push(result);
    }
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), results).expect("results");
    let schema = DFSchema::try_from(batch.schema().as_ref().clone()).expect("results");
    let (name, text) =
        evaluated(&projected(&plan)[0], &schema, &batch).unwrap_or_else(|error| panic!("{error}"));
    format!("{name} {text}")
}

fn column(of: &DataType, values: &[&str]) -> ArrayRef {
    let texts: ArrayRef =
        Arc::new(StringArray::from_iter(values.iter().map(|v| (*v != "NULL").then_some(v))));
    if *of == DataType::Utf8 {
        return texts;
    }
    let batch = RecordBatch::try_from_iter_with_nullable([("text", texts, true)]).expect("one column");
    let schema = DFSchema::try_from(batch.schema().as_ref().clone()).expect("one column");
    let cast = from_text(of).expect("a type that strings can be cast to").function.call(vec![col("text")]);
    let cast = physical(&cast, &schema).expect("a cast").evaluate(&batch).expect("values of the type");
    cast.into_array(values.len()).expect("one array")
}

#[test]
fn aggregates_of_integers_keep_their_type_and_cut_fractions() {
    let marks = [81, 100, 60, 95, 86].map(Some);
    for (expression, expected) in [
        ("AVG(x)", "INT 84"),
        ("STDDEV_POP(x)", "INT 13"),
        ("STDDEV_SAMP(x)", "INT 15"),
        ("VAR_POP(x)", "INT 193"),
        ("VAR_SAMP(x)", "INT 241"),
        ("AVG(-x)", "INT -84"),
        ("AVG(CAST(x AS DOUBLE))", "DOUBLE 84.4"),
        ("AVG(CAST(x AS DECIMAL(6,2)))", "DECIMAL(6,2) 84.40"),
        ("SUM(x)", "BIGINT 422"),
        ("SUM(CAST(x AS FLOAT))", "DOUBLE 422.0"),
        ("SUM(CAST(x AS DECIMAL(6,2)))", "DECIMAL(38,2) 422.00"),
        ("MAX(x) - MIN(x)", "INT 40"),
        ("MAX(CAST(x AS STRING))", "STRING 95"),
        ("COUNT(*) + 1", "BIGINT 6"),
    ] {
        assert_eq!(over(expression, &marks), expected, "{expression}");
    }
}

#[test]
fn aggregates_skip_null() {
    let values = [Some(10), None, Some(30), Some(10)];
    for (expression, expected) in [
        ("COUNT(*)", "BIGINT 4"),
        ("COUNT(x)", "BIGINT 3"),
        ("COUNT(x, x + 1)", "BIGINT 3"),
        ("COUNT(DISTINCT x)", "BIGINT 2"),
        ("COUNT(DISTINCT x, MOD(x, 20))", "BIGINT 2"),
        ("SUM(DISTINCT x)", "BIGINT 40"),
        ("AVG(DISTINCT x)", "INT 20"),
        ("COLLECT(x)", "ARRAY[INT] [10, 30, 10]"),
        ("MIN(x)", "INT 10"),
    ] {
        assert_eq!(over(expression, &values), expected, "{expression}");
    }
    assert_eq!(over("AVG(x)", &[None]), "INT NULL");
    assert_eq!(over("VAR_SAMP(x)", &[Some(1)]), "INT NULL");
    assert_eq!(over("SUM(x)", &[None]), "BIGINT NULL");
}
