//! The head of a chain that looks rows up in a dimension table before its operators see them.
//!
//! Operators are synchronous and a look-up is not; so a join with a table always begins a chain, and the subtask
//! waits here. Meanwhile its channels fill and hold the writers back.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use arrow::array::RecordBatch;
use tokio_util::sync::CancellationToken;
use weir_base::clock::Clock;

use super::TaskError;
use crate::error::ConnectorError;
use crate::lookup::LookedUp;
use crate::metrics::Counters;
use crate::operator::{Joined, LookupJoin, Output};

/// How long a look-up is tried while the table says that trying again may help. Beyond it the job fails with the
/// reason, so that a person or the restart of the job can act.
const DEADLINE: Duration = Duration::from_secs(60);
/// The first pause between two attempts; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A join with a dimension table at the head of a chain.
pub(crate) struct LookupHead {
    pub(crate) name: String,
    /// The sources of the rows it sees, by whose names its dirty rows go.
    pub(crate) sources: String,
    pub(crate) join: LookupJoin,
    pub(crate) counters: Arc<Counters>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) cancel: CancellationToken,
    /// Whether this subtask reports the memory of the table, which all share.
    pub(crate) reports_memory: bool,
}

impl LookupHead {
    /// Asks for the rows of a batch; those on which the keys cannot be evaluated go to `output.dirty`. Given up with
    /// [`TaskError::Cancelled`] when the job is cancelled meanwhile.
    pub(crate) async fn join(
        &self,
        batch: RecordBatch,
        output: &mut Output,
    ) -> Result<Option<Joined<'_>>, TaskError> {
        Counters::add(&self.counters.records_in, batch.num_rows() as u64);
        let Some(question) = self.join.question(batch, output)? else { return Ok(None) };
        let answer = match question.keys.num_rows() {
            0 => LookedUp::nothing(self.join.spec().table.schema()),
            _ => {
                tokio::select! {
                    biased;
                    () = self.cancel.cancelled() => return Err(TaskError::Cancelled),
                    answer = self.ask(&question.keys) => answer?,
                }
            }
        };
        Ok(Some(self.join.join(question, answer)?))
    }

    async fn ask(&self, keys: &RecordBatch) -> Result<LookedUp, ConnectorError> {
        let spec = self.join.spec();
        let began = self.clock.now();
        let (mut pause, mut paused) = (FIRST_PAUSE, Duration::ZERO);
        loop {
            let error = match spec.table.look_up(&spec.key_columns, keys).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            // A clock that stands still must not make this endless.
            let is_over = paused >= DEADLINE || self.clock.now() >= began.plus(DEADLINE);
            if !error.transient || is_over {
                return Err(error);
            }
            if paused.is_zero() {
                tracing::warn!(operator = self.name, %error, "look-up failed, will retry");
            }
            self.clock.sleep(pause).await;
            paused += pause;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Updates the counter of bytes held in memory.
    pub(crate) fn report_memory(&self) {
        if self.reports_memory {
            let bytes = self.join.spec().table.cached_bytes() as u64;
            self.counters.state_bytes.store(bytes, Ordering::Relaxed);
        }
    }
}
