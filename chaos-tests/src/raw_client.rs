//! A client that speaks the wire by hand: it says just what it is told to, so that a test can cut, repeat and leave out
//! what a client library never would.

use std::{
    io::{Read, Write},
    time::Duration,
};

use rmpv::{Value, decode::read_value, encode::write_value};
use standin_client::Endpoint;

use crate::platform::{self, Stream};

/// An answer is expected within this time.
const LIMIT: Duration = Duration::from_secs(30);

/// One connection.
pub struct RawClient {
    stream: Stream,
    unread: Vec<u8>,
}

/// A map from names to values, as a value.
pub fn map<const COUNT: usize>(entries: [(&str, Value); COUNT]) -> Value {
    let entries = entries.into_iter();
    Value::Map(entries.map(|(name, value)| (name.into(), value)).collect())
}

/// Arguments for a hostile worker that takes so long before its effect.
pub fn work(id: u64, work_ms: u64) -> Value {
    map([
        ("id", id.into()),
        ("nonce", id.into()),
        ("work_ms", work_ms.into()),
    ])
}

/// The entry of a map.
pub fn field<'a>(map: &'a Value, name: &str) -> &'a Value {
    let entries = map.as_map().expect("it is a map");
    let found = entries.iter().find(|(key, _)| key.as_str() == Some(name));
    &found.unwrap_or_else(|| panic!("{map} has a {name}")).1
}

/// The name of an error answer's code.
pub fn code(error: &Value) -> &str {
    field(&error[2], "code").as_str().expect("it is a text")
}

/// What an error answer says of the effect.
pub fn outcome(error: &Value) -> &str {
    field(&error[2], "outcome").as_str().expect("it is a text")
}

/// A number in the data of an error answer.
pub fn number_in_data(error: &Value, name: &str) -> Option<u64> {
    let data = field(&error[2], "data").as_map().expect("it is a map");
    let found = data.iter().find(|(key, _)| key.as_str() == Some(name));
    found.map(|(_, value)| value.as_u64().expect("it is a number"))
}

impl RawClient {
    /// Connects to a service that is there.
    pub fn connect(endpoint: &Endpoint) -> RawClient {
        let stream = platform::connect(endpoint.as_path()).expect("the service listens");
        stream.set_read_timeout(Some(LIMIT)).expect("it can be set");
        RawClient {
            stream,
            unread: Vec::new(),
        }
    }

    /// Sends a message, whatever it is.
    pub fn send(&mut self, message: &Value) {
        let mut bytes = Vec::new();
        write_value(&mut bytes, message).expect("a Vec takes every byte");
        self.send_bytes(&bytes);
    }

    pub fn send_bytes(&mut self, bytes: &[u8]) {
        // One that has gone is noticed when its answer is missed.
        let _ = self.stream.write_all(bytes);
    }

    /// Sends a request with one map of arguments.
    pub fn ask(&mut self, msgid: u64, method: &str, arguments: Value) {
        let params = Value::Array(vec![arguments]);
        self.send(&Value::Array(vec![
            0.into(),
            msgid.into(),
            method.into(),
            params,
        ]));
    }

    /// The same with `meta`.
    pub fn ask_with(&mut self, msgid: u64, method: &str, arguments: Value, meta: Value) {
        let params = Value::Array(vec![arguments]);
        let parts = vec![0.into(), msgid.into(), method.into(), params, meta];
        self.send(&Value::Array(parts));
    }

    pub fn tell(&mut self, method: &str, params: Vec<Value>) {
        let params = Value::Array(params);
        self.send(&Value::Array(vec![2.into(), method.into(), params]));
    }

    /// The next message; `None` at the end of the stream.
    ///
    /// # Panics
    /// None comes in time.
    pub fn message(&mut self) -> Option<Value> {
        let mut buffer = [0; 4096];
        loop {
            let mut rest = self.unread.as_slice();
            if let Ok(message) = read_value(&mut rest) {
                let used = self.unread.len() - rest.len();
                self.unread.drain(..used);
                return Some(message);
            }
            match self.stream.read(&mut buffer) {
                Ok(0) => return None,
                Ok(read) => self.unread.extend_from_slice(&buffer[..read]),
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("no message came: {error}"),
            }
        }
    }

    /// The answer to a request, which must be the next message: its result or its error.
    pub fn answer(&mut self, msgid: u64) -> Result<Value, Value> {
        let message = self.message().expect("the connection lives");
        assert_eq!(message[0].as_u64(), Some(1), "{message} is a response");
        assert_eq!(message[1].as_u64(), Some(msgid), "{message}");
        if message[2].is_nil() {
            Ok(message[3].clone())
        } else {
            Err(message[2].clone())
        }
    }

    /// Lets whatever comes next at this place of the service fail. It is armed when this returns, or has failed already.
    pub fn arm(&mut self, place: &str) {
        const MSGID: u64 = 9;
        self.ask(MSGID, "standin.failpoint", map([("place", place.into())]));
        while let Some(message) = self.message() {
            if message[1].as_u64() == Some(MSGID) {
                return;
            }
        }
    }

    /// Comes back to a session, as often as it takes: a service that is mending itself closes connections.
    pub fn resume(endpoint: &Endpoint, token: &str) -> (RawClient, Value) {
        let mut resumed = None;
        crate::under_test::eventually(LIMIT, "the session is resumed", || {
            let mut client = RawClient::connect(endpoint);
            client.ask_hello(Some(token));
            let answer = client.message();
            resumed = answer.map(|answer| (client, answer[3].clone()));
            resumed.is_some()
        });
        resumed.expect("it was just seen")
    }

    /// Says hello and gives the answer: a new session, or the one of the token.
    pub fn hello(&mut self, token: Option<&str>) -> Result<Value, Value> {
        self.ask_hello(token);
        self.answer(1_000_000)
    }

    /// Says hello; the answer is to be read.
    pub fn ask_hello(&mut self, token: Option<&str>) {
        let session = token.map_or(Value::Nil, Into::into);
        self.ask(
            1_000_000,
            "standin.hello",
            map([("client", "raw".into()), ("session", session)]),
        );
    }
}

/// The token in the answer to a hello.
pub fn token(hello: &Value) -> String {
    let token = field(hello, "session").as_str();
    token.expect("the session can be resumed").to_owned()
}
