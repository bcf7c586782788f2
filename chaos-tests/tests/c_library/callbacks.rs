//! Questions of workers, pulled.

use chaos_tests::under_test::{UnderTest, sdk_pool};
use serde_json::json;
use standin_surface::exports::{
    callbacks::standin_answer,
    run::{standin_send, standin_start, standin_wait, standin_wait_any},
};

use super::{program, service, surface::*};

/// Sends a call whose worker asks what twice a number is, and answers until the call has its result.
fn send_and_answer(call: i64) {
    let mut code = standin_send(call, LIMIT_MS);
    while code == CALLBACK {
        let (_, question) = callback(call);
        assert_eq!(asked(question), "twice");
        let answer = json!(2 * int(question, "number"));
        assert_eq!(set_json(question, "", &answer), OK);
        assert_eq!(standin_answer(question), OK, "{}", message(question));
        close(question);
        code = standin_wait(call, LIMIT_MS);
    }
    assert_eq!(code, OK, "{}", message(call));
}

#[test]
fn a_thousand_questions_of_one_call_are_answered_by_a_program_without_threads() {
    let under_test = service();
    let client = open(&under_test);
    let call = new_call(
        client,
        "sdk.ask_many",
        &json!({ "method": "twice", "count": 1000 }),
    );
    send_and_answer(call);
    assert_eq!(int(call, ""), 1000 * 1001);
    close(client);
}

#[test]
fn a_worker_that_asks_many_at_once_gets_an_answer_to_each() {
    let under_test = service();
    let client = open(&under_test);
    let call = new_call(
        client,
        "sdk.ask_all",
        &json!({ "method": "twice", "count": 100 }),
    );
    send_and_answer(call);
    for place in 0..100 {
        assert_eq!(int(call, &format!("[{place}].answer")), 2 * (place + 1));
    }
    close(client);
}

#[test]
fn what_is_nested_too_deep_is_refused_and_the_worker_is_told() {
    let under_test = UnderTest::serve(program(), |folder| {
        let pool = sdk_pool("sdk", program(), folder, "");
        // Each takes three calls at a time.
        pool.replace("min = 1, max = 1", "min = 6, max = 6")
    });
    let client = open(&under_test);
    let arguments = json!({ "method": "deeper", "arguments": {} });
    let calls: Vec<i64> = (0..17)
        .map(|_| new_call(client, "sdk.ask", &arguments))
        .collect();
    for call in &calls {
        assert_eq!(standin_start(*call), OK);
    }
    let mut questions = Vec::new();
    for _ in 0..16 {
        assert_eq!(standin_wait(calls[0], LIMIT_MS), CALLBACK);
        let (code, question) = callback(client);
        assert_eq!(code, OK, "{}", message(client));
        questions.push(question);
    }
    assert_eq!(standin_wait(calls[0], LIMIT_MS), CALLBACK);
    assert_eq!(callback(client), (TOO_DEEP, 0));
    // One call has its answer now: that its question was refused.
    let mut refused = 0;
    // SAFETY: the handle has a place.
    let code = unsafe { standin_wait_any(client, LIMIT_MS, &raw mut refused) };
    assert_eq!(code, OK, "{}", message(client));
    assert_eq!(json(refused, "code"), json!("callback_failed"));
    // The innermost is the last that was taken; with it gone, the one before it.
    while let Some(question) = questions.pop() {
        assert_eq!(callback(client), (OK, question));
        assert_eq!(set_json(question, "", &json!(1)), OK);
        assert_eq!(standin_answer(question), OK);
        close(question);
    }
    for call in calls {
        assert_eq!(standin_wait(call, LIMIT_MS), OK, "{}", message(call));
        let is_answered = json(call, "answer") == json!(1);
        assert_eq!(is_answered, call != refused);
    }
    close(client);
}

#[test]
fn an_answer_whose_connection_is_gone_says_so() {
    let mut under_test = service();
    let client = open(&under_test);
    let arguments = json!({ "method": "first", "arguments": {} });
    let call = new_call(client, "sdk.ask", &arguments);
    assert_eq!(standin_send(call, LIMIT_MS), CALLBACK);
    let (_, question) = callback(client);
    under_test.service.kill().expect("it runs");
    under_test.service.wait().expect("it ends");
    under_test.start_again(program());
    // The program notices when it waits for something. The call must not run twice, and the service does not know how far it came.
    assert_eq!(standin_wait(call, LIMIT_MS), FAILED);
    assert_eq!(outcome(call), "unknown", "{}", message(call));
    assert_eq!(standin_answer(question), LOST);
    assert_eq!(code(question), "lost");
    assert_eq!(standin_answer(question), BAD_STATE);
    close(question);
    assert_eq!(callback(client), (MISSING, 0));
    close(client);
}
