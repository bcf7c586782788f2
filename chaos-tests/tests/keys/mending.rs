//! What keeps the keys fails, and is mended, while something is on its way to the disk.

use chaos_tests::under_test::eventually;
use rmpv::Value;

use crate::{LIMIT, begun, connect, key, service, work};

#[test]
fn an_answer_on_its_way_to_the_disk_stays_the_answer_though_what_keeps_the_keys_fails_meanwhile() {
    let under_test = service(1, "");
    let mut client = connect(&under_test);
    client.ask_with(1, "chaos.never", work(1, 1, 1000), key("order"));
    eventually(LIMIT, "it has begun", || begun(&under_test, 1) == 1);
    let mut other = connect(&under_test);
    other.arm("store_answers_slowly");
    eventually(LIMIT, "its answer is being written", || {
        under_test.log().contains("an answer is written slowly")
    });
    other.arm("keys");
    other.ask_with(2, "chaos.never", work(2, 2, 0), key("new"));
    while other.message().is_some() {}
    // Whoever asks next neither makes it again nor hears that nobody knows. A service that is mending itself closes
    // connections.
    let mut answer = None;
    eventually(LIMIT, "it is answered", || {
        let mut client = connect(&under_test);
        client.ask_with(1, "chaos.never", work(1, 1, 1000), key("order"));
        answer = client.message();
        answer.is_some()
    });
    let answer = answer.expect("it was just seen");
    assert_eq!((&answer[2], &answer[3]), (&Value::Nil, &1.into()));
    assert_eq!(begun(&under_test, 1), 1);
    assert!(under_test.log().contains("all are started again"));
}
