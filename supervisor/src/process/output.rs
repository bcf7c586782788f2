//! What a process prints: read to the end whatever it is, logged within reason, its last lines kept.

mod lines;
mod sink;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until, timeout},
};

use self::sink::Sink;
use super::{Exit, platform::Pipe};

/// Read at once. Every worker has two such buffers.
const BUFFER: usize = 16 * 1024;

/// A stream that floods is read a buffer at a time with this pause between them, 16 MB/s at most: it is drained, and
/// still costs the others little.
const PAUSE_IN_FLOOD: Duration = Duration::from_millis(1);

/// No pipe holds more than this (the limit that an ordinary user may set), so no more can have been written before
/// a death.
const LEFT_MAX: usize = 1024 * 1024;

/// The output of one process.
#[derive(Debug)]
pub(super) struct Output {
    lines: Arc<Mutex<VecDeque<String>>>,
    /// How many streams are still read.
    open: watch::Receiver<u8>,
}

impl Output {
    /// Reads both streams until they end or the process has died.
    pub(super) fn capture(
        name: &str,
        stdout: Pipe,
        stderr: Pipe,
        exit: &watch::Receiver<Option<Exit>>,
    ) -> Output {
        let lines = Arc::new(Mutex::new(VecDeque::new()));
        let (open, watched) = watch::channel(2);
        for (stream, pipe) in [("stdout", stdout), ("stderr", stderr)] {
            let sink = Sink::new(name, stream, Arc::clone(&lines), Instant::now());
            let (exit, open) = (exit.clone(), open.clone());
            tokio::spawn(async move {
                read(pipe, sink, exit).await;
                open.send_modify(|open| *open -= 1);
            });
        }
        Output {
            lines,
            open: watched,
        }
    }

    pub(super) fn last_lines(&self) -> Vec<String> {
        self.lines
            .lock()
            .expect("nobody panics while holding it")
            .iter()
            .cloned()
            .collect()
    }

    /// Waits until nothing is read any more, which after a death is at once.
    pub(super) async fn drained(&self, limit: Duration) {
        let mut open = self.open.clone();
        let _ = timeout(limit, open.wait_for(|open| *open == 0)).await;
    }
}

async fn read(mut pipe: Pipe, mut sink: Sink, mut exit: watch::Receiver<Option<Exit>>) {
    let mut buffer = vec![0; BUFFER];
    loop {
        tokio::select! {
            biased;
            () = death(&mut exit) => break,
            () = sleep_until(sink.next_second()), if sink.has_dropped() => sink.note(Instant::now()),
            read = pipe.read(&mut buffer) => match read {
                Ok(0) | Err(_) => return sink.finish(Instant::now()),
                Ok(count) => {
                    sink.take(&buffer[..count], Instant::now());
                    if sink.is_flooded() {
                        sleep(PAUSE_IN_FLOOD).await;
                    }
                }
            },
        }
    }
    let mut left = LEFT_MAX;
    while left > 0 {
        match pipe.read_left(&mut buffer).await {
            0 => break,
            count => sink.take(&buffer[..count], Instant::now()),
        }
        left = left.saturating_sub(BUFFER);
    }
    sink.finish(Instant::now());
}

async fn death(exit: &mut watch::Receiver<Option<Exit>>) {
    // An error means that nobody watches any more, which comes to the same.
    let _ = exit.wait_for(Option::is_some).await;
}
