//! The ways a worker ends.

use standin_protocol::{ErrorAnswer, ErrorCode};
use standin_worker::{Context, Error, Failure, Method, Worker};

use crate::service::{Service, connections, within};

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Nothing {}

fn worker() -> Worker {
    Worker::new("test", "1")
        .concurrency(2)
        .method(Method::new("panic", |_, _: Nothing| async {
            panic!("as it was told") as Result<(), Failure>
        }))
        .method(Method::blocking(
            "panic_on_thread",
            |_: &Context, _: Nothing| panic!("as it was told") as Result<(), Failure>,
        ))
        .method(Method::new(
            "ask",
            |context: Context, _: Nothing| async move { context.effect_begin().await },
        ))
}

fn nothing() -> [u8; 0] {
    []
}

#[tokio::test]
async fn a_refused_hello_is_an_error_in_the_services_words() {
    let (service, _, running) = Service::with_silent(worker()).await;
    let refusal = ErrorAnswer::new(ErrorCode::InvalidParams, "Its token is wrong.");
    service.answer_error(0, &refusal);
    let error = within("the worker ends", running)
        .await
        .unwrap()
        .unwrap_err();
    assert!(error.to_string().contains("Its token is wrong."), "{error}");
}

#[tokio::test]
async fn a_drained_worker_answers_what_it_has_begun_and_then_ends() {
    let (mut service, running) = Service::with(worker()).await;
    service.ask(1, "ask", &nothing());
    let leave = service.asked("effect.begin").await;
    service.tell("worker.drain", &nothing());
    service.answer(leave.msgid, &true);
    assert!(service.answered(1).await.is_ok());
    assert!(service.next().await.is_none());
    within("the worker ends", running).await.unwrap().unwrap();
}

#[tokio::test]
async fn an_idle_worker_that_is_drained_ends_at_once() {
    let (mut service, running) = Service::with(worker()).await;
    service.tell("worker.drain", &nothing());
    assert!(service.next().await.is_none());
    within("the worker ends", running).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_worker_whose_service_is_gone_ends_in_the_middle_of_a_call() {
    let (mut service, running) = Service::with(worker()).await;
    service.ask(1, "ask", &nothing());
    service.asked("effect.begin").await;
    drop(service);
    within("the worker ends", running).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_panic_is_not_answered_but_ends_the_worker() {
    for method in ["panic", "panic_on_thread"] {
        let (mut service, running) = Service::with(worker()).await;
        service.ask(1, method, &nothing());
        let ended = within("the worker ends", running).await;
        assert!(ended.expect_err("it panicked").is_panic());
        assert!(service.next().await.is_none(), "{method} was answered");
    }
}

#[tokio::test]
async fn a_service_that_closes_before_the_hello_is_an_error() {
    let (ours, theirs, _folder) = connections().await;
    drop(ours);
    let ended = within("the worker ends", worker().run_on(theirs, "secret")).await;
    assert!(matches!(ended, Err(Error::Lost(_))), "{ended:?}");
}

#[test]
fn a_worker_started_by_hand_says_in_words_what_it_is() {
    let error = Error::NotAWorker {
        variable: "STANDIN_WORKER_ENDPOINT",
    };
    let printed = format!("Error: {error:?}");
    assert!(
        printed.contains("STANDIN_WORKER_ENDPOINT is not set"),
        "{printed}"
    );
}
