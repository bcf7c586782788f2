//! Which stories a query finds, and which queries are refused.

use serde_json::{Value, json};

use super::{explain, number};
use crate::setup::{refusal, service, start, work};

#[test]
fn each_call_of_a_batch_has_a_story_of_its_own() {
    let (_under_test, client) = service("");
    let calls: Vec<_> = (0..3)
        .map(|id| json!(["chaos.always", [work(id, 0, "")]]))
        .collect();
    let batch = start(&client, "standin.batch", &json!({ "calls": calls }));
    let msgid = batch.msgid();
    client.wait::<Value>(batch).expect("it is answered");
    let told = explain(&client, &json!({ "msgid": msgid }));
    let places: Vec<u64> = told.iter().map(|story| number(&story["call"])).collect();
    assert_eq!(places, [2, 1, 0], "the newest first");
    let session = &told[0]["session"];
    let same = explain(&client, &json!({ "session": session, "msgid": msgid }));
    assert_eq!(same.len(), 3);
    assert_eq!(explain(&client, &json!({ "limit": 2 })).len(), 2);
}

#[test]
fn a_query_that_makes_no_sense_is_refused_and_one_for_nothing_finds_nothing() {
    let (_under_test, client) = service("");
    assert!(explain(&client, &json!({ "request": 999_999 })).is_empty());
    assert!(explain(&client, &json!({ "msgid": 999_999 })).is_empty());
    assert!(explain(&client, &json!({ "poisoned": true })).is_empty());
    for query in [
        json!({ "request": "seven" }),
        json!({ "request": 1, "msgid": 1 }),
        json!({ "msgid": 1, "poisoned": true }),
        json!({ "limit": "all" }),
    ] {
        let answer = refusal(&client, "standin.explain", &query);
        assert_eq!(answer.code, "invalid_params", "{query}");
    }
}
