//! The keys of another user. Only on Unix can root be somebody else for a moment.

use chaos_tests::{
    other_user::{as_nobody, serve_everybody},
    under_test::hostile_pool,
};

use crate::{begun, connect, key, program, work};

#[test]
fn a_key_belongs_to_its_user() {
    if !chaos_tests::platform::can_be_others("a_key_belongs_to_its_user") {
        return;
    }
    let under_test = serve_everybody(program(), |folder| {
        hostile_pool("chaos", program(), folder, 1, "", "")
    });
    under_test.client();
    let mut own = connect(&under_test);
    own.ask_with(1, "chaos.never", work(1, 1, 0), key("order"));
    assert_eq!(own.answer(1), Ok(1.into()));
    let others = as_nobody(|| {
        let mut client = connect(&under_test);
        client.ask_with(1, "chaos.never", work(2, 2, 0), key("order"));
        client.answer(1)
    });
    assert_eq!(
        others,
        Ok(2.into()),
        "it is no conflict, and nobody else's answer"
    );
    assert_eq!((begun(&under_test, 1), begun(&under_test, 2)), (1, 1));
}
