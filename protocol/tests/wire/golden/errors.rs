//! Error answers: one of each code, and others.

use standin_protocol::{ErrorAnswer, ErrorCode, Outcome};

use super::{bytes, check_all};

#[test]
fn every_code_stands_on_the_wire_with_its_number_its_name_and_its_outcome() {
    let usual = |code| ErrorAnswer::new(code, "A sentence.");
    let mut table: Vec<(&str, ErrorAnswer)> = ErrorCode::ALL
        .iter()
        .map(|code| (code.name(), usual(*code)))
        .collect();
    table.push((
        "with_everything",
        ErrorAnswer::new(ErrorCode::Overloaded, "Too much is waiting.")
            .with_retry_after_ms(3000)
            .with_data(bytes(b"\x92\xa5queue\xcd\x03\xe8")),
    ));
    table.push((
        "of_a_worker",
        ErrorAnswer {
            number: 1001,
            message: "The server refused \"bob\".".to_owned(),
            code: "smtp.rejected".into(),
            outcome: Outcome::NotExecuted,
            retry_after_ms: None,
            data: Some(bytes(b"\x81\xa5reply\xcd\x02\x26")),
        },
    ));
    table.push((
        "executed",
        ErrorAnswer::new(ErrorCode::MessageTooLarge, "The result is too large.")
            .with_outcome(Outcome::Executed),
    ));
    check_all("errors", &table, |name, fixture, answer| {
        assert_eq!(ErrorAnswer::decode(fixture), *answer, "{name}");
        assert!(ErrorAnswer::is_full(fixture), "{name}");
        assert_eq!(answer.encode(), fixture, "{name}");
    });
}
