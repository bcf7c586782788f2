//! `standin.explain`: what happened to a call, told of real processes that were really killed.

mod calls;
mod jobs;
#[cfg(debug_assertions)]
mod own_fault;
mod poisoned;
mod queries;

use chaos_tests::under_test::UnderTest;
use serde_json::{Value, json};
use standin_client::{ErrorAnswer, blocking::Client};

/// What the service tells, the newest first.
pub(crate) fn explain(client: &Client, query: &Value) -> Vec<Value> {
    client
        .call("standin.explain", query)
        .expect("it is answered")
}

/// The story of the request that an error leads to, as another connection is told it.
fn story_of(under_test: &UnderTest, answer: &ErrorAnswer) -> Value {
    let data: &[u8] = answer.data.as_ref().expect("it leads to the story");
    let data: Value = rmp_serde::from_slice(data).expect("it can be read");
    let told = explain(&under_test.client(), &data);
    let [story] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!(story["request"], data["request"]);
    assert_eq!(story["code"], json!(answer.code));
    assert_eq!(story["outcome"], json!(answer.outcome.name()));
    story.clone()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value}"))
}
