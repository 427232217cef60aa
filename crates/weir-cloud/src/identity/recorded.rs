//! The audit of changes: the record of a call is written in the transaction of the first change that the call makes.
//!
//! The record goes with the task, not through each of the two dozen methods that change something: the routes give it
//! along with the work ([`recorded`]), and the repository takes it where it writes ([`take_record`]). Work that nobody
//! called for, such as the first start, has none.

use std::cell::Cell;

use weir_base::audit::AuditRecord;

tokio::task_local! {
    static RECORD: Cell<Option<AuditRecord>>;
}

/// Does work whose first change writes a record along. Returns whether it was taken, too: of work that changed nothing it is
/// left.
pub async fn recorded<T>(record: AuditRecord, work: impl Future<Output = T>) -> (T, bool) {
    let work = async {
        let result = work.await;
        (result, take_record().is_none())
    };
    RECORD.scope(Cell::new(Some(record)), work).await
}

/// Returns the record that the present change has to write along; `None` when another one has, and when nobody called for it.
pub fn take_record() -> Option<AuditRecord> {
    RECORD.try_with(Cell::take).ok().flatten()
}

#[cfg(test)]
mod tests {
    use weir_base::audit::{AuditRecord, Change};
    use weir_base::id::ProjectId;
    use weir_base::time::Timestamp;

    use super::*;

    #[tokio::test]
    async fn a_record_is_taken_once_and_by_the_work_that_it_goes_with() {
        let change = Change { service: "IAM", resource_type: "user", event: "createUser" };
        let record = AuditRecord::of_operator(&ProjectId("p".into()), change, Timestamp(1));
        assert_eq!(take_record(), None);
        let (taken, is_taken) = recorded(record.clone(), async { (take_record(), take_record()) }).await;
        assert_eq!((taken, is_taken), ((Some(record.clone()), None), true));
        assert_eq!(recorded(record, async { 1 }).await, (1, false));
    }
}
