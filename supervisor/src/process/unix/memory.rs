//! Whether the system has killed something for want of memory. It says how often, not when and whom: a SIGKILL that
//! nobody here sent, just after the count went up, is taken for it.

use std::{path::PathBuf, sync::Mutex, time::Duration};

use tokio::time::Instant;

/// A rise of the count explains deaths for so long. The count is looked at every second, so a rise may be that old
/// when it is noticed; the rest is for a process that takes its time to die.
const EXPLAINS_FOR: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, Copy)]
struct Seen {
    count: u64,
    rose_at: Option<Instant>,
}

static SEEN: Mutex<Option<Seen>> = Mutex::new(None);

/// Looks at the count.
pub(in super::super) fn watch_memory() {
    ran_out();
}

/// Whether the count went up just now.
pub(super) fn ran_out() -> bool {
    let Some(count) = count() else { return false };
    let now = Instant::now();
    let mut seen = SEEN.lock().expect("nobody panics while holding it");
    let next = seen.map_or(
        Seen {
            count,
            rose_at: None,
        },
        |before| after(before, count, now),
    );
    *seen = Some(next);
    next.rose_at
        .is_some_and(|rose_at| now - rose_at <= EXPLAINS_FOR)
}

fn after(before: Seen, count: u64, now: Instant) -> Seen {
    Seen {
        count,
        rose_at: if count > before.count {
            Some(now)
        } else {
            before.rose_at
        },
    }
}

/// The count of our control group, if it has one, or of the machine.
fn count() -> Option<u64> {
    let own = own_events().and_then(|file| std::fs::read_to_string(file).ok());
    let numbers = own.or_else(|| std::fs::read_to_string("/proc/vmstat").ok())?;
    parse(&numbers)
}

fn parse(numbers: &str) -> Option<u64> {
    numbers
        .lines()
        .find_map(|line| line.strip_prefix("oom_kill "))?
        .trim()
        .parse()
        .ok()
}

fn own_events() -> Option<PathBuf> {
    let groups = std::fs::read_to_string("/proc/self/cgroup").ok()?;
    let own = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    Some(
        PathBuf::from("/sys/fs/cgroup")
            .join(own)
            .join("memory.events"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_found_in_both_kinds_of_file() {
        assert_eq!(
            parse("low 0\nhigh 0\nmax 3\noom 1\noom_kill 1\noom_group_kill 0\n"),
            Some(1)
        );
        assert_eq!(
            parse("nr_free_pages 7\noom_kill 12\nnuma_hit 5\n"),
            Some(12)
        );
        assert_eq!(parse(""), None);
    }

    #[test]
    fn only_a_rise_counts_and_it_is_remembered_with_its_time() {
        let start = Instant::now();
        let calm = after(
            Seen {
                count: 4,
                rose_at: None,
            },
            4,
            start,
        );
        assert!(calm.rose_at.is_none());
        let risen = after(calm, 5, start);
        assert_eq!(risen.rose_at, Some(start));
        let later = after(risen, 5, start + EXPLAINS_FOR * 2);
        assert_eq!(later.rose_at, Some(start));
    }
}
