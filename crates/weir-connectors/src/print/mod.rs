//! A sink that shows rows to people: on the terminal of `weir run`, or in the log of the job.

mod log;

pub use log::LogPrint;

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use weir_base::connector::{ConnectorSpec, Need, Role, RoleSpec};
use weir_engine::RowKind;
use weir_engine::error::ConnectorError;
use weir_engine::sink::{Guarantee, Prepared, SharedSink, SinkConnector, SinkWriter, WriterContext};
use weir_sql::SinkStream;

use crate::catalog::{SWITCH, choice};
use crate::environment::Environment;
use crate::options::StreamOptions;
use crate::row_kinds;

/// What the checker and the reference page say of it.
pub(crate) static SPEC: ConnectorSpec = ConnectorSpec {
    name: "print",
    summary: "Shows rows on the terminal of `weir run`, or in the log of the job, for development. Rows show at once and may repeat after a failure.",
    roles: &[RoleSpec {
        role: Role::Sink,
        options: &[choice(
            "row_kinds",
            Need::Optional("true"),
            SWITCH,
            "Whether a result that changes shows withdrawn rows too, and each row its kind: `+I` added, `-U` and `+U` the old and the new form of an updated row, `-D` withdrawn. A result that only grows has no kinds.",
        )],
        ignored: &[],
        rule: None,
        columns: None,
    }],
    shared_cluster: true,
};

/// Where printed rows go.
pub trait PrintTarget: Send + Sync + 'static {
    /// Shows rows of a sink stream; `kinds` tells of each what happens to it when the result changes. Returns the
    /// bytes written.
    fn print(
        &self,
        stream: &str,
        rows: &RecordBatch,
        kinds: Option<&[RowKind]>,
    ) -> Result<u64, ConnectorError>;
}

/// Makes the connector of a stream.
pub(crate) fn sink(stream: &SinkStream, environment: &Environment) -> Result<SharedSink, ConnectorError> {
    let options = StreamOptions::new(&stream.name, &stream.options);
    Ok(Arc::new(Print {
        stream: stream.name.clone(),
        row_kinds: options.flag("row_kinds", true)?,
        target: Arc::clone(&environment.print),
    }))
}

#[derive(Clone)]
struct Print {
    stream: String,
    row_kinds: bool,
    target: Arc<dyn PrintTarget>,
}

#[async_trait]
impl SinkConnector for Print {
    fn guarantee(&self) -> Guarantee {
        Guarantee::AtLeastOnce
    }

    fn takes_row_kinds(&self) -> bool {
        self.row_kinds
    }

    async fn discard_uncommitted(&self, _restored_epoch: Option<u64>) -> Result<(), ConnectorError> {
        Ok(())
    }

    async fn open(&self, _context: WriterContext) -> Result<Box<dyn SinkWriter>, ConnectorError> {
        Ok(Box::new(self.clone()))
    }

    async fn commit(&self, _committables: &[Vec<u8>]) -> Result<(), ConnectorError> {
        Ok(())
    }
}

#[async_trait]
impl SinkWriter for Print {
    async fn write(&mut self, rows: &RecordBatch) -> Result<u64, ConnectorError> {
        if rows.num_rows() == 0 {
            return Ok(0);
        }
        let (rows, kinds) = row_kinds::split(&self.stream, rows)?;
        self.target.print(&self.stream, &rows, kinds.as_deref())
    }

    async fn prepare(&mut self, _epoch: u64, _last: bool) -> Result<Prepared, ConnectorError> {
        Ok(Prepared::default())
    }
}
