//! The keys of another user. Only on Unix can root be somebody else for a moment.

use std::os::unix::fs::PermissionsExt;

use chaos_tests::{
    raw_client::RawClient,
    under_test::{UnderTest, hostile_pool},
};

use crate::{begun, connect, key, program, work};

#[test]
fn a_key_belongs_to_its_user() {
    if !chaos_tests::platform::can_be_others("a_key_belongs_to_its_user") {
        return;
    }
    let under_test = UnderTest::serve(program(), |folder| {
        // Whoever is on the machine may use this service.
        let everybody = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(folder, everybody).expect("it is ours");
        format!(
            "mode = '0666'\n{}",
            hostile_pool("chaos", program(), folder, 1, "", "")
        )
    });
    under_test.client();
    let mut own = connect(&under_test);
    own.ask_with(1, "chaos.never", work(1, 1, 0), key("order"));
    assert_eq!(own.answer(1), Ok(1.into()));
    let endpoint = under_test.endpoint();
    let others = std::thread::spawn(move || {
        let nobody = rustix::process::Uid::from_raw(65534);
        rustix::thread::set_thread_res_uid(nobody, nobody, nobody).expect("root may do that");
        let mut client = RawClient::connect(&endpoint);
        client.ask_with(1, "chaos.never", work(2, 2, 0), key("order"));
        client.answer(1)
    });
    let others = others.join().expect("it is answered");
    assert_eq!(
        others,
        Ok(2.into()),
        "it is no conflict, and nobody else's answer"
    );
    assert_eq!((begun(&under_test, 1), begun(&under_test, 2)), (1, 1));
}
