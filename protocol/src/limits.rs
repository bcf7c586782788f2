//! The limits a reader holds a stranger to, checked before anything is allocated.

/// What one message may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest message, in bytes, head included.
    pub message_size_max: usize,
    /// How deep arrays and maps may nest; the message's own array counts as one.
    pub depth_max: usize,
}

impl Default for Limits {
    /// 16 MiB and 64 levels: a mail with its attachments fits, a bomb does not.
    fn default() -> Self {
        Self {
            message_size_max: 16 * 1024 * 1024,
            depth_max: 64,
        }
    }
}
