//! What a handler asks the program that made its call.

use std::collections::BTreeMap;

use standin_protocol::{self as protocol, ErrorAnswer, ErrorCode};
use standin_worker::{Bytes, Context, Failure, Method, Worker};

use crate::service::Service;

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Numbers {
    count: u64,
}

/// What became of each: its number, or the code of its error.
async fn collect(context: Context, Numbers { count }: Numbers) -> Result<Vec<String>, Failure> {
    let calls: Vec<_> = (0..count).map(|number| ("give", number)).collect();
    let results = context.call_client_batch::<_, u64>(&calls).await;
    Ok(results
        .into_iter()
        .map(|result| match result {
            Ok(number) => number.to_string(),
            Err(failure) => failure.answer().code.to_string(),
        })
        .collect())
}

async fn pass_on(context: Context, params: Bytes) -> Result<Bytes, Failure> {
    context.call_client_raw("take", &params).await
}

fn worker() -> Worker {
    Worker::new("test", "1")
        .method(Method::new("collect", collect))
        .method(Method::raw("pass_on", pass_on))
}

fn count(count: u64) -> impl serde::Serialize {
    BTreeMap::from([("count", count)])
}

async fn collected(service: &mut Service, attempt: u64) -> Vec<String> {
    let answer = service.answered(attempt).await.expect("it is answered");
    protocol::decode_exact(&answer).expect("a list of texts")
}

#[tokio::test]
async fn a_batch_of_questions_is_one_message_and_each_has_its_own_answer() {
    let (mut service, _running) = Service::with(worker()).await;
    service.ask(3, "collect", &count(3));
    let asked = service.asked("client.batch").await;
    let list = [("give", [0]), ("give", [1]), ("give", [2])];
    assert_eq!(asked.params, protocol::encode(&(3, list)));
    let code = BTreeMap::from([("code", "callback_failed")]);
    let refused = (18, "Not this one.", code);
    // The second one failed, and the third is not of the type.
    service.answer(
        asked.msgid,
        &(
            (None::<u8>, 7),
            (refused, None::<u8>),
            (None::<u8>, "eight"),
        ),
    );
    let heard = collected(&mut service, 3).await;
    assert_eq!(heard, ["7", "callback_failed", "callback_failed"]);
}

#[tokio::test]
async fn more_questions_than_a_batch_may_hold_go_in_several_and_a_batch_that_fails_fails_each() {
    let (mut service, _running) = Service::with(worker()).await;
    service.ask(4, "collect", &count(1001));
    let asked = service.asked("client.batch").await;
    let answers: Vec<_> = (0..1000).map(|number| (None::<u8>, number)).collect();
    service.answer(asked.msgid, &answers);
    let asked = service.asked("client.batch").await;
    assert_eq!(asked.params, protocol::encode(&(4, [("give", [1000])])));
    let error = ErrorAnswer::new(ErrorCode::CallbackFailed, "The program has gone.");
    service.answer_error(asked.msgid, &error);
    let heard = collected(&mut service, 4).await;
    assert_eq!(
        (heard.len(), &*heard[999], &*heard[1000]),
        (1001, "999", "callback_failed")
    );

    service.ask(5, "collect", &count(2));
    let asked = service.asked("client.batch").await;
    service.answer(asked.msgid, &[(None::<u8>, 1)]);
    let heard = collected(&mut service, 5).await;
    assert_eq!(
        heard,
        ["internal", "internal"],
        "one answer to two questions is none"
    );
}

#[tokio::test]
async fn a_question_and_its_answer_are_passed_on_as_they_are() {
    let (mut service, _running) = Service::with(worker()).await;
    // A str that is no UTF-8.
    let strange = Bytes::from_static(b"\x91\xa2\xff\xfe");
    service.ask_raw(6, "pass_on", &strange);
    let asked = service.asked("client.call").await;
    let expected = [b"\x93\x06\xa4take".as_slice(), &strange].concat();
    assert_eq!(asked.params, expected);
    service.answer_raw(asked.msgid, &strange);
    assert_eq!(service.answered(6).await, Ok(strange));
}
