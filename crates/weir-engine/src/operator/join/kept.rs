//! The rows that a join keeps for one key.

use super::super::OperatorError;
use super::super::keyed_state::KeyedState;
use super::super::row_store::{RowRef, RowStore};

/// The rows of one key.
pub(super) trait RowsOfKey {
    /// Returns the addresses of its rows of an input.
    fn addresses(&mut self, input: usize) -> impl Iterator<Item = &mut RowRef>;
}

/// Copies the rows of an input together when most of what their store holds is dead.
pub(super) fn compact<K: RowsOfKey>(
    input: usize,
    store: &mut RowStore,
    keys: &mut KeyedState<K>,
) -> Result<(), OperatorError> {
    match store.wants_compaction() {
        true => store.compact(keys.states_mut().flat_map(|of_key| of_key.addresses(input))),
        false => Ok(()),
    }
}

/// Returns the error of state that does not hold together.
pub(super) fn gone() -> OperatorError {
    OperatorError::State("a row that a join keeps is gone".to_string())
}
