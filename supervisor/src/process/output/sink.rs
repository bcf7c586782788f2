//! Where the lines of one stream go: the log, within reason, and the last ones into memory.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::Instant;

use super::lines::{LineCutter, readable, start_of_last};

/// Lines kept for an error message.
pub(super) const LINES_KEPT: usize = 20;

/// Lines a second that reach the log, for each stream. What is above it is counted and dropped: a worker that floods
/// must not fill the disk or hold up the service.
const LINES_PER_SECOND_MAX: usize = 200;

const SECOND: Duration = Duration::from_secs(1);

/// One stream's lines.
#[derive(Debug)]
pub(super) struct Sink {
    name: String,
    stream: &'static str,
    cutter: LineCutter,
    kept: Arc<Mutex<VecDeque<String>>>,
    /// When the current second began.
    second: Instant,
    logged: usize,
    dropped: usize,
}

impl Sink {
    pub(super) fn new(
        name: &str,
        stream: &'static str,
        kept: Arc<Mutex<VecDeque<String>>>,
        now: Instant,
    ) -> Sink {
        let cutter = LineCutter::default();
        Sink {
            name: name.to_owned(),
            stream,
            cutter,
            kept,
            second: now,
            logged: 0,
            dropped: 0,
        }
    }

    /// More bytes of the stream.
    pub(super) fn take(&mut self, bytes: &[u8], now: Instant) {
        self.note(now);
        let mut cutter = std::mem::take(&mut self.cutter);
        let mut start = 0;
        if self.is_flooded() {
            // They would not be logged, and only the last ones can be kept: no work is done for the others.
            start = start_of_last(bytes, LINES_KEPT);
            if start > 0 {
                self.dropped += cutter.skip(&bytes[..start]);
            }
        }
        cutter.take(&bytes[start..], |line| self.line(line));
        self.cutter = cutter;
    }

    /// The stream has ended.
    pub(super) fn finish(mut self, now: Instant) {
        let mut cutter = std::mem::take(&mut self.cutter);
        cutter.finish(|line| self.line(line));
        self.note(now.max(self.next_second()));
    }

    /// Whether the current second has had its share.
    pub(super) fn is_flooded(&self) -> bool {
        self.logged >= LINES_PER_SECOND_MAX
    }

    /// Whether there is something to note when the second is over.
    pub(super) fn has_dropped(&self) -> bool {
        self.dropped > 0
    }

    pub(super) fn next_second(&self) -> Instant {
        self.second + SECOND
    }

    /// Begins another second if this one is over, and says what it cost.
    pub(super) fn note(&mut self, now: Instant) {
        if now < self.next_second() {
            return;
        }
        if self.dropped > 0 {
            let (worker, stream, dropped) = (self.name.as_str(), self.stream, self.dropped);
            tracing::warn!(
                worker,
                stream,
                dropped,
                "{dropped} lines dropped: the worker prints too much"
            );
        }
        self.second = now;
        self.logged = 0;
        self.dropped = 0;
    }

    fn line(&mut self, line: &[u8]) {
        let text = readable(line);
        if text.is_empty() {
            return;
        }
        if self.is_flooded() {
            self.dropped += 1;
        } else {
            self.logged += 1;
            tracing::info!(worker = self.name.as_str(), stream = self.stream, "{text}");
        }
        let mut kept = self.kept.lock().expect("nobody panics while holding it");
        if kept.len() == LINES_KEPT {
            kept.pop_front();
        }
        kept.push_back(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_counted_and_not_logged_and_its_last_lines_are_kept() {
        let kept = Arc::new(Mutex::new(VecDeque::new()));
        let start = Instant::now();
        let mut sink = Sink::new("pool/1", "stdout", Arc::clone(&kept), start);
        for part in 0..10 {
            let lines: String = (0..100)
                .map(|number| format!("line {}\n", part * 100 + number))
                .collect();
            sink.take(lines.as_bytes(), start);
        }
        assert_eq!(
            (sink.logged, sink.dropped),
            (LINES_PER_SECOND_MAX, 1000 - LINES_PER_SECOND_MAX)
        );
        let expected: Vec<String> = (980..1000).map(|number| format!("line {number}")).collect();
        assert_eq!(*kept.lock().unwrap(), expected);
        sink.note(start + SECOND);
        assert_eq!((sink.logged, sink.dropped), (0, 0));
    }

    #[test]
    fn a_last_line_without_end_is_kept() {
        let kept = Arc::new(Mutex::new(VecDeque::new()));
        let mut sink = Sink::new("pool/1", "stderr", Arc::clone(&kept), Instant::now());
        sink.take(b"whole\nbegun", Instant::now());
        assert_eq!(kept.lock().unwrap().len(), 1);
        sink.finish(Instant::now());
        assert_eq!(*kept.lock().unwrap(), ["whole", "begun"]);
    }
}
