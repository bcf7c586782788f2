//! What another user than the one who runs the service may do. Only on Unix can root be somebody else for a moment; on
//! Windows it takes a second account and its password, and under Wine there is but one.
#![cfg(unix)]

use chaos_tests::{
    other_user::{as_nobody, serve_everybody},
    under_test::sdk_pool,
};
use serde_json::{Value, json};
use standin_client::blocking::Client;

use crate::{
    explain::explain,
    setup::{LIMIT, program, refusal},
};

#[test]
fn only_those_who_may_change_the_service_may_start_a_pool() {
    if !chaos_tests::platform::can_be_others(
        "only_those_who_may_change_the_service_may_start_a_pool",
    ) {
        return;
    }
    let under_test = serve_everybody(program(), |folder| sdk_pool("sdk", program(), folder, ""));
    assert!(
        under_test
            .client()
            .call::<_, Value>("pool.start", &json!({ "pool": "sdk" }))
            .is_ok()
    );
    let endpoint = under_test.endpoint();
    let theirs = as_nobody(|| {
        let client = Client::connect(&endpoint, LIMIT).expect("everybody may connect");
        let echoed: String = client
            .call("sdk.echo", &json!({ "text": "mine" }))
            .expect("everybody may call");
        assert_eq!(echoed, "mine");
        ["pool.start", "pool.reload", "pool.stop"]
            .map(|order| refusal(&client, order, &json!({ "pool": "sdk" })))
    });
    for answer in theirs {
        assert_eq!(
            (&*answer.code, answer.outcome.name()),
            ("access_denied", "not_executed")
        );
    }
}

#[test]
fn a_user_is_told_of_his_own_calls_and_of_nobody_elses() {
    if !chaos_tests::platform::can_be_others("a_user_is_told_of_his_own_calls_and_of_nobody_elses")
    {
        return;
    }
    let under_test = serve_everybody(program(), |folder| sdk_pool("sdk", program(), folder, ""));
    let client = under_test.client();
    let echo = json!({ "text": "mine" });
    client
        .call::<_, Value>("sdk.echo", &echo)
        .expect("it is answered");
    let roots = explain(&client, &json!({})).remove(0);
    let endpoint = under_test.endpoint();
    let his = as_nobody(|| {
        let client = Client::connect(&endpoint, LIMIT).expect("everybody may connect");
        assert!(explain(&client, &json!({})).is_empty(), "nothing yet");
        for query in [
            json!({ "request": roots["request"] }),
            json!({ "session": roots["session"], "msgid": roots["msgid"] }),
        ] {
            assert!(explain(&client, &query).is_empty(), "not for him: {query}");
        }
        client
            .call::<_, Value>("sdk.echo", &echo)
            .expect("everybody may call");
        let answer = refusal(&client, "standin.explain", &json!({ "poisoned": true }));
        assert_eq!(answer.code, "access_denied");
        explain(&client, &json!({}))
    });
    assert_eq!(his.len(), 1);
    assert_eq!(his[0]["user"], "65534");
    let all = explain(&client, &json!({}));
    let users: Vec<_> = all.iter().map(|story| &story["user"]).collect();
    assert_eq!(
        users,
        ["65534", "0"],
        "an administrator is told of everybody's"
    );
}
