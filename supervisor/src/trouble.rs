//! Why a pool is not there: in a sentence for a message box, and in short for the line of a list.
//!
//! A pool finds the words (`pool::words`), the directory keeps them for methods that nobody offers yet, and every
//! `pool_unavailable` has the short one as its `data`, from where a job and the command line have it.

use serde::{Deserialize, Serialize};
use standin_protocol::{self as protocol, ErrorAnswer, ErrorCode};

/// Why the methods of a pool are not known.
#[derive(Debug, Clone)]
pub(crate) struct Trouble {
    pub(crate) sentence: String,
    pub(crate) reason: String,
}

/// The `data` of a call's `pool_unavailable`.
#[derive(Serialize, Deserialize)]
struct Data {
    reason: String,
}

/// The answer to a call whose pool is not there.
pub(crate) fn unavailable(message: String, reason: String) -> ErrorAnswer {
    let data = protocol::encode(&Data { reason });
    ErrorAnswer::new(ErrorCode::PoolUnavailable, message).with_data(data)
}

/// Why a pool is not there, if that is what an error says. A worker may have made it, or an older service: then it may
/// have none.
pub(crate) fn reason(answer: &ErrorAnswer) -> Option<String> {
    if answer.service_code() != Some(ErrorCode::PoolUnavailable) {
        return None;
    }
    let data = rmp_serde::from_slice(answer.data.as_ref()?);
    data.ok().map(|Data { reason }| reason)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn a_reason_is_read_from_the_error_of_a_pool_that_is_not_there_and_from_no_other() {
        let answer = unavailable("It is not there: why.".to_owned(), "why".to_owned());
        let kept = ErrorAnswer::decode(&answer.encode());
        assert_eq!(reason(&kept).as_deref(), Some("why"));
        let without = ErrorAnswer::new(ErrorCode::PoolUnavailable, "An older service.");
        assert_eq!(reason(&without), None);
        let strange = without.with_data(Bytes::from_static(b"\x81\xa6reason\x05"));
        assert_eq!(reason(&strange), None);
        let data = answer.data.expect("it was given");
        let other = ErrorAnswer::new(ErrorCode::Overloaded, "Full.").with_data(data);
        assert_eq!(reason(&other), None);
    }
}
