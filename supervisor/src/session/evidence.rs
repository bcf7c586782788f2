//! What is known of a call that had begun when the service died: the answer to it, with the evidence.

use bytes::Bytes;
use rustc_hash::FxHashMap;
use serde::Serialize;
use standin_core::session::Origin;
use standin_protocol::{self as protocol, ErrorAnswer, ErrorCode};

use super::SessionState;
use crate::{
    clock, recovery,
    store::{Evidence, RecordState, StoredSession},
};

/// Of the calls of a session that earlier lives of the service had begun, by message and item.
#[derive(Debug, Default)]
pub(super) struct BegunBefore(FxHashMap<(u64, u32), Evidence>);

impl BegunBefore {
    pub(super) fn of(stored: &StoredSession) -> BegunBefore {
        let records = stored.records.iter();
        let begun = records.filter(|record| !matches!(record.state, RecordState::Done(_)));
        BegunBefore(
            begun
                .map(|record| ((record.msgid, record.item), record.evidence))
                .collect(),
        )
    }

    /// The client has read every answer up to this one.
    pub(super) fn acknowledged(&mut self, up_to: u64) {
        self.0.retain(|(msgid, _), _| *msgid > up_to);
    }
}

impl SessionState {
    /// The answer to a call that an earlier life of the service had begun.
    pub(super) fn interrupted(&self, origin: Origin, method: &[u8]) -> Bytes {
        recovery::outcome_unknown();
        let evidence = self.begun.0.get(&(origin.msgid(), origin.item()));
        outcome_unknown(method, evidence.copied().unwrap_or_default()).encode()
    }
}

/// The evidence as a program gets it.
#[derive(Serialize)]
struct Data {
    #[serde(skip_serializing_if = "Option::is_none")]
    begun_at_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permitted_at_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<u32>,
}

/// The answer to a call that had begun when the service died.
pub(crate) fn outcome_unknown(method: &[u8], evidence: Evidence) -> ErrorAnswer {
    let method = String::from_utf8_lossy(method);
    let mut why = format!(
        "Standin was interrupted while \"{method}\" was running. Whether it was executed is not known."
    );
    if let Some(told) = told(evidence) {
        why += &format!(" {told}");
    }
    let answer = ErrorAnswer::new(ErrorCode::OutcomeUnknown, why);
    if evidence == Evidence::default() {
        return answer;
    }
    answer.with_data(protocol::encode(&Data {
        begun_at_ms: evidence.begun,
        permitted_at_ms: evidence.granted,
        pid: evidence.by.pid,
        attempt: evidence.by.attempt,
    }))
}

/// A sentence for a person.
fn told(evidence: Evidence) -> Option<String> {
    let pid = evidence.by.pid.map(|pid| format!(" in process {pid}"));
    let pid = pid.unwrap_or_default();
    match (
        evidence.begun.map(clock::utc),
        evidence.granted.map(clock::utc),
    ) {
        (None, None) => None,
        (Some(begun), None) => Some(format!("It began at {begun}{pid}.")),
        (None, Some(granted)) => Some(format!(
            "What cannot be undone was permitted at {granted}{pid}."
        )),
        (Some(begun), Some(granted)) => Some(format!(
            "It began at {begun}{pid}; what cannot be undone was permitted at {granted}."
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::By;

    fn words(begun: Option<u64>, granted: Option<u64>, pid: Option<u32>) -> String {
        let by = By {
            pid,
            attempt: Some(2),
        };
        let evidence = Evidence { begun, granted, by };
        outcome_unknown(b"mail.send", evidence).message
    }

    #[test]
    fn a_person_is_told_when_it_began_and_when_its_effect_was_permitted_and_in_which_process() {
        insta::assert_snapshot!(words(Some(1_000), Some(2_500), Some(4711)), @r#"Standin was interrupted while "mail.send" was running. Whether it was executed is not known. It began at 1970-01-01T00:00:01.000Z in process 4711; what cannot be undone was permitted at 1970-01-01T00:00:02.500Z."#);
        insta::assert_snapshot!(words(None, Some(2_500), Some(4711)), @r#"Standin was interrupted while "mail.send" was running. Whether it was executed is not known. What cannot be undone was permitted at 1970-01-01T00:00:02.500Z in process 4711."#);
        insta::assert_snapshot!(words(Some(1_000), None, None), @r#"Standin was interrupted while "mail.send" was running. Whether it was executed is not known. It began at 1970-01-01T00:00:01.000Z."#);
    }

    #[test]
    fn of_a_call_that_an_older_version_had_begun_nothing_is_made_up() {
        let answer = outcome_unknown(b"mail.send", Evidence::default());
        assert_eq!(answer.data, None);
        assert!(answer.message.ends_with("is not known."));
    }
}
