//! The jobs of another user. Only on Unix can root be somebody else for a moment.

use std::os::unix::process::CommandExt;

use chaos_tests::{
    other_user::{NOBODY, serve_everybody},
    under_test::hostile_pool,
};
use serde_json::{Value, json};

use crate::{chaos, program, status, submit};

#[test]
fn a_user_sees_their_own_jobs_and_an_administrator_all() {
    if !chaos_tests::platform::can_be_others("a_user_sees_their_own_jobs_and_an_administrator_all")
    {
        return;
    }
    let under_test = serve_everybody(program(), |folder| {
        hostile_pool("chaos", program(), folder, 1, "", "")
    });
    let client = under_test.client();
    let other = |arguments: &[&str]| {
        let ran = std::process::Command::new(program())
            .args(arguments)
            .args(["--json", "--endpoint"])
            .arg(under_test.endpoint().as_path())
            .uid(NOBODY)
            // The other user is not to write where the tests are run.
            .current_dir("/")
            .output()
            .expect("it can be started");
        let (out, error) = (ran.stdout, ran.stderr);
        let text = String::from_utf8_lossy(if out.is_empty() { &error } else { &out }).into_owned();
        (ran.status.success(), text)
    };
    let ours = submit(&client, &chaos("chaos.always", 1, json!({})));
    let (taken, theirs) = other(&["jobs", "submit", "chaos.always", "id=2"]);
    assert!(taken, "{theirs}");
    let theirs: Value = serde_json::from_str(&theirs).expect("it is JSON");
    let theirs = theirs["job"].as_str().expect("a text");
    let (_, listed) = other(&["jobs", "list"]);
    assert!(
        listed.contains(theirs) && !listed.contains(&ours),
        "{listed}"
    );
    for forbidden in ["show", "cancel", "retry"] {
        let (done, said) = other(&["jobs", forbidden, &ours]);
        assert!(!done, "{forbidden}: {said}");
    }
    // Not even that there is one.
    let (done, said) = other(&["explain", "--job", &ours]);
    assert!(!done && said.contains("There is no job"), "{said}");
    let (done, said) = other(&["explain", "--job", theirs]);
    assert!(done && said.contains(theirs), "{said}");
    let all: Vec<Value> = client.call("job.list", &json!({})).expect("it answers");
    assert_eq!(all.len(), 2);
    assert_eq!(status(&client, theirs)["user"], "65534");
    let (_, their_status) = other(&["status"]);
    let their_status: Value = serde_json::from_str(&their_status).expect("it is JSON");
    let counted = |status: &Value| {
        let counts = status["jobs"].as_object().expect("a map").values();
        counts.filter_map(Value::as_u64).sum::<u64>()
    };
    assert_eq!(counted(&their_status), 1, "{their_status}");
    assert_eq!(counted(&chaos_tests::under_test::status(&client)), 2);
}
