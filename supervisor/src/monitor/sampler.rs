//! The look itself: what the machine and our own processes use.
//!
//! Only the processes asked for are looked at: a look at all of a machine's processes costs tens of milliseconds.

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

/// What one process uses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usage {
    /// Its number.
    pub pid: u32,
    /// Resident memory in bytes; what it shares with others is counted in each.
    pub rss: u64,
    /// Of one processor, since the sample before: 100 is one busy processor. 0 in a process's first sample.
    pub cpu_percent: f32,
}

/// What the machine has left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Machine {
    /// Load average of the last minute; 0 on Windows, which has none.
    pub load: f64,
    /// Bytes that can be had without swapping.
    pub memory_available: u64,
    /// Bytes in all.
    pub memory_total: u64,
}

/// One look.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Those of the processes asked for that live.
    pub processes: Vec<Usage>,
    /// The machine.
    pub machine: Machine,
}

impl Sample {
    /// The resident memory of a process, if it lives.
    #[must_use]
    pub fn rss(&self, pid: u32) -> Option<u64> {
        self.processes
            .iter()
            .find(|usage| usage.pid == pid)
            .map(|usage| usage.rss)
    }
}

/// Looks, and remembers the look before.
#[derive(Debug)]
pub struct Sampler {
    system: System,
}

impl Sampler {
    /// # Errors
    /// The system does not tell what is asked here.
    pub fn new() -> Result<Sampler, sysinfo::Error> {
        Ok(Sampler {
            system: System::new()?,
        })
    }

    /// Looks at these processes and the machine. It reads a few files for each process (about 50 microseconds) and
    /// blocks that long.
    pub fn sample(&mut self, pids: &[u32]) -> Sample {
        self.system.refresh_memory();
        let wanted: Vec<Pid> = pids.iter().copied().map(Pid::from_u32).collect();
        // No threads: they would be read one by one.
        let what = ProcessRefreshKind::nothing()
            .with_memory()
            .with_cpu()
            .without_tasks();
        // Only those that are looked at are found dead and let go; each that is not holds a file or a handle.
        let mut all = wanted.clone();
        all.extend(self.system.processes().keys());
        all.sort_unstable();
        all.dedup();
        self.system
            .refresh_processes_specifics(ProcessesToUpdate::Some(&all), true, what);
        let processes = wanted
            .iter()
            .filter_map(|pid| self.system.process(*pid))
            .map(|process| Usage {
                pid: process.pid().as_u32(),
                rss: process.memory(),
                cpu_percent: process.cpu_usage(),
            });
        let machine = Machine {
            load: System::load_average().map_or(0.0, |load| load.one),
            memory_available: self.system.available_memory(),
            memory_total: self.system.total_memory(),
        };
        Sample {
            processes: processes.collect(),
            machine,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_processes_asked_for_are_seen() {
        let mut sampler = Sampler::new().unwrap();
        let own = std::process::id();
        let sample = sampler.sample(&[own, u32::MAX - 1]);
        assert_eq!(
            sample
                .processes
                .iter()
                .map(|usage| usage.pid)
                .collect::<Vec<_>>(),
            [own]
        );
        assert!(sample.processes[0].rss > 1024 * 1024);
        assert!(sample.machine.memory_available > 0);
        assert!(sample.machine.memory_total >= sample.machine.memory_available);
        assert_eq!(sampler.sample(&[]).processes, []);
    }

    #[test]
    fn a_process_that_has_ended_is_let_go_though_nobody_asks_for_it_any_more() {
        let mut sampler = Sampler::new().unwrap();
        let program = std::env::current_exe().unwrap();
        let mut command = std::process::Command::new(program);
        command.arg("--list").stdout(std::process::Stdio::null());
        let mut child = command.spawn().unwrap();
        sampler.sample(&[child.id()]);
        child.wait().unwrap();
        sampler.sample(&[std::process::id()]);
        let known = sampler.system.processes();
        assert!(!known.contains_key(&Pid::from_u32(child.id())), "{known:?}");
    }
}
