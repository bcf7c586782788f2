use std::time::{Duration, Instant};

use bytes::Bytes;

use super::*;

const PAYLOAD: Fingerprint = Fingerprint(1);
const OTHER_PAYLOAD: Fingerprint = Fingerprint(2);
const KEY: &str = "order-1";

struct Keys {
    core: KeysCore<&'static str, u64>,
    start: Instant,
    last: u64,
}

/// Effects in few words.
#[derive(Debug, PartialEq, Eq)]
enum Act {
    LookUp,
    Tell(u64, Verdict),
    RecordUnknown(Fingerprint, Answer),
}

#[expect(
    clippy::disallowed_methods,
    reason = "only differences to this moment matter"
)]
fn beginning() -> Instant {
    Instant::now()
}

fn answer(text: &'static str) -> Answer {
    Ok(Bytes::from_static(text.as_bytes()))
}

impl Keys {
    fn new() -> Self {
        Self {
            core: KeysCore::new(100),
            start: beginning(),
            last: 0,
        }
    }

    fn handle_at(&mut self, seconds: u64, event: Event<&'static str, u64>) -> Vec<Act> {
        let mut effects = Vec::new();
        let now = self.start + Duration::from_secs(seconds);
        self.core.handle(now, event, &mut effects);
        let act = |effect| match effect {
            Effect::LookUp(_) => Act::LookUp,
            Effect::Tell {
                claim,
                claimant,
                verdict,
                ..
            } => {
                assert_eq!(claim.0, claimant, "each is told its own");
                Act::Tell(claimant, verdict)
            }
            Effect::RecordUnknown {
                fingerprint,
                answer,
                ..
            } => Act::RecordUnknown(fingerprint, answer),
        };
        effects.into_iter().map(act).collect()
    }

    fn handle(&mut self, event: Event<&'static str, u64>) -> Vec<Act> {
        self.handle_at(0, event)
    }

    fn claim(&mut self, fingerprint: Fingerprint) -> Vec<Act> {
        self.claim_to(Wish::Run, fingerprint)
    }

    fn look(&mut self, fingerprint: Fingerprint) -> Vec<Act> {
        self.claim_to(Wish::Look, fingerprint)
    }

    /// The next claim, which counts from 1, with ten seconds for each number.
    fn claim_to(&mut self, wish: Wish, fingerprint: Fingerprint) -> Vec<Act> {
        self.last += 1;
        let claim = Claim {
            id: ClaimId(self.last),
            key: KEY,
            fingerprint,
            wish,
            deadline: self.start + Duration::from_secs(10 * self.last),
            claimant: self.last,
        };
        self.handle(Event::Claimed(claim))
    }

    fn found(&mut self, found: Found) -> Vec<Act> {
        self.handle(Event::LookedUp { key: KEY, found })
    }

    fn settled(&mut self, claim: u64, text: &'static str) -> Vec<Act> {
        let (key, claim, answer) = (KEY, ClaimId(claim), answer(text));
        self.handle(Event::Settled { key, claim, answer })
    }

    fn released(&mut self, claim: u64, release: Release) -> Vec<Act> {
        let (key, claim) = (KEY, ClaimId(claim));
        self.handle(Event::Released {
            key,
            claim,
            release,
        })
    }

    fn gone(&mut self, claim: u64) -> Vec<Act> {
        let (key, claim) = (KEY, ClaimId(claim));
        self.handle(Event::Gone { key, claim })
    }

    /// The first claim runs, and so many of the same wait.
    fn running(waiting: u64) -> Self {
        let mut keys = Self::new();
        assert_eq!(keys.claim(PAYLOAD), [Act::LookUp]);
        assert_eq!(keys.found(Found::Nothing), [Act::Tell(1, Verdict::Run)]);
        for _ in 0..waiting {
            assert_eq!(keys.claim(PAYLOAD), []);
        }
        keys
    }

    fn assert_empty(&self) {
        assert_eq!((self.core.keys(), self.core.waiting()), (0, 0));
        assert_eq!(self.core.next_wakeup(), None);
    }
}

fn all_done(claims: std::ops::RangeInclusive<u64>, text: &'static str) -> Vec<Act> {
    let done = |claim| Act::Tell(claim, Verdict::Done(answer(text)));
    claims.map(done).collect()
}

#[test]
fn the_first_of_many_runs_and_the_others_get_its_answer() {
    let mut keys = Keys::running(3);
    assert_eq!(keys.settled(1, "done"), all_done(2..=4, "done"));
    keys.assert_empty();
}

#[test]
fn many_that_come_before_the_store_has_answered_are_one_question_and_one_run() {
    let mut keys = Keys::new();
    assert_eq!(keys.claim(PAYLOAD), [Act::LookUp]);
    assert_eq!(keys.claim(PAYLOAD), []);
    assert_eq!(keys.claim(OTHER_PAYLOAD), []);
    assert_eq!(
        keys.found(Found::Nothing),
        [Act::Tell(1, Verdict::Run), Act::Tell(3, Verdict::Conflict)]
    );
    assert_eq!(
        keys.found(Found::Nothing),
        [],
        "a second answer runs nobody"
    );
    assert_eq!(keys.settled(1, "done"), all_done(2..=2, "done"));
}

#[test]
fn a_key_whose_call_has_ended_is_answered_from_the_store_and_never_run() {
    let mut keys = Keys::new();
    keys.claim(PAYLOAD);
    keys.claim(OTHER_PAYLOAD);
    let found = Found::Done {
        fingerprint: PAYLOAD,
        answer: answer("stored"),
    };
    assert_eq!(
        keys.found(found),
        [
            Act::Tell(2, Verdict::Conflict),
            Act::Tell(1, Verdict::Done(answer("stored")))
        ]
    );
    keys.assert_empty();
}

#[test]
fn another_payload_is_a_conflict_while_the_call_runs_and_while_its_end_is_recorded() {
    let mut keys = Keys::running(0);
    let conflict = |claim| [Act::Tell(claim, Verdict::Conflict)];
    assert_eq!(keys.claim(OTHER_PAYLOAD), conflict(2));
    keys.claim(PAYLOAD);
    assert_eq!(keys.gone(1), [Act::LookUp]);
    let unfinished = Found::Unfinished {
        fingerprint: PAYLOAD,
        answer: answer("unknown"),
    };
    assert_eq!(
        keys.found(unfinished),
        [Act::RecordUnknown(PAYLOAD, answer("unknown"))]
    );
    assert_eq!(keys.claim(OTHER_PAYLOAD), conflict(4));
}

#[test]
fn a_refused_call_does_not_burn_its_key() {
    let mut keys = Keys::running(1);
    let refused = Release::ForAll(answer("overloaded"));
    assert_eq!(keys.released(1, refused), all_done(2..=2, "overloaded"));
    keys.assert_empty();
    assert_eq!(keys.claim(OTHER_PAYLOAD), [Act::LookUp]);
    assert_eq!(keys.found(Found::Nothing), [Act::Tell(3, Verdict::Run)]);
}

#[test]
fn a_caller_that_gives_up_hands_its_key_to_the_next() {
    let mut keys = Keys::running(2);
    assert_eq!(
        keys.released(1, Release::ForItself),
        [Act::Tell(2, Verdict::Run)]
    );
    assert_eq!(keys.settled(1, "late"), [], "it is no longer its key");
    assert_eq!(keys.settled(2, "done"), all_done(3..=3, "done"));
    keys.assert_empty();
}

#[test]
fn when_the_owner_is_lost_the_store_decides_whether_another_may_run() {
    let mut keys = Keys::running(2);
    assert_eq!(keys.gone(1), [Act::LookUp]);
    assert_eq!(keys.found(Found::Nothing), [Act::Tell(2, Verdict::Run)]);
    assert_eq!(keys.gone(1), [], "it owned nothing any more");
    assert_eq!(keys.gone(2), [Act::LookUp]);
    let found = Found::Done {
        fingerprint: PAYLOAD,
        answer: answer("recorded"),
    };
    assert_eq!(keys.found(found), all_done(3..=3, "recorded"));
    keys.assert_empty();
}

#[test]
fn a_call_that_may_have_had_its_effect_is_unknown_to_everybody_for_ever() {
    let mut keys = Keys::new();
    keys.claim(PAYLOAD);
    keys.claim(OTHER_PAYLOAD);
    let unfinished = || Found::Unfinished {
        fingerprint: PAYLOAD,
        answer: answer("unknown"),
    };
    assert_eq!(
        keys.found(unfinished()),
        [
            Act::Tell(2, Verdict::Conflict),
            Act::RecordUnknown(PAYLOAD, answer("unknown"))
        ]
    );
    keys.claim(PAYLOAD);
    let recorded = Event::UnknownRecorded {
        key: KEY,
        answer: answer("unknown"),
    };
    let told = keys.handle(recorded);
    let mut expected = all_done(1..=1, "unknown");
    expected.extend(all_done(3..=3, "unknown"));
    assert_eq!(told, expected);
    keys.assert_empty();
}

#[test]
fn an_expired_key_is_never_run() {
    let mut keys = Keys::new();
    keys.claim(PAYLOAD);
    keys.claim(OTHER_PAYLOAD);
    let expired = Found::Expired {
        fingerprint: PAYLOAD,
    };
    assert_eq!(
        keys.found(expired),
        [
            Act::Tell(2, Verdict::Conflict),
            Act::Tell(1, Verdict::Expired)
        ]
    );
    keys.assert_empty();
}

#[test]
fn nothing_runs_under_a_key_that_cannot_be_looked_up() {
    let mut keys = Keys::new();
    keys.claim(PAYLOAD);
    assert_eq!(
        keys.found(Found::Unreadable),
        [Act::Tell(1, Verdict::Unreadable)]
    );
    assert_eq!(
        keys.claim(PAYLOAD),
        [Act::LookUp],
        "the next one asks again"
    );
}

#[test]
fn whoever_waits_has_their_own_time() {
    let mut keys = Keys::running(2);
    let of = |keys: &Keys, claim: u64| Some(keys.start + Duration::from_secs(10 * claim));
    assert_eq!(
        keys.core.next_wakeup(),
        of(&keys, 2),
        "the owner's is not here"
    );
    assert_eq!(keys.handle_at(19, Event::TimePassed), []);
    assert_eq!(
        keys.handle_at(20, Event::TimePassed),
        [Act::Tell(2, Verdict::TimeUp)]
    );
    assert_eq!(keys.core.next_wakeup(), of(&keys, 3));
    assert_eq!(keys.settled(1, "done"), all_done(3..=3, "done"));
    keys.assert_empty();
}

#[test]
fn whoever_no_longer_waits_is_told_nothing() {
    let mut keys = Keys::running(2);
    let (key, claim) = (KEY, ClaimId(2));
    assert_eq!(keys.handle(Event::Gone { key, claim }), []);
    assert_eq!(keys.settled(1, "done"), all_done(3..=3, "done"));
    keys.assert_empty();
}

#[test]
fn a_key_that_nobody_waits_for_is_let_go() {
    let mut keys = Keys::new();
    keys.claim(PAYLOAD);
    let (key, claim) = (KEY, ClaimId(1));
    keys.handle(Event::Gone { key, claim });
    assert_eq!(keys.found(Found::Nothing), []);
    keys.assert_empty();
    let unfinished = Found::Unfinished {
        fingerprint: PAYLOAD,
        answer: answer("unknown"),
    };
    keys.claim(PAYLOAD);
    let claim = ClaimId(2);
    keys.handle(Event::Gone { key, claim });
    assert_eq!(keys.found(unfinished), [], "there is nobody to tell it to");
    keys.assert_empty();
    let mut keys = Keys::running(0);
    assert_eq!(keys.gone(1), []);
    keys.assert_empty();
}

#[test]
fn only_so_many_may_wait_at_a_time() {
    let mut keys = Keys::running(100);
    assert_eq!(keys.claim(PAYLOAD), [Act::Tell(102, Verdict::TooMany)]);
    assert_eq!(keys.settled(1, "done"), all_done(2..=101, "done"));
    assert_eq!(keys.claim(PAYLOAD), [Act::LookUp]);
}

#[test]
fn whoever_only_looks_never_runs_and_hears_whether_anybody_did() {
    let mut keys = Keys::new();
    assert_eq!(keys.look(PAYLOAD), [Act::LookUp]);
    assert_eq!(keys.found(Found::Nothing), [Act::Tell(1, Verdict::Free)]);
    keys.assert_empty();
    keys.look(PAYLOAD);
    keys.look(OTHER_PAYLOAD);
    let found = Found::Done {
        fingerprint: PAYLOAD,
        answer: answer("stored"),
    };
    let told = [
        Act::Tell(3, Verdict::Conflict),
        Act::Tell(2, Verdict::Done(answer("stored"))),
    ];
    assert_eq!(keys.found(found), told);
    keys.assert_empty();
}

#[test]
fn whoever_only_looks_is_told_at_once_that_another_runs() {
    let mut keys = Keys::new();
    assert_eq!(keys.look(PAYLOAD), [Act::LookUp]);
    assert_eq!(keys.look(OTHER_PAYLOAD), []);
    assert_eq!(keys.claim(PAYLOAD), []);
    let told = [
        Act::Tell(3, Verdict::Run),
        Act::Tell(2, Verdict::Conflict),
        Act::Tell(1, Verdict::Running),
    ];
    assert_eq!(keys.found(Found::Nothing), told, "it is before them");
    assert_eq!(keys.look(PAYLOAD), [Act::Tell(4, Verdict::Running)]);
    assert_eq!(keys.look(OTHER_PAYLOAD), [Act::Tell(5, Verdict::Conflict)]);
    assert_eq!(keys.settled(3, "done"), []);
    keys.assert_empty();
}

#[test]
fn whoever_only_looks_hears_that_nobody_knows() {
    let mut keys = Keys::new();
    keys.look(PAYLOAD);
    let unfinished = Found::Unfinished {
        fingerprint: PAYLOAD,
        answer: answer("unknown"),
    };
    assert_eq!(
        keys.found(unfinished),
        [Act::RecordUnknown(PAYLOAD, answer("unknown"))]
    );
    let recorded = Event::UnknownRecorded {
        key: KEY,
        answer: answer("unknown"),
    };
    assert_eq!(keys.handle(recorded), all_done(1..=1, "unknown"));
    keys.assert_empty();
}
