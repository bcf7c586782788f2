//! The stories that a pool keeps. Bounded: what is ordinary goes first.

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
use standin_core::{RequestId, SessionId};

use super::{How, Story};
use crate::{call::Call, store::JobName};

/// Stories that are kept where nothing else is set. Of a busy pool that is the last fraction of a second.
const KEPT: usize = 1000;

/// Poisoned requests kept with what was in them.
const POISONED_KEPT: usize = 8;

/// Bytes kept of the parameters of each.
const PARAMS_KEPT: usize = 64 * 1024;

/// Which stories are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// The latest.
    Latest,
    /// That of one request.
    Request(RequestId),
    /// The latest of a session, or those of one message of its client.
    Session {
        session: SessionId,
        msgid: Option<u64>,
    },
    /// Those of a job's tries.
    Job(JobName),
    /// Those of poisoned requests, with what was in them.
    Poisoned,
}

/// What somebody wants to know.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    pub(crate) which: Which,
    /// The user whose requests are told; `None`: everybody's, for an administrator.
    pub(crate) of_user: Option<Arc<str>>,
    pub(crate) limit: usize,
}

impl Query {
    fn wants(&self, story: &Story) -> bool {
        let may_see = |user: &Arc<str>| *user == story.user;
        self.of_user.as_ref().is_none_or(may_see)
            && match self.which {
                Which::Latest | Which::Poisoned => true,
                Which::Request(request) => story.request == request,
                Which::Job(job) => story.job.as_ref().is_some_and(|tried| tried.job == job),
                Which::Session { session, msgid } => {
                    let is_it = |msgid| story.origin.msgid() == msgid;
                    story.session == session && msgid.is_none_or(is_it)
                }
            }
    }
}

/// The beginning of what was in a request.
#[derive(Debug, Clone)]
pub(crate) struct Params {
    pub(crate) kept: Bytes,
    /// How long they were.
    pub(crate) size: usize,
}

/// A story, and what was in the request if that is kept.
pub(crate) type Found = (Story, Option<Params>);

/// The memory of a pool.
#[derive(Debug)]
pub(crate) struct Stories {
    /// Of each of the two kinds.
    max: usize,
    /// Of requests to which nothing happened but that they were answered, or refused. One takes about 250 bytes.
    ordinary: VecDeque<Story>,
    /// The others, apart from those, so that no flood of calls that went well washes away the one that did not. One takes
    /// about 250 bytes, with a worker's own code 64 more, and 3 KiB at most.
    eventful: VecDeque<Story>,
    poisoned: VecDeque<(Story, Params)>,
}

impl Default for Stories {
    fn default() -> Self {
        Self::new(KEPT)
    }
}

impl Stories {
    /// None yet, and so many of each kind at most.
    pub(crate) fn new(max: usize) -> Self {
        Self {
            max,
            ordinary: VecDeque::new(),
            eventful: VecDeque::new(),
            poisoned: VecDeque::new(),
        }
    }

    /// Whether anything is to be noted of what goes well.
    pub(crate) fn are_kept(&self) -> bool {
        self.max > 0
    }

    /// Whether the story of a request is worth telling that ended in this way. What was poisoned is kept in any case.
    pub(crate) fn want(&self, how: &How) -> bool {
        self.are_kept() || is_poisoned(how)
    }

    /// A request has ended. `params`: what was in it.
    pub(crate) fn keep(&mut self, story: Story, params: &[u8]) {
        if story.end.as_ref().is_some_and(|end| is_poisoned(&end.how)) {
            let size = params.len();
            let kept = Bytes::copy_from_slice(&params[..size.min(PARAMS_KEPT)]);
            let poisoned = (story.clone(), Params { kept, size });
            push(&mut self.poisoned, POISONED_KEPT, poisoned);
        }
        if !self.are_kept() {
            return;
        }
        if story.is_ordinary() {
            push(&mut self.ordinary, self.max, story);
        } else {
            push(&mut self.eventful, self.max, story);
        }
    }

    /// What is asked for, the newest first. `open`: the calls that have not ended.
    pub(crate) fn find<'a>(
        &self,
        query: &Query,
        open: impl Iterator<Item = &'a Arc<Call>>,
    ) -> Vec<Found> {
        if query.which == Which::Poisoned {
            let found = self.poisoned.iter().rev();
            let found = found.filter(|(story, _)| query.wants(story));
            let found = found.map(|(story, params)| (story.clone(), Some(params.clone())));
            return found.take(query.limit).collect();
        }
        let open: Vec<Story> = open.map(|call| Story::so_far(call)).collect();
        let ended = self.ordinary.iter().chain(&self.eventful);
        let wanted = ended.chain(&open).filter(|story| query.wants(story));
        let mut found: Vec<&Story> = wanted.collect();
        found.sort_unstable_by_key(|story| std::cmp::Reverse(story.request));
        found.truncate(query.limit);
        found
            .into_iter()
            .map(|story| (story.clone(), None))
            .collect()
    }
}

fn is_poisoned(how: &How) -> bool {
    use standin_protocol::ErrorCode::Poisoned;
    // One that was refused is the same as one that is kept already.
    matches!(how, How::Failed { rule, .. } if rule.code() == Poisoned && rule.follows_a_death())
}

fn push<T>(kept: &mut VecDeque<T>, max: usize, one: T) {
    if kept.len() == max {
        kept.pop_front();
    }
    kept.push_back(one);
}

#[cfg(test)]
mod tests;
