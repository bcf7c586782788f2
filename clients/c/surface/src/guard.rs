//! What every function goes through: a panic ends in a code, and says nothing on the program's screen.

use std::{
    any::Any,
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook},
    sync::Once,
};

use standin_client::Outcome;

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

/// A function on a handle. Its error is left there, and tells what is known of the call that the handle stands for: that a
/// result cannot be read does not undo the call.
pub(crate) fn with(handle: i64, act: impl FnOnce(&Object) -> Answer) -> i32 {
    run(|| {
        on(Table::current(), handle, |object| {
            let object = object?;
            caught(|| act(object)).map_err(|failure| failure.known_as(object.known()))
        })
    })
}

/// A function that begins something of its own on the way: what it fails with is about that.
pub(crate) fn beginning(handle: i64, act: impl FnOnce(&Object) -> Answer) -> i32 {
    run(|| on(Table::current(), handle, |object| begun(object, act)))
}

/// The same of a function that is to give a handle, and no more.
pub(crate) fn making(handle: i64, act: impl FnOnce(&Object) -> Answer) -> i32 {
    run(|| {
        let table = Table::current();
        on(table, handle, |object| {
            let result = begun(object, act);
            table.made(result.as_ref().err());
            result
        })
    })
}

fn begun(object: Result<&Object, Failure>, act: impl FnOnce(&Object) -> Answer) -> Answer {
    match object {
        Ok(object) => caught(|| act(object)),
        // What could not be begun was not executed.
        Err(failure) => Err(failure.known_as(Some(Outcome::NotExecuted))),
    }
}

/// `act` gets what the handle names, or why it names nothing.
fn on(table: &Table, handle: i64, act: impl FnOnce(Result<&Object, Failure>) -> Answer) -> Code {
    let object = table.get(handle);
    let result = act(object.as_ref().map_err(Clone::clone));
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
        Err(Failure::new(Code::Panic, why).known_as(Some(Outcome::Unknown)))
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
