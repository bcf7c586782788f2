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
    run(|| on(Table::current(), handle, act, |_| {}))
}

/// The same of a function that is to give a handle of its own.
pub(crate) fn making(handle: i64, act: impl FnOnce(&Object) -> Answer) -> i32 {
    run(|| {
        let table = Table::current();
        on(table, handle, act, |failure| table.made(failure))
    })
}

/// `note` hears how it went.
fn on(
    table: &Table,
    handle: i64,
    act: impl FnOnce(&Object) -> Answer,
    note: impl FnOnce(Option<&Failure>),
) -> Code {
    let object = table.get(handle);
    let result = match &object {
        Ok(object) => caught(|| act(object)),
        Err(failure) => Err(failure.clone()),
    };
    note(result.as_ref().err());
    match (result, object) {
        (Ok(code), _) => code,
        (Err(failure), Ok(object)) if failure.code != Code::BadHandle => {
            let code = failure.code;
            object.last().set(failure);
            code
        }
        (Err(failure), _) => table.fail(failure),
    }
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
