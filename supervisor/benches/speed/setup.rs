//! What is measured: a worker alone, a raw relay before it, and Standin before it.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::{
    load::{Load, Outcome, run},
    raw,
};

/// Workers behind a relay.
pub(crate) const WORKERS: usize = 4;

/// A process that is ended with its owner.
pub(crate) struct Part(Child);

impl Drop for Part {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn part(arguments: &[&str]) -> Part {
    let own = std::env::current_exe().expect("the system tells");
    let started = Command::new(own)
        .args(arguments)
        .stdin(Stdio::null())
        .spawn();
    Part(started.expect("this program can be started"))
}

fn wait_for(endpoint: &Path) {
    let start = Instant::now();
    while std::os::unix::net::UnixStream::connect(endpoint).is_err() {
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "nobody listens on {}",
            endpoint.display()
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn text(path: &Path) -> &str {
    path.to_str()
        .expect("the temporary folder has a plain name")
}

/// Ties this process, and all that it starts from now on, to one core, or lets it go.
pub(crate) fn pinned(pinned: bool) {
    use rustix::thread::{CpuSet, sched_setaffinity};
    let mut cores = CpuSet::new();
    let count = if pinned {
        1
    } else {
        std::thread::available_parallelism().map_or(64, |cores| cores.get().max(64))
    };
    (0..count).for_each(|core| cores.set(core));
    sched_setaffinity(None, &cores).expect("a process may choose its cores");
}

/// Client and worker, nothing between.
pub(crate) fn direct(load: Load) -> Outcome {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let endpoint = folder.path().join("w");
    let _worker = part(&["raw-worker", text(&endpoint)]);
    wait_for(&endpoint);
    run(&endpoint, load, true)
}

/// The raw relay between them.
pub(crate) fn relay(load: Load) -> Outcome {
    let workers = if load.clients == 1 { 1 } else { WORKERS };
    relayed(load, workers, |endpoint, _| {
        part(&["raw-worker", text(endpoint)])
    })
}

/// The same before one worker that appends all that came at once to a file, and flushes that so often, before it gives
/// anything back.
pub(crate) fn keeping_relay(load: Load, flushes: usize) -> Outcome {
    let flushes = flushes.to_string();
    relayed(load, 1, |endpoint, folder| {
        let file = folder.join("kept");
        part(&["raw-keeper", text(endpoint), text(&file), &flushes])
    })
}

/// As the parent of a process that keeps has told it.
pub(crate) fn raw_keeper(arguments: &[String]) {
    let [endpoint, file, flushes] = arguments else {
        panic!("where to listen, what to write to, how often to flush it");
    };
    let kept = raw::Kept {
        file: std::fs::File::create(file).expect("there is room"),
        flushes: flushes.parse().expect("a number"),
    };
    raw::worker(endpoint, Some(kept));
}

fn relayed(load: Load, workers: usize, worker: impl Fn(&Path, &Path) -> Part) -> Outcome {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let names: Vec<PathBuf> = (0..workers)
        .map(|number| folder.path().join(format!("w{number}")))
        .collect();
    let _workers: Vec<Part> = names
        .iter()
        .map(|name| worker(name, folder.path()))
        .collect();
    names.iter().for_each(|name| wait_for(name));
    let endpoint = folder.path().join("r");
    let list: Vec<&str> = names.iter().map(|name| text(name)).collect();
    let _relay = part(&["raw-relay", text(&endpoint), &list.join(",")]);
    wait_for(&endpoint);
    run(&endpoint, load, true)
}

pub(crate) struct Standin {
    pub(crate) endpoint: PathBuf,
    service: Part,
    _folder: tempfile::TempDir,
}

pub(crate) fn start_standin(workers: usize, concurrency: u32) -> Standin {
    start_standin_with(workers, concurrency, "")
}

/// The same with more settings of the pool.
fn start_standin_with(workers: usize, concurrency: u32, more: &str) -> Standin {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let endpoint = folder.path().join("s");
    let own = std::env::current_exe().expect("the system tells");
    let settings = format!(
        "[log]\nlevel = \"warn\"\n[endpoint]\npath = '{}'\n[state]\ndir = '{}'\n[pools.builtin]\nenabled = false\n[pools.bench]\n\
         command = ['{}', 'echo-worker', '{concurrency}']\n\
         workers = {{ min = {workers}, max = {workers}, spare = 1 }}\nqueue = {{ max = 100_000 }}\n{more}\n",
        endpoint.display(),
        folder.path().join("state").display(),
        own.display()
    );
    let file = folder.path().join("standin.toml");
    std::fs::write(&file, settings).expect("the folder can be written to");
    let service = part(&["serve", "--config", text(&file)]);
    wait_for(&endpoint);
    Standin {
        endpoint,
        service,
        _folder: folder,
    }
}

/// Standin between them.
pub(crate) fn standin(load: Load, concurrency: u32) -> Outcome {
    let workers = if load.clients == 1 { 1 } else { WORKERS };
    standin_with(load, workers, concurrency)
}

/// The same with or without the stories of `standin explain`.
pub(crate) fn standin_explained(load: Load, concurrency: u32, is_explained: bool) -> Outcome {
    let workers = if load.clients == 1 { 1 } else { WORKERS };
    let more = if is_explained {
        ""
    } else {
        "explained_max = 0"
    };
    let standin = start_standin_with(workers, concurrency, more);
    run(&standin.endpoint, load, false)
}

/// The same with so many workers.
pub(crate) fn standin_with(load: Load, workers: usize, concurrency: u32) -> Outcome {
    let standin = start_standin(workers, concurrency);
    run(&standin.endpoint, load, false)
}

/// What idle sessions cost the service.
pub(crate) fn memory(counts: &[usize]) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    // As many as the system allows without asking anybody; the largest count may be out of reach then.
    let most = getrlimit(Resource::Nofile).maximum;
    let open = Rlimit {
        current: most,
        maximum: most,
    };
    setrlimit(Resource::Nofile, open).expect("a process may use what it is allowed");
    let standin = start_standin(1, 1);
    let pid = standin.service.0.id();
    std::thread::sleep(Duration::from_millis(500));
    let empty = resident(pid);
    println!("Memory: the service alone {} KiB", empty / 1024);
    for count in counts {
        if most.is_some_and(|most| most < *count as u64 + 100) {
            println!(
                "  {count:>6} idle sessions: not measured, this user may open only {} files",
                most.unwrap_or(0)
            );
            continue;
        }
        let clients: Vec<_> = (0..*count)
            .map(|_| {
                let client = std::os::unix::net::UnixStream::connect(&standin.endpoint);
                let mut client = client.expect("the service takes it");
                // A session that has been used once and is idle since.
                std::io::Write::write_all(&mut client, b"\x94\x00\x01\xacstandin.ping\x90")
                    .expect("it reads");
                let mut answer = [0; 9];
                std::io::Read::read_exact(&mut client, &mut answer).expect("it answers");
                client
            })
            .collect();
        std::thread::sleep(Duration::from_millis(500));
        let full = resident(pid);
        println!(
            "  {count:>6} idle sessions: {} KiB, {:.1} KiB each",
            full / 1024,
            full.saturating_sub(empty) as f64 / 1024.0 / *count as f64
        );
        drop(clients);
        std::thread::sleep(Duration::from_millis(500));
    }
}

fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/statm")).expect("the service lives");
    let pages: u64 = status
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse().ok())
        .expect("the second number");
    pages * 4096
}

/// The worker behind Standin: gives back its first argument as it came, by methods of every class.
pub(crate) fn echo_worker(concurrency: &str) {
    use standin_worker::{Bytes, Failure, Method, Replay, Worker};
    let concurrency = concurrency.parse().expect("a number");
    // Behind the head of the one-element array.
    let echo = |params: Bytes| Ok::<_, Failure>(params.slice(1..));
    let plain = move |name, replay| {
        let method = Method::raw(name, move |_, params| async move { echo(params) });
        method.replay(replay).doc("Gives back its argument.")
    };
    let with_effect = Method::raw("bench.effect", move |context, params| async move {
        context.effect_begin().await?;
        echo(params)
    });
    let with_effect = with_effect.replay(Replay::UntilEffect);
    let worker = Worker::new("bench", "1")
        .concurrency(concurrency)
        .method(plain("bench.echo", Replay::Always))
        .method(plain("bench.careful", Replay::UntilEffect))
        .method(plain("bench.once", Replay::Never))
        .method(with_effect.doc("Gives back its argument after its effect."));
    let worker = crate::callbacks::methods()
        .into_iter()
        .fold(worker, Worker::method);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let _ = runtime
        .expect("the system gives an event queue")
        .block_on(worker.run());
}
