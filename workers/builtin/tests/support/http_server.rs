//! A web server on loopback that behaves well or badly, as the path says. Hand-written, so that it can be wrong in
//! ways that no library allows.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

/// "packed and unpacked", through gzip.
const PACKED: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x2b\x48\x4c\xce\x4e\x4d\x51\x48\xcc\x4b\x51\x28\xcd\x2b\x00\x73\x00\xf8\x0a\xa9\xfa\x13\x00\x00\x00";

/// One request as the server saw it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Which connection it came by, from 1.
    pub(crate) connection: u32,
}

pub(crate) struct HttpServer {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl HttpServer {
    pub(crate) async fn start(tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(AtomicU32::new(0));
        let log = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tls, seen) = (tls.clone(), Arc::clone(&log));
                let connection = connections.fetch_add(1, Ordering::SeqCst) + 1;
                tokio::spawn(async move {
                    match tls {
                        None => serve(BufReader::new(stream), connection, &seen).await,
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => serve(BufReader::new(stream), connection, &seen).await,
                            Err(_) => None,
                        },
                    }
                });
            }
        });
        Self { address, seen }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn secure_url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.address.port())
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

/// `None` when the other side is gone, or the path asks for the connection to end.
async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: BufReader<S>,
    connection: u32,
    log: &Mutex<Vec<Seen>>,
) -> Option<()> {
    let mut served = 0;
    loop {
        let seen = read_request(&mut stream, connection).await?;
        log.lock().unwrap().push(seen.clone());
        served += 1;
        if seen.path == "/drops-when-reused" && served > 1 {
            return None;
        }
        answer(stream.get_mut(), &seen).await?;
    }
}

async fn read_request<S: AsyncRead + Unpin>(
    stream: &mut BufReader<S>,
    connection: u32,
) -> Option<Seen> {
    let mut line = String::new();
    if stream.read_line(&mut line).await.ok()? == 0 {
        return None;
    }
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(0, |(_, length)| length.parse().unwrap())];
    stream.read_exact(&mut body).await.ok()?;
    Some(Seen {
        method,
        path,
        headers,
        body,
        connection,
    })
}

async fn answer<S: AsyncWrite + Unpin>(stream: &mut S, seen: &Seen) -> Option<()> {
    let (path, argument) = seen.path[1..]
        .split_once('/')
        .unwrap_or((&seen.path[1..], ""));
    match path {
        "hello" => {
            send(
                stream,
                "200 OK",
                "Content-Type: text/plain\r\nX-Twice: a\r\nX-Twice: b\r\n",
                b"hello",
            )
            .await
        }
        "drops-when-reused" => {
            send(stream, "200 OK", "Content-Type: text/plain\r\n", b"once").await
        }
        "missing" => {
            send(
                stream,
                "404 Not Found",
                "Content-Type: application/json\r\n",
                b"{\"why\":\"gone\"}",
            )
            .await
        }
        "latin" => {
            send(
                stream,
                "200 OK",
                "Content-Type: text/plain; charset=iso-8859-1\r\n",
                b"gr\xfc\xdfe",
            )
            .await
        }
        "bytes" => {
            send(
                stream,
                "200 OK",
                "Content-Type: application/octet-stream\r\n",
                b"\x00\xff",
            )
            .await
        }
        "liar" => {
            send(
                stream,
                "200 OK",
                "Content-Type: text/plain\r\n",
                b"\xff\xfe\xfd",
            )
            .await
        }
        "packed" => {
            send(
                stream,
                "200 OK",
                "Content-Type: text/plain\r\nContent-Encoding: gzip\r\n",
                PACKED,
            )
            .await
        }
        "echo" => send(stream, "200 OK", "Content-Type: text/plain\r\n", &seen.body).await,
        "again" => {
            let left: u32 = argument.parse().unwrap();
            let place = if left == 0 {
                "/hello".to_owned()
            } else {
                format!("/again/{}", left - 1)
            };
            send(stream, "302 Found", &format!("Location: {place}\r\n"), b"").await
        }
        "see-other" => send(stream, "303 See Other", "Location: /echo\r\n", b"").await,
        "same-again" => send(stream, "307 Temporary Redirect", "Location: /echo\r\n", b"").await,
        "to" => {
            send(
                stream,
                "302 Found",
                &format!("Location: {argument}\r\n"),
                b"",
            )
            .await
        }
        "large" => {
            let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
            stream.write_all(head.as_bytes()).await.ok()?;
            let piece = [b'x'; 4096];
            for _ in 0..argument.parse::<usize>().unwrap() / piece.len() {
                stream.write_all(b"1000\r\n").await.ok()?;
                stream.write_all(&piece).await.ok()?;
                stream.write_all(b"\r\n").await.ok()?;
            }
            stream.write_all(b"0\r\n\r\n").await.ok()
        }
        "cut" => {
            let half = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
            stream.write_all(half).await.ok()?;
            None
        }
        "nonsense" => {
            stream
                .write_all(b"220 mail.example ESMTP\r\n\r\n")
                .await
                .ok()?;
            None
        }
        "stalls" => {
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
                .await
                .ok()?;
            std::future::pending().await
        }
        "silent" => std::future::pending().await,
        _ => send(stream, "500 Internal Server Error", "", b"").await,
    }
}

async fn send<S: AsyncWrite + Unpin>(
    stream: &mut S,
    status: &str,
    headers: &str,
    body: &[u8],
) -> Option<()> {
    let head = format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.ok()?;
    stream.write_all(body).await.ok()?;
    stream.flush().await.ok()
}
