//! Bytes into lines, in whatever pieces they come. Pure.

/// A longer line is cut here.
pub(super) const LINE_LENGTH_MAX: usize = 8 * 1024;

/// The line that has begun and not ended.
#[derive(Debug, Default)]
pub(super) struct LineCutter {
    begun: Vec<u8>,
}

impl LineCutter {
    /// Gives each line that ends in these bytes, without its end.
    pub(super) fn take(&mut self, mut bytes: &[u8], mut each: impl FnMut(&[u8])) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            self.add(&bytes[..end]);
            each(&self.begun);
            self.begun.clear();
            bytes = &bytes[end + 1..];
        }
        self.add(bytes);
    }

    /// Gives the line that has no end, if there is one.
    pub(super) fn finish(&mut self, each: impl FnOnce(&[u8])) {
        if !self.begun.is_empty() {
            each(&self.begun);
            self.begun = Vec::new();
        }
    }

    /// Forgets what has begun, and how many lines end in these bytes.
    pub(super) fn skip(&mut self, bytes: &[u8]) -> usize {
        self.begun.clear();
        bytes.iter().filter(|byte| **byte == b'\n').count()
    }

    fn add(&mut self, bytes: &[u8]) {
        let room = LINE_LENGTH_MAX.saturating_sub(self.begun.len());
        self.begun
            .extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

/// Where the last `count` whole lines begin (and what has begun behind them).
pub(super) fn start_of_last(bytes: &[u8], count: usize) -> usize {
    let mut ends = bytes
        .iter()
        .enumerate()
        .rev()
        .filter(|(_, byte)| **byte == b'\n');
    ends.nth(count).map_or(0, |(end, _)| end + 1)
}

/// A line as people can read it: damaged characters replaced, nothing in it that would move a terminal's cursor.
pub(super) fn readable(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let text = text.trim_end();
    text.chars()
        .map(|c| {
            if c.is_control() && c != '\t' {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(pieces: &[&[u8]]) -> Vec<Vec<u8>> {
        let mut cutter = LineCutter::default();
        let mut lines = Vec::new();
        for piece in pieces {
            cutter.take(piece, |line| lines.push(line.to_vec()));
        }
        cutter.finish(|line| lines.push(line.to_vec()));
        lines
    }

    #[test]
    fn any_split_gives_the_same_lines() {
        let text = b"one\ntwo\n\nfour";
        let whole = cut(&[text]);
        assert_eq!(whole, [&b"one"[..], b"two", b"", b"four"]);
        for at in 0..text.len() {
            assert_eq!(cut(&[&text[..at], &text[at..]]), whole, "split at {at}");
        }
    }

    #[test]
    fn a_line_without_end_is_cut_and_the_next_one_is_whole() {
        let long = vec![b'x'; 100_000];
        let lines = cut(&[&long, &long, b"\nnext\n"]);
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0].len(), LINE_LENGTH_MAX);
        assert_eq!(lines[1], b"next");
    }

    #[test]
    fn the_start_of_the_last_lines_is_found() {
        assert_eq!(start_of_last(b"a\nb\nc\n", 2), 2);
        assert_eq!(start_of_last(b"a\nb\nc\nbegun", 2), 2);
        assert_eq!(start_of_last(b"a\nb\n", 2), 0);
        assert_eq!(start_of_last(b"", 2), 0);
    }

    #[test]
    fn a_line_cannot_play_with_the_terminal() {
        assert_eq!(readable(b"red \x1b[31m\ttext\r"), "red \u{fffd}[31m\ttext");
        assert_eq!(readable(b"caf\xe9"), "caf\u{fffd}");
    }
}
