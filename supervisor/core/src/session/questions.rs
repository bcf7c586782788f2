//! A list of questions that a worker asks in one message, for a client that takes them one at a time.

use std::collections::VecDeque;

use bytes::Bytes;

use super::ItemResult;

/// What a worker asks a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The method, as it stands on the wire.
    pub method: Bytes,
    /// Its parameters, undecoded.
    pub params: Bytes,
}

/// The questions that are left, and the answers so far. One question is out at a time: a program with one thread serves
/// what comes while it waits, so a second question would be answered inside of the first.
#[derive(Debug)]
pub struct QuestionList {
    left: VecDeque<Question>,
    answers: Vec<ItemResult>,
    is_one_out: bool,
}

impl QuestionList {
    /// None is asked yet.
    #[must_use]
    pub fn new(questions: Vec<Question>) -> Self {
        Self {
            answers: Vec::with_capacity(questions.len()),
            left: questions.into(),
            is_one_out: false,
        }
    }

    /// The next one, which is out from now on. `None`: all are answered, or one is out.
    pub fn next_question(&mut self) -> Option<Question> {
        if self.is_one_out {
            return None;
        }
        let next = self.left.pop_front();
        self.is_one_out = next.is_some();
        next
    }

    /// The one that is out was answered.
    pub fn answered(&mut self, answer: ItemResult) {
        if std::mem::take(&mut self.is_one_out) {
            self.answers.push(answer);
        }
    }

    /// The answers in the order of the questions, when there will be no more of them.
    #[must_use]
    pub fn into_answers(
        mut self,
        of_the_one_that_is_out: ItemResult,
        of_the_rest: &ItemResult,
    ) -> Vec<ItemResult> {
        self.answered(of_the_one_that_is_out);
        let rest = self.left.iter().map(|_| of_the_rest.clone());
        self.answers.extend(rest);
        self.answers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(count: u8) -> QuestionList {
        let question = |number: u8| Question {
            method: Bytes::from_static(b"price"),
            params: Bytes::from(vec![0x91, number]),
        };
        QuestionList::new((0..count).map(question).collect())
    }

    fn answer(number: u8) -> ItemResult {
        Ok(Bytes::from(vec![number]))
    }

    fn error(number: u8) -> ItemResult {
        Err(Bytes::from(vec![number]))
    }

    #[test]
    fn one_question_is_out_at_a_time_and_answers_are_in_the_order_of_the_questions() {
        let mut list = list(2);
        assert_eq!(list.next_question().expect("the first").params[1], 0);
        assert_eq!(list.next_question(), None, "one is out");
        list.answered(answer(7));
        assert_eq!(list.next_question().expect("the second").params[1], 1);
        list.answered(answer(8));
        list.answered(answer(9));
        assert_eq!(list.next_question(), None, "all are answered");
        let all = list.into_answers(error(0), &error(1));
        assert_eq!(all, [answer(7), answer(8)]);
    }

    #[test]
    fn what_was_out_and_what_was_never_asked_are_told_apart_at_the_end() {
        let mut list = list(4);
        list.next_question();
        list.answered(answer(7));
        list.next_question();
        let all = list.into_answers(error(0), &error(1));
        assert_eq!(all, [answer(7), error(0), error(1), error(1)]);
    }
}
