//! Many callers and one key.

use chaos_tests::under_test::eventually;

use crate::{LIMIT, METHODS, begun, connect, key, service, work};

const CALLERS: u64 = 60;

#[test]
fn sixty_callers_with_one_key_are_one_call() {
    let under_test = service(4, "");
    for (id, method) in (1..).zip(METHODS) {
        let mut callers: Vec<_> = (0..CALLERS).map(|_| connect(&under_test)).collect();
        for caller in &mut callers {
            caller.ask_with(id, method, work(id, id, 100), key("order"));
        }
        for caller in &mut callers {
            assert_eq!(caller.answer(id), Ok(id.into()), "{method}");
        }
        assert_eq!(begun(&under_test, id), 1, "{method} ran once");
    }
}

#[test]
fn of_sixty_callers_the_others_go_on_when_the_first_is_gone() {
    let under_test = service(1, "");
    let mut first = connect(&under_test);
    first.ask_with(1, "chaos.never", work(1, 1, 500), key("order"));
    eventually(LIMIT, "it has begun", || begun(&under_test, 1) == 1);
    let mut callers: Vec<_> = (0..CALLERS).map(|_| connect(&under_test)).collect();
    for caller in &mut callers {
        caller.ask_with(1, "chaos.never", work(1, 1, 500), key("order"));
    }
    drop(first);
    for caller in &mut callers {
        assert_eq!(caller.answer(1), Ok(1.into()));
    }
    assert_eq!(begun(&under_test, 1), 1);
}
