//! A call that ended one worker after the other.

use chaos_tests::{platform, under_test::eventually};
use serde_json::{Value, json};
use standin_client::{Outcome, blocking::Client};

use super::{number, story_of};
use crate::setup::{LIMIT, begun, is_whole, refusal, service, work};

#[derive(serde::Deserialize)]
struct Poisoned {
    request: u64,
    params: serde_bytes::ByteBuf,
    params_size: usize,
}

fn poisoned(client: &Client) -> Vec<Poisoned> {
    let query = json!({ "poisoned": true });
    let call = client.request("standin.explain").arguments(&query);
    client.send(call).expect("it is answered")
}

#[test]
fn a_poisoned_call_is_kept_with_its_story_and_what_was_in_it() {
    let (under_test, client) = service("");
    let deadly = work(1, 0, "abort");
    let answer = refusal(&client, "chaos.always", &deadly);
    assert_eq!(answer.code, "poisoned");
    let story = story_of(&under_test, &answer);
    assert_eq!(story["rule"], "poisoned: three deaths of its own doing");
    let attempts = story["attempts"].as_array().expect("a list");
    assert_eq!(attempts.len(), 3);
    assert!(
        attempts
            .iter()
            .all(|attempt| attempt["cause"] == platform::ABORTED)
    );
    assert_eq!(
        story.get("params"),
        None,
        "that is for administrators who ask"
    );

    let told = poisoned(&client);
    let [kept] = &told[..] else {
        panic!("{}", told.len())
    };
    assert_eq!(kept.request, number(&story["request"]));
    assert_eq!(kept.params.len(), kept.params_size);
    let params: Value = rmp_serde::from_slice(&kept.params).expect("it is what was sent");
    assert_eq!(params, json!([deadly]));
}

#[test]
fn the_same_deadly_bytes_are_refused_at_once_and_other_bytes_are_served() {
    let (under_test, client) = service("");
    let deadly = work(1, 0, "abort");
    assert_eq!(refusal(&client, "chaos.always", &deadly).code, "poisoned");
    eventually(LIMIT, "the pool is whole again", || is_whole(&client));
    let answer = refusal(&under_test.client(), "chaos.always", &deadly);
    assert_eq!(
        (&*answer.code, answer.outcome),
        ("poisoned", Outcome::NotExecuted)
    );
    assert!(answer.retry_after_ms.is_some_and(|pause| pause <= 10_000));
    assert_eq!(
        answer.message,
        "\"chaos.always\" with these arguments has ended one process after the other lately and is not tried again yet. \
         It was not executed."
    );
    let story = story_of(&under_test, &answer);
    let rule = "refused: the same call had ended one worker after the other";
    assert_eq!(
        (&story["rule"], &story["attempts"]),
        (&json!(rule), &json!([]))
    );
    assert_eq!(begun(&under_test, 1), 3, "nobody else died of it");
    let harmless: u64 = client
        .call("chaos.always", &work(2, 0, ""))
        .expect("others are served");
    assert_eq!(harmless, 2);
    // It is no poisoned call itself: it never ran.
    assert_eq!(poisoned(&client).len(), 1);
}
