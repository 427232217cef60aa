//! A checked job: its streams, and one logical plan for each INSERT.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use arrow::datatypes::SchemaRef;
use datafusion_expr::LogicalPlan;
use weir_base::connector::TableKeys;
use weir_base::variables::Redactor;

/// The metadata key of a field that is a time attribute; the value is `rowtime` or `proctime`.
pub const TIME_ATTRIBUTE: &str = "weir.time";

/// A job whose text has been parsed and checked.
#[derive(Debug)]
pub struct Job {
    /// Source streams in the order of declaration.
    pub sources: Vec<SourceStream>,
    /// Temp streams in the order of declaration.
    pub temps: Vec<TempStream>,
    /// Sink streams in the order of declaration.
    pub sinks: Vec<SinkStream>,
    /// Dimension tables in the order of declaration.
    pub tables: Vec<DimensionTable>,
    /// INSERT statements in the order of the text.
    pub inserts: Vec<Insert>,
    /// What is accepted but probably not meant.
    pub warnings: Vec<crate::Warning>,
    /// Takes the values of the global variables that the text uses out of what is said about the job.
    pub redactor: Redactor,
}

/// The `WITH` clause: canonical option name to value, escapes processed and global variables replaced. As there may be
/// secrets among the values, `Debug` shows the names alone.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Options(pub BTreeMap<String, String>);

impl Options {
    /// Returns the value of an option by its canonical name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// When watermarks are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatermarkInterval {
    /// After every n-th record of a partition.
    Rows(u64),
    /// With the first record and whenever event time has grown by this much.
    Range(Duration),
}

/// `SET WATERMARK (interval, delay)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WatermarkStrategy {
    /// When watermarks are sent.
    pub interval: WatermarkInterval,
    /// How far they stay behind the greatest event time.
    pub delay: Duration,
}

/// `TIMESTAMP BY`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TimeClause {
    /// Index of the event-time column among the declared ones.
    pub rowtime: Option<usize>,
    /// The watermark. On a source with a rowtime always set (the default filled in); on a temp
    /// stream `None` keeps the watermark of the query that fills it.
    pub watermark: Option<WatermarkStrategy>,
    /// Whether a column `proctime` follows the declared ones.
    pub proctime: bool,
}

/// `CREATE SOURCE STREAM`.
#[derive(Debug, Clone)]
pub struct SourceStream {
    /// Name as declared.
    pub name: String,
    /// Declared columns, spelling kept, without `proctime`. A rowtime column declared as
    /// BIGINT stays Int64 here (that is what the decoder makes).
    pub declared: SchemaRef,
    /// Columns as queries see them: the rowtime column as Timestamp(Millisecond) marked with
    /// [`TIME_ATTRIBUTE`], and `proctime` (Timestamp(Millisecond), marked) appended when declared.
    /// A BIGINT rowtime column stays Int64 and is marked all the same.
    pub schema: SchemaRef,
    /// Options by canonical name; defaults are not filled in.
    pub options: Options,
    /// Time attributes.
    pub time: TimeClause,
}

/// `CREATE TEMP STREAM`.
#[derive(Debug, Clone)]
pub struct TempStream {
    /// Name as declared.
    pub name: String,
    /// Declared columns.
    pub declared: SchemaRef,
    /// Columns as queries see them; see [`SourceStream::schema`].
    pub schema: SchemaRef,
    /// Time attributes.
    pub time: TimeClause,
}

/// `CREATE SINK STREAM`.
#[derive(Debug, Clone)]
pub struct SinkStream {
    /// Name as declared.
    pub name: String,
    /// Declared columns.
    pub schema: SchemaRef,
    /// `PARTITIONED BY`: indices of columns, only for connectors that write folders of files.
    pub partitioned: Vec<usize>,
    /// Options by canonical name; defaults are not filled in.
    pub options: Options,
}

/// `CREATE TABLE`: a table whose rows are looked up by a join.
#[derive(Debug, Clone)]
pub struct DimensionTable {
    /// Name as declared.
    pub name: String,
    /// Declared columns.
    pub schema: SchemaRef,
    /// Options by canonical name; defaults are not filled in.
    pub options: Options,
    /// By which columns its rows are looked up.
    pub keys: TableKeys,
}

/// What an INSERT writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// `Job::sinks[i]`.
    Sink(usize),
    /// `Job::temps[i]`.
    Temp(usize),
}

/// One INSERT.
#[derive(Debug)]
pub struct Insert {
    /// Where the rows go.
    pub target: Target,
    /// The query. Leaves are `TableScan`s whose table name is the declared name of a source or temp
    /// stream, or `EmptyRelation` / `Values` for constant rows. Output columns have exactly the
    /// types of the target's declared columns, in order. Types are coerced and the dialect's
    /// semantics are built in; group windows are `Aggregate` nodes one of whose group expressions is
    /// a call of the marker functions `tumble`, `hop` or `session` (see `weir_functions::window`).
    pub plan: LogicalPlan,
    /// Byte offset of the statement in the text.
    pub offset: usize,
}
