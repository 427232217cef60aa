//! Jobs as state machines, the reconciler, quotas and audit.
