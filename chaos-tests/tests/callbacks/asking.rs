//! One question, a thousand, and a thousand at once.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use chaos_tests::raw_client::{RawClient, field, map};
use rmpv::Value;
use serde_json::json;
use standin_client::{Bytes, Callback, ErrorAnswer, ErrorCode};

use crate::{argument, client_that, question, questions, raw_client, respond, service};

const MANY: u64 = 1000;

/// 1 + 2 + ... + 1000.
const SUM: u64 = 500_500;

async fn number(callback: Callback) -> Result<Bytes, ErrorAnswer> {
    let arguments: serde_json::Value = callback.arguments()?;
    match arguments["number"].as_u64() {
        Some(7) if callback.method == "not_seven" => {
            let why = "Anything but seven.";
            Err(ErrorAnswer::new(ErrorCode::InvalidParams, why))
        }
        Some(7) if callback.method == "panic_at_seven" => panic!("as it was told"),
        number => callback.answer(&number),
    }
}

#[test]
fn a_thousand_questions_in_one_call_are_answered_by_a_program_with_one_thread() {
    let under_test = service("");
    let client = client_that(&under_test, |connect| connect.callbacks(number));
    let asked = json!({ "method": "number", "count": MANY });
    let sum: u64 = client.call("sdk.ask_many", &asked).expect("it answers");
    assert_eq!(sum, SUM);
}

#[test]
fn a_thousand_questions_at_once_come_as_one_message_and_are_answered_in_their_order() {
    let under_test = service("");
    let seen = Arc::new(AtomicU64::new(0));
    let counting = Arc::clone(&seen);
    let client = client_that(&under_test, move |connect| {
        connect.callbacks(move |callback| {
            let seen = Arc::clone(&counting);
            async move {
                let arguments: serde_json::Value = callback.arguments()?;
                let before = seen.fetch_add(1, Ordering::Relaxed);
                assert_eq!(
                    arguments["number"],
                    before + 1,
                    "in their order, one at a time"
                );
                callback.answer(&(before + 1))
            }
        })
    });
    let asked = json!({ "method": "number", "count": MANY });
    let heard: Vec<serde_json::Value> = client.call("sdk.ask_all", &asked).expect("it answers");
    let sum: u64 = heard
        .iter()
        .map(|heard| heard["answer"].as_u64().expect("a number"))
        .sum();
    assert_eq!((sum, seen.load(Ordering::Relaxed)), (SUM, MANY));

    let (mut raw, _) = raw_client(&under_test, true);
    raw.ask(2, "sdk.ask_all", questions("price", MANY));
    let (msgid, method, list) = question(&mut raw);
    let list = list.as_array().expect("a list").clone();
    assert_eq!((&*method, list.len()), ("client.batch", 1000));
    let answers = list.iter().map(|asked| {
        assert_eq!(asked[0].as_str(), Some("price"));
        let number = argument(&asked[1], "number");
        Value::Array(vec![Value::Nil, (number * 2).into()])
    });
    let answers = Value::Array(answers.collect());
    respond(&mut raw, msgid, Value::Nil, answers);
    let heard = raw.answer(2).expect("it answers");
    let doubled = heard.as_array().expect("a list").iter();
    let doubled: u64 = doubled
        .map(|heard| field(heard, "answer").as_u64().expect("a number"))
        .sum();
    assert_eq!(doubled, SUM * 2);
}

#[test]
fn a_program_that_takes_no_batch_is_asked_one_after_the_other() {
    let under_test = service("");
    let (mut raw, _) = raw_client(&under_test, false);
    raw.ask(2, "sdk.ask_all", questions("price", 50));
    for expected in 1..=50_u64 {
        let (msgid, method, params) = question(&mut raw);
        assert_eq!((&*method, argument(&params, "number")), ("price", expected));
        // A second question before this one is answered would be the next message.
        raw.ask(100 + expected, "standin.ping", map([]));
        assert_eq!(
            raw.answer(100 + expected).expect("it answers"),
            "pong".into()
        );
        respond(&mut raw, msgid, Value::Nil, expected.into());
    }
    let heard = raw.answer(2).expect("it answers");
    let answers = heard.as_array().expect("a list").iter();
    let answers: Vec<_> = answers
        .map(|heard| field(heard, "answer").as_u64())
        .collect();
    assert_eq!(answers, (1..=50).map(Some).collect::<Vec<_>>());
}

#[test]
fn a_question_of_a_batch_that_fails_has_its_own_error_and_the_others_their_answers() {
    let under_test = service("");
    let client = client_that(&under_test, |connect| connect.callbacks(number));
    for (method, says) in [
        ("not_seven", "Anything but seven."),
        (
            "panic_at_seven",
            "The program failed while it was answering.",
        ),
    ] {
        let asked = json!({ "method": method, "count": 9 });
        let heard: Vec<serde_json::Value> = client.call("sdk.ask_all", &asked).expect("it answers");
        for (index, heard) in heard.iter().enumerate() {
            if index == 6 {
                assert_eq!(
                    (&heard["code"], &heard["message"]),
                    (&json!("callback_failed"), &json!(says))
                );
            } else {
                assert_eq!(heard["answer"], index + 1, "{heard}");
            }
        }
        assert_eq!(heard.len(), 9);
    }
    let asked = json!({ "method": "number", "count": 0 });
    let heard: Vec<serde_json::Value> = client.call("sdk.ask_all", &asked).expect("it answers");
    assert!(heard.is_empty(), "nothing was asked");
}

#[test]
fn a_batch_that_is_answered_with_something_else_fails_as_a_whole() {
    let under_test = service("");
    let (mut raw, _) = raw_client(&under_test, true);
    let pair = |number: u64| Value::Array(vec![Value::Nil, number.into()]);
    for (msgid, answer) in [
        (2, Value::from("so be it")),
        (3, Value::Array(vec![pair(1)])),
        (4, Value::Array(vec![pair(1), 2.into()])),
    ] {
        raw.ask(msgid, "sdk.ask_all", questions("price", 2));
        let (asked, ..) = question(&mut raw);
        respond(&mut raw, asked, Value::Nil, answer);
        let heard = raw.answer(msgid).expect("the call itself is answered");
        for heard in heard.as_array().expect("a list") {
            assert_eq!(field(heard, "code").as_str(), Some("callback_failed"));
            assert_eq!(
                field(heard, "outcome").as_str(),
                Some("unknown"),
                "it was asked"
            );
        }
    }
}

/// Calls inside of callbacks inside of calls: the answers come from the inside out.
#[test]
fn questions_nest_three_deep_and_are_answered_last_in_first_out() {
    let under_test = service("");
    let (mut raw, _) = raw_client(&under_test, false);
    let ask = |raw: &mut RawClient, msgid: u64| {
        let asked = map([("method", "deeper".into()), ("arguments", map([]))]);
        raw.ask(msgid, "sdk.ask", asked);
        let (question, method, _) = question(raw);
        assert_eq!(method, "deeper");
        question
    };
    let open: Vec<(u64, u64)> = (2..5).map(|msgid| (msgid, ask(&mut raw, msgid))).collect();
    for (msgid, question) in open.into_iter().rev() {
        respond(&mut raw, question, Value::Nil, msgid.into());
        let heard = raw.answer(msgid).expect("the innermost is answered first");
        assert_eq!(field(&heard, "answer").as_u64(), Some(msgid));
    }
}

#[test]
fn what_a_worker_asks_in_a_wrong_shape_is_refused_and_nobody_is_asked() {
    let under_test = service("");
    let client = client_that(&under_test, |connect| connect.callbacks(number));
    let asked = json!({ "method": "number", "count": 1001 });
    // The SDK makes two of it.
    let heard: Vec<serde_json::Value> = client.call("sdk.ask_all", &asked).expect("it answers");
    assert_eq!(heard.len(), 1001);
    assert!(heard.iter().all(|heard| heard["code"].is_null()));

    let without = client_that(&under_test, |connect| connect);
    let asked = json!({ "method": "number", "count": 3 });
    let heard: Vec<serde_json::Value> = without.call("sdk.ask_all", &asked).expect("it answers");
    for heard in heard {
        assert_eq!(heard["outcome"], "not_executed", "{heard}");
    }
}
