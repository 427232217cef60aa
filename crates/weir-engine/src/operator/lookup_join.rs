//! The join of a stream with a dimension table: rows of the table are looked up as rows of the stream come.
//!
//! Only the table is asked asynchronously, by the head of the chain in `task/lookup.rs`. What is here is the rest:
//! which keys to ask for, each once and none with NULL, and the joined rows, in the order of the stream.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::{take, take_record_batch};
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::row::Row;
use datafusion_physical_expr::PhysicalExpr;

use super::evaluate::row_text;
use super::{DirtyRow, Evaluator, OperatorError, Output};
use crate::lookup::{LookedUp, SharedLookup, rows_of};
use crate::message::TARGET_BATCH_ROWS;

/// What becomes of a row of the stream without a row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookupKind {
    /// It is dropped.
    Inner,
    /// It stays, with NULL in the columns of the table.
    Left,
}

/// The description of a join with a dimension table.
pub struct LookupSpec {
    /// The table.
    pub table: SharedLookup,
    /// Columns of the table that are compared, each once.
    pub key_columns: Vec<usize>,
    /// For each of them the expression over rows of the stream that it is equal to, of its type.
    pub keys: Vec<Arc<dyn PhysicalExpr>>,
    /// Whether rows without a match stay.
    pub kind: LookupKind,
    /// All columns of the stream, the hidden ones too.
    pub input: SchemaRef,
    /// How many of them are not hidden.
    pub visible: usize,
    /// Columns given out: those of the stream, those of the table, then the hidden ones of the stream.
    pub output: SchemaRef,
}

/// The join of one subtask.
pub(crate) struct LookupJoin {
    spec: Arc<LookupSpec>,
    /// Makes the columns of the stream followed by the keys.
    evaluator: Evaluator,
}

/// Rows of the stream and what is asked for them.
pub(crate) struct Question {
    rows: RecordBatch,
    /// For each row the index of its key; none when it has a NULL.
    key_of_row: Vec<Option<u32>>,
    /// Distinct keys.
    pub(crate) keys: RecordBatch,
}

impl LookupJoin {
    pub(crate) fn new(spec: Arc<LookupSpec>) -> Self {
        let columns = spec.input.fields().iter().enumerate();
        let mut expressions: Vec<Arc<dyn PhysicalExpr>> = columns
            .map(|(index, field)| {
                Arc::new(datafusion_physical_expr::expressions::Column::new(field.name(), index)) as _
            })
            .collect();
        expressions.extend(spec.keys.iter().cloned());
        let table = spec.table.schema();
        let keys = spec.key_columns.iter().map(|column| &table.fields()[*column]);
        let fields: Vec<_> = spec.input.fields().iter().chain(keys).cloned().collect();
        let evaluator = Evaluator::new(None, Some((expressions, Arc::new(Schema::new(fields)))));
        Self { spec, evaluator }
    }

    pub(crate) fn spec(&self) -> &LookupSpec {
        &self.spec
    }

    /// Evaluates the keys of rows. Rows on which that fails go to `output.dirty`.
    pub(crate) fn question(
        &self,
        batch: RecordBatch,
        output: &mut Output,
    ) -> Result<Option<Question>, OperatorError> {
        let Some(evaluated) = self.evaluator.evaluate(batch, output)? else { return Ok(None) };
        let width = self.spec.input.fields().len();
        let columns: Vec<usize> = (0..evaluated.num_columns()).collect();
        let (rows, keys) = (evaluated.project(&columns[..width])?, evaluated.project(&columns[width..])?);
        let (_, bytes) = rows_of(&keys)?;
        let mut known: HashMap<Row<'_>, u32> = HashMap::with_capacity(rows.num_rows());
        let mut firsts: Vec<u32> = Vec::new();
        let key_of_row = bytes
            .iter()
            .zip(0u32..)
            .map(|(key, row)| {
                let has_null = keys.columns().iter().any(|column| column.is_null(row as usize));
                (!has_null).then(|| {
                    *known.entry(key).or_insert_with(|| {
                        firsts.push(row);
                        (firsts.len() - 1) as u32
                    })
                })
            })
            .collect();
        let keys = take_record_batch(&keys, &UInt32Array::from(firsts))?;
        Ok(Some(Question { rows, key_of_row, keys }))
    }

    /// Begins to give out the joined rows.
    pub(crate) fn join(&self, question: Question, answer: LookedUp) -> Result<Joined<'_>, OperatorError> {
        let matches = Matches::new(question.keys.num_rows(), &answer)?;
        Ok(Joined { spec: &self.spec, question, answer, matches, row: 0, given: 0 })
    }
}

/// Joined rows that are given out a batch at a time: a key may have very many.
pub(crate) struct Joined<'a> {
    spec: &'a LookupSpec,
    question: Question,
    answer: LookedUp,
    matches: Matches,
    /// The row of the stream that comes next.
    row: usize,
    /// How many of its matches have been given out.
    given: usize,
}

impl Joined<'_> {
    /// Gives out the next batch. Returns whether there may be more.
    pub(crate) fn next(&mut self, output: &mut Output) -> Result<bool, OperatorError> {
        let mut pairs = Pairs::default();
        while let Some(key) = self.question.key_of_row.get(self.row) {
            let room = TARGET_BATCH_ROWS - pairs.stream.len();
            if room == 0 {
                self.emit(pairs, output)?;
                return Ok(true);
            }
            let faults = &self.answer.faults;
            if let Some(fault) = key.and_then(|key| faults.iter().find(|fault| fault.key == key)) {
                let data = row_text(&self.question.rows, self.row);
                output.dirty.push(DirtyRow { reason: fault.reason.clone(), data });
                self.row += 1;
                continue;
            }
            let row = self.row as u32;
            let found = key.map_or(&[][..], |key| self.matches.of(key));
            let rest = &found[self.given..];
            rest.iter().take(room).for_each(|table_row| pairs.push(row, Some(*table_row)));
            if rest.len() > room {
                self.given += room;
                continue;
            }
            if found.is_empty() && self.spec.kind == LookupKind::Left {
                pairs.push(row, None);
            }
            self.row += 1;
            self.given = 0;
        }
        self.emit(pairs, output)?;
        Ok(false)
    }

    fn emit(&self, pairs: Pairs, output: &mut Output) -> Result<(), OperatorError> {
        let Pairs { stream, table } = pairs;
        if stream.is_empty() {
            return Ok(());
        }
        let rows = &self.question.rows;
        let each_once =
            stream.len() == rows.num_rows() && stream.iter().copied().eq(0..rows.num_rows() as u32);
        let stream = UInt32Array::from(stream);
        let from_stream = |column: &ArrayRef| match each_once {
            true => Ok(Arc::clone(column)),
            false => take(column, &stream, None),
        };
        let table = UInt32Array::from(table);
        let (visible, hidden) = rows.columns().split_at(self.spec.visible);
        let columns = visible
            .iter()
            .map(from_stream)
            .chain(self.answer.rows.columns().iter().map(|column| take(column, &table, None)))
            .chain(hidden.iter().map(from_stream))
            .collect::<Result<Vec<_>, ArrowError>>()?;
        output.emit(RecordBatch::try_new(Arc::clone(&self.spec.output), columns)?);
        Ok(())
    }
}

/// Rows of the stream and of the table that belong together.
#[derive(Default)]
struct Pairs {
    stream: Vec<u32>,
    table: Vec<Option<u32>>,
}

impl Pairs {
    fn push(&mut self, stream: u32, table: Option<u32>) {
        self.stream.push(stream);
        self.table.push(table);
    }
}

/// The rows of the table by key, in the order of the answer.
struct Matches {
    rows: Vec<u32>,
    ranges: Vec<Range<usize>>,
}

impl Matches {
    fn new(keys: usize, answer: &LookedUp) -> Result<Self, OperatorError> {
        let mut counts = vec![0; keys];
        for key in &answer.keys {
            let count = counts.get_mut(*key as usize).ok_or_else(|| {
                OperatorError::State("the table has answered a key that was not asked for".to_string())
            })?;
            *count += 1;
        }
        let mut end = 0;
        let mut ranges: Vec<Range<usize>> = Vec::with_capacity(keys);
        for count in counts {
            ranges.push(end..end);
            end += count;
        }
        let mut rows = vec![0; end];
        for (key, row) in answer.keys.iter().zip(0u32..) {
            let range = &mut ranges[*key as usize];
            rows[range.end] = row;
            range.end += 1;
        }
        Ok(Self { rows, ranges })
    }

    fn of(&self, key: u32) -> &[u32] {
        &self.rows[self.ranges[key as usize].clone()]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use arrow::array::{AsArray, Int64Array, StringArray};
    use arrow::datatypes::{DataType, Field, Int64Type};
    use async_trait::async_trait;
    use datafusion_physical_expr::expressions::col;
    use proptest::prelude::*;

    use super::*;
    use crate::error::ConnectorError;
    use crate::lookup::{KeyFault, LookupConnector};
    use crate::message::ROW_WATERMARK;
    use crate::operator::Element;

    struct Table;

    fn table_schema() -> SchemaRef {
        Arc::new(Schema::new(vec![
            Field::new("k", DataType::Int64, true),
            Field::new("name", DataType::Utf8, true),
        ]))
    }

    #[async_trait]
    impl LookupConnector for Table {
        fn schema(&self) -> SchemaRef {
            table_schema()
        }

        async fn look_up(&self, _: &[usize], _: &RecordBatch) -> Result<LookedUp, ConnectorError> {
            Ok(LookedUp::nothing(table_schema()))
        }
    }

    fn join(kind: LookupKind) -> LookupJoin {
        let (a, b) = (Field::new("a", DataType::Int64, true), Field::new("b", DataType::Utf8, true));
        let hidden = Field::new(ROW_WATERMARK, DataType::Int64, true);
        let input = Arc::new(Schema::new(vec![a.clone(), b.clone(), hidden.clone()]));
        let table = table_schema();
        let output = [a, b, table.field(0).clone(), table.field(1).clone(), hidden];
        LookupJoin::new(Arc::new(LookupSpec {
            table: Arc::new(Table),
            key_columns: vec![0],
            keys: vec![col("a", &input).unwrap()],
            kind,
            input,
            visible: 2,
            output: Arc::new(Schema::new(output.to_vec())),
        }))
    }

    fn batch(keys: &[Option<i64>]) -> RecordBatch {
        let b = StringArray::from_iter_values((0..keys.len()).map(|row| format!("r{row}")));
        let hidden = Int64Array::from_iter_values((0..keys.len() as i64).map(|row| row * 10));
        let columns: Vec<ArrayRef> =
            vec![Arc::new(Int64Array::from(keys.to_vec())), Arc::new(b), Arc::new(hidden)];
        RecordBatch::try_new(join(LookupKind::Inner).spec.input.clone(), columns).unwrap()
    }

    fn answer(keys: &RecordBatch, content: &BTreeMap<i64, Vec<String>>) -> LookedUp {
        let (mut k, mut name, mut answered, mut faults) = (vec![], vec![], vec![], vec![]);
        for (key, at) in keys.column(0).as_primitive::<Int64Type>().values().iter().zip(0u32..) {
            for value in content.get(key).into_iter().flatten() {
                if value == "bad" {
                    faults.push(KeyFault { key: at, reason: "bad name".to_string() });
                    continue;
                }
                k.push(*key);
                name.push(value.clone());
                answered.push(at);
            }
        }
        let columns: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(k)), Arc::new(StringArray::from(name))];
        LookedUp { rows: RecordBatch::try_new(table_schema(), columns).unwrap(), keys: answered, faults }
    }

    /// Values of the columns `b`, `name` and the hidden one.
    type Joined = (String, Option<String>, i64);

    /// Rows given out, and those set aside.
    fn run(
        kind: LookupKind,
        keys: &[Option<i64>],
        content: &BTreeMap<i64, Vec<String>>,
    ) -> (Vec<Joined>, Vec<String>) {
        let (join, mut output) = (join(kind), Output::default());
        if let Some(question) = join.question(batch(keys), &mut output).unwrap() {
            let answer = answer(&question.keys, content);
            let mut joined = join.join(question, answer).unwrap();
            while joined.next(&mut output).unwrap() {}
        }
        let mut rows = Vec::new();
        for element in output.elements {
            let Element::Batch(batch) = element else { panic!("rows alone are given out") };
            assert!(batch.num_rows() <= TARGET_BATCH_ROWS);
            let (b, name) = (batch.column(1).as_string::<i32>(), batch.column(3).as_string::<i32>());
            let hidden = batch.column(4).as_primitive::<Int64Type>();
            for row in 0..batch.num_rows() {
                let name = name.is_valid(row).then(|| name.value(row).to_string());
                rows.push((b.value(row).to_string(), name, hidden.value(row)));
            }
        }
        (rows, output.dirty.into_iter().map(|row| format!("{}: {}", row.reason, row.data)).collect())
    }

    #[test]
    fn keys_are_asked_once_and_never_with_null() {
        let question = join(LookupKind::Left)
            .question(batch(&[Some(7), None, Some(8), Some(7)]), &mut Output::default())
            .unwrap()
            .unwrap();
        assert_eq!(question.keys.column(0).as_primitive::<Int64Type>().values(), &[7, 8]);
        assert_eq!(question.key_of_row, [Some(0), None, Some(1), Some(0)]);
    }

    #[test]
    fn a_row_whose_key_cannot_be_answered_is_dirty() {
        let content = BTreeMap::from([(1, vec!["bad".to_string()]), (2, vec!["x".to_string()])]);
        let (rows, dirty) = run(LookupKind::Left, &[Some(1), Some(2)], &content);
        assert_eq!(rows, [("r1".to_string(), Some("x".to_string()), 10)]);
        assert_eq!(dirty, ["bad name: a=1, b=r0"]);
    }

    #[test]
    fn a_key_with_very_many_rows_is_given_out_in_parts() {
        let content = BTreeMap::from([(1, vec!["x".to_string(); TARGET_BATCH_ROWS + 1])]);
        let (rows, _) = run(LookupKind::Inner, &[Some(1), Some(1)], &content);
        let of = |name: &str| rows.iter().filter(|(b, _, _)| b == name).count();
        assert_eq!((of("r0"), of("r1")), (TARGET_BATCH_ROWS + 1, TARGET_BATCH_ROWS + 1));
    }

    #[test]
    fn an_answer_to_a_key_not_asked_for_is_a_fault() {
        let (join, mut output) = (join(LookupKind::Inner), Output::default());
        let question = join.question(batch(&[Some(1)]), &mut output).unwrap().unwrap();
        let mut answer = answer(&question.keys, &BTreeMap::from([(1, vec!["x".to_string()])]));
        answer.keys[0] = 1;
        assert!(join.join(question, answer).is_err());
    }

    proptest! {
        #[test]
        fn joins_like_nested_loops(
            keys in prop::collection::vec(prop::option::of(0..6i64), 0..30),
            content in prop::collection::btree_map(0..6i64, prop::collection::vec("[a-c]", 0..3), 0..6),
            left in any::<bool>(),
        ) {
            let mut expected = Vec::new();
            for (row, key) in keys.iter().enumerate() {
                let found = key.and_then(|key| content.get(&key)).cloned().unwrap_or_default();
                let hidden = row as i64 * 10;
                if found.is_empty() && left {
                    expected.push((format!("r{row}"), None, hidden));
                }
                expected.extend(found.into_iter().map(|name| (format!("r{row}"), Some(name), hidden)));
            }
            let kind = if left { LookupKind::Left } else { LookupKind::Inner };
            prop_assert_eq!(run(kind, &keys, &content).0, expected);
        }
    }
}
