//! Who is next: replays first, then the sessions in turn, each in its own order.

use std::{collections::VecDeque, time::Instant};

use rustc_hash::FxHashMap;

use crate::{RequestId, SessionId, UserId};

/// What one request takes of the queue.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weight {
    pub(super) user: UserId,
    /// Bytes.
    pub(super) size: usize,
}

/// The one queue of a pool. It holds names only.
#[derive(Debug, Default)]
pub(super) struct FairQueue {
    /// Requests that lost a worker; they have waited once already.
    replays: VecDeque<RequestId>,
    /// Requests that must run alone.
    suspects: VecDeque<RequestId>,
    lanes: FxHashMap<SessionId, VecDeque<RequestId>>,
    /// Sessions that have something waiting, in the order of their turns.
    turns: VecDeque<SessionId>,
    /// Empty lanes kept for the next session that waits, so that a busy pool does not allocate.
    unused: Vec<VecDeque<RequestId>>,
    in_lanes: usize,
    bytes: usize,
    /// How many wait for each user that has any.
    users: FxHashMap<UserId, usize>,
    /// Since when something has been waiting without a pause.
    busy_since: Option<Instant>,
}

impl FairQueue {
    pub(super) fn len(&self) -> usize {
        self.in_lanes + self.replays.len() + self.suspects.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn waiting_of(&self, session: SessionId) -> usize {
        self.lanes.get(&session).map_or(0, VecDeque::len)
    }

    pub(super) fn waiting_of_user(&self, user: UserId) -> usize {
        self.users.get(&user).copied().unwrap_or(0)
    }

    pub(super) fn busy_since(&self) -> Option<Instant> {
        self.busy_since
    }

    pub(super) fn suspects(&self) -> usize {
        self.suspects.len()
    }

    pub(super) fn has_suspects(&self) -> bool {
        !self.suspects.is_empty()
    }

    pub(super) fn has_ordinary(&self) -> bool {
        self.in_lanes + self.replays.len() > 0
    }

    pub(super) fn push(
        &mut self,
        now: Instant,
        session: SessionId,
        request: RequestId,
        weight: Weight,
    ) {
        let lane = self.lanes.entry(session).or_insert_with(|| {
            self.turns.push_back(session);
            self.unused.pop().unwrap_or_default()
        });
        lane.push_back(request);
        self.in_lanes += 1;
        self.added(now, weight);
    }

    pub(super) fn push_replay(
        &mut self,
        now: Instant,
        request: RequestId,
        suspect: bool,
        weight: Weight,
    ) {
        if suspect {
            self.suspects.push_back(request);
        } else {
            self.replays.push_back(request);
        }
        self.added(now, weight);
    }

    fn added(&mut self, now: Instant, weight: Weight) {
        self.bytes += weight.size;
        *self.users.entry(weight.user).or_default() += 1;
        self.busy_since.get_or_insert(now);
    }

    /// Called for each request that left.
    pub(super) fn left(&mut self, weight: Weight) {
        self.bytes -= weight.size;
        let of_user = self.users.get_mut(&weight.user);
        let of_user = of_user.expect("a user of whom something waits is known");
        *of_user -= 1;
        if *of_user == 0 {
            self.users.remove(&weight.user);
        }
        if self.is_empty() {
            self.busy_since = None;
        }
    }

    pub(super) fn pop_suspect(&mut self) -> Option<RequestId> {
        self.suspects.pop_front()
    }

    pub(super) fn pop_ordinary(&mut self) -> Option<RequestId> {
        if let Some(request) = self.replays.pop_front() {
            return Some(request);
        }
        let session = self.turns.pop_front()?;
        let lane = self
            .lanes
            .get_mut(&session)
            .expect("a session with a turn has a lane");
        let request = lane.pop_front().expect("a lane with a turn is not empty");
        self.in_lanes -= 1;
        if lane.is_empty() {
            self.drop_lane(session);
        } else {
            self.turns.push_back(session);
        }
        Some(request)
    }

    fn drop_lane(&mut self, session: SessionId) {
        if let Some(lane) = self.lanes.remove(&session)
            && self.unused.len() < UNUSED_LANES_MAX
        {
            self.unused.push(lane);
        }
    }

    /// Takes one out of the middle: it was cancelled or its time is up.
    pub(super) fn remove(&mut self, session: SessionId, request: RequestId, weight: Weight) {
        let drop_from = |queue: &mut VecDeque<RequestId>| {
            let found = queue.iter().position(|waiting| *waiting == request);
            found.is_some_and(|index| queue.remove(index).is_some())
        };
        if !drop_from(&mut self.replays) && !drop_from(&mut self.suspects) {
            let lane = self
                .lanes
                .get_mut(&session)
                .expect("a waiting request is in a queue");
            assert!(drop_from(lane), "a waiting request is in a queue");
            self.in_lanes -= 1;
            if lane.is_empty() {
                self.turns.retain(|turn| *turn != session);
                self.drop_lane(session);
            }
        }
        self.left(weight);
    }
}

/// As many lanes as a Terminal Server has programs; more would only hold memory.
const UNUSED_LANES_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "any moment will do for a test")]
    fn now() -> Instant {
        Instant::now()
    }

    fn weight(size: usize) -> Weight {
        let user = UserId(7);
        Weight { user, size }
    }

    #[test]
    fn sessions_take_turns_however_much_one_of_them_asks() {
        let mut queue = FairQueue::default();
        let (greedy, modest) = (SessionId(1), SessionId(2));
        for id in 0..100 {
            queue.push(now(), greedy, RequestId(id), weight(1));
        }
        queue.push(now(), modest, RequestId(1000), weight(1));
        assert_eq!(queue.pop_ordinary(), Some(RequestId(0)));
        assert_eq!(queue.pop_ordinary(), Some(RequestId(1000)));
        assert_eq!(queue.pop_ordinary(), Some(RequestId(1)));
    }

    #[test]
    fn a_replay_goes_before_those_that_have_not_waited_yet() {
        let mut queue = FairQueue::default();
        queue.push(now(), SessionId(1), RequestId(1), weight(5));
        queue.push_replay(now(), RequestId(2), false, weight(5));
        assert_eq!(queue.pop_ordinary(), Some(RequestId(2)));
        queue.left(weight(5));
        queue.remove(SessionId(1), RequestId(1), weight(5));
        assert!(queue.is_empty() && queue.bytes() == 0 && queue.busy_since().is_none());
    }

    #[test]
    fn a_session_that_has_nothing_more_waiting_leaves_nothing_behind() {
        let mut queue = FairQueue::default();
        for id in 0..1000 {
            queue.push(now(), SessionId(id), RequestId(id), weight(1));
        }
        for id in 0..500 {
            queue.remove(SessionId(id), RequestId(id), weight(1));
        }
        while queue.pop_ordinary().is_some() {
            queue.left(weight(1));
        }
        assert!(queue.lanes.is_empty() && queue.turns.is_empty() && queue.users.is_empty());
        assert!(queue.unused.len() <= UNUSED_LANES_MAX);
        assert_eq!((queue.len(), queue.bytes()), (0, 0));
    }

    #[test]
    fn the_age_of_a_queue_is_that_of_its_busy_time_not_of_one_request() {
        let mut queue = FairQueue::default();
        let start = now();
        queue.push(start, SessionId(1), RequestId(1), weight(1));
        let later = start + std::time::Duration::from_secs(1);
        queue.push(later, SessionId(1), RequestId(2), weight(1));
        assert_eq!(queue.pop_ordinary(), Some(RequestId(1)));
        queue.left(weight(1));
        assert_eq!(queue.busy_since(), Some(start));
        assert_eq!(queue.pop_ordinary(), Some(RequestId(2)));
        queue.left(weight(1));
        assert_eq!(queue.busy_since(), None);
    }
}
