//! A sink that forgets every row; the engine's metrics count them.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use weir_base::connector::{ConnectorSpec, Role, RoleSpec};
use weir_engine::error::ConnectorError;
use weir_engine::sink::{Guarantee, Prepared, SharedSink, SinkConnector, SinkWriter, WriterContext};

/// What the checker and the reference page say of it.
pub(crate) static SPEC: ConnectorSpec = ConnectorSpec {
    name: "blackhole",
    summary: "Counts rows and forgets them, for development and measurements.",
    roles: &[RoleSpec { role: Role::Sink, options: &[], ignored: &[], rule: None, columns: None }],
    shared_cluster: true,
};

/// Makes the connector.
pub(crate) fn sink() -> SharedSink {
    Arc::new(Blackhole)
}

struct Blackhole;

#[async_trait]
impl SinkConnector for Blackhole {
    fn guarantee(&self) -> Guarantee {
        // Nothing ever becomes visible twice.
        Guarantee::ExactlyOnce
    }

    async fn discard_uncommitted(&self, _restored_epoch: Option<u64>) -> Result<(), ConnectorError> {
        Ok(())
    }

    async fn open(&self, _context: WriterContext) -> Result<Box<dyn SinkWriter>, ConnectorError> {
        Ok(Box::new(Blackhole))
    }

    async fn commit(&self, _committables: &[Vec<u8>]) -> Result<(), ConnectorError> {
        Ok(())
    }
}

#[async_trait]
impl SinkWriter for Blackhole {
    async fn write(&mut self, _rows: &RecordBatch) -> Result<u64, ConnectorError> {
        Ok(0)
    }

    async fn prepare(&mut self, _epoch: u64, _last: bool) -> Result<Prepared, ConnectorError> {
        Ok(Prepared::default())
    }
}
