//! A worker as a process of its own: this test program starts itself as one. A handler on a thread that never ends
//! must not keep the process alive.

use std::process::{Child, Command, ExitStatus};

use standin_transport::{Access, Endpoint, Listener};
use standin_worker::{Context, Failure, Method, Worker};

use crate::service::{Service, within};

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Nothing {}

/// The process under test; in an ordinary run there is nothing for it to do.
#[test]
fn being_the_worker() {
    if std::env::var_os("STANDIN_WORKER_ENDPOINT").is_none() {
        return;
    }
    let worker = Worker::new("test", "1")
        .concurrency(2)
        .method(Method::blocking(
            "stuck",
            |context: &Context, _: Nothing| {
                context.progress("stuck now");
                loop {
                    std::thread::park();
                }
                #[expect(unreachable_code, reason = "it says the type of the handler")]
                Ok::<(), Failure>(())
            },
        ))
        .method(Method::new("panic", |_, _: Nothing| async {
            panic!("as it was told") as Result<(), Failure>
        }));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let ended = runtime.expect("there is one").block_on(worker.run());
    ended.expect("it ends well");
}

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Process {
    async fn ended(&mut self) -> ExitStatus {
        within("the process ends", async {
            loop {
                if let Some(status) = self.0.try_wait().expect("it can be waited for") {
                    return status;
                }
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        })
        .await
    }
}

/// A process that has a handler stuck on a thread.
async fn stuck() -> (Service, Process) {
    let folder = tempfile::tempdir().expect("there is room");
    let endpoint = Endpoint::private(folder.path(), "process.sock");
    let listener = Listener::bind(&endpoint, &Access::default()).expect("it is free");
    let child = Command::new(std::env::current_exe().expect("it has one"))
        .args(["--exact", "process::being_the_worker"])
        .env("STANDIN_WORKER_ENDPOINT", endpoint.to_string())
        .env("STANDIN_WORKER_TOKEN", "secret")
        .spawn();
    let process = Process(child.expect("it starts"));
    let connection = within("the worker connects", listener.accept()).await;
    let mut service = Service::new(connection.expect("one comes"), folder);
    service.asked("worker.hello").await;
    service.answer(0, &true);
    service.ask(1, "stuck", &[(); 0]);
    assert!(service.next().await.is_some(), "it tells that it is stuck");
    (service, process)
}

#[tokio::test]
async fn a_process_with_a_stuck_thread_ends_when_its_service_is_gone() {
    let (service, mut process) = stuck().await;
    drop(service);
    assert_eq!(process.ended().await.code(), Some(0));
}

#[tokio::test]
async fn a_process_with_a_stuck_thread_ends_when_another_handler_panics() {
    let (service, mut process) = stuck().await;
    service.ask(2, "panic", &[(); 0]);
    assert_eq!(process.ended().await.code(), Some(101));
}
