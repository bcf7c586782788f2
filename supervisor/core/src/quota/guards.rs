//! What is counted, for as long as it is there.

use std::sync::{Arc, atomic::Ordering};

use super::Account;

/// A connection.
#[derive(Debug)]
pub struct Place {
    account: Arc<Account>,
    is_within: bool,
}

impl Place {
    pub(super) const fn new(account: Arc<Account>, is_within: bool) -> Self {
        Self { account, is_within }
    }

    /// Whose it is.
    #[must_use]
    pub const fn account(&self) -> &Arc<Account> {
        &self.account
    }

    /// Whether the connection was within the limit when it came.
    #[must_use]
    pub const fn is_within(&self) -> bool {
        self.is_within
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.account.sessions.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A call that is not answered.
#[derive(Debug)]
pub struct Charge {
    account: Arc<Account>,
    bytes: usize,
}

impl Charge {
    pub(super) const fn new(account: Arc<Account>, bytes: usize) -> Self {
        Self { account, bytes }
    }

    /// The same again, for a second life of the call.
    #[must_use]
    pub fn again(&self) -> Charge {
        self.account.charge_regardless(self.bytes)
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.account.requests.fetch_sub(1, Ordering::Relaxed);
        self.account
            .waiting_bytes
            .fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// The answers that one session keeps.
#[derive(Debug)]
pub struct Kept {
    account: Arc<Account>,
    bytes: usize,
}

impl Kept {
    /// None yet.
    #[must_use]
    pub const fn new(account: Arc<Account>) -> Self {
        Self { account, bytes: 0 }
    }

    /// So many bytes of them are there now. True: they are more than before.
    pub fn set(&mut self, bytes: usize) -> bool {
        let before = std::mem::replace(&mut self.bytes, bytes);
        let kept = &self.account.kept_bytes;
        if bytes > before {
            kept.fetch_add(bytes - before, Ordering::Relaxed);
        } else if bytes < before {
            kept.fetch_sub(before - bytes, Ordering::Relaxed);
        }
        bytes > before
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.set(0);
    }
}
