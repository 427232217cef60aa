//! What goes wrong, in the words of the notification service.

use weir_cloud::notifications::{Fault, NotificationError};

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SmnError {
    pub(super) status: u16,
    /// The number behind `SMN.`.
    pub(super) code: u16,
    pub(super) message: String,
}

impl SmnError {
    pub(super) fn new(status: u16, code: u16, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    /// A caller without the right.
    pub(super) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(403, 1, message)
    }

    /// Nobody is known to call; clients with a token get a new one upon this status.
    pub(super) fn unknown_caller(message: impl Into<String>) -> Self {
        Self::new(401, 1, message)
    }

    /// A body that cannot be read. The service has no code for this; that of what the body is about is the nearest.
    pub(super) fn body(message: impl Into<String>) -> Self {
        Self::new(400, 9, message)
    }

    /// A fault of our own.
    pub(super) fn internal() -> Self {
        Self::new(500, 18, "the service failed; its log tells why")
    }

    /// Returns the code as clients see it.
    pub(super) fn full_code(&self) -> String {
        format!("SMN.{:04}", self.code)
    }
}

impl From<NotificationError> for SmnError {
    fn from(error: NotificationError) -> Self {
        let (status, code) = code_of(error.fault);
        if error.fault == Fault::Store {
            tracing::error!(error = error.message, "the store of notifications failed");
            return Self::new(
                status,
                code,
                "the store of notifications failed; the log of the service tells why",
            );
        }
        Self::new(status, code, error.message)
    }
}

/// Returns the HTTP status and the code of a refusal.
fn code_of(fault: Fault) -> (u16, u16) {
    match fault {
        Fault::TopicName => (400, 2),
        Fault::DisplayName => (400, 3),
        Fault::TopicLimit => (403, 4),
        Fault::TopicUrn => (400, 5),
        Fault::NoTopic => (404, 6),
        Fault::SubscriptionLimit => (403, 7),
        Fault::Subject => (403, 8),
        Fault::Message => (403, 9),
        Fault::Protocol => (400, 11),
        Fault::Endpoint => (400, 12),
        Fault::NoSubscription => (404, 13),
        Fault::SubscriptionUrn => (400, 14),
        Fault::Store => (500, 16),
        Fault::Remark => (400, 17),
        Fault::Structure => (400, 21),
        Fault::Token => (403, 22),
        Fault::TemplateContent => (400, 24),
        Fault::TemplateExists => (400, 25),
        Fault::NoTemplate => (404, 27),
        Fault::TemplateName => (400, 32),
        Fault::TemplateLimit => (400, 44),
        Fault::AttributeValue => (403, 47),
        Fault::ConfirmationRate => (403, 65),
        Fault::InternalEndpoint => (403, 69),
        Fault::Tags => (403, 75),
        Fault::NoDefaultTemplate => (404, 76),
    }
}
