//! The store's thread: takes all that waits, commits it at once, and tells everybody.

use std::{fmt, mem, sync::mpsc};

use rusqlite::{Connection, ErrorCode};

use super::{
    apply::{self, Circumstances},
    fatal,
    question::Question,
    record::{Durability, Refusal, Write},
};
use crate::{clock, failpoint};

/// More in one commit saves nothing more, and those who came first would wait for those who came last.
const BATCH_WRITES_MAX: usize = 512;

/// Nor should a commit take longer than others can wait. One write is always taken.
const BATCH_BYTES_MAX: usize = 32 << 20;

/// What the thread is told.
#[derive(Debug)]
pub(super) enum Message {
    Write(Order),
    Ask(Question),
    /// Commit what came before and end.
    Close,
}

/// A write, and who hears of it.
pub(super) struct Order {
    pub(super) write: Write,
    pub(super) durability: Durability,
    pub(super) then: Option<Then>,
}

/// What is done with the news.
type Then = Box<dyn FnOnce(Result<(), Refusal>) + Send>;

impl Order {
    pub(super) fn answer(self, result: Result<(), Refusal>) {
        match self.then {
            Some(then) => then(result),
            None => {
                if let Err(refusal) = result {
                    tracing::debug!(%refusal, write = ?self.write, "something that nobody waits for was not kept");
                }
            }
        }
    }
}

impl fmt::Debug for Order {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?} ({:?})", self.write, self.durability)
    }
}

/// What the thread holds.
pub(super) struct Writer {
    connection: Connection,
    queue: mpsc::Receiver<Message>,
    boot: String,
    /// What the database flushes for now.
    flushes_for: Option<Durability>,
    orders: Vec<Order>,
    questions: Vec<Question>,
    closing: bool,
}

impl Writer {
    pub(super) fn new(
        connection: Connection,
        queue: mpsc::Receiver<Message>,
        boot: String,
    ) -> Self {
        Self {
            connection,
            queue,
            boot,
            flushes_for: None,
            orders: Vec::new(),
            questions: Vec::new(),
            closing: false,
        }
    }

    /// Serves until it is closed or nobody can reach it any more.
    pub(super) fn run(mut self) {
        let _end = fatal::UnlessReturned;
        while self.take() {
            let orders = mem::take(&mut self.orders);
            self.commit(orders);
            for question in mem::take(&mut self.questions) {
                if let Err(error) = question.answer(&self.connection, &self.boot) {
                    fatal::end("it cannot be read", &error);
                }
            }
        }
    }

    /// Waits for something, and takes what else is there. False when there will be nothing more.
    fn take(&mut self) -> bool {
        if self.closing {
            return false;
        }
        let Ok(first) = self.queue.recv() else {
            return false;
        };
        let mut weight = self.receive(first);
        while !self.closing && self.orders.len() < BATCH_WRITES_MAX && weight < BATCH_BYTES_MAX {
            let Ok(next) = self.queue.try_recv() else {
                break;
            };
            weight += self.receive(next);
        }
        true
    }

    fn receive(&mut self, message: Message) -> usize {
        match message {
            Message::Write(order) => {
                let weight = order.write.weight();
                self.orders.push(order);
                return weight;
            }
            Message::Ask(question) => self.questions.push(question),
            Message::Close => self.closing = true,
        }
        0
    }

    /// Commits the orders and answers them.
    fn commit(&mut self, orders: Vec<Order>) {
        if orders.is_empty() {
            return;
        }
        failpoint::pass("store", "");
        match self.try_commit(&orders) {
            Ok(()) => {
                failpoint::pass("store_told", "");
                answer(orders, Ok(()));
            }
            Err(error) if is_full(&error) => self.commit_what_ends(orders),
            Err(error) => fatal::end("it cannot be written", &error),
        }
    }

    /// On a full disk what begins something is refused, and what ends something gets what room there is.
    fn commit_what_ends(&mut self, orders: Vec<Order>) {
        tracing::error!(
            "the disk that holds the service's state is full; nothing new is taken that must be recorded"
        );
        let (ends, begins) = orders
            .into_iter()
            .partition::<Vec<_>, _>(|order| order.write.ends_something());
        answer(begins, Err(Refusal::Full));
        match self.try_commit(&ends) {
            Ok(()) => answer(ends, Ok(())),
            Err(error) if is_full(&error) => answer(ends, Err(Refusal::Full)),
            Err(error) => fatal::end("it cannot be written", &error),
        }
    }

    /// One transaction; after an error there is nothing of it.
    fn try_commit(&mut self, orders: &[Order]) -> rusqlite::Result<()> {
        let durability = orders.iter().map(|order| order.durability).max();
        self.flush_for(durability.unwrap_or(Durability::Process))?;
        self.begin()?;
        let done = self.apply_all(orders);
        if done.is_err() && !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK")?;
        }
        done
    }

    fn apply_all(&self, orders: &[Order]) -> rusqlite::Result<()> {
        let circumstances = Circumstances {
            boot: &self.boot,
            at: clock::unix_ms(),
        };
        for order in orders {
            apply::apply(&self.connection, &order.write, &circumstances)?;
        }
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }

    /// Somebody with a tool of their own may be writing; nothing is lost while that is waited for.
    fn begin(&self) -> rusqlite::Result<()> {
        loop {
            match self
                .connection
                .prepare_cached("BEGIN IMMEDIATE")?
                .execute([])
            {
                Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                    tracing::error!(
                        "another program holds the service's database; everything waits for it"
                    );
                }
                other => return other.map(|_| ()),
            }
        }
    }

    /// FULL flushes the log at each commit. NORMAL leaves that to the system, which the death of a process does not hurt.
    fn flush_for(&mut self, durability: Durability) -> rusqlite::Result<()> {
        if self.flushes_for != Some(durability) {
            self.connection.execute_batch(match durability {
                Durability::Process => "PRAGMA synchronous = NORMAL",
                Durability::Power => "PRAGMA synchronous = FULL",
            })?;
            self.flushes_for = Some(durability);
        }
        Ok(())
    }
}

fn answer(orders: Vec<Order>, result: Result<(), Refusal>) {
    for order in orders {
        order.answer(result);
    }
}

fn is_full(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DiskFull)
}
