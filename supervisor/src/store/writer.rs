//! The store's thread: takes all that waits, commits it at once, and tells everybody.

mod order;
#[cfg(test)]
mod tests;

use std::{
    mem,
    sync::{
        Arc,
        mpsc::{self, RecvTimeoutError},
    },
    time::Duration,
};

use rusqlite::ErrorCode;

pub(super) use self::order::Order;
use super::{
    database::{Database, Want},
    disk::Disk,
    fatal::Fatal,
    gather::Pace,
    log::{Log, shrink},
    names::SessionToken,
    question::Question,
    reader::Gate,
    record::{Durability, Refusal, Write},
    stale::Stale,
};
use crate::{clock, failpoint};

/// More in one commit saves nothing more, and those who came first would wait for those who came last.
const BATCH_WRITES_MAX: usize = 512;

/// Nor should a commit take longer than others can wait. One write is always taken.
const BATCH_BYTES_MAX: usize = 32 << 20;

/// Longer than all parts of the service take to start again.
const SLOWLY: Duration = Duration::from_secs(2);

/// What the thread is told.
#[derive(Debug)]
pub(super) enum Message {
    Write(Order),
    Ask(Question),
    /// Nobody has a session any more: from now on each is waited for, so long.
    WaitForSessions(Duration),
    /// Nobody has this one.
    WaitForSession(SessionToken, Duration),
    /// Commit what came before and end.
    Close,
}

/// What the thread holds.
pub(super) struct Writer {
    database: Database,
    queue: mpsc::Receiver<Message>,
    disk: Disk,
    log: Log,
    stale: Stale,
    /// All sessions are to be waited for, so long.
    left_behind: Option<Duration>,
    pace: Pace,
    /// Through which those go who read.
    gate: Arc<Gate>,
    fatal: Fatal,
    orders: Vec<Order>,
    /// Of the orders, together.
    weight: usize,
    questions: Vec<Question>,
    closing: bool,
}

impl Writer {
    pub(super) fn new(
        database: Database,
        queue: mpsc::Receiver<Message>,
        disk: Disk,
        gate: Arc<Gate>,
        fatal: Fatal,
    ) -> Self {
        Self {
            database,
            queue,
            disk,
            log: Log::new(),
            stale: Stale::default(),
            left_behind: None,
            pace: Pace::default(),
            gate,
            fatal,
            orders: Vec::new(),
            weight: 0,
            questions: Vec::new(),
            closing: false,
        }
    }

    /// Serves until it is closed or nobody can reach it any more.
    pub(super) fn run(mut self) {
        let _watch = self.fatal.unless_returned();
        while !self.closing {
            match self.wait() {
                Ok(first) => self.work(first),
                Err(RecvTimeoutError::Timeout) => self.idle(),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
    }

    fn wait(&self) -> Result<Message, RecvTimeoutError> {
        let due = self.disk.look_at().into_iter().chain(self.stale.due());
        let due = due.map(|at| at.saturating_duration_since(clock::now()));
        match due.chain(self.log.patience()).min() {
            Some(limit) => self.queue.recv_timeout(limit),
            None => Ok(self.queue.recv()?),
        }
    }

    /// Nobody wants anything.
    fn idle(&mut self) {
        self.disk.look(clock::now());
        if self.end_stale_sessions() {
            return;
        }
        if self.log.patience().is_some() {
            self.empty_log();
            self.shrink();
            self.begin_log();
        }
    }

    /// False when there was nothing to do.
    fn end_stale_sessions(&mut self) -> bool {
        let ended = self.stale.take(clock::now());
        let orders: Vec<Order> = ended.into_iter().map(session_ended).collect();
        // On a disk that is full they stay, and are found again by the next run.
        self.try_commit(&orders) && !orders.is_empty()
    }

    /// Gives room back to the disk, in small pieces.
    fn shrink(&mut self) {
        match shrink(&self.database.connection) {
            Ok(0) => {}
            Ok(pages) => self.log.has_grown(pages, 0),
            // Somebody with a tool of their own is writing: another time.
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {}
            Err(error) => self.unless_full("it cannot be made smaller", &error),
        }
    }

    /// Whoever comes next should not wait for what a log that was emptied begins with.
    fn begin_log(&mut self) {
        if self.log.patience().is_some() || self.disk.is_full() {
            return;
        }
        if let Err(error) = self.database.begin_log() {
            self.unless_full("its log cannot be begun", &error);
        }
    }

    /// Ends the process, unless there was just no room for something that nobody waits for.
    fn unless_full(&mut self, what: &str, error: &rusqlite::Error) {
        match self.database.want_of_room(error) {
            Some(_) => self.disk.filled_up(clock::now()),
            None => self.fatal.end(what, error),
        }
    }

    /// Takes what else is there, commits it, and answers.
    fn work(&mut self, first: Message) {
        self.receive(first);
        self.receive_what_waits();
        self.gather();
        let orders = mem::take(&mut self.orders);
        self.weight = 0;
        if self.disk.is_full() {
            self.disk.look(clock::now());
        }
        match self.disk.is_full() {
            false => self.commit(orders),
            true => self.commit_what_ends(orders),
        }
        // With those of which it was told last.
        if let Some(linger) = self.left_behind.take() {
            self.wait_for_sessions(linger);
        }
        for question in mem::take(&mut self.questions) {
            if let Question::Session { token, .. } = question {
                self.stale.claimed(token);
            }
            if let Err(error) = self.database.answer(question) {
                self.fatal.end("it cannot be read", &error);
            }
        }
        self.end_stale_sessions();
        if self.log.is_large() {
            self.empty_log();
        }
    }

    /// Takes what there is, as far as one commit may go.
    fn receive_what_waits(&mut self) {
        while self.takes_more() {
            let Ok(next) = self.queue.try_recv() else {
                return;
            };
            self.receive(next);
        }
    }

    fn takes_more(&self) -> bool {
        !self.closing && self.orders.len() < BATCH_WRITES_MAX && self.weight < BATCH_BYTES_MAX
    }

    /// Waits for others who are about to come, where that is worth it.
    fn gather(&mut self) {
        if durability_of(&self.orders) != Durability::Power {
            return;
        }
        let Some(wait) = self.pace.wait() else {
            return;
        };
        let until = clock::now() + wait.limit;
        while self.takes_more() && clock::now() < until {
            let before = self.orders.len();
            pause(wait.step);
            self.receive_what_waits();
            if self.orders.len() == before && before >= wait.company {
                return;
            }
        }
    }

    fn receive(&mut self, message: Message) {
        match message {
            Message::Write(order) => {
                self.weight += order.write.weight();
                self.orders.push(order);
            }
            Message::Ask(question) => self.questions.push(question),
            Message::WaitForSessions(linger) => self.left_behind = Some(linger),
            Message::WaitForSession(token, linger) => {
                self.stale.wait_for(token, clock::now() + linger);
            }
            Message::Close => self.closing = true,
        }
    }

    fn wait_for_sessions(&mut self, linger: Duration) {
        let until = clock::now() + linger;
        let waited = self.stale.wait_for_all(&self.database.connection, until);
        if let Err(error) = waited {
            self.fatal.end("it cannot be read", &error);
        }
    }

    fn commit(&mut self, orders: Vec<Order>) {
        if orders.is_empty() {
            return;
        }
        failpoint::pass("store", "");
        if orders.iter().any(is_answer) && failpoint::strikes("store_answers_slowly") {
            tracing::warn!("an answer is written slowly, on command");
            pause(SLOWLY);
        }
        if self.try_commit(&orders) {
            failpoint::pass("store_told", "");
            answer(orders, Ok(()));
        } else {
            self.commit_what_ends(orders);
        }
    }

    /// On a full disk what begins something is refused, and what ends something gets what room there is.
    fn commit_what_ends(&mut self, orders: Vec<Order>) {
        let (ends, begins) = orders.into_iter().partition::<Vec<_>, _>(ends_something);
        answer(begins, Err(Refusal::Full));
        if self.try_commit(&ends) {
            answer(ends, Ok(()));
            return;
        }
        // Together they are too large, but one after the other may find room until there is none at all.
        for order in ends {
            let order = [order];
            let result = match self.try_commit(&order) {
                true => Ok(()),
                false => Err(Refusal::Full),
            };
            let [order] = order;
            order.answer(result);
        }
    }

    /// False when the disk is full.
    fn try_commit(&mut self, orders: &[Order]) -> bool {
        if orders.is_empty() {
            return true;
        }
        let durability = durability_of(orders);
        let start = clock::now();
        let mut result = self.database.commit(orders, durability);
        if self.want_of_room(&result) == Some(Want::Index) {
            // The ballast makes room for it.
            self.disk.filled_up(clock::now());
            result = self.database.commit(orders, durability);
        }
        let want = self.want_of_room(&result);
        match result {
            Ok(()) => {
                if durability == Durability::Power {
                    self.pace.flushed(orders.len(), clock::now() - start);
                }
                let bytes = orders.iter().map(|order| order.write.weight()).sum();
                self.log.has_grown(orders.len(), bytes);
                true
            }
            Err(_) if want == Some(Want::Writing) => {
                self.disk.filled_up(clock::now());
                false
            }
            // The next start may find it all the same. Of what ends something, nobody is told by that what is not true;
            // of what begins something, nobody may be told that it was refused.
            Err(_) if want == Some(Want::Index) && orders.iter().all(ends_something) => false,
            Err(error) => self.fatal.end("it cannot be written", &error),
        }
    }

    fn want_of_room(&self, result: &rusqlite::Result<()>) -> Option<Want> {
        self.database.want_of_room(result.as_ref().err()?)
    }

    fn empty_log(&mut self) {
        let gate = Arc::clone(&self.gate);
        let held = self.log.was_hindered().then(|| gate.hold());
        if let Err(error) = self.log.empty(&self.database.connection) {
            // What is in the log is safe there.
            self.unless_full("its log cannot be emptied", &error);
        }
        if held.is_some() {
            // Whoever reads now would keep it from being begun at its front.
            self.begin_log();
        }
    }
}

fn is_answer(order: &Order) -> bool {
    matches!(order.write, Write::Completion { .. })
}

fn ends_something(order: &Order) -> bool {
    order.write.ends_something()
}

/// What all of them must outlive.
fn durability_of(orders: &[Order]) -> Durability {
    let durabilities = orders.iter().map(|order| order.durability);
    durabilities.max().unwrap_or(Durability::Process)
}

#[expect(
    clippy::disallowed_methods,
    reason = "others are waited for, and each who came would wake a thread that waits for the next one"
)]
fn pause(time: Duration) {
    std::thread::sleep(time);
}

fn answer(orders: Vec<Order>, result: Result<(), Refusal>) {
    for order in orders {
        order.answer(result);
    }
}

fn session_ended(token: SessionToken) -> Order {
    Order {
        write: Write::SessionEnded(token),
        durability: Durability::Process,
        then: None,
    }
}
