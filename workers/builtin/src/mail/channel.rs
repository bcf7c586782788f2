//! The connection to the server: lines out, replies in, each step within its limit.

use std::{io, time::Duration};

use tokio::{
    io::{
        AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt,
        BufReader,
    },
    time::{Instant, timeout_at},
};

use super::reply::{Reply, parse_line};

/// RFC 5321 allows 512 bytes for a line of a reply; some servers are wordier.
const LINE_LENGTH_MAX: u64 = 8 << 10;
/// An EHLO answer has a dozen lines; a server that goes on for ever must end somewhere.
const LINES_MAX: usize = 256;
/// Written piece by piece, so that the limit of a step measures standstill and not size.
const PIECE: usize = 64 << 10;

/// TCP or TLS.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A conversation that cannot go on.
#[derive(Debug, thiserror::Error)]
pub(super) enum ChannelError {
    #[error("no answer in time")]
    Late,
    #[error("the server hung up: {0}")]
    HungUp(#[source] io::Error),
    #[error("the server said \"{0}\"")]
    Nonsense(String),
}

pub(super) struct Channel {
    stream: BufReader<Box<dyn Stream>>,
    step: Duration,
    deadline: Instant,
}

impl Channel {
    pub(super) fn new(stream: Box<dyn Stream>, step: Duration, deadline: Instant) -> Self {
        Self {
            stream: BufReader::new(stream),
            step,
            deadline,
        }
    }

    /// The bare stream, for TLS to be put around it. What a server, or somebody between, sent ahead of TLS must not
    /// count as said inside it: `None` if there is any.
    pub(super) fn into_bare(self) -> Option<Box<dyn Stream>> {
        self.stream
            .buffer()
            .is_empty()
            .then(|| self.stream.into_inner())
    }

    /// When the step that begins now must be over.
    fn limit(&self) -> Instant {
        self.deadline.min(Instant::now() + self.step)
    }

    /// Says a line and hears the reply. The line has no line end of its own.
    pub(super) async fn command(&mut self, line: &str) -> Result<Reply, ChannelError> {
        debug_assert!(
            !line.contains(['\r', '\n']),
            "whoever makes lines refuses line ends"
        );
        self.write(format!("{line}\r\n").as_bytes()).await?;
        self.reply().await
    }

    /// Sends bytes as they are.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<(), ChannelError> {
        for piece in bytes.chunks(PIECE) {
            let limit = self.limit();
            within(limit, self.stream.get_mut().write_all(piece)).await?;
        }
        let limit = self.limit();
        within(limit, self.stream.get_mut().flush()).await
    }

    /// Hears one reply to its last line.
    pub(super) async fn reply(&mut self) -> Result<Reply, ChannelError> {
        let limit = self.limit();
        let mut lines = Vec::new();
        loop {
            let line = within(limit, read_line(&mut self.stream)).await?;
            let Some((code, more, text)) = parse_line(&line) else {
                return Err(ChannelError::Nonsense(shorten(&line)));
            };
            lines.push(text.to_owned());
            if !more {
                return Ok(Reply::new(code, lines));
            }
            if lines.len() == LINES_MAX {
                return Err(ChannelError::Nonsense("a reply without end".to_owned()));
            }
        }
    }
}

async fn within<T>(
    limit: Instant,
    work: impl Future<Output = io::Result<T>>,
) -> Result<T, ChannelError> {
    match timeout_at(limit, work).await {
        Ok(done) => done.map_err(ChannelError::HungUp),
        Err(_) => Err(ChannelError::Late),
    }
}

async fn read_line(stream: &mut (impl AsyncBufRead + Unpin)) -> io::Result<String> {
    let mut line = Vec::new();
    stream
        .take(LINE_LENGTH_MAX)
        .read_until(b'\n', &mut line)
        .await?;
    if line.is_empty() {
        return Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "the connection ended",
        ));
    }
    let text = String::from_utf8_lossy(&line);
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// Enough of a strange line to recognise it by, in one line of a message box.
fn shorten(line: &str) -> String {
    let shown = line.chars().filter(|c| !c.is_control());
    shown.take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_reply_of_many_lines_is_one_reply_and_nonsense_is_named() {
        let (ours, mut theirs) = tokio::io::duplex(64);
        let deadline = Instant::now() + Duration::from_secs(5);
        let mut channel = Channel::new(Box::new(ours), Duration::from_secs(5), deadline);
        theirs
            .write_all(b"250-one\r\n250 two\r\nHTTP/1.1 200\r\n")
            .await
            .unwrap();
        drop(theirs);
        assert_eq!(channel.reply().await.unwrap().lines, ["one", "two"]);
        assert!(
            matches!(channel.reply().await, Err(ChannelError::Nonsense(line)) if line == "HTTP/1.1 200")
        );
        assert!(matches!(
            channel.reply().await,
            Err(ChannelError::HungUp(_))
        ));
    }

    #[tokio::test]
    async fn words_said_ahead_of_tls_do_not_count() {
        let (ours, mut theirs) = tokio::io::duplex(64);
        let deadline = Instant::now() + Duration::from_secs(5);
        let mut channel = Channel::new(Box::new(ours), Duration::from_secs(5), deadline);
        theirs
            .write_all(b"220 go ahead\r\n250 injected\r\n")
            .await
            .unwrap();
        channel.reply().await.unwrap();
        assert!(channel.into_bare().is_none());
    }
}
