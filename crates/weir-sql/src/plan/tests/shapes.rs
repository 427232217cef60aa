//! The shape of plans, and values of expressions over columns.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, Float64Array, Int32Array, ListArray, MapBuilder, StringArray, StringBuilder,
    StructArray, TimestampMillisecondArray, new_null_array,
};
use arrow::array::{Int32Builder, MapArray};
use arrow::datatypes::{DataType, Int32Type};
use arrow::record_batch::RecordBatch;
use datafusion_common::DFSchema;
use datafusion_expr::LogicalPlan;
use weir_functions::window::{WindowKind, window_of};

use super::{Fixture, STREAMS, evaluated, planned, projected, queried};

fn shape(columns: &str, query: &str) -> String {
    planned(columns, query).unwrap_or_else(|error| panic!("{error}\n{query}")).display_indent().to_string()
}

#[test]
fn a_filter_reads_only_the_columns_it_needs() {
    let plan = shape(
        "car_id STRING, price BIGINT",
        "SELECT id, price FROM cars WHERE brand LIKE 'audi%' AND price < 300000",
    );
    assert_eq!(
        plan,
        "Projection: cars.id AS car_id, CAST(cars.price AS Int64) AS price\
         \n  Filter: cars.brand LIKE Utf8(\"audi%\") AND cars.price < Int32(300000)\
         \n    TableScan: cars projection=[id, brand, price]"
    );
}

#[test]
fn names_are_found_without_case_and_keep_their_spelling() {
    let plan = shape("a STRING, b DOUBLE, c STRING", "SELECT `ID`, C.Place.GEO.lat, c.BRAND FROM CARS AS c");
    assert!(plan.contains("cars.id AS a"), "{plan}");
    assert!(plan.ends_with("TableScan: cars projection=[id, brand, place]"), "{plan}");
}

#[test]
fn a_window_is_a_key_of_the_aggregate() {
    let plan = planned(
        "brand STRING, s TIMESTAMP, n BIGINT, total BIGINT",
        "SELECT brand, TUMBLE_START(ts, INTERVAL '10' SECOND), COUNT(*), SUM(price) FROM cars
         GROUP BY TUMBLE(ts, INTERVAL '10' SECOND), brand HAVING COUNT(*) > 1",
    )
    .expect("a windowed sum");
    assert_eq!(
        plan.display_indent().to_string(),
        "Projection: cars.brand AS brand, window_start(tumble(cars.ts,Int64(10000))) AS s, count(Int64(1)) AS n, sum(cars.price) AS total\
         \n  Filter: count(Int64(1)) > Int64(1)\
         \n    Aggregate: groupBy=[[tumble(cars.ts, Int64(10000)), cars.brand]], aggr=[[count(Int64(1)), sum(CAST(cars.price AS Int64))]]\
         \n      TableScan: cars projection=[brand, price, ts]"
    );
    let LogicalPlan::Filter(filter) = plan.inputs()[0] else { panic!("no filter") };
    let LogicalPlan::Aggregate(aggregate) = filter.input.as_ref() else { panic!("no aggregate") };
    let (kind, time) = window_of(&aggregate.group_expr[0]).expect("a window");
    assert_eq!(kind, WindowKind::Tumble { size_ms: 10_000 });
    assert_eq!(time.to_string(), "cars.ts");
}

#[test]
fn a_window_over_a_window_uses_its_rowtime() {
    let plan = shape(
        "s TIMESTAMP, peak BIGINT",
        "SELECT HOP_END(w, INTERVAL '1' MINUTE, INTERVAL '2' MINUTE), MAX(total) FROM (
           SELECT TUMBLE_ROWTIME(ts, INTERVAL '1' MINUTE) AS w, SUM(price) AS total FROM cars
           GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE)) WHERE total > 5
         GROUP BY HOP(rowtime, INTERVAL '1' MINUTE, INTERVAL '2' MINUTE)",
    );
    assert!(plan.contains("groupBy=[[hop(w, Int64(60000), Int64(120000))]]"), "{plan}");
    assert!(plan.contains("groupBy=[[tumble(cars.ts, Int64(60000))]]"), "{plan}");
    let filter = plan.find("Filter: total > Int64(5)").expect("the filter");
    assert!(filter < plan.find("tumble(cars.ts, Int64(60000))]]").expect("the window"), "{plan}");
}

#[test]
fn sessions_on_processing_time() {
    let plan = shape(
        "k STRING, n BIGINT",
        "SELECT k, COUNT(DISTINCT n) FROM ticks GROUP BY SESSION(proctime, INTERVAL '5' SECOND), k",
    );
    assert!(plan.contains("session(ticks.proctime, Int64(5000))"), "{plan}");
    assert!(plan.contains("count(DISTINCT ticks.n)"), "{plan}");
}

#[test]
fn star_includes_processing_time_and_a_temp_stream_ignores_the_extra_value() {
    let ddl = "CREATE TEMP STREAM t (k STRING, n BIGINT, small SMALLINT, d DECIMAL(5,2), f FLOAT) TIMESTAMP BY proctime.proctime;";
    let fixture = Fixture::parse(&format!("{STREAMS}{ddl} INSERT INTO t SELECT * FROM ticks"));
    let (_, plan) = fixture.plan("UTC").expect("six values for five columns");
    assert_eq!(plan.schema().fields().len(), 5);
}

#[test]
fn union_all_takes_the_names_of_its_first_branch() {
    let plan = queried(
        "SELECT id, price FROM cars UNION ALL SELECT k, CAST(n AS INT) FROM ticks UNION ALL SELECT NULL, 1",
        "UTC",
    )
    .expect("a union");
    let names: Vec<_> = plan.schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names, ["id", "price"]);
}

#[test]
fn rows_of_values_have_one_type_for_each_column() {
    let plan = shape("a STRING, b INT", "VALUES ('s3', 70), ('s4', 60 + 5), (NULL, NULL)");
    assert!(
        plan.contains(
            "Values: (Utf8(\"s3\"), Int32(70)), (Utf8(\"s4\"), Int32(65)), (Utf8(NULL), Int32(NULL))"
        ),
        "{plan}"
    );
}

#[test]
fn the_same_column_may_be_selected_twice() {
    let plan = planned("a STRING, b STRING, c INT", "SELECT id, id, price FROM cars").expect("a projection");
    assert_eq!(plan.schema().fields().len(), 3);
}

#[test]
fn aggregates_that_print_alike_are_kept_apart() {
    let plan = shape(
        "a INT, b DOUBLE",
        "SELECT MAX(price), MAX(CAST(price AS DOUBLE)) FROM cars GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE)",
    );
    assert!(plan.contains("max(cars.price)#1"), "{plan}");
}

fn cars() -> RecordBatch {
    let fixture = Fixture::parse(STREAMS);
    let schema = Arc::clone(&fixture.sources[0].schema);
    let mut attrs = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
    attrs.keys().append_value("hp");
    attrs.values().append_value(150);
    attrs.append(true).expect("one entry");
    let attrs = retyped(attrs.finish(), schema.field(6).data_type());
    let tags = ListArray::from_iter_primitive::<Int32Type, _, _>(vec![Some(vec![Some(1), Some(2)])]);
    let tags = arrow::compute::cast(&tags, schema.field(5).data_type()).expect("strings");
    let DataType::Struct(place) = schema.field(7).data_type() else { panic!("place is a ROW") };
    let geo = new_null_array(place[1].data_type(), 1);
    let place =
        StructArray::try_new(place.clone(), vec![Arc::new(StringArray::from(vec!["Xian"])), geo], None);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(vec!["c1"])),
        Arc::new(StringArray::from(vec!["audi"])),
        Arc::new(Int32Array::from(vec![41])),
        Arc::new(Float64Array::from(vec![1.5])),
        Arc::new(Date32Array::from(vec![0])),
        tags,
        attrs,
        Arc::new(place.expect("one row")),
        Arc::new(TimestampMillisecondArray::from(vec![1_500])),
    ];
    RecordBatch::try_new(schema, columns).expect("a car")
}

fn retyped(map: MapArray, to: &DataType) -> ArrayRef {
    let DataType::Map(entries, ordered) = to else { panic!("attrs is a MAP") };
    let DataType::Struct(fields) = entries.data_type() else { panic!("attrs is a MAP") };
    let columns = map.entries().columns().to_vec();
    let entries_array = StructArray::try_new(fields.clone(), columns, None).expect("entries");
    Arc::new(
        MapArray::try_new(Arc::clone(entries), map.offsets().clone(), entries_array, None, *ordered)
            .expect("map"),
    )
}

#[test]
fn expressions_over_columns() {
    let batch = cars();
    let schema = DFSchema::try_from_qualified_schema("cars", &batch.schema()).expect("a schema");
    for (expression, expected) in [
        ("price + 1", "INT 42"),
        ("price / 2", "DOUBLE 20.5"),
        ("weight * price", "DOUBLE 61.5"),
        ("price - 0.5", "DECIMAL(12,1) 40.5"),
        ("attrs['hp']", "INT 150"),
        ("attrs[brand]", "INT NULL"),
        ("tags[CARDINALITY(tags)]", "STRING 2"),
        ("tags[3]", "STRING NULL"),
        ("place.city", "STRING Xian"),
        ("cars.place.geo.lat", "DOUBLE NULL"),
        ("CASE brand WHEN 'bmw', 'audi' THEN 'de' ELSE 'other' END", "STRING de"),
        ("made + INTERVAL '1' DAY", "DATE 1970-01-02"),
        ("brand LIKE CONCAT(SUBSTRING(brand FROM 1 FOR 1), '%')", "BOOLEAN true"),
        ("brand IN ('audi', 'vw')", "BOOLEAN true"),
        ("LPAD(id, 5, '.')", "STRING ...c1"),
        ("FLOOR(ts TO SECOND)", "TIMESTAMP 1970-01-01 00:00:01"),
        ("ROW(id, price)", "ROW<EXPR$0 STRING, EXPR$1 INT> c1,41"),
        ("ARRAY[price, 1]", "ARRAY[INT] [41, 1]"),
        ("MAP[id, price][id]", "INT 41"),
    ] {
        let plan = queried(&format!("SELECT {expression} FROM cars"), "UTC")
            .unwrap_or_else(|error| panic!("{expression}: {error}"));
        let (name, text) = evaluated(&projected(&plan)[0], &schema, &batch)
            .unwrap_or_else(|error| panic!("{expression}: {error}"));
        assert_eq!(format!("{name} {text}"), expected, "{expression}");
    }
}

#[test]
fn all_fields_of_a_row() {
    let plan = queried("SELECT place.*, cars.place.geo.* FROM cars", "UTC").expect("a projection");
    let names: Vec<_> = plan.schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names, ["city", "geo", "lat", "lon"]);
}

#[test]
fn nested_values_take_the_names_of_the_target() {
    let plan =
        planned("a ROW<x STRING, y INT>, b ARRAY[INT]", "SELECT ROW(id, price), ARRAY[price] FROM cars")
            .expect("a row");
    let batch = cars();
    let schema = DFSchema::try_from_qualified_schema("cars", &batch.schema()).expect("a schema");
    let (name, text) = evaluated(&projected(&plan)[0], &schema, &batch).expect("a row");
    assert_eq!((name.as_str(), text.as_str()), ("ROW<x STRING, y INT>", "c1,41"));
}

#[test]
fn time_attributes_are_marked_by_one_key() {
    assert_eq!(weir_functions::window::TIME_ATTRIBUTE, crate::TIME_ATTRIBUTE);
    let plan = queried(
        "SELECT TUMBLE_ROWTIME(ts, INTERVAL '1' MINUTE), TUMBLE_END(ts, INTERVAL '1' MINUTE) FROM cars
         GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE)",
        "UTC",
    );
    let plan = plan.expect("a window");
    let marks: Vec<_> = plan
        .schema()
        .fields()
        .iter()
        .map(|field| field.metadata().get(crate::TIME_ATTRIBUTE).cloned())
        .collect();
    assert_eq!(marks, [Some("rowtime".to_string()), None]);
}

#[test]
fn all_is_the_default_of_select() {
    assert!(planned("a STRING", "SELECT ALL id FROM cars").is_ok());
}
