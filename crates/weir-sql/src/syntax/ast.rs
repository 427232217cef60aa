//! The statements of a job as parsed: names, options and clauses with their places in the text.

use std::time::Duration;

use arrow::datatypes::DataType;
use sqlparser::ast::Query;

use super::pattern::PatternDetails;
use crate::{Position, WatermarkInterval};

/// A name with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The name as written, without back quotes.
    pub value: String,
    /// Where it begins.
    pub position: Position,
    /// Characters it takes in the text.
    pub length: u32,
}

/// One statement.
#[derive(Debug)]
pub enum Statement {
    /// `CREATE SOURCE | SINK | TEMP STREAM` and `CREATE TABLE`.
    Create(CreateStream),
    /// `CREATE FUNCTION`.
    Function(CreateFunction),
    /// `INSERT INTO name query`.
    Insert(InsertInto),
}

/// The kind of a stream; a dimension table is one of them, because it is declared alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamKind {
    /// Read from outside.
    Source,
    /// Written to the outside.
    Sink,
    /// Filled by one INSERT and read by another.
    Temp,
    /// A dimension table: not read as a whole but looked up by a join.
    Table,
}

/// `CREATE ... STREAM`, `CREATE TABLE`.
#[derive(Debug)]
pub struct CreateStream {
    /// Kind.
    pub kind: StreamKind,
    /// Name.
    pub name: Name,
    /// Declared columns; empty when the columns come from `json_schema`.
    pub columns: Vec<ColumnDefinition>,
    /// `PARTITIONED BY`: columns of a sink; empty without the clause.
    pub partitioned: Vec<Name>,
    /// The `WITH` clause, in order, escapes processed.
    pub options: Vec<OptionEntry>,
    /// `TIMESTAMP BY`.
    pub time: Option<TimeSyntax>,
}

/// `CREATE FUNCTION name AS 'class'`.
#[derive(Debug)]
pub struct CreateFunction {
    /// Name.
    pub name: Name,
    /// The class, with its package.
    pub class: String,
    /// Where the class stands.
    pub class_position: Position,
    /// Characters the class takes in the text, quotes included.
    pub class_length: u32,
}

/// One column.
#[derive(Debug)]
pub struct ColumnDefinition {
    /// Name.
    pub name: Name,
    /// Type as in section "data types" of the language reference.
    pub data_type: DataType,
}

/// One option.
#[derive(Debug)]
pub struct OptionEntry {
    /// Name as written; may hold dots.
    pub name: Name,
    /// Value with escapes processed.
    pub value: String,
    /// Where the value begins.
    pub value_position: Position,
    /// Characters the value takes in the text, quotes included.
    pub value_length: u32,
}

/// `TIMESTAMP BY ... SET WATERMARK ...`.
#[derive(Debug, Default)]
pub struct TimeSyntax {
    /// `x.ROWTIME`: the column.
    pub rowtime: Option<Name>,
    /// `PROCTIME.PROCTIME`.
    pub proctime: Option<Name>,
    /// `SET WATERMARK (interval, delay)`.
    pub watermark: Option<(WatermarkInterval, Duration)>,
}

/// `INSERT INTO`.
#[derive(Debug)]
pub struct InsertInto {
    /// Target stream.
    pub target: Name,
    /// The query. Identifiers and expressions carry spans whose line and column are places in the job text.
    pub query: Box<Query>,
    /// Where the query begins.
    pub query_position: Position,
    /// What the patterns in the query say beyond the tree; see [`InsertInto::details_of`].
    pub patterns: Vec<PatternDetails>,
    /// The streams and tables that `FROM` names, in the order of the text, without schema and catalog.
    pub tables: Vec<Name>,
    /// The functions that are called, in the order of the text; not those with a syntax of their own.
    pub calls: Vec<Name>,
    /// Byte offset of the statement in the text.
    pub offset: usize,
}
