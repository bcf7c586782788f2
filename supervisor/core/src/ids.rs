//! The names of things. A bare number never crosses a function boundary.

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $inner);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id! {
    /// One thing that a client asked, for as long as the service lives. Never reused.
    RequestId(u64)
}
id! {
    /// The service's memory of one client. Never reused.
    SessionId(u64)
}
id! {
    /// A user of the operating system, numbered for as long as the service lives.
    UserId(u32)
}
id! {
    /// A place in a pool.
    SlotId(u32)
}
id! {
    /// One sending of a request to a worker. Never reused within a pool; it is also the msgid on the worker's pipe.
    AttemptId(u64)
}
id! {
    /// One asking for an idempotency key. Never reused while the service lives.
    ClaimId(u64)
}
id! {
    /// A durable job: its row in the store. Never reused.
    JobId(i64)
}

/// Tells one request from another: a 128-bit hash of the method and its parameters as they were sent. It guards against
/// accidents, not against malice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub u128);

/// The worker that is, or was, in a slot: its generation grows with each start, so that news of a dead worker is
/// never taken for news of the one after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkerId {
    /// The place.
    pub slot: SlotId,
    /// Which worker in that place, from 1.
    pub generation: u32,
}

impl std::fmt::Display for WorkerId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}#{}", self.slot, self.generation)
    }
}
