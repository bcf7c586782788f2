//! A program of one thread while its service is away: what it wants taken back is taken back.
#![cfg(unix)]

use std::{
    ffi::{CString, c_char},
    io::{Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    sync::mpsc,
};

use standin_surface::exports::{build::*, clients::*, errors::*, run::*};

const OK: i32 = 0;
const PENDING: i32 = 1;
const FAILED: i32 = 3;
const LIMIT_MS: i64 = 30_000;

/// One connection of a service that keeps sessions, by hand.
struct Peer {
    stream: UnixStream,
    read: Vec<u8>,
}

impl Peer {
    fn greet(listener: &UnixListener, is_resumed: bool) -> Peer {
        let (stream, _) = listener.accept().expect("a client comes");
        let mut peer = Peer {
            stream,
            read: Vec::new(),
        };
        let hello = peer.asked("standin.hello");
        let mut said = vec![0x82, 0xa7];
        said.extend_from_slice(b"session\xa800112233\xa7resumed");
        said.push(if is_resumed { 0xc3 } else { 0xc2 });
        peer.answer(hello, &said);
        peer
    }

    /// Reads on to a request of this method, whose number is below 128.
    fn asked(&mut self, method: &str) -> u8 {
        let length = u8::try_from(method.len()).expect("a short name");
        let name = [&[0xa0 | length], method.as_bytes()].concat();
        loop {
            let mut windows = self.read.windows(name.len());
            if let Some(place) = windows.position(|window| window == name) {
                let msgid = self.read[place - 1];
                self.read.drain(..place + name.len());
                return msgid;
            }
            let mut piece = [0; 4096];
            let length = self.stream.read(&mut piece).expect("the client speaks");
            assert!(length > 0, "the client has gone before {method}");
            self.read.extend_from_slice(&piece[..length]);
        }
    }

    fn answer(&mut self, msgid: u8, result: &[u8]) {
        let whole = [&[0x94, 1, msgid, 0xc0], result].concat();
        self.stream.write_all(&whole).expect("the client reads");
    }
}

/// A service that takes one order and dies of it; then the number of the order comes.
fn dies_of_an_order(path: PathBuf) -> mpsc::Receiver<u8> {
    let listener = UnixListener::bind(&path).expect("it is free");
    let (taken, order) = mpsc::channel();
    std::thread::spawn(move || {
        let number = Peer::greet(&listener, false).asked("order");
        std::fs::remove_file(path).expect("it was there");
        drop(listener);
        taken.send(number).expect("the test waits");
    });
    order
}

fn open(path: &Path) -> i64 {
    let endpoint = CString::new(path.to_str().expect("a plain name")).expect("no NUL");
    let mut client = 0;
    // SAFETY: each pointer leads to what the header says.
    let code = unsafe { standin_open(endpoint.as_ptr(), c"".as_ptr(), LIMIT_MS, &raw mut client) };
    assert_eq!(code, OK);
    client
}

fn started(client: i64, method: &str) -> i64 {
    let method = CString::new(method).expect("no NUL");
    let mut call = 0;
    // SAFETY: each pointer leads to what the header says.
    let code = unsafe { standin_call_new(client, method.as_ptr(), &raw mut call) };
    assert_eq!((code, standin_start(call)), (OK, OK));
    call
}

type Tell = unsafe extern "C" fn(i64, *mut std::ffi::c_void, i64, *mut i64) -> i32;

fn told(tell: Tell, handle: i64) -> String {
    let (mut buffer, mut needed) = ([0_u8; 200], 0);
    // SAFETY: the buffer is as long as it is said to be.
    let code = unsafe { tell(handle, buffer.as_mut_ptr().cast(), 200, &raw mut needed) };
    assert_eq!(code, OK);
    let length = usize::try_from(needed).expect("a length");
    String::from_utf8(buffer[..length].to_vec()).expect("it is UTF-8")
}

#[test]
fn what_is_cancelled_in_an_outage_is_taken_back_however_long_it_lasts() {
    let folder = std::env::temp_dir().join(format!("standin-outage-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("there is room");
    let path = folder.join("s");
    let order = dies_of_an_order(path.clone());
    let client = open(&path);
    let call = started(client, "order");
    let number = order.recv().expect("it was taken");
    assert_eq!(standin_wait(call, 50), PENDING);

    // Of this one the service has not heard, and will not.
    let unsent = started(client, "never");
    assert_eq!(
        (standin_cancel(unsent), standin_wait(unsent, LIMIT_MS)),
        (OK, FAILED)
    );
    assert_eq!(told(standin_error_code, unsent), "cancelled");
    assert_eq!(told(standin_error_outcome, unsent), "not_executed");

    // This one it may be working at. The program waits for longer than anybody would for the answer to a cancel.
    assert_eq!(
        (standin_cancel(call), standin_wait(call, 7000)),
        (OK, PENDING)
    );
    let listener = UnixListener::bind(&path).expect("it is free");
    let service = std::thread::spawn(move || {
        let mut peer = Peer::greet(&listener, true);
        assert_eq!(peer.asked("order"), number);
        let cancel = peer.asked("standin.cancel");
        peer.answer(cancel, &[0xc0]);
        peer.answer(number, &[0xc0]);
    });
    assert_eq!(standin_wait(call, LIMIT_MS), OK);
    service.join().expect("the service is content");
    assert_eq!(standin_close(client), OK);
    std::fs::remove_dir_all(folder).expect("it was there");
}

/// Lists within one another, as the path to the innermost.
fn deep(levels: usize) -> CString {
    CString::new("[]".repeat(levels)).expect("no NUL")
}

#[test]
fn a_call_that_is_too_deep_for_a_batch_is_refused_when_it_is_put_there() {
    let folder = std::env::temp_dir().join(format!("standin-deep-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("there is room");
    let path = folder.join("s");
    let listener = UnixListener::bind(&path).expect("it is free");
    let greeting = std::thread::spawn(move || Peer::greet(&listener, false));
    let client = open(&path);
    let _peer = greeting.join().expect("it is greeted");
    let (mut batch, mut call) = (0, 0);
    // SAFETY: each pointer leads to what the header says.
    assert_eq!(unsafe { standin_batch_new(client, &raw mut batch) }, OK);
    for (levels, wanted) in [(58, OK), (59, -14)] {
        let path = [b"a".as_slice(), deep(levels - 1).as_bytes()].concat();
        let path: *const c_char = CString::new(path).expect("no NUL").into_raw();
        // SAFETY: each pointer leads to what the header says.
        unsafe {
            assert_eq!(
                standin_call_new(client, c"order".as_ptr(), &raw mut call),
                OK
            );
            assert_eq!(standin_set_int(call, path, 1), OK);
            assert_eq!(standin_batch_add(batch, call), wanted, "{levels} levels");
            drop(CString::from_raw(path.cast_mut()));
        }
    }
    assert_eq!(told(standin_error_outcome, batch), "not_executed");
    assert_eq!(standin_close(client), OK);
    std::fs::remove_dir_all(folder).expect("it was there");
}
