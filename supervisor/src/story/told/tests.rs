use smallvec::smallvec;
use standin_core::{
    Cause, KillReason, RequestId, SessionId, SlotId, WorkerId,
    pool::{EndRule, ReplayRule},
};
use standin_protocol::Replay;

use super::*;
use crate::clock;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn sent(at: u64, slot: u32, number: u32) -> Note {
    let worker = WorkerId {
        slot: SlotId(slot),
        generation: 1,
    };
    let pid = Some(4711 + slot);
    note(
        at,
        What::Sent {
            worker,
            pid,
            number,
        },
    )
}

fn note(at: u64, what: What) -> Note {
    let after = ms(at);
    Note { after, what }
}

fn died(at: u64, cause: Cause, replay: Option<ReplayRule>) -> Note {
    note(at, What::WorkerDied { cause, replay })
}

fn story(notes: &[Note], end: Option<(u64, How)>) -> Story {
    Story {
        request: RequestId(17),
        session: SessionId(3),
        origin: Origin::Request { msgid: 5 },
        user: "1000".into(),
        method: bytes::Bytes::from_static(b"mail.send"),
        job: None,
        replay: Replay::UntilEffect,
        came: clock::now(),
        notes: notes.into(),
        left_out: 0,
        end: end.map(|(after, how)| End {
            after: ms(after),
            how,
        }),
    }
}

fn told(story: &Story) -> ToldRequest {
    ToldRequest::new(story, None, "builtin", story.came + ms(1000), 5000)
}

#[test]
fn a_story_begins_with_who_asked_when_and_for_what() {
    let mut story = story(&[], None);
    story.origin = Origin::Item { msgid: 5, index: 2 };
    let told = told(&story);
    assert_eq!(
        (&*told.method, &*told.replay),
        ("mail.send", "until_effect")
    );
    assert_eq!((told.request, told.session, told.msgid), (17, 3, 5));
    assert_eq!(
        (told.call, &*told.user, &*told.pool),
        (Some(2), "1000", "builtin")
    );
    assert_eq!((told.came_at_ms, told.came_ms_ago), (4000, 1000));
    assert_eq!((&*told.state, told.waited_us), ("waiting", 1_000_000));
}

#[test]
fn each_attempt_says_how_it_ended_and_what_was_decided() {
    let notes = [
        sent(10, 0, 1),
        died(20, Cause::Crashed(11), Some(ReplayRule::EffectNotGranted)),
        sent(30, 1, 2),
        note(40, What::EffectGranted),
        died(50, Cause::KilledByUs(KillReason::Deadline), None),
    ];
    let how = How::Failed {
        rule: EndRule::EffectGranted,
        outcome: Outcome::Unknown,
    };
    let told = told(&story(&notes, Some((51, how))));
    assert_eq!(told.waited_us, 10_000);
    let [first, second] = &told.attempts[..] else {
        panic!("{told:?}");
    };
    assert_eq!((first.number, first.slot, first.pid), (1, 0, Some(4711)));
    assert_eq!((first.began_us, first.ended_us), (10_000, Some(20_000)));
    assert_eq!(first.end, "worker_died");
    assert_eq!(
        first.cause.as_deref(),
        Some("crashed with SIGSEGV (signal 11)")
    );
    assert_eq!(
        first.rule.as_deref(),
        Some("replayed: it is `until_effect`, and its effect had not been granted")
    );
    assert_eq!(
        (first.effect_granted_us, second.effect_granted_us),
        (None, Some(40_000))
    );
    let why = Some("not replayed: its effect had been granted");
    assert_eq!((second.rule.as_deref(), told.rule.as_deref()), (why, why));
    assert_eq!((&*told.state, told.ended_us), ("failed", Some(51_000)));
    assert_eq!(told.code.as_deref(), Some("worker_lost"));
    assert_eq!(told.outcome.as_deref(), Some("unknown"));
}

#[test]
fn an_answer_ends_the_attempt_and_whoever_leaves_or_loses_patience_leaves_it_behind() {
    let outcome = Outcome::NotExecuted;
    let error = How::Error {
        code: "smtp.rejected".into(),
        outcome,
    };
    let late = How::Failed {
        rule: EndRule::LateInWorker,
        outcome,
    };
    for (how, state, code, end) in [
        (How::Result, "answered", None, "answered"),
        (error, "answered", Some("smtp.rejected"), "answered"),
        (late, "failed", Some("deadline_exceeded"), "left"),
        (How::Abandoned { outcome }, "abandoned", None, "left"),
        (
            How::PoolLost { outcome },
            "failed",
            Some("worker_lost"),
            "left",
        ),
    ] {
        let told = told(&story(&[sent(10, 0, 1)], Some((90, how))));
        assert_eq!((&*told.state, told.code.as_deref()), (state, code));
        assert_eq!(told.attempts[0].end, end);
        assert_eq!(told.attempts[0].ended_us, Some(90_000));
    }
}

#[test]
fn what_runs_now_is_told_as_running() {
    let told = told(&story(&[sent(10, 0, 1), note(20, What::TakenBack)], None));
    assert_eq!((&*told.state, told.ended_us), ("running", None));
    assert_eq!(told.attempts[0].end, "running");
    assert_eq!(told.notes[0].text, "the caller took it back");
    assert_eq!(told.notes[0].at_us, 20_000);
}

#[test]
fn of_a_refusal_nothing_is_told_but_its_rule() {
    let how = How::Failed {
        rule: EndRule::QueueFull,
        outcome: Outcome::NotExecuted,
    };
    let told = told(&story(&[], Some((0, how))));
    assert!(told.attempts.is_empty());
    assert_eq!(told.waited_us, 0);
    assert_eq!(
        told.rule.as_deref(),
        Some("refused: as many calls were waiting as `queue.max` lets wait")
    );
}

#[test]
fn what_found_no_room_is_counted() {
    let mut story = story(&[sent(10, 0, 1)], None);
    story.notes = smallvec![sent(10, 0, 1)];
    story.left_out = 3;
    let told = told(&story);
    assert_eq!(told.notes[0].text, "3 more things happened to it");
}
