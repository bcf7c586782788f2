//! Real client processes: killed in the middle of a message, and several with the same session at once.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command},
    time::Duration,
};

use chaos_tests::{
    ledger::{self, Step},
    mortal_client::{Journal, MOVED, method},
    under_test::{UnderTest, eventually},
};

const LIMIT: Duration = Duration::from_secs(60);

const CALLS: u64 = 300;

/// Enough for several processes, one after the other: Wine takes as long to begin one as hundreds of calls take.
const CALLS_OF_MANY: u64 = if cfg!(windows) { 1500 } else { CALLS };

struct Clients {
    under_test: UnderTest,
    journal: PathBuf,
    /// How many are to be answered in all.
    calls: u64,
}

impl Clients {
    fn new(calls: u64) -> Clients {
        let under_test = UnderTest::start(program(), 2, "", "");
        under_test.client();
        let journal = under_test.folder.path().join("journal");
        Clients {
            under_test,
            journal,
            calls,
        }
    }

    fn begin(&self) -> Child {
        let client = Command::new(program())
            .arg("mortal-client")
            .arg(self.under_test.endpoint().as_path())
            .arg(&self.journal)
            .arg(self.calls.to_string())
            .spawn();
        client.expect("it can be started")
    }

    fn journal(&self) -> Journal {
        Journal::read(&self.journal)
    }

    /// The last one goes on to the end; then all calls have one answer each, which is their own, and were made once.
    fn finish(&self, mut last: Child) {
        assert!(last.wait().expect("it ends").success());
        let (journal, ledger) = (self.journal(), ledger::read(&self.under_test.ledger()));
        for number in 1..=self.calls {
            let answers = &journal.answers[&number];
            let own = format!("ok {number}");
            assert!(
                answers.iter().all(|answer| *answer == own),
                "{number} ({}): {answers:?}",
                method(number)
            );
            let begun = ledger[&number]
                .iter()
                .filter(|entry| entry.step == Step::Begun);
            assert_eq!(begun.count(), 1, "{number} ({})", method(number));
        }
        let strange: Vec<_> = journal.answers.range(self.calls + 1..).collect();
        assert!(strange.is_empty(), "nobody asked for that: {strange:?}");
        let others = ledger.keys().filter(|number| **number > self.calls).count();
        assert_eq!(others, 0, "nobody asked for that");
    }
}

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_chaos-tests"))
}

#[test]
fn a_client_that_is_killed_in_the_middle_of_a_message_goes_on_where_it_was_and_half_a_message_is_none()
 {
    let clients = Clients::new(CALLS);
    let (mut kills, mut in_the_middle) = (0, 0);
    loop {
        let mut client = clients.begin();
        let before = clients.journal().sent;
        // Each comes a little further, and is killed in its next message, if the moment is right.
        let further = before + 3 + kills % 5;
        eventually(LIMIT, "it comes further, or to its end", || {
            let journal = clients.journal();
            journal.sent >= further && journal.halves > journal.sent + in_the_middle
                || client.try_wait().expect("it is ours").is_some()
        });
        if client.try_wait().expect("it is ours").is_some() {
            break;
        }
        client.kill().expect("it is ours");
        client.wait().expect("it dies");
        kills += 1;
        let journal = clients.journal();
        in_the_middle = journal.halves - journal.sent;
    }
    clients.finish(clients.begin());
    assert!(kills >= 20, "{kills} kills");
    assert!(
        in_the_middle >= 5,
        "{in_the_middle} of {kills} in a message"
    );
}

#[test]
fn of_two_processes_with_one_session_the_older_is_told_and_no_answer_is_lost_or_doubled() {
    let clients = Clients::new(CALLS_OF_MANY);
    let mut older = clients.begin();
    let mut moved = 0;
    loop {
        let further = clients.journal().sent + 8;
        eventually(LIMIT, "it is at work, or at its end", || {
            clients.journal().sent >= further || older.try_wait().expect("it is ours").is_some()
        });
        if older.try_wait().expect("it is ours").is_some() {
            break;
        }
        let newer = clients.begin();
        let code = older.wait().expect("it ends").code();
        if code == Some(0) {
            older = newer;
            break;
        }
        assert_eq!(code, Some(i32::from(MOVED)));
        moved += 1;
        older = newer;
    }
    older.wait().expect("it ends");
    clients.finish(clients.begin());
    assert!(moved >= 5, "{moved} were told");
}
