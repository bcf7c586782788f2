//! A whole worker. `[pools.hello] command = ["hello"]` makes Standin run it.

use standin_worker::{Context, Error, Failure, Method, Replay, Worker};

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Greeting {
    /// Who is greeted.
    name: String,
}

async fn greet(_context: Context, greeting: Greeting) -> Result<String, Failure> {
    Ok(format!("Good morning, {}.", greeting.name))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let greet = Method::new("hello.greet", greet)
        .replay(Replay::Always)
        .doc("Greets somebody.");
    Worker::new("hello", env!("CARGO_PKG_VERSION"))
        .method(greet)
        .run()
        .await
}
