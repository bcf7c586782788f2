//! A part of Standin failed that had the call. Only a failpoint makes one fail, and no release has any.

use chaos_tests::under_test::{UnderTest, eventually, hostile_pool, worker_pids};
use serde_json::json;

use super::{explain, story_of};
use crate::setup::{LIMIT, begun, program, start, the_error, work};

#[test]
fn a_fault_of_standins_own_is_part_of_the_story_of_each_call_that_it_hit() {
    let under_test = UnderTest::serve(program(), |folder| {
        hostile_pool("chaos", program(), folder, 2, "", "")
    });
    let client = under_test.client();
    eventually(LIMIT, "the workers are ready", || {
        worker_pids(&client, "chaos").len() == 3
    });
    let never = start(&client, "chaos.never", &work(1, 400, ""));
    let always = start(&client, "chaos.always", &work(2, 400, ""));
    let msgid = json!({ "msgid": always.msgid() });
    eventually(LIMIT, "both run", || {
        begun(&under_test, 1) == 1 && begun(&under_test, 2) == 1
    });
    client
        .call::<_, bool>("standin.failpoint", &json!({ "place": "pool/chaos" }))
        .expect("failpoints are compiled in");
    // The question itself is what the pool fails at, unless a look of the monitor was quicker.
    explain(&client, &json!({}));

    let story = story_of(&under_test, &the_error(client.wait(never)));
    assert_eq!(
        story["rule"],
        "not replayed: a part of Standin failed that had given it to a worker"
    );
    assert_eq!(client.wait::<u64>(always).expect("it is run again"), 2);
    let story = &explain(&client, &msgid)[0];
    assert_eq!(story["attempts"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        story["notes"][0]["text"],
        "a part of Standin failed that had it; the one in its place was given it"
    );
}
