use std::time::{Duration, Instant};

use smallvec::smallvec;
use standin_core::{Cause, SlotId, WorkerId, pool::EndRule, session::Origin};
use standin_protocol::{Outcome, Replay};

use super::*;
use crate::{
    clock,
    story::{End, Note, What},
};

/// A request of session 7 that was answered by the first worker that had it.
fn story(request: u64, user: &str) -> Story {
    let worker = WorkerId {
        slot: SlotId(0),
        generation: 1,
    };
    let what = What::Sent {
        worker,
        pid: Some(4711),
        number: 1,
    };
    Story {
        request: RequestId(request),
        session: SessionId(7),
        origin: Origin::Request { msgid: request },
        user: user.into(),
        method: Bytes::from_static(b"shop.total"),
        job: None,
        replay: Replay::Always,
        came: moment(),
        notes: smallvec![note(what)],
        left_out: 0,
        end: Some(ended(How::Result)),
    }
}

fn moment() -> Instant {
    clock::now()
}

fn note(what: What) -> Note {
    let after = Duration::from_micros(40);
    Note { after, what }
}

fn ended(how: How) -> End {
    let after = Duration::from_millis(1);
    End { after, how }
}

fn failed(request: u64, rule: EndRule) -> Story {
    let mut story = story(request, "joe");
    let cause = Cause::Crashed(11);
    story.notes.push(note(What::WorkerDied {
        cause,
        replay: None,
    }));
    let outcome = Outcome::Unknown;
    story.end = Some(ended(How::Failed { rule, outcome }));
    story
}

fn refused(request: u64) -> Story {
    let mut story = story(request, "joe");
    story.notes.clear();
    let (rule, outcome) = (EndRule::QueueFull, Outcome::NotExecuted);
    story.end = Some(ended(How::Failed { rule, outcome }));
    story
}

fn found(stories: &Stories, which: Which, of_user: Option<&str>, limit: usize) -> Vec<u64> {
    let query = Query {
        which,
        of_user: of_user.map(Arc::from),
        limit,
    };
    let found = stories.find(&query, std::iter::empty());
    found.iter().map(|(story, _)| story.request.0).collect()
}

#[test]
fn a_user_is_told_of_his_own_requests_and_an_administrator_of_everybodys() {
    let mut stories = Stories::default();
    stories.keep(story(1, "joe"), &[]);
    stories.keep(story(2, "ann"), &[]);
    let request = |request| Which::Request(RequestId(request));
    assert_eq!(found(&stories, Which::Latest, Some("joe"), 9), [1]);
    assert_eq!(found(&stories, Which::Latest, None, 9), [2, 1]);
    assert_eq!(found(&stories, request(2), Some("ann"), 9), [2]);
    assert_eq!(found(&stories, request(2), None, 9), [2]);
    assert!(found(&stories, request(2), Some("joe"), 9).is_empty());
    let message = |session, msgid| Which::Session {
        session: SessionId(session),
        msgid: Some(msgid),
    };
    assert_eq!(found(&stories, message(7, 1), Some("joe"), 9), [1]);
    assert!(found(&stories, message(7, 2), Some("joe"), 9).is_empty());
    assert!(found(&stories, message(8, 1), Some("joe"), 9).is_empty());
    let (session, msgid) = (SessionId(7), None);
    let whole = Which::Session { session, msgid };
    assert_eq!(found(&stories, whole, None, 9), [2, 1]);
}

#[test]
fn the_newest_come_first_and_no_more_than_were_asked_for() {
    let mut stories = Stories::default();
    for request in 1..=10 {
        stories.keep(story(request, "joe"), &[]);
    }
    stories.keep(failed(11, EndRule::OnceAtMost), &[]);
    assert_eq!(found(&stories, Which::Latest, None, 3), [11, 10, 9]);
}

#[test]
fn no_flood_washes_away_the_story_of_a_call_that_went_wrong() {
    let mut stories = Stories::default();
    let mut replayed = story(2, "joe");
    let cause = Cause::KilledByStranger(9);
    replayed.notes.push(note(What::WorkerDied {
        cause,
        replay: Some(standin_core::pool::ReplayRule::Always),
    }));
    stories.keep(failed(1, EndRule::OnceAtMost), &[]);
    stories.keep(replayed, &[]);
    for request in 10..10_000 {
        stories.keep(story(request, "joe"), &[]);
        stories.keep(refused(request + 10_000), &[]);
    }
    for request in [1, 2] {
        let which = Which::Request(RequestId(request));
        assert_eq!(found(&stories, which, None, 9), [request]);
    }
    assert_eq!(stories.ordinary.len(), KEPT);
    for request in 20_000..30_000 {
        stories.keep(failed(request, EndRule::OnceAtMost), &[]);
    }
    assert_eq!(stories.eventful.len(), KEPT);
}

#[test]
fn as_many_are_kept_as_is_set_and_where_none_are_the_poisoned_all_the_same() {
    let mut two = Stories::new(2);
    let mut none = Stories::new(0);
    for request in 1..=5 {
        for stories in [&mut two, &mut none] {
            stories.keep(story(request, "joe"), &[]);
            stories.keep(failed(request + 10, EndRule::OnceAtMost), &[]);
            stories.keep(failed(request + 20, EndRule::Deadly), &[]);
        }
    }
    assert_eq!(found(&two, Which::Latest, None, 9), [25, 15, 5, 4]);
    assert!(found(&none, Which::Latest, None, 9).is_empty());
    let poisoned = [25, 24, 23, 22, 21];
    assert_eq!(found(&two, Which::Poisoned, None, 9), poisoned);
    assert_eq!(found(&none, Which::Poisoned, None, 9), poisoned);
    let (rule, outcome) = (EndRule::Deadly, Outcome::Unknown);
    assert!(none.want(&How::Failed { rule, outcome }));
    assert!(!none.want(&How::Result) && two.want(&How::Result));
}

#[test]
fn a_poisoned_call_is_kept_with_the_beginning_of_what_was_in_it() {
    let mut stories = Stories::default();
    let large = vec![7; PARAMS_KEPT + 1];
    for request in 1..=20 {
        stories.keep(failed(request, EndRule::Deadly), &large);
        stories.keep(failed(request + 100, EndRule::OnceAtMost), &large);
    }
    let query = Query {
        which: Which::Poisoned,
        of_user: None,
        limit: 3,
    };
    let found = stories.find(&query, std::iter::empty());
    let requests: Vec<u64> = found.iter().map(|(story, _)| story.request.0).collect();
    assert_eq!(requests, [20, 19, 18]);
    let params = found[0].1.as_ref().expect("it is kept");
    assert_eq!((params.kept.len(), params.size), (PARAMS_KEPT, large.len()));
    assert_eq!(stories.poisoned.len(), POISONED_KEPT);
}

#[test]
fn a_story_takes_no_more_than_is_said() {
    let story = size_of::<Story>();
    let note = size_of::<Note>();
    assert!(note * super::super::NOTES_MAX <= 3072 - 256, "{note}");
    // However long a worker's own code is, and wherever its letters end.
    for letter in ["x", "é", "€"] {
        let How::Error { code, .. } = How::error(&letter.repeat(100_000), Outcome::Executed) else {
            panic!("it is an error");
        };
        assert!(story + code.len() <= 320, "{story} + {}", code.len());
        assert!(code.len() > 60 && code.starts_with(letter));
    }
    let short = How::error("smtp.rejected", Outcome::Executed);
    assert!(matches!(short, How::Error { code, .. } if &*code == "smtp.rejected"));
}
