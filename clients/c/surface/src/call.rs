//! A call, or a batch of them: built, sent, waited for, read.

mod batch;
mod run;
mod slot;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use standin_client::Outcome;

pub(crate) use self::{batch::Member, slot::Slot};
use crate::{
    client::Client,
    code::Code,
    failure::{Failure, LastError},
    node::Built,
    view::View,
};

/// A call or a batch.
#[derive(Debug)]
pub(crate) struct Call {
    handle: i64,
    client: Arc<Client>,
    last: LastError,
    /// Only looked at before it is sent.
    request: Mutex<Request>,
    /// There, if this is a batch.
    members: Option<Mutex<Vec<Member>>>,
    slot: Arc<Slot>,
}

/// What is asked, and how.
#[derive(Debug, Default)]
pub(crate) struct Request {
    method: String,
    pub(crate) arguments: Built,
    pub(crate) timeout_ms: Option<u64>,
    pub(crate) key: Option<String>,
    pub(crate) is_idempotent: bool,
    pub(crate) trace: Option<String>,
}

impl Call {
    pub(crate) fn new(handle: i64, client: Arc<Client>, method: String) -> Self {
        let request = Request {
            method,
            ..Request::default()
        };
        Self {
            handle,
            client,
            last: LastError::default(),
            request: Mutex::new(request),
            members: None,
            slot: Arc::default(),
        }
    }

    pub(crate) fn new_batch(handle: i64, client: Arc<Client>) -> Self {
        let call = Self::new(handle, client, "standin.batch".to_owned());
        Self {
            members: Some(Mutex::default()),
            ..call
        }
    }

    pub(crate) fn is_batch(&self) -> bool {
        self.members.is_some()
    }

    pub(crate) fn last(&self) -> &LastError {
        &self.last
    }

    pub(crate) fn client(&self) -> &Arc<Client> {
        &self.client
    }

    /// What is known of its effect; `None`: it was not sent.
    pub(crate) fn known(&self) -> Option<Outcome> {
        self.slot.known()
    }

    /// What is asked, for as long as it can be changed.
    pub(crate) fn building(&self) -> Result<MutexGuard<'_, Request>, Failure> {
        let request = self.request.lock().unwrap_or_else(PoisonError::into_inner);
        self.slot.check_unsent()?;
        Ok(request)
    }

    /// The result.
    pub(crate) fn result(&self) -> Result<Arc<View>, Failure> {
        match self.slot.end() {
            Some(end) => end,
            None => {
                let why = "The call has no result yet: start it, and wait for its end.";
                Err(Failure::new(Code::BadState, why))
            }
        }
    }
}
