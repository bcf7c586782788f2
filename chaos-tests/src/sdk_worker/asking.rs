//! Methods that ask the program that made the call.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use standin_worker::{Bytes, Context, Failure, Method, Replay};

/// All of them.
pub(super) fn methods() -> Vec<Method> {
    vec![
        Method::new("sdk.ask", ask).doc("Asks the program that made the call."),
        Method::new("sdk.ask_many", ask_many).doc("Asks many times, one after the other."),
        Method::new("sdk.ask_all", ask_all).doc("Asks many questions at once."),
        Method::new("sdk.ask_later", ask_later).doc("Asks when a file is there."),
        Method::raw("sdk.pass_on", pass_on).doc("Asks with what it was given, undecoded."),
        Method::raw("sdk.give_back", give_back)
            .replay(Replay::Always)
            .doc("Gives back its argument as it came."),
    ]
}

#[derive(Deserialize, JsonSchema)]
struct Question {
    method: String,
    arguments: Value,
}

/// The program's answer, or what went wrong as this worker sees it.
#[derive(Serialize)]
struct Heard {
    answer: Option<Value>,
    code: Option<String>,
    message: Option<String>,
    outcome: Option<&'static str>,
}

impl Heard {
    fn from(asked: Result<Value, Failure>) -> Self {
        let failure = asked.as_ref().err();
        if let Some(failure) = failure {
            let outcome = failure.answer().outcome.name();
            println!("heard no answer: {failure}, {outcome}");
        }
        Self {
            code: failure.map(|failure| failure.answer().code.to_string()),
            message: failure.map(|failure| failure.answer().message.clone()),
            outcome: failure.map(|failure| failure.answer().outcome.name()),
            answer: asked.ok(),
        }
    }
}

async fn ask(context: Context, question: Question) -> Result<Heard, Failure> {
    let Question { method, arguments } = question;
    Ok(Heard::from(context.call_client(&method, &arguments).await))
}

#[derive(Deserialize, JsonSchema)]
struct Questions {
    method: String,
    count: u64,
    /// Asked each time, for programs that choose what they are asked; else it is `{number}`, counted from 1.
    argument: Option<Value>,
}

impl Questions {
    /// The arguments of each.
    fn arguments(&self) -> impl Iterator<Item = Value> {
        let argument = |number| json!({ "number": number });
        (1..=self.count)
            .map(move |number| self.argument.clone().unwrap_or_else(|| argument(number)))
    }
}

/// The sum of the answers.
async fn ask_many(context: Context, questions: Questions) -> Result<u64, Failure> {
    let mut sum = 0;
    for arguments in questions.arguments() {
        let method = &questions.method;
        sum += context.call_client::<_, u64>(method, &arguments).await?;
    }
    Ok(sum)
}

async fn ask_all(context: Context, questions: Questions) -> Result<Vec<Heard>, Failure> {
    let method = questions.method.as_str();
    let calls: Vec<_> = (questions.arguments())
        .map(|arguments| (method, arguments))
        .collect();
    let heard = context.call_client_batch(&calls).await;
    Ok(heard.into_iter().map(Heard::from).collect())
}

#[derive(Deserialize, JsonSchema)]
struct Later {
    method: String,
    when: std::path::PathBuf,
}

async fn ask_later(context: Context, Later { method, when }: Later) -> Result<Heard, Failure> {
    println!("attempt {} waits", context.attempt());
    while !when.exists() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(Heard::from(context.call_client(&method, &json!({})).await))
}

/// `[method, params]`, as parameters of its own.
async fn pass_on(context: Context, params: Bytes) -> Result<Bytes, Failure> {
    let wrong = || Failure::invalid_arguments("It wants [method, params].");
    let items = standin_protocol::value::array_items(&params).map_err(|_| wrong())?;
    let [method, params] = items.as_slice() else {
        return Err(wrong());
    };
    let method = standin_protocol::value::read_bytes(method).ok_or_else(wrong)?;
    let method = String::from_utf8_lossy(&method);
    context.call_client_raw(&method, params).await
}

async fn give_back(_: Context, params: Bytes) -> Result<Bytes, Failure> {
    let items = standin_protocol::value::array_items(&params);
    let items = items.map_err(|_| Failure::invalid_arguments("It wants one argument."))?;
    items
        .into_iter()
        .next()
        .ok_or_else(|| Failure::invalid_arguments("It wants one argument."))
}
