//! The pool's hold on one worker: its actor, its pipe and what was put into it.

use std::{collections::VecDeque, sync::Arc, time::Instant};

use ractor::ActorRef;
use standin_core::{AttemptId, WorkerId};
use standin_protocol::Frame;
use standin_transport::MessageWriter;

use crate::{process::Process, worker::WorkerMessage};

/// One worker as the pool knows it.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) worker: WorkerId,
    pub(super) actor: ActorRef<WorkerMessage>,
    pub(super) started: Instant,
    pub(super) process: Option<Arc<Process>>,
    pub(super) rss: u64,
    /// What it said that no worker may say.
    pub(super) violation: Option<String>,
    /// `None` until its hello.
    writer: Option<MessageWriter>,
    /// Frames put into the pipe's queue since the beginning.
    frames: u64,
    /// Attempts whose frame may still be in that queue, each with its place.
    unwritten: VecDeque<(AttemptId, u64)>,
    /// Attempts that are being put on record before they are given to it.
    held: Vec<AttemptId>,
}

impl Link {
    pub(super) fn new(worker: WorkerId, actor: ActorRef<WorkerMessage>, started: Instant) -> Self {
        Self {
            worker,
            actor,
            started,
            process: None,
            rss: 0,
            violation: None,
            writer: None,
            frames: 0,
            unwritten: VecDeque::new(),
            held: Vec::new(),
        }
    }

    pub(super) fn ready(&mut self, writer: MessageWriter) {
        // The answer to its hello went through this writer before it came here.
        self.frames = 1;
        self.writer = Some(writer);
    }

    pub(super) fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(|process| process.pid())
    }

    pub(super) fn send(&mut self, frame: Frame) {
        if let Some(writer) = &self.writer {
            writer.send(frame);
            self.frames += 1;
        }
    }

    pub(super) fn send_attempt(&mut self, attempt: AttemptId, frame: Frame) {
        self.send(frame);
        let Some(writer) = &self.writer else { return };
        let given = writer.frames_given();
        while self
            .unwritten
            .front()
            .is_some_and(|(_, place)| *place <= given)
        {
            self.unwritten.pop_front();
        }
        self.unwritten.push_back((attempt, self.frames));
    }

    /// This attempt is not given to it yet.
    pub(super) fn hold(&mut self, attempt: AttemptId) {
        self.held.push(attempt);
    }

    /// It is now, or never will be.
    pub(super) fn release(&mut self, attempt: AttemptId) {
        self.held.retain(|held| *held != attempt);
    }

    /// The attempts whose frame the system never had to its end. The worker cannot have begun them.
    pub(super) fn unsent(&self) -> Vec<AttemptId> {
        let given = self.writer.as_ref().map_or(0, MessageWriter::frames_given);
        let unsent = self.unwritten.iter().filter(|(_, place)| *place > given);
        let unsent = unsent.map(|(attempt, _)| *attempt);
        unsent.chain(self.held.iter().copied()).collect()
    }

    pub(super) fn writer(&self) -> Option<&MessageWriter> {
        self.writer.as_ref()
    }
}
