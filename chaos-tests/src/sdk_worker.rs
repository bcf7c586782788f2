//! A worker as a customer would write it, with one method for each thing that the SDK offers. What it wants to be
//! seen to have done, it prints: the service writes that into its log.

mod asking;

use std::{path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use standin_worker::{Context, ErrorCode, Failure, Method, Outcome, Replay, Worker};
use tokio::sync::Barrier;

/// Requests that it takes at a time, and so many must come together at `sdk.together`.
pub const CONCURRENCY: usize = 3;

/// Serves until the service says to end.
pub fn run() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("the system gives a runtime");
    let barrier = Arc::new(Barrier::new(CONCURRENCY));
    let worker = Worker::new("sdk", "1")
        .concurrency(CONCURRENCY as u32)
        .method(
            Method::new("sdk.effect", effect)
                .replay(Replay::UntilEffect)
                .doc("Asks for leave when a file is there."),
        )
        .method(
            Method::new("sdk.progress", progress)
                .replay(Replay::Always)
                .doc("Tells how it is getting on."),
        )
        .method(Method::new("sdk.wait", wait).doc("Waits until nobody wants it any more."))
        .method(
            Method::new("sdk.hurry", wait)
                .timeout(Duration::from_millis(200))
                .doc("Has little time."),
        )
        .method(Method::new("sdk.echo", echo).replay(Replay::Always))
        .method(
            Method::new("sdk.who", who)
                .replay(Replay::Always)
                .doc("Tells as whom it runs, and with what."),
        )
        .method(Method::new("sdk.large", large).replay(Replay::Always))
        .method(Method::new("sdk.fail", fail).replay(Replay::Always))
        .method(
            Method::new("sdk.together", move |_, _: Nothing| {
                let barrier = Arc::clone(&barrier);
                async move {
                    barrier.wait().await;
                    Ok(std::process::id())
                }
            })
            .doc("Waits for the others."),
        );
    let worker = asking::methods().into_iter().fold(worker, Worker::method);
    match runtime.block_on(worker.run()) {
        Ok(()) => {
            println!("the worker was drained");
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("{error:?}");
            ExitCode::FAILURE
        }
    }
}

#[derive(Deserialize, JsonSchema)]
struct Nothing {}

/// What an effect waits for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Effect {
    /// The file whose appearance is waited for.
    when: PathBuf,
}

async fn effect(context: Context, effect: Effect) -> Result<u32, Failure> {
    println!("attempt {} waits", context.attempt());
    while !effect.when.exists() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let leave = context.effect_begin().await;
    println!("attempt {}: leave {}", context.attempt(), leave.is_ok());
    leave?;
    Ok(context.number())
}

#[derive(Deserialize, JsonSchema)]
struct Steps {
    steps: u32,
    /// How long each takes.
    #[serde(default)]
    pause_ms: u64,
}

#[derive(Serialize)]
struct Step {
    step: u32,
    of: u32,
}

async fn progress(context: Context, Steps { steps, pause_ms }: Steps) -> Result<u32, Failure> {
    for step in 1..=steps {
        tokio::time::sleep(Duration::from_millis(pause_ms)).await;
        context.progress(&Step { step, of: steps });
    }
    Ok(steps)
}

async fn wait(context: Context, _: Nothing) -> Result<(), Failure> {
    println!("attempt {} waits", context.attempt());
    context.cancelled().await;
    println!("attempt {} was cancelled", context.attempt());
    let why = "It stopped half way.";
    Err(Failure::service(ErrorCode::Cancelled, why).outcome(Outcome::Unknown))
}

#[derive(Deserialize, JsonSchema)]
struct Text {
    text: String,
}

async fn echo(_: Context, Text { text }: Text) -> Result<String, Failure> {
    Ok(text)
}

/// What the process is, as it sees itself.
#[derive(Serialize)]
struct Who {
    pid: u32,
    /// Whom the service says that it works for.
    user: Option<String>,
    /// The user of the request at hand.
    asked_by: String,
    environment: std::collections::BTreeMap<String, String>,
    folder: PathBuf,
    /// Linux: who and what it is to the system.
    status: Option<String>,
    /// Linux: what it has open.
    open: Vec<PathBuf>,
}

async fn who(context: Context, _: Nothing) -> Result<Who, Failure> {
    let open = std::fs::read_dir("/proc/self/fd").into_iter().flatten();
    let open = open.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    Ok(Who {
        pid: std::process::id(),
        user: std::env::var("STANDIN_WORKER_USER").ok(),
        asked_by: context.user().to_owned(),
        environment: std::env::vars().collect(),
        folder: std::env::current_dir().unwrap_or_default(),
        status: std::fs::read_to_string("/proc/self/status").ok(),
        open: open.collect(),
    })
}

#[derive(Deserialize, JsonSchema)]
struct Size {
    bytes: usize,
}

async fn large(_: Context, Size { bytes }: Size) -> Result<String, Failure> {
    Ok("x".repeat(bytes))
}

#[derive(Deserialize, JsonSchema)]
struct Words {
    /// So much more than usual is said.
    #[serde(default)]
    bytes: usize,
}

async fn fail(_: Context, Words { bytes }: Words) -> Result<(), Failure> {
    let words = "It is broken.".to_owned() + &"x".repeat(bytes);
    Err(Failure::new(1007, "sdk.broken", words)
        .outcome(Outcome::NotExecuted)
        .retry_after_ms(1500)
        .data(&[1, 2, 3]))
}
