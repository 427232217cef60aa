//! The ids of events as clients see them: UUIDs that hold the number of the audit record, so that a page can begin after an
//! event that is no longer there.

use uuid::{Builder, Uuid};
use weir_base::id::ProjectId;

/// Bytes of a UUID that hold the number.
const NUMBER_BYTES: usize = 6;

/// Returns the id of an audit record of a project.
pub(crate) fn event_id(project: &ProjectId, number: i64) -> String {
    let mut bytes = [0; 16];
    // The project tells records of several services apart.
    let of_project = hex::decode(&project.0).unwrap_or_default();
    for (byte, value) in bytes.iter_mut().take(16 - NUMBER_BYTES).zip(of_project) {
        *byte = value;
    }
    let number = number.to_be_bytes();
    bytes[16 - NUMBER_BYTES..].copy_from_slice(&number[number.len() - NUMBER_BYTES..]);
    Builder::from_custom_bytes(bytes).into_uuid().to_string()
}

/// Returns the number of the audit record with an id, whether there is one or not.
pub(crate) fn event_number(id: &str) -> Option<i64> {
    let uuid = Uuid::parse_str(id).ok()?;
    let bytes = &uuid.as_bytes()[16 - NUMBER_BYTES..];
    Some(bytes.iter().fold(0, |number, byte| number << 8 | i64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_holds_the_number_and_differs_between_projects() {
        let one = event_id(&ProjectId("0123456789abcdef0123456789abcdef".into()), 4_711);
        let two = event_id(&ProjectId("f123456789abcdef0123456789abcdef".into()), 4_711);
        assert_ne!(one, two);
        assert_eq!((event_number(&one), event_number(&two)), (Some(4_711), Some(4_711)));
        assert_eq!(event_number("4711"), None);
    }
}
