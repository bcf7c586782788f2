//! The service itself is killed, and another one goes on.

use std::time::Duration;

use chaos_tests::{
    ledger::Step,
    under_test::{UnderTest, eventually},
};
use serde_json::{Value, json};
use standin_client::{CallError, Client, Connect, Outcome, Pending, blocking};

use crate::{LIMIT, count, counts, program, service};

async fn client(under_test: &UnderTest) -> Client {
    let connect = Connect::new().endpoint(under_test.endpoint());
    connect.limit(LIMIT).open().await.expect("it is there")
}

fn start(client: &Client, method: &str, arguments: Value) -> Pending {
    let call = client.request(method).arguments(&arguments).timeout(LIMIT);
    call.start().expect("it is sent")
}

fn kill(under_test: &mut UnderTest) {
    under_test.service.kill().expect("it lives");
    under_test.service.wait().expect("it dies");
}

fn told(answer: Result<u64, CallError>) -> Result<u64, (Option<String>, Outcome)> {
    answer.map_err(|error| (error.code().map(str::to_owned), error.outcome()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_service_costs_its_callers_time_and_nothing_runs_twice_that_must_not() {
    let mut under_test = service(3);
    let client = client(&under_test).await;
    let work = |id: u64, when: &str, ms: u64| json!({ "id": id, "nonce": id, when: ms });
    let answered = start(&client, "chaos.never", work(1, "work_ms", 0));
    assert_eq!(told(answered.wait().await), Ok(1));
    // These run, and the others wait.
    // Long enough that a slow machine does not answer them before the kill.
    let always = start(&client, "chaos.always", work(2, "work_ms", 4000));
    let before_effect = start(&client, "chaos.until_effect", work(3, "work_ms", 4000));
    let never = start(&client, "chaos.never", work(4, "work_ms", 60_000));
    eventually(LIMIT, "three have begun", || {
        counts(&under_test, Step::Begun).len() == 4
    });
    let waiting = start(&client, "chaos.never", work(5, "work_ms", 0));
    // It has been read when what comes behind it is answered.
    let pong: String = client.call("standin.ping", &()).await.expect("it answers");
    assert_eq!(pong, "pong");

    kill(&mut under_test);
    let meanwhile = start(&client, "chaos.never", work(6, "work_ms", 0));
    under_test.start_again(program());
    assert_eq!(told(always.wait().await), Ok(2));
    assert_eq!(told(before_effect.wait().await), Ok(3));
    let unknown = Err((Some("outcome_unknown".to_owned()), Outcome::Unknown));
    assert_eq!(told(never.wait().await), unknown);
    assert_eq!(told(waiting.wait().await), Ok(5));
    assert_eq!(told(meanwhile.wait().await), Ok(6));
    for (id, times) in [(1, 1), (2, 2), (3, 2), (4, 1), (5, 1), (6, 1)] {
        assert_eq!(count(&under_test, id, Step::Begun), times, "of {id}");
    }
    assert_eq!(count(&under_test, 3, Step::Effect), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_is_killed_ten_times_answers_every_call_of_many_tasks() {
    const TASKS: u64 = 8;
    let mut under_test = service(4);
    let client = client(&under_test).await;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let tasks = (0..TASKS).map(|task| {
        let (client, stopped) = (client.clone(), stopped.clone());
        tokio::spawn(async move {
            let (mut ids, mut unknown) = (Vec::new(), Vec::new());
            while !*stopped.borrow() {
                let id = task * 1_000_000 + ids.len() as u64;
                let method = ["chaos.always", "chaos.never"][(id % 2) as usize];
                let arguments = json!({ "id": id, "nonce": id, "work_ms": 3 });
                match told(start(&client, method, arguments).wait().await) {
                    Ok(nonce) => assert_eq!(nonce, id),
                    Err((code, Outcome::Unknown)) if method == "chaos.never" => {
                        assert_eq!(code.as_deref(), Some("outcome_unknown"));
                        unknown.push(id);
                    }
                    Err(other) => panic!("{method}: {other:?}"),
                }
                ids.push((id, method));
            }
            (ids, unknown)
        })
    });
    let tasks: Vec<_> = tasks.collect();
    for _ in 0..10 {
        let before = counts(&under_test, Step::Answering).len();
        eventually(LIMIT, "the service answers", || {
            counts(&under_test, Step::Answering).len() > before + 20
        });
        kill(&mut under_test);
        under_test.start_again(program());
    }
    stop.send(true).expect("they wait");
    let (mut calls, mut unknown) = (0, 0);
    let mut all = Vec::new();
    for task in tasks {
        let (ids, its_unknown) = task.await.expect("every answer was right");
        calls += ids.len();
        unknown += its_unknown.len();
        all.extend(ids);
    }
    let begun = counts(&under_test, Step::Begun);
    for (id, method) in all {
        let times = begun.get(&id).copied().unwrap_or(0);
        if method == "chaos.never" {
            assert!(times <= 1, "{id} must not run twice and did {times} times");
        } else {
            assert!(times >= 1, "{id} was answered");
        }
    }
    // Four workers, ten kills: no more can have been running.
    assert!(unknown <= 40, "{unknown} of {calls} are unknown");
}

#[test]
fn a_blocking_client_outlives_the_service_between_two_calls_and_during_one() {
    let mut under_test = service(1);
    let client = blocking::Client::connect(&under_test.endpoint(), LIMIT).expect("it is there");
    let work = |id: u64| json!({ "id": id, "nonce": id, "work_ms": 300 });
    let call = |id: u64| client.call::<_, u64>("chaos.always", &work(id));
    assert_eq!(call(1).expect("it answers"), 1);
    kill(&mut under_test);
    under_test.start_again(program());
    assert_eq!(call(2).expect("it answers"), 2);
    std::thread::scope(|scope| {
        let during = scope.spawn(|| call(3));
        eventually(LIMIT, "it has begun", || {
            count(&under_test, 3, Step::Begun) == 1
        });
        under_test.service.kill().expect("it lives");
        under_test.service.wait().expect("it dies");
        under_test.start_again(program());
        let answer = during.join().expect("it does not panic");
        assert_eq!(answer.expect("it answers"), 3);
    });
    assert_eq!(count(&under_test, 3, Step::Begun), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_does_not_come_back_is_waited_for_as_long_as_the_call_has_time() {
    let mut under_test = service(1);
    let client = client(&under_test).await;
    let running = client
        .request("chaos.never")
        .arguments(&json!({ "id": 1, "nonce": 1, "work_ms": 60_000 }))
        .timeout(Duration::from_secs(1))
        .start()
        .expect("it is sent");
    eventually(LIMIT, "it has begun", || {
        count(&under_test, 1, Step::Begun) == 1
    });
    kill(&mut under_test);
    let late = Some("deadline_exceeded".to_owned());
    assert_eq!(
        told(running.wait().await),
        Err((late.clone(), Outcome::Unknown))
    );
    let never_sent = client
        .request("chaos.never")
        .timeout(Duration::from_millis(100))
        .send()
        .await;
    assert_eq!(told(never_sent), Err((late, Outcome::NotExecuted)));
}

#[test]
fn a_call_by_the_command_line_outlives_the_service() {
    let mut under_test = service(1);
    drop(under_test.client());
    let endpoint = under_test.endpoint();
    let call = std::process::Command::new(program())
        .args(["call", "chaos.always", "id=1", "nonce=1", "work_ms=500"])
        .arg("--endpoint")
        .arg(endpoint.as_path())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("it can be started");
    eventually(LIMIT, "it has begun", || {
        count(&under_test, 1, Step::Begun) == 1
    });
    kill(&mut under_test);
    under_test.start_again(program());
    let ended = call.wait_with_output().expect("it ends");
    assert!(ended.status.success(), "{ended:?}");
    assert_eq!(ended.stdout, b"1\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_run_twice_and_cannot_be_made_again_is_not_said_not_to_have_been_executed() {
    let mut under_test = UnderTest::start(program(), 1, "", "exit_if_broken");
    let client = client(&under_test).await;
    let work = |id: u64| json!({ "id": id, "nonce": id, "work_ms": 60_000 });
    let begun = start(&client, "chaos.always", work(1));
    eventually(LIMIT, "it has begun", || {
        count(&under_test, 1, Step::Begun) == 1
    });
    kill(&mut under_test);
    let has_noticed = async {
        // Until then it may say something to nobody, and not know that nobody heard it.
        let late = Some("deadline_exceeded".to_owned());
        let brief = || {
            client
                .request("chaos.never")
                .timeout(Duration::from_millis(50))
        };
        while told(brief().send().await) != Err((late.clone(), Outcome::NotExecuted)) {}
    };
    let noticed = tokio::time::timeout(LIMIT, has_noticed).await;
    noticed.expect("it notices that the service is gone");
    let meanwhile = start(&client, "chaos.always", work(2));
    let broken = under_test.ledger().with_extension("broken");
    std::fs::write(broken, "").expect("the folder can be written to");
    under_test.start_again(program());
    let refused = |outcome| Err((Some("pool_unavailable".to_owned()), outcome));
    assert_eq!(told(begun.wait().await), refused(Outcome::Unknown));
    assert_eq!(told(meanwhile.wait().await), refused(Outcome::NotExecuted));
}
