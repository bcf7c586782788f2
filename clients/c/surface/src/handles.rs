//! What programs hold: numbers, each for one thing, and none twice in a process.

use std::{
    ptr::null_mut,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, AtomicPtr, Ordering},
    },
};

use rustc_hash::FxHashMap;
use standin_client::Outcome;

use crate::{
    call::Call,
    callback::Callback,
    client::Client,
    code::Code,
    failure::{Failure, LastError},
};

/// A program with so many open handles has forgotten to close them, and would fill the memory of its process.
const HANDLES_MAX: usize = 100_000;

/// The first number. Small, so that a program that keeps it in 32 bits keeps it whole; and none that comes about by
/// itself.
const FIRST: i64 = 1001;

/// What a handle names.
#[derive(Debug, Clone)]
pub(crate) enum Object {
    Client(Arc<Client>),
    Call(Arc<Call>),
    Callback(Arc<Callback>),
}

impl Object {
    pub(crate) fn last(&self) -> &LastError {
        match self {
            Object::Client(client) => client.last(),
            Object::Call(call) => call.last(),
            Object::Callback(callback) => callback.last(),
        }
    }

    /// The client that it is or belongs to.
    pub(crate) fn client(&self) -> &Arc<Client> {
        match self {
            Object::Client(client) => client,
            Object::Call(call) => call.client(),
            Object::Callback(callback) => callback.client(),
        }
    }

    /// What is known of the effect of the call that it stands for; `None`: there can be none. A client stands for all of
    /// its calls, and a question for the one that asks.
    pub(crate) fn known(&self) -> Option<Outcome> {
        match self {
            Object::Client(client) => client.opened().ok().map(|_| Outcome::Unknown),
            Object::Call(call) => call.known(),
            Object::Callback(_) => Some(Outcome::Unknown),
        }
    }

    /// What it is, in a sentence.
    fn kind(&self) -> &'static str {
        match self {
            Object::Client(_) => "a client",
            Object::Call(call) if call.is_batch() => "a batch",
            Object::Call(_) => "a call",
            Object::Callback(_) => "a callback",
        }
    }

    /// It is of the wrong kind for this function.
    pub(crate) fn is_not(&self, wanted: &str) -> Failure {
        let why = format!("The handle names {}, and {wanted} is needed.", self.kind());
        Failure::new(Code::BadHandle, why)
    }
}

/// All handles of a process.
pub(crate) struct Table {
    generation: u32,
    objects: Mutex<FxHashMap<i64, Object>>,
    last: LastError,
    /// Why the last function that was to give a handle gave none, if it did not.
    not_made: LastError,
}

static TABLE: AtomicPtr<Table> = AtomicPtr::new(null_mut());
static NEXT: AtomicI64 = AtomicI64::new(FIRST);

impl Table {
    /// The table of this process. That of the process that this one was forked from is left as it is: its connections are
    /// that one's, and another thread may have held its locks.
    pub(crate) fn current() -> &'static Table {
        loop {
            let pointer = TABLE.load(Ordering::Acquire);
            // SAFETY: it is NULL or leads to a table that was leaked below.
            let table = unsafe { pointer.as_ref() };
            if let Some(table) = table.filter(|table| table.generation == forks::count()) {
                return table;
            }
            let new = Box::into_raw(Box::new(Table {
                generation: forks::count(),
                objects: Mutex::default(),
                last: LastError::default(),
                not_made: LastError::default(),
            }));
            if TABLE
                .compare_exchange(pointer, new, Ordering::AcqRel, Ordering::Acquire)
                .is_err()
            {
                // SAFETY: it was made above and given to nobody.
                drop(unsafe { Box::from_raw(new) });
            }
        }
    }

    fn objects(&self) -> MutexGuard<'_, FxHashMap<i64, Object>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last error that belongs to no handle.
    pub(crate) fn last(&self) -> &LastError {
        &self.last
    }

    pub(crate) fn fail(&self, failure: Failure) -> Code {
        let code = failure.code;
        self.last.set(failure);
        code
    }

    /// How it went with a function that was to give a handle.
    pub(crate) fn made(&self, failure: Option<&Failure>) {
        match failure {
            Some(failure) => self.not_made.set(failure.clone()),
            None => self.not_made.forget(),
        }
    }

    pub(crate) fn get(&self, handle: i64) -> Result<Object, Failure> {
        let object = self.objects().get(&handle).cloned();
        object.ok_or_else(|| self.unknown(handle))
    }

    /// A program that looks at nothing before its call has ended goes on with a handle that it never got. What it wants to
    /// know then is why.
    fn unknown(&self, handle: i64) -> Failure {
        match self.not_made.get().filter(|_| handle == 0) {
            Some(failure) => Failure {
                code: Code::BadHandle,
                ..failure
            },
            None => unknown(handle),
        }
    }

    /// Takes something in; it is made with its number.
    pub(crate) fn insert(&self, make: impl FnOnce(i64) -> Object) -> Result<i64, Failure> {
        let mut objects = self.objects();
        if objects.len() >= HANDLES_MAX {
            let why = format!("This program has {HANDLES_MAX} handles open; close some.");
            return Err(Failure::new(Code::Limit, why));
        }
        let handle = NEXT.fetch_add(1, Ordering::Relaxed);
        objects.insert(handle, make(handle));
        Ok(handle)
    }

    /// Takes one out, and if it is a client, all that belongs to it. They are given back, to be ended outside of the lock.
    pub(crate) fn remove(&self, handle: i64) -> Result<Vec<Object>, Failure> {
        let mut objects = self.objects();
        let object = objects
            .remove(&handle)
            .ok_or_else(|| self.unknown(handle))?;
        let mut removed = Vec::new();
        if let Object::Client(client) = &object {
            let theirs = objects.extract_if(|_, object| Arc::ptr_eq(object.client(), client));
            removed.extend(theirs.map(|(_, object)| object));
        }
        removed.push(object);
        Ok(removed)
    }
}

fn unknown(handle: i64) -> Failure {
    let why = format!(
        "The handle {handle} is not known here: it was closed, never given out, or belongs to another process."
    );
    // If it was closed, what came of it is forgotten.
    Failure::new(Code::BadHandle, why).known_as(Some(Outcome::Unknown))
}

/// How often this process was forked off, itself and those before it.
#[cfg(unix)]
mod forks {
    use std::sync::atomic::{AtomicU32, Ordering};

    static COUNT: AtomicU32 = AtomicU32::new(0);

    extern "C" fn in_child() {
        COUNT.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count() -> u32 {
        static ONCE: std::sync::Once = std::sync::Once::new();
        ONCE.call_once(|| {
            // SAFETY: what it calls in a child adds to a number and does nothing else, and the library is never unloaded.
            unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
        });
        COUNT.load(Ordering::Relaxed)
    }
}

#[cfg(not(unix))]
mod forks {
    pub(super) fn count() -> u32 {
        0
    }
}
