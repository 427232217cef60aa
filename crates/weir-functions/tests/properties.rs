//! Properties that hold for every function of the registry, and laws between functions, over edge values: NULL, the
//! empty string, characters outside the basic plane, the ends of the number types, times far away, leaps of the clock.

mod support;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type};
use datafusion_expr::Operator;
use proptest::prelude::*;
use weir_functions::interval::{timestamp_add, timestamp_diff};
use weir_functions::pattern::{like_pattern, similar};
use weir_functions::temporal::{Direction, Unit, to_unit};
use weir_functions::{Parameter, comparison, conversion};

use support::{Column, call, column, evaluate, instants, named, numbers, texts, walls};

/// Functions that give something else than NULL for a NULL argument.
const TAKES_NULL: &[&str] = &["CONCAT", "CONCAT_WS", "IS_ALPHA", "IS_DIGITS", "IS_NUMBER", "IS_URL"];
/// Functions that give another value each time, or read the clock.
const VARIES: &[&str] = &[
    "RAND",
    "RAND_INTEGER",
    "UUID",
    "CURRENT_DATE",
    "CURRENT_TIME",
    "CURRENT_TIMESTAMP",
    "LOCALTIME",
    "LOCALTIMESTAMP",
];

fn cases(count: u32) -> ProptestConfig {
    ProptestConfig { cases: count, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(2))]

    /// A kernel takes columns and literals, and gives the same for both, row by row; a row that fails spoils no other.
    #[test]
    fn columns_and_literals_agree(seed in any::<u64>()) {
        for function in weir_functions::all().filter(|function| !VARIES.contains(&function.name)) {
            let (least, most) = function.arity();
            for count in least.max(1)..=most.unwrap_or(least + 1) {
                let parameters: Vec<Parameter> = (0..count).filter_map(|i| function.parameter(i)).collect();
                let arguments: Vec<Column> =
                    parameters.iter().enumerate().map(|(i, p)| column(*p, seed.wrapping_add(i as u64))).collect();
                let rows = arguments[0].len();
                let whole = named(function.name, &arguments);
                let single: Vec<_> = (0..rows)
                    .map(|row| {
                        let literals: Vec<Column> = arguments.iter().map(|column| column.literal(row)).collect();
                        named(function.name, &literals)
                    })
                    .collect();
                match whole {
                    Err(_) => prop_assert!(single.iter().any(Result::is_err), "{} fails only as a whole", function.name),
                    Ok(whole) => {
                        for (row, value) in single.iter().enumerate() {
                            let value = value.as_ref().map_err(|e| TestCaseError::fail(format!("{}: {e}", function.name)))?;
                            prop_assert_eq!(&whole.slice(row, 1), value, "{} in row {}", function.name, row);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn null_gives_null(seed in any::<u64>()) {
        let ordinary = |name: &&str| !TAKES_NULL.contains(name) && !VARIES.contains(name);
        for function in weir_functions::all().filter(|function| ordinary(&function.name)) {
            let (least, _) = function.arity();
            for missing in 0..least {
                let mut arguments: Vec<Column> = (0..least)
                    .filter_map(|i| Some(column(function.parameter(i)?, seed)))
                    .collect();
                arguments[missing] = arguments[missing].all_null();
                let result = named(function.name, &arguments);
                let result = result.map_err(|e| TestCaseError::fail(format!("{}: {e}", function.name)))?;
                prop_assert_eq!(result.null_count(), result.len(), "{} with NULL for argument {}", function.name, missing + 1);
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn text_comes_back(s in texts()) {
        let s = Column::text(&[Some(&s)]);
        let back = named("FROM_BASE64", &[Column::of(named("TO_BASE64", std::slice::from_ref(&s)).expect("base64"))]);
        prop_assert_eq!(&back.expect("it is base64"), &s.array());
    }

    #[test]
    fn substrings_cut_a_text_in_two(s in texts(), at in 0i64..20) {
        let text = Column::text(&[Some(&s)]);
        let head = named("SUBSTRING", &[text.clone(), Column::integer(1), Column::integer(at)]).expect("a text");
        let tail = named("SUBSTRING", &[text.clone(), Column::integer(at + 1)]).expect("a text");
        let both = named("CONCAT", &[Column::of(head), Column::of(tail)]).expect("a text");
        prop_assert_eq!(&both, &text.array());
        let characters = s.chars().count();
        let last = named("SUBSTRING", &[text, Column::integer(-at.max(1))]).expect("a text");
        let expected: String = match usize::try_from(at.max(1)) {
            Ok(back) if back <= characters => s.chars().skip(characters - back).collect(),
            _ => String::new(),
        };
        prop_assert_eq!(last.as_string::<i32>().value(0), expected);
    }

    #[test]
    fn padding_makes_the_wanted_length(s in texts(), length in 0i64..30, pad in texts()) {
        for name in ["LPAD", "RPAD"] {
            let arguments = [Column::text(&[Some(&s)]), Column::integer(length), Column::text(&[Some(&pad)])];
            let padded = named(name, &arguments).expect("a text");
            let fits = length <= s.chars().count() as i64;
            if pad.is_empty() && !fits {
                prop_assert!(padded.is_null(0));
            } else {
                prop_assert_eq!(padded.as_string::<i32>().value(0).chars().count() as i64, length);
            }
        }
    }

    #[test]
    fn a_text_is_found_where_it_stands(before in texts(), x in texts(), after in texts()) {
        let s = format!("{before}{x}{after}");
        let found = named("POSITION", &[Column::text(&[Some(&x)]), Column::text(&[Some(&s)])]).expect("a number");
        let found = found.as_primitive::<Int32Type>().value(0);
        prop_assert!(found >= 1 && found as usize <= before.chars().count() + 1);
        let count = i64::try_from(x.chars().count()).expect("short");
        let cut = [Column::text(&[Some(&s)]), Column::integer(i64::from(found)), Column::integer(count)];
        let cut = named("SUBSTRING", &cut).expect("a text");
        prop_assert_eq!(cut.as_string::<i32>().value(0), x);
    }

    #[test]
    fn escaped_patterns_match_only_their_text(s in texts(), other in texts()) {
        let escaped: String = s.chars().flat_map(|c| ['!', c]).collect();
        let pattern = call(&similar(Some('!')), &[Column::text(&[Some(&s)]), Column::text(&[Some(&escaped)])]);
        prop_assert!(pattern.expect("a valid pattern").as_boolean().value(0), "{s:?} SIMILAR TO {escaped:?}");
        let pattern = call(&similar(Some('!')), &[Column::text(&[Some(&other)]), Column::text(&[Some(&escaped)])]);
        prop_assert_eq!(pattern.expect("a valid pattern").as_boolean().value(0), s == other);
        let like = call(&like_pattern(Some('!')), &[Column::text(&[Some(&escaped)])]).expect("a pattern");
        prop_assert!(arrow_matches(&s, like.as_string::<i32>().value(0)), "{s:?} LIKE {escaped:?}");
    }

    #[test]
    fn times_lie_between_their_boundaries(wall in walls()) {
        for unit in [Unit::Year, Unit::Quarter, Unit::Month, Unit::Week, Unit::Day, Unit::Hour, Unit::Minute, Unit::Second] {
            let of = DataType::Timestamp(arrow::datatypes::TimeUnit::Millisecond, None);
            let time = Column::timestamp(wall);
            let bound = |direction, time: &Column| {
                call(&to_unit(direction, unit, &of), std::slice::from_ref(time)).ok().map(Column::of)
            };
            let (Some(floor), Some(ceil)) = (bound(Direction::Down, &time), bound(Direction::Up, &time)) else { continue };
            prop_assert!(floor.millis() <= wall && wall <= ceil.millis(), "{unit:?} of {wall}");
            prop_assert_eq!(floor.millis() == wall, ceil.millis() == wall, "{:?} of {}", unit, wall);
            prop_assert_eq!(bound(Direction::Down, &floor).map(|again| again.millis()), Some(floor.millis()));
            prop_assert_eq!(bound(Direction::Up, &floor).map(|again| again.millis()), Some(floor.millis()));
            let next = bound(Direction::Up, &Column::timestamp(floor.millis() + 1));
            prop_assert!(next.is_none_or(|next| next.millis() > wall), "{unit:?} of {wall} has a boundary too many");
        }
    }

    #[test]
    fn what_is_added_is_the_difference(wall in -50_000_000_000_000i64..241_000_000_000_000, count in -20_000i64..20_000) {
        let of = DataType::Timestamp(arrow::datatypes::TimeUnit::Millisecond, None);
        for unit in [Unit::Week, Unit::Day, Unit::Hour, Unit::Minute, Unit::Second] {
            let (Some(add), Some(diff)) = (timestamp_add(unit, &of), timestamp_diff(unit)) else { panic!("{unit:?}") };
            let moved = call(&add, &[Column::integer(count), Column::timestamp(wall)]).expect("in range");
            let counted = call(&diff, &[Column::timestamp(wall), Column::of(moved)]).expect("in range");
            prop_assert_eq!(i64::from(counted.as_primitive::<Int32Type>().value(0)), count, "{:?}", unit);
        }
    }

    #[test]
    fn differences_are_the_same_in_both_directions(a in -60_000_000_000_000i64..250_000_000_000_000, days in -4_000i64..4_000) {
        let b = a + days * 86_400_000 + days % 7;
        for unit in [Unit::Year, Unit::Quarter, Unit::Month, Unit::Week, Unit::Day, Unit::Hour] {
            let Some(diff) = timestamp_diff(unit) else { panic!("{unit:?}") };
            let count = |from, to| {
                let counted = call(&diff, &[Column::timestamp(from), Column::timestamp(to)]).expect("in range");
                counted.as_primitive::<Int32Type>().value(0)
            };
            prop_assert_eq!(count(a, b), -count(b, a), "{:?} from {} to {}", unit, a, b);
        }
    }

    #[test]
    fn an_instant_comes_back_through_its_wall_clock(instant in instants(), zone in 0usize..6) {
        let zone = ["UTC", "GMT+08:00", "-03:30", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"][zone];
        // One outside the years 0000 to 9999 has no wall clock.
        let Ok(wall) = evaluate("TO_TIMESTAMP", &[Column::integer(instant)], zone) else { return Ok(()) };
        let pattern = Column::text(&[Some("yyyy-MM-dd HH:mm:ss.SSS")]);
        let text = evaluate("DATE_FORMAT", &[Column::of(wall.clone()), pattern.clone()], zone).expect("a text");
        let text = Column::of(text);
        let back = evaluate("UNIX_TIMESTAMP_MS", std::slice::from_ref(&text), zone).expect("a number");
        let by_pattern = evaluate("UNIX_TIMESTAMP_MS", &[text, pattern], zone).expect("a number");
        prop_assert_eq!(&back, &by_pattern);
        if !(-62_167_219_200_000..=253_402_300_799_999).contains(&Column::of(wall.clone()).millis()) {
            return Ok(());
        }
        let back = back.as_primitive::<Int64Type>().value(0);
        // Of a wall clock that occurs twice the earlier instant is meant.
        let again = evaluate("TO_TIMESTAMP", &[Column::integer(back)], zone).expect("a wall clock");
        prop_assert_eq!(&again, &wall, "{} in {}", instant, zone);
        prop_assert!(back <= instant && instant - back <= 7_200_000, "{instant} becomes {back} in {zone}");
    }

    #[test]
    fn numbers_come_back_through_text(n in numbers(), d in any::<f64>()) {
        let text = |of: &DataType, value: Column| {
            Column::of(call(&conversion::to_text(of).expect("a text"), &[value]).expect("a text"))
        };
        let whole = text(&DataType::Int64, Column::integer(n));
        let back = call(&conversion::from_text(&DataType::Int64).expect("a cast"), &[whole]).expect("a number");
        prop_assert_eq!(back.as_primitive::<Int64Type>().value(0), n);
        prop_assume!(d.is_finite());
        let double = text(&DataType::Float64, Column::double(d));
        let back = call(&conversion::from_text(&DataType::Float64).expect("a cast"), &[double]).expect("a number");
        prop_assert_eq!(back.as_primitive::<Float64Type>().value(0).to_bits(), d.to_bits());
    }

    #[test]
    fn integers_of_text_are_cut_toward_zero(n in any::<i32>(), fraction in 0u32..1_000_000) {
        let text = format!("{n}.{fraction:06}");
        let cast = conversion::from_text(&DataType::Int32).expect("a cast");
        let cut = call(&cast, &[Column::text(&[Some(&text)])]).expect("a number");
        prop_assert_eq!(cut.as_primitive::<Int32Type>().value(0), n, "{}", text);
    }

    #[test]
    fn rounding_is_at_most_half_a_digit_away(d in -1e12f64..1e12, digits in -6i64..9) {
        let rounded = named("ROUND", &[Column::double(d), Column::integer(digits)]).expect("a number");
        let rounded = rounded.as_primitive::<Float64Type>().value(0);
        let unit = 10f64.powi(-(digits as i32));
        prop_assert!((rounded - d).abs() <= unit / 2.0 * (1.0 + 1e-9) + d.abs() * 1e-15, "ROUND({d}, {digits}) is {rounded}");
    }
}

/// Columns and literals on either side; a NULL of `IS DISTINCT FROM` is a value like any other.
#[test]
fn floats_compare_by_ieee_754() {
    use Operator::{Eq, Gt, GtEq, IsDistinctFrom, IsNotDistinctFrom, Lt, LtEq, NotEq};
    let values = [None, Some(0.0), Some(-0.0), Some(1.5), Some(f64::NAN), Some(f64::INFINITY), Some(-1e300)];
    let pairs: Vec<_> = values.iter().flat_map(|a| values.iter().map(move |b| (*a, *b))).collect();
    let (left, right): (Vec<_>, Vec<_>) = pairs.iter().copied().unzip();
    for operator in [Eq, NotEq, Lt, LtEq, Gt, GtEq, IsDistinctFrom, IsNotDistinctFrom] {
        let compare = comparison::floats(operator, &DataType::Float64).expect("a comparison of DOUBLE");
        let expected = |a: Option<f64>, b: Option<f64>| match (operator, a.zip(b)) {
            (IsDistinctFrom, None) => Some(a.is_some() != b.is_some()),
            (IsNotDistinctFrom, None) => Some(a.is_some() == b.is_some()),
            (_, None) => None,
            (Eq | IsNotDistinctFrom, Some((a, b))) => Some(a == b),
            (NotEq | IsDistinctFrom, Some((a, b))) => Some(a != b),
            (Lt, Some((a, b))) => Some(a < b),
            (LtEq, Some((a, b))) => Some(a <= b),
            (Gt, Some((a, b))) => Some(a > b),
            (_, Some((a, b))) => Some(a >= b),
        };
        let columns = [Column::doubles(&left), Column::doubles(&right)];
        let result = call(&compare, &columns).expect("truth values");
        for (row, (a, b)) in pairs.iter().enumerate() {
            let wanted = expected(*a, *b);
            let truth =
                |result: &dyn Array, row: usize| result.is_valid(row).then(|| result.as_boolean().value(row));
            assert_eq!(truth(&result, row), wanted, "{a:?} {operator} {b:?}");
            for literals in [[true, false], [false, true], [true, true]] {
                let side = |index: usize| match literals[index] {
                    true => columns[index].literal(row),
                    false => columns[index].only(row),
                };
                let result = call(&compare, &[side(0), side(1)]).expect("truth values");
                assert_eq!(truth(&result, 0), wanted, "{a:?} {operator} {b:?}, literals: {literals:?}");
            }
        }
    }
}

/// Matches as arrow's `LIKE` does, where a backslash escapes.
fn arrow_matches(s: &str, pattern: &str) -> bool {
    let (s, pattern) =
        (arrow::array::StringArray::from(vec![s]), arrow::array::StringArray::from(vec![pattern]));
    arrow::compute::like(&s, &pattern).expect("strings").value(0)
}
