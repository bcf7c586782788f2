//! The first words on a connection: who is here, and which session this goes on with.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use standin_protocol::{self as protocol, ErrorAnswer, Limits, Message};
use standin_transport::{Connection, MessageReader, message_writer};

use crate::line::Line;

/// The service has checked the size of what it passes on, against a limit that is its own to set; so this only
/// bounds what a broken service could do.
const MESSAGE_SIZE_MAX: usize = 1 << 30;

/// Who is here.
#[derive(Debug, Clone)]
pub(crate) struct Introduction {
    pub(crate) name: Option<String>,
    pub(crate) callbacks: bool,
    pub(crate) progress: bool,
}

#[derive(Serialize)]
struct Hello<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<&'a str>,
    callbacks: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    callback_batches: bool,
    progress: bool,
}

/// What of the service's answer this library goes by. A service that says less is an older or a foreign one: it keeps
/// no sessions, and refuses what is too large itself.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Said {
    pub(crate) session: Option<String>,
    pub(crate) resumed: bool,
    pub(crate) limits: SaidLimits,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct SaidLimits {
    pub(crate) message_size_max: Option<usize>,
    pub(crate) depth_max: Option<usize>,
}

/// A connection that was greeted.
pub(crate) struct Greeted {
    pub(crate) said: Said,
    pub(crate) line: Line,
    pub(crate) reading: Reading,
}

/// The side of a connection that is read.
pub(crate) struct Reading {
    pub(crate) reader: MessageReader,
    /// What has come and was not looked at yet.
    pub(crate) messages: Vec<Message>,
}

/// Why a connection was not greeted.
pub(crate) enum NotGreeted {
    /// It ended before the answer came.
    Lost,
    /// The service answered with an error.
    Refused(ErrorAnswer),
}

/// Says hello on a new connection and waits for the answer.
pub(crate) async fn greet(
    connection: Connection,
    msgid: u64,
    who: &Introduction,
    session: Option<&str>,
) -> Result<Greeted, NotGreeted> {
    let (writer, work) = message_writer(connection.clone());
    let mut line = Line::new(writer, tokio::spawn(work));
    let hello = Hello {
        client: who.name.as_deref(),
        session,
        callbacks: who.callbacks,
        callback_batches: who.callbacks,
        progress: who.progress,
    };
    let params = protocol::encode(&[hello]);
    line.write(protocol::request(msgid, b"standin.hello", &params, None));
    let limits = Limits {
        message_size_max: MESSAGE_SIZE_MAX,
        ..Limits::default()
    };
    let mut reading = Reading {
        reader: MessageReader::new(connection, limits),
        messages: Vec::new(),
    };
    let said = reading.answer_to(msgid).await;
    let said = said.ok_or(NotGreeted::Lost)?;
    let said = said.map_err(|error| NotGreeted::Refused(ErrorAnswer::decode(&error)))?;
    let said = protocol::decode_exact::<Said>(&said).unwrap_or_default();
    Ok(Greeted {
        said,
        line,
        reading,
    })
}

impl Reading {
    /// Waits for this answer; everything else stays. `None`: the connection ended.
    async fn answer_to(&mut self, msgid: u64) -> Option<Result<Bytes, Bytes>> {
        loop {
            self.reader.read(&mut self.messages).await.ok()?;
            let is_it = |message: &Message| matches!(message, Message::Response(response) if response.msgid == msgid);
            if let Some(place) = self.messages.iter().position(is_it)
                && let Message::Response(response) = self.messages.remove(place)
            {
                return Some(response.result);
            }
        }
    }
}
