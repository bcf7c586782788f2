//! Pools that are for some users and groups only.

use chaos_tests::{
    raw_client::{RawClient, code, map, outcome},
    under_test::{UnderTest, sdk_pool, status},
};
use serde_json::{Value, json};
use standin_client::blocking::Client;

use crate::setup::{program, refusal};

/// The pool `open` is one of Standin's own workers; `sdk` has this setting.
fn serve(setting: &str) -> UnderTest {
    UnderTest::serve(program(), |folder| {
        sdk_pool("sdk", program(), folder, setting)
    })
}

fn lists(client: &Client, method: &str) -> bool {
    let methods: Value = client.call("standin.methods", &()).expect("a list");
    let mut methods = methods.as_array().expect("a list").iter();
    methods.any(|line| line["name"] == method)
}

/// An entry that is not the user or a group of this process.
const SOMEBODY_ELSE: &str = if cfg!(windows) {
    "S-1-5-21-1-2-3-4444"
} else {
    "4444"
};

#[test]
fn who_may_not_use_a_pool_is_told_so_and_does_not_see_its_methods() {
    for list in ["users", "groups"] {
        let under_test = serve(&format!("{list} = ['{SOMEBODY_ELSE}']"));
        let client = under_test.client();
        assert!(!lists(&client, "sdk.echo"), "{list}");
        let echo = json!({ "text": "hello" });
        for (method, arguments) in [
            ("sdk.echo", echo.clone()),
            ("standin.describe", json!({ "method": "sdk.echo" })),
            (
                "job.submit",
                json!({ "method": "sdk.echo", "params": [echo] }),
            ),
        ] {
            let answer = refusal(&client, method, &arguments);
            assert_eq!(
                (&*answer.code, answer.outcome.name()),
                ("access_denied", "not_executed"),
                "{method}, {list}: {answer:?}"
            );
            let user = standin_transport::own_user();
            assert!(answer.message.contains(&user), "{}", answer.message);
            assert!(answer.message.contains("sdk"), "{}", answer.message);
        }
        let mut raw = RawClient::connect(&under_test.endpoint());
        let call = rmpv::Value::Array(vec!["sdk.echo".into(), map([("text", "hello".into())])]);
        raw.ask(1, "standin.batch", map([("calls", vec![call].into())]));
        let answers = raw.answer(1).expect("the batch itself is answered");
        let error = &answers[0][0];
        assert_eq!(
            (code(error), outcome(error)),
            ("access_denied", "not_executed")
        );
        assert_eq!(
            status(&client)["pools"][0]["name"],
            "sdk",
            "an administrator sees it all the same"
        );
    }
}

#[test]
fn who_is_named_or_in_a_group_that_is_named_may_use_a_pool() {
    let user = standin_transport::own_user();
    // Whoever runs this is in one group at least; on Windows everybody is in Everyone.
    let group = if cfg!(windows) {
        "S-1-1-0".to_owned()
    } else {
        own_group()
    };
    for setting in [
        format!("users = ['{SOMEBODY_ELSE}', '{user}']"),
        format!("groups = ['{SOMEBODY_ELSE}', '{group}']"),
        format!("users = ['{SOMEBODY_ELSE}']\ngroups = ['{group}']"),
    ] {
        let under_test = serve(&setting);
        let client = under_test.client();
        let echoed: String = client
            .call("sdk.echo", &json!({ "text": "mine" }))
            .expect("it is for me");
        assert_eq!(echoed, "mine", "{setting}");
        assert!(lists(&client, "sdk.echo"), "{setting}");
    }
}

#[cfg(unix)]
fn own_group() -> String {
    rustix::process::getegid().as_raw().to_string()
}

#[cfg(windows)]
fn own_group() -> String {
    unreachable!("it has another name here")
}

#[test]
fn a_name_that_the_machine_does_not_know_is_a_mistake_of_the_configuration() {
    let mut under_test = serve("users = ['nobody-of-that-name']");
    let code = under_test.service.wait().expect("it ends by itself");
    assert_eq!(code.code(), Some(2));
    let log = under_test.log();
    assert!(
        log.contains("there is no user `nobody-of-that-name`"),
        "{log}"
    );
}

/// Only root can be somebody else for a moment; on Windows it takes a second account.
#[cfg(unix)]
#[test]
fn one_user_may_and_another_may_not() {
    use chaos_tests::other_user::{as_nobody, serve_everybody};
    if !chaos_tests::platform::can_be_others("one_user_may_and_another_may_not") {
        return;
    }
    let under_test = serve_everybody(program(), |folder| {
        let access = "users = ['root']\ngroups = ['4445']";
        sdk_pool("sdk", program(), folder, access)
    });
    let client = under_test.client();
    let echo = json!({ "text": "mine" });
    assert!(client.call::<_, Value>("sdk.echo", &echo).is_ok());
    let endpoint = under_test.endpoint();
    let answer = as_nobody(|| {
        let client = Client::connect(&endpoint, crate::setup::LIMIT).expect("it may connect");
        assert!(!lists(&client, "sdk.echo"));
        assert_eq!(status(&client)["pools"], json!([]), "nor what it is at");
        refusal(&client, "sdk.echo", &echo)
    });
    assert_eq!(answer.code, "access_denied");
    let log = under_test.log();
    assert!(
        log.contains("the pool is not for this user") && log.contains("user=65534"),
        "{log}"
    );
}
