//! Lets the writer keep everybody from reading, for a moment.
//!
//! Whoever reads keeps what the log held before from going into the database, and those who read one after another would
//! do so for ever. The writer waits for those who are reading, and whoever comes then waits for the writer.

use std::sync::{Condvar, Mutex, MutexGuard};

/// The gate. Only one thread may hold it: the one that writes.
#[derive(Debug, Default)]
pub(in crate::store) struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    reading: usize,
    is_held: bool,
}

/// Somebody reads.
#[derive(Debug)]
pub(super) struct Reading<'a>(&'a Gate);

/// Nobody reads.
#[derive(Debug)]
pub(in crate::store) struct Held<'a>(&'a Gate);

impl Gate {
    /// Waits while it is held.
    pub(super) fn enter(&self) -> Reading<'_> {
        let state = self.state();
        let mut state = self
            .changed
            .wait_while(state, |state| state.is_held)
            .expect("nobody panics while holding it");
        state.reading += 1;
        Reading(self)
    }

    /// Lets nobody in any more, and waits for those who are.
    pub(in crate::store) fn hold(&self) -> Held<'_> {
        let mut state = self.state();
        state.is_held = true;
        let _state = self
            .changed
            .wait_while(state, |state| state.reading > 0)
            .expect("nobody panics while holding it");
        Held(self)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics while holding it")
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.reading -= 1;
        if state.is_held {
            self.0.changed.notify_all();
        }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.state().is_held = false;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn whoever_holds_it_waits_for_those_who_read_and_those_who_come_wait_for_it() {
        let gate = Gate::default();
        let (tell, told) = mpsc::channel();
        std::thread::scope(|scope| {
            let reading = gate.enter();
            let (go_on, may_go_on) = mpsc::channel::<()>();
            let writer = tell.clone();
            let gate = &gate;
            scope.spawn(move || {
                let held = gate.hold();
                writer.send("held").unwrap();
                may_go_on.recv().unwrap();
                writer.send("let go").unwrap();
                drop(held);
            });
            while !gate.state().is_held {
                std::thread::yield_now();
            }
            let reader = tell.clone();
            scope.spawn(move || {
                let _reading = gate.enter();
                reader.send("read").unwrap();
            });
            assert_eq!(told.try_recv(), Err(mpsc::TryRecvError::Empty));
            drop(reading);
            assert_eq!(told.recv(), Ok("held"));
            go_on.send(()).unwrap();
            assert_eq!([told.recv(), told.recv()], [Ok("let go"), Ok("read")]);
        });
        drop(gate.enter());
    }
}
