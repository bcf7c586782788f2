//! One program that is every part of the chaos suite: `soak` runs clients and kills, `mail-window` counts mails in doubt,
//! `mortal-client` is a client that is made to be killed, `hostile-worker` a worker that misbehaves when it is told to,
//! `sdk-worker` one that behaves, `linger` what a worker may leave behind, and anything else is the command line of
//! Standin itself, so that this executable is the service, its launcher and its guardian as well.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1).peekable();
    match arguments.peek().and_then(|argument| argument.to_str()) {
        Some("soak") => {
            chaos_tests::soak::run(&chaos_tests::soak::SoakOptions::parse_from(arguments))
        }
        Some("mail-window") => chaos_tests::mail_window::run(
            &chaos_tests::mail_window::MailWindowOptions::parse_from(arguments),
        ),
        Some("mortal-client") => chaos_tests::mortal_client::run(arguments.skip(1)),
        Some("hostile-worker") => chaos_tests::hostile_worker::run(),
        Some("sdk-worker") => chaos_tests::sdk_worker::run(),
        Some("linger") => chaos_tests::hostile_worker::linger(),
        _ => standin::run(std::env::args_os()),
    }
}
