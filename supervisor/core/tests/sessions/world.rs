//! The world: whose turn it is, and who does harm when.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use standin_core::{Random, WorkerId, pool::PoolSettings, session::MemoryLimits};
use standin_protocol::Replay;

use crate::{
    checker::Asked,
    client::Client,
    connection::{Connection, ConnectionId, Uid},
    coverage::Seen,
    service::Service,
    session::SessionMail,
    store::{Store, Token},
};

/// After so many steps nobody does harm any more.
const CALM_AFTER: u32 = 400;

/// Far more than a life needs that comes to rest.
const STEPS_MAX: u32 = 40_000;

/// One step takes this long.
const STEP: Duration = Duration::from_micros(50);

/// A seed's numbers, drawn in the ways that are needed here.
#[derive(Debug)]
pub(crate) struct Dice(Random);

impl Dice {
    pub(crate) fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0.below(bound)
    }

    pub(crate) fn one_in(&mut self, count: u64) -> bool {
        self.0.below(count) == 0
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let place = self.0.below(from.len().max(1) as u64);
        from.get(place as usize)
    }
}

pub(crate) struct World {
    pub(crate) random: Dice,
    pub(crate) now: Instant,
    pub(crate) settings: PoolSettings,
    pub(crate) concurrency: u32,
    pub(crate) requests_max: usize,
    pub(crate) memory: MemoryLimits,
    /// One in so many steps does harm.
    harm: u64,
    pub(crate) calls: Vec<Asked>,
    pub(crate) clients: Vec<Client>,
    pub(crate) connections: BTreeMap<ConnectionId, Connection>,
    pub(crate) store: Store,
    /// `None`: it is dead.
    pub(crate) service: Option<Service>,
    pub(crate) steps_of_service: u32,
    /// Sessions whose clients stayed away too long.
    pub(crate) ended: BTreeSet<Token>,
    pub(crate) is_calm: bool,
    pub(crate) last_connection: u64,
    pub(crate) last_session: u64,
    pub(crate) last_token: Token,
    pub(crate) last_request: u64,
    pub(crate) last_run: u64,
    pub(crate) seen: Seen,
    /// `None`: nobody listens.
    pub(crate) story: Option<Vec<String>>,
}

impl World {
    pub(crate) fn new(seed: u64, start: Instant) -> World {
        let mut random = Dice(Random::new(seed));
        let settings = PoolSettings {
            workers_max: 1 + random.below(2) as u32,
            spare: random.below(2) as u32,
            queue_wait: Duration::from_secs(100_000),
            ..PoolSettings::default()
        };
        let client = |random: &mut Dice| Client {
            connection: None,
            token: None,
            welcomed: false,
            next: 0,
            mine: BTreeMap::new(),
            acked: None,
            to_ask: 2 + random.below(7),
        };
        World {
            now: start,
            settings,
            concurrency: 1 + random.below(2) as u32,
            requests_max: 2 + random.below(6) as usize,
            memory: MemoryLimits {
                answers_max: 1 + random.below(6) as usize,
                bytes_max: 300 + random.below(2000) as usize,
            },
            harm: 6 + random.below(60),
            calls: Vec::new(),
            clients: (0..1 + random.below(3))
                .map(|_| client(&mut random))
                .collect(),
            connections: BTreeMap::new(),
            store: Store::default(),
            service: None,
            steps_of_service: 0,
            ended: BTreeSet::new(),
            is_calm: false,
            last_connection: 0,
            last_session: 0,
            last_token: 0,
            last_request: 0,
            last_run: 0,
            seen: Seen::new(),
            story: None,
            random,
        }
    }

    pub(crate) fn live(&mut self) {
        let mut steps = 0;
        while !(self.is_calm && self.clients.iter().all(Client::is_done)) {
            steps += 1;
            self.steps_of_service += 1;
            self.is_calm = steps > CALM_AFTER;
            assert!(steps < STEPS_MAX, "when all is calm, all is answered");
            self.step();
        }
    }

    fn step(&mut self) {
        self.now += STEP;
        if self.service.is_none() {
            if self.random.one_in(8) {
                self.starts();
            } else {
                self.client_acts();
            }
            return;
        }
        if !self.is_calm && self.random.one_in(self.harm) {
            return self.harm();
        }
        match self.random.below(16) {
            0..4 => self.client_acts(),
            4..7 => self.reads(),
            7..10 => self.session_handles(),
            10..12 => self.pool_handles(),
            12..14 => self.worker_acts(),
            14 => self.commits(),
            _ => self.time_passes(),
        }
    }

    fn harm(&mut self) {
        match self.random.below(10) {
            0..4 => self.cut(),
            4 => self.leave_open(),
            5..7 => self.kill_worker(),
            7 => self.linger_over(),
            _ => self.dies(),
        }
    }

    /// What is on its way is lost or half lost; the client sees it at once, the service when it reads.
    fn cut(&mut self) {
        let who = self.random.below(self.clients.len() as u64) as usize;
        let Some(id) = self.clients[who].connection else {
            return;
        };
        self.tell(|| format!("the connection of client {who} is cut"));
        self.seen.insert("a connection broke in both directions");
        let connection = self.connections.get_mut(&id).expect("it is known");
        let arrives = self.random.below(connection.up.len() as u64 + 1);
        connection.up.truncate(arrives as usize);
        connection.up_closed = true;
        self.connection_lost(who);
    }

    /// The client takes its connection for dead and comes back over another one; the service knows nothing of that.
    fn leave_open(&mut self) {
        let who = self.random.below(self.clients.len() as u64) as usize;
        if self.clients[who].token.is_none() || self.clients[who].connection.is_none() {
            return;
        }
        self.seen
            .insert("a client came back over a second connection while it had the first");
        self.connection_lost(who);
    }

    fn kill_worker(&mut self) {
        let workers = self.service().workers.iter();
        let alive = workers.filter(|(_, worker)| worker.ready && !worker.dead);
        let alive: Vec<WorkerId> = alive.map(|(id, _)| *id).collect();
        if let Some(id) = self.random.pick(&alive).copied() {
            self.worker_dies(id);
        }
    }

    fn linger_over(&mut self) {
        let sessions = self.service().sessions.iter();
        let left = sessions.filter(|(_, session)| session.link.is_none());
        let left: Vec<_> = left.map(|(id, session)| (*id, session.epoch)).collect();
        if let Some((id, epoch)) = self.random.pick(&left).copied() {
            self.session_mail(id, SessionMail::LingerOver(epoch));
        }
    }

    fn time_passes(&mut self) {
        let wakeup = self.service().pool.next_wakeup();
        let soon = self.now + Duration::from_secs(60);
        if let Some(wakeup) = wakeup.filter(|wakeup| *wakeup < soon) {
            self.now = self.now.max(wakeup);
            self.feed(standin_core::pool::Event::TimePassed, None);
        }
    }

    pub(crate) fn new_call(&mut self) -> Uid {
        let replay = match self.random.below(3) {
            0 => Replay::Always,
            1 => Replay::UntilEffect,
            _ => Replay::Never,
        };
        self.calls.push(Asked {
            replay,
            begun: 0,
            effects: 0,
            touched: false,
            never_happened: false,
        });
        self.calls.len() - 1
    }

    pub(crate) fn tell(&mut self, what: impl FnOnce() -> String) {
        if let Some(story) = &mut self.story {
            story.push(what());
        }
    }
}
