//! A mail server for trying things out: it takes every mail, prints it and throws it away.
//!
//! `cargo run -p standin-builtin --example mail_sink` listens on 127.0.0.1:2525; another address can be given.
//! Mails to `unknown@...` are refused, mails to `later@...` put off; see `smtp_server.rs` for more.

#![expect(clippy::print_stdout, reason = "printing is what it is for")]

#[path = "../tests/support/smtp_server.rs"]
mod smtp_server;

use smtp_server::{Abilities, Event};

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1);
    let address = address.as_deref().unwrap_or("127.0.0.1:2525");
    let bound = smtp_server::start(address, Abilities::default(), |event| match event {
        Event::Taken(mail) => {
            let user = mail.user.as_deref().unwrap_or("nobody in particular");
            let way = if mail.was_secret {
                "over TLS"
            } else {
                "in the clear"
            };
            println!(
                "--- from {} to {} ({user}, {way})",
                mail.sender,
                mail.recipients.join(", ")
            );
            println!("{}", mail.text);
        }
        Event::BrokenOff => println!("--- a mail broke off before its end; nothing was taken"),
    });
    println!("Waiting for mail on {}. Ctrl+C ends.", bound.await?);
    std::future::pending().await
}
