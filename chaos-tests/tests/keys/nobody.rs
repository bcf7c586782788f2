//! A program of which the system does not say whose it is, as one on Windows that hides it.

use chaos_tests::raw_client::{code, field, map, outcome};
use rmpv::Value;

use crate::{begun, connect, key, service, work};

#[test]
fn a_program_of_nobody_has_nothing_that_belongs_to_a_user() {
    let under_test = service(1, "");
    let mut client = connect(&under_test);
    client.ask(1, "standin.failpoint", map([("place", "no_user".into())]));
    assert_eq!(client.answer(1), Ok(true.into()));
    let mut nobody = connect(&under_test);
    let hello = nobody.hello(None).expect("it is welcome");
    assert_eq!(field(&hello, "session"), &Value::Nil);
    let refused = |error: Value| {
        let told = (code(&error), outcome(&error));
        assert_eq!(told, ("access_denied", "not_executed"));
        assert!(error[1].as_str().is_some_and(|why| why.contains("user")));
    };
    nobody.ask_with(1, "chaos.never", work(1, 1, 0), key("order"));
    refused(nobody.answer(1).expect_err("a key is a user's"));
    let call = Value::Array(vec![
        "chaos.never".into(),
        Value::Array(vec![work(1, 1, 0)]),
        key("order"),
    ]);
    let calls = map([("calls", Value::Array(vec![call]))]);
    nobody.ask(2, "standin.batch", calls);
    refused(nobody.answer(2).expect("a batch is answered")[0][0].clone());
    let job = map([
        ("method", "chaos.never".into()),
        ("params", Value::Array(vec![work(1, 1, 0)])),
    ]);
    nobody.ask(3, "job.submit", job);
    refused(nobody.answer(3).expect_err("a job is a user's"));
    // All else is as for everybody.
    nobody.ask(4, "chaos.never", work(2, 2, 0));
    assert_eq!(nobody.answer(4), Ok(2.into()));
    client.ask_with(5, "chaos.never", work(3, 3, 0), key("order"));
    assert_eq!(client.answer(5), Ok(3.into()));
    assert_eq!(begun(&under_test, 1), 0);
}
