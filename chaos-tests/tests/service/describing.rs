//! `standin.hello`, `standin.ping`, `standin.methods` and `standin.describe`: what a client can learn.

use chaos_tests::under_test::{UnderTest, hostile_pool};
use serde_json::{Value, json};

use crate::setup::{program, refusal, service, work};

#[test]
fn the_hello_gives_a_session_and_tells_the_server_its_version_and_its_limits() {
    let under_test = UnderTest::serve(program(), |folder| {
        format!(
            "message_size_max = '2MiB'\nsession_requests_max = 77\n{}",
            hostile_pool("chaos", program(), folder, 1, "", "")
        )
    });
    let client = under_test.client();
    let mut said: Value = client
        .call(
            "standin.hello",
            &json!({ "client": "test", "callbacks": false }),
        )
        .expect("it is answered");
    let session = said["session"].take();
    assert_eq!(session.as_str().map(str::len), Some(32), "{session}");
    assert_eq!(
        said,
        json!({
            "session": null,
            "resumed": false,
            "server": "standin",
            "version": env!("CARGO_PKG_VERSION"),
            "protocol": 1,
            "limits": {
                "message_size_max": 2 << 20,
                "depth_max": 64,
                "requests_max": 77,
                "unacknowledged_max": 1024,
                "linger_ms": 60_000,
            },
        })
    );
}

#[test]
fn the_methods_are_told_with_their_pools_and_replay_classes_as_soon_as_they_are_known() {
    // The question comes while the workers are still starting.
    let under_test = UnderTest::serve(program(), |folder| {
        hostile_pool("chaos", program(), folder, 1, "", "slow_start")
    });
    let client = under_test.client();
    let methods: Vec<Value> = client.call("standin.methods", &()).expect("it is answered");
    let names: Vec<_> = methods
        .iter()
        .map(|method| method["name"].as_str().expect("a text"))
        .collect();
    assert_eq!(
        names,
        [
            "chaos.always",
            "chaos.never",
            "chaos.until_effect",
            "job.cancel",
            "job.list",
            "job.result",
            "job.retry",
            "job.status",
            "job.submit",
            "job.wait",
            "pool.reload",
            "pool.start",
            "pool.stop",
            "standin.batch",
            "standin.cancel",
            "standin.describe",
            "standin.explain",
            "standin.hello",
            "standin.methods",
            "standin.ping",
            "standin.status",
        ]
    );
    assert_eq!(
        methods[0],
        json!({ "name": "chaos.always", "pool": "chaos", "replay": "always", "doc": "For the chaos suite." })
    );
    assert_eq!(methods[1]["replay"], "never");
    assert_eq!(methods[2]["replay"], "until_effect");
    let mut all = methods.iter();
    let ping = all.find(|method| method["name"] == "standin.ping");
    let ping = ping.expect("it is there");
    assert_eq!(
        (&ping["pool"], &ping["doc"]),
        (&Value::Null, &json!("Answers \"pong\"."))
    );
    for method in &methods {
        let doc = method["doc"].as_str().expect("a text");
        assert!(doc.ends_with('.'), "{method}");
    }
}

#[test]
fn a_method_is_described_with_the_schema_of_its_arguments() {
    let (_under_test, client) = service("");
    let describe = |method: &str| -> Value {
        client
            .call("standin.describe", &json!({ "method": method }))
            .expect("it is answered")
    };
    let effect = describe("sdk.effect");
    assert_eq!(effect["name"], "sdk.effect");
    assert_eq!(effect["pool"], "sdk");
    assert_eq!(effect["replay"], "until_effect");
    assert_eq!(effect["doc"], "Asks for leave when a file is there.");
    let params = &effect["params"];
    assert_eq!(params["description"], "What an effect waits for.");
    assert_eq!(params["properties"]["when"]["type"], "string");
    assert_eq!(
        params["properties"]["when"]["description"],
        "The file whose appearance is waited for."
    );
    assert_eq!(params["required"], json!(["when"]));
    assert_eq!(params["additionalProperties"], false);

    let never = describe("chaos.never");
    assert_eq!(
        (&never["pool"], &never["params"]),
        (&json!("chaos"), &Value::Null)
    );
    let own = describe("standin.cancel");
    assert_eq!(
        (&own["pool"], &own["replay"]),
        (&Value::Null, &json!("always"))
    );

    let answer = refusal(&client, "standin.describe", &json!({ "method": "no.such" }));
    assert_eq!((&*answer.code, answer.number), ("method_not_found", 3));
    assert_eq!(
        answer.message,
        "There is no method \"no.such\" here. \"standin.methods\" lists what there is."
    );
    let answer = refusal(&client, "standin.describe", &json!({}));
    assert_eq!(answer.code, "invalid_params");
}

#[test]
fn the_services_own_methods_take_old_and_odd_ways_of_asking() {
    let (_under_test, client) = service("");
    for params in [
        b"\x90".as_slice(),
        b"\x80",
        b"\x91\x80",
        b"\x91\x81\xa6unused\x01",
    ] {
        let call = client
            .request("standin.ping")
            .raw_params(params.to_vec().into());
        assert_eq!(
            client.send::<String>(call).expect("it is answered"),
            "pong",
            "{params:02x?}"
        );
    }
    let call = client
        .request("standin.ping")
        .raw_params(b"\x92\x80\x80".to_vec().into());
    let error = client.send::<String>(call).expect_err("that is two maps");
    assert_eq!(error.code(), Some("invalid_params"));
    // The name of a method as bin, as old encoders write texts.
    let call = client.request("standin.describe").raw_params(
        b"\x91\x81\xc4\x06method\xc4\x0cchaos.always"
            .to_vec()
            .into(),
    );
    assert_eq!(
        client.send::<Value>(call).expect("it is answered")["pool"],
        "chaos"
    );

    let answer = refusal(&client, "standin.unheard_of", &json!({}));
    assert_eq!(answer.code, "method_not_found");
    let answer = refusal(&client, "job.unheard_of", &json!({}));
    assert_eq!(
        answer.message,
        "Standin has no method \"job.unheard_of\" in this version."
    );
    let answer = refusal(&client, "no.such", &json!({}));
    assert_eq!(
        (&*answer.code, answer.outcome.name()),
        ("method_not_found", "not_executed")
    );
    let echoed: u64 = client
        .call("chaos.always", &work(1, 0, ""))
        .expect("it goes on");
    assert_eq!(echoed, 1);
}
