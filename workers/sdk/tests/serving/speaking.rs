//! Requests, answers, questions, cancellations.

use standin_protocol::{self as protocol, ErrorAnswer, ErrorCode, Message, Outcome};
use standin_worker::{Bytes, Context, Failure, Method, Replay, Worker};

use crate::service::Service;

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Name {
    /// Whose it is.
    name: String,
}

async fn greet(context: Context, name: Name) -> Result<String, Failure> {
    if name.name.is_empty() {
        let failure = Failure::new(1001, "hello.nobody", "There is nobody to greet.");
        return Err(failure
            .outcome(Outcome::NotExecuted)
            .retry_after_ms(5)
            .data("here"));
    }
    Ok(format!("{} by {}", name.name, context.user()))
}

/// Waits for whatever comes: leave, the client's word, or the end.
async fn act(context: Context, name: Name) -> Result<String, Failure> {
    context.effect_begin().await?;
    context.effect_begin().await?;
    context.progress(&[("done", 50)]);
    let word: String = context.call_client("ask.back", &name.name).await?;
    Ok(word)
}

async fn wait_for_ever(_: Context, _: Name) -> Result<(), Failure> {
    std::future::pending().await
}

async fn wait_past_the_effect(context: Context, _: Name) -> Result<bool, Failure> {
    context.effect_begin().await?;
    context.cancelled().await;
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    Ok(true)
}

fn worker() -> Worker {
    let until_effect = |name: &str| Method::new(name, wait_for_ever).replay(Replay::UntilEffect);
    Worker::new("test", "1")
        .concurrency(2)
        .method(
            Method::new("greet", greet)
                .replay(Replay::Always)
                .doc("Greets."),
        )
        .method(Method::new("act", act).replay(Replay::UntilEffect))
        .method(until_effect("wait"))
        .method(Method::new("wait_never", wait_for_ever))
        .method(Method::new("wait_past", wait_past_the_effect).replay(Replay::UntilEffect))
        .method(Method::raw(
            "echo",
            |_, params: Bytes| async move { Ok(params) },
        ))
        .method(Method::blocking(
            "count",
            |context: &Context, name: Name| {
                context.effect_begin_blocking()?;
                Ok(name.name.chars().count())
            },
        ))
        .method(Method::raw("large", |_, _| async {
            Ok(protocol::encode(&"x".repeat(17 << 20)))
        }))
}

fn name(text: &str) -> [std::collections::BTreeMap<&'static str, &str>; 1] {
    [std::collections::BTreeMap::from([("name", text)])]
}

fn text(result: Result<Bytes, ErrorAnswer>) -> String {
    protocol::decode_exact(&result.expect("it is no error")).expect("it is a text")
}

#[tokio::test]
async fn the_hello_tells_token_concurrency_and_each_methods_promises_and_schema() {
    let (_service, hello, _running) = Service::with_silent(worker()).await;
    assert_eq!((hello.token.as_str(), hello.concurrency), ("secret", 2));
    let greet = hello.methods.iter().find(|method| method.name == "greet");
    let greet = greet.expect("it is offered");
    assert_eq!(
        (greet.replay, greet.doc.as_str()),
        (Replay::Always, "Greets.")
    );
    let schema = greet.params.as_ref().expect("it has one");
    assert_eq!(schema["properties"]["name"]["description"], "Whose it is.");
}

#[tokio::test]
async fn a_request_that_comes_together_with_the_answer_to_hello_is_served() {
    let (mut service, _, _running) = Service::with_silent(worker()).await;
    service.answer(0, &true);
    service.ask(1, "greet", &name("Ada"));
    assert_eq!(text(service.answered(1).await), "Ada by anna");
}

#[tokio::test]
async fn a_failure_reaches_the_caller_with_all_that_it_says() {
    let (mut service, _running) = Service::with(worker()).await;
    service.ask(1, "greet", &name(""));
    let error = service.answered(1).await.expect_err("nobody is there");
    assert_eq!((error.number, &*error.code), (1001, "hello.nobody"));
    assert_eq!(error.outcome, Outcome::NotExecuted);
    assert_eq!(error.retry_after_ms, Some(5));
    assert_eq!(error.data, Some(protocol::encode("here")));
}

#[tokio::test]
async fn wrong_arguments_and_unknown_methods_are_answered_and_serving_goes_on() {
    let (mut service, _running) = Service::with(worker()).await;
    service.ask(1, "greet", &[[1, 2]]);
    let error = service.answered(1).await.expect_err("it is wrong");
    assert_eq!(error.service_code(), Some(ErrorCode::InvalidParams));
    assert_eq!(error.outcome, Outcome::NotExecuted);
    service.ask(2, "nothing", &name(""));
    let error = service.answered(2).await.expect_err("it is unknown");
    assert_eq!(error.service_code(), Some(ErrorCode::MethodNotFound));
    service.ask(3, "echo", &name("as it came"));
    assert_eq!(
        service.answered(3).await,
        Ok(protocol::encode(&name("as it came")))
    );
}

#[tokio::test]
async fn leave_is_asked_once_progress_is_told_and_the_client_can_be_called() {
    let (mut service, _running) = Service::with(worker()).await;
    service.ask(9, "act", &name("what?"));
    let leave = service.asked("effect.begin").await;
    assert_eq!(leave.params, protocol::encode(&[9]));
    service.answer(leave.msgid, &true);
    match service.next().await {
        Some(Message::Notification(told)) => assert_eq!(&told.method[..], b"request.progress"),
        other => panic!("{other:?}"),
    }
    let call = service.asked("client.call").await;
    assert_eq!(call.params, protocol::encode(&(9, "ask.back", ["what?"])));
    service.answer(call.msgid, &"this");
    assert_eq!(text(service.answered(9).await), "this");
}

#[tokio::test]
async fn without_leave_nothing_is_done_and_the_caller_is_told_so() {
    let (mut service, _running) = Service::with(worker()).await;
    service.ask(1, "act", &name(""));
    let leave = service.asked("effect.begin").await;
    service.answer(leave.msgid, &false);
    let error = service.answered(1).await.expect_err("there was no leave");
    assert_eq!(error.outcome, Outcome::NotExecuted);
    // A handler on a thread asks just the same.
    service.ask(2, "count", &name("four"));
    let leave = service.asked("effect.begin").await;
    service.answer(leave.msgid, &true);
    assert_eq!(service.answered(2).await, Ok(protocol::encode(&4)));
}

#[tokio::test]
async fn a_cancelled_handler_that_goes_on_is_dropped_and_answered_for_once() {
    let (mut service, _running) = Service::with(worker()).await;
    for (attempt, method, outcome) in [
        (1, "wait", Outcome::NotExecuted),
        (2, "wait_never", Outcome::Unknown),
    ] {
        service.ask(attempt, method, &name(""));
        service.tell("request.cancel", &[attempt]);
        let error = service
            .answered(attempt)
            .await
            .expect_err("it is cancelled");
        assert_eq!(error.service_code(), Some(ErrorCode::Cancelled));
        assert_eq!(error.outcome, outcome);
        service.tell("request.cancel", &[attempt]);
    }
    service.ask(3, "greet", &name("Ada"));
    assert_eq!(text(service.answered(3).await), "Ada by anna");
}

#[tokio::test]
async fn past_its_effect_a_cancelled_handler_is_left_to_say_what_happened() {
    let (mut service, _running) = Service::with(worker()).await;
    service.ask(1, "wait_past", &name(""));
    let leave = service.asked("effect.begin").await;
    service.answer(leave.msgid, &true);
    service.tell("request.cancel", &[1]);
    assert_eq!(service.answered(1).await, Ok(protocol::encode(&true)));
}

#[tokio::test]
async fn more_than_the_concurrency_is_refused_and_the_same_attempt_runs_once() {
    let (mut service, _running) = Service::with(worker()).await;
    service.ask(1, "wait", &name(""));
    service.ask(2, "wait", &name(""));
    service.ask(2, "wait", &name(""));
    service.ask(3, "wait", &name(""));
    let error = service.answered(3).await.expect_err("it is one too many");
    assert_eq!(error.service_code(), Some(ErrorCode::Overloaded));
    service.tell("request.cancel", &[1]);
    service.tell("request.cancel", &[2]);
    assert!(service.answered(1).await.is_err());
    assert!(service.answered(2).await.is_err());
}

#[tokio::test]
async fn a_result_too_large_for_the_wire_is_an_error_and_not_the_end_of_the_worker() {
    let (mut service, _running) = Service::with(worker()).await;
    service.ask(1, "large", &name(""));
    let error = service.answered(1).await.expect_err("it is too large");
    assert_eq!(error.service_code(), Some(ErrorCode::MessageTooLarge));
    assert_eq!(error.outcome, Outcome::Executed);
    service.ask(2, "greet", &name("Ada"));
    assert_eq!(text(service.answered(2).await), "Ada by anna");
}
