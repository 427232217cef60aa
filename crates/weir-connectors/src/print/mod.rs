//! A sink that shows rows to people: on the terminal of `weir run`, or in the log of the job.

mod log;

pub use log::LogPrint;

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use weir_base::connector::{ConnectorSpec, Role, RoleSpec};
use weir_engine::error::ConnectorError;
use weir_engine::sink::{Guarantee, Prepared, SharedSink, SinkConnector, SinkWriter, WriterContext};
use weir_sql::SinkStream;

use crate::environment::Environment;

/// What the checker and the reference page say of it.
pub(crate) static SPEC: ConnectorSpec = ConnectorSpec {
    name: "print",
    summary: "Shows rows on the terminal of `weir run`, or in the log of the job, for development. Rows show at once and may repeat after a failure.",
    roles: &[RoleSpec { role: Role::Sink, options: &[], ignored: &[], rule: None, table: None }],
    shared_cluster: true,
};

/// Where printed rows go.
pub trait PrintTarget: Send + Sync + 'static {
    /// Shows rows of a sink stream. Returns the bytes written.
    fn print(&self, stream: &str, rows: &RecordBatch) -> Result<u64, ConnectorError>;
}

/// Makes the connector of a stream.
pub(crate) fn sink(stream: &SinkStream, environment: &Environment) -> SharedSink {
    Arc::new(Print { stream: stream.name.clone(), target: Arc::clone(&environment.print) })
}

#[derive(Clone)]
struct Print {
    stream: String,
    target: Arc<dyn PrintTarget>,
}

#[async_trait]
impl SinkConnector for Print {
    fn guarantee(&self) -> Guarantee {
        Guarantee::AtLeastOnce
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
        self.target.print(&self.stream, rows)
    }

    async fn prepare(&mut self, _epoch: u64, _last: bool) -> Result<Prepared, ConnectorError> {
        Ok(Prepared::default())
    }
}
