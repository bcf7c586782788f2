//! What every function goes through: a panic ends in a code, and says nothing on the program's screen.

use std::{
    any::Any,
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook},
    sync::Once,
};

use crate::{
    code::Code,
    failure::{Answer, Failure},
    handles::{Object, Table},
    pin,
};

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Whatever uses this copy of the standard library beside us keeps its words; only panics in here are silent.
fn silence_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |panic| {
            if !INSIDE.get() {
                before(panic);
            }
        }));
    });
}

struct Inside {
    before: bool,
}

impl Inside {
    fn enter() -> Self {
        Self {
            before: INSIDE.replace(true),
        }
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        INSIDE.set(self.before);
    }
}

/// A function that needs no handle. Its error is the process' last one.
pub(crate) fn process(act: impl FnOnce(&'static Table) -> Answer) -> i32 {
    run(|| {
        let table = Table::current();
        match caught(|| act(table)) {
            Ok(code) => code,
            Err(failure) => table.fail(failure),
        }
    })
}

/// A function on a handle. Its error is left there.
pub(crate) fn with(handle: i64, act: impl FnOnce(&Object) -> Answer) -> i32 {
    run(|| {
        let table = Table::current();
        let object = match table.get(handle) {
            Ok(object) => object,
            Err(failure) => return table.fail(failure),
        };
        match caught(|| act(&object)) {
            Ok(code) => code,
            Err(failure) if failure.code == Code::BadHandle => table.fail(failure),
            Err(failure) => {
                let code = failure.code;
                object.last().set(failure);
                code
            }
        }
    })
}

/// The innermost: nothing panics past this, not even what tells of a panic.
fn run(act: impl FnOnce() -> Code) -> i32 {
    let whole = || {
        pin::stay();
        silence_panics();
        let _inside = Inside::enter();
        act()
    };
    catch_unwind(AssertUnwindSafe(whole))
        .unwrap_or(Code::Panic)
        .number()
}

fn caught(act: impl FnOnce() -> Answer) -> Answer {
    catch_unwind(AssertUnwindSafe(act)).unwrap_or_else(|panic| {
        let what = words(panic.as_ref());
        let why = format!("The library of Standin has failed: {what}.");
        let mut failure = Failure::new(Code::Panic, why);
        failure.outcome = standin_client::Outcome::Unknown;
        Err(failure)
    })
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("for a reason without words")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_code_and_its_words_are_the_error() {
        let code = process(|_| panic!("seven {}", 8));
        assert_eq!(code, Code::Panic.number());
        let failure = Table::current().last().get().expect("it was left");
        assert!(failure.message.contains("seven 8"), "{failure:?}");
    }
}
