//! The accounts of all users whom the service knows now: one for each, shared by whatever the service does for that user.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use standin_core::{
    UserId,
    quota::{Account, QuotaLimits},
};

use crate::status::UserStatus;

/// Users that are remembered though the service does nothing for them. Nothing is lost with one but its count of refusals.
const IDLE_USERS_MAX: usize = 256;

/// Every user's account.
#[derive(Debug)]
pub(crate) struct Accounts {
    limits: QuotaLimits,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    accounts: BTreeMap<Arc<str>, Arc<Account>>,
    last: u32,
}

impl Accounts {
    pub(crate) fn new(limits: QuotaLimits) -> Self {
        Self {
            limits,
            known: Mutex::default(),
        }
    }

    pub(crate) const fn limits(&self) -> QuotaLimits {
        self.limits
    }

    /// The account of that user.
    pub(crate) fn of(&self, user: &str) -> Arc<Account> {
        let mut known = self.known();
        if let Some(account) = known.accounts.get(user) {
            return Arc::clone(account);
        }
        if known.accounts.len() >= IDLE_USERS_MAX {
            // One that somebody else holds is in use, whatever its numbers say.
            let is_used = |account: &Arc<Account>| Arc::strong_count(account) > 1;
            known.accounts.retain(|_, account| is_used(account));
        }
        known.last += 1;
        let account = Arc::new(Account::new(UserId(known.last), user, self.limits));
        let name = Arc::clone(account.user());
        known.accounts.insert(name, Arc::clone(&account));
        account
    }

    /// What users have, for `standin.status`; of one user alone if it is for that user.
    pub(crate) fn list(&self, only: Option<&str>) -> Vec<UserStatus> {
        let known = self.known();
        let accounts = known.accounts.values();
        let wanted = accounts.filter(|account| only.is_none_or(|only| **account.user() == *only));
        let shown = wanted.map(|account| UserStatus::new(account.user(), account.usage()));
        shown.filter(UserStatus::is_worth_showing).collect()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().expect("nobody panics while holding it")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts() -> Accounts {
        Accounts::new(QuotaLimits {
            sessions_max: 10,
            requests_max: 10,
            bytes_max: 1000,
        })
    }

    #[test]
    fn a_user_has_one_account_and_another_user_another() {
        let accounts = accounts();
        let (first, again, other) = (accounts.of("1000"), accounts.of("1000"), accounts.of("33"));
        assert!(Arc::ptr_eq(&first, &again));
        assert_ne!(first.number(), other.number());
        let _call = first.charge(7).expect("there is room");
        let _place = other.enter();
        let users = |only| {
            let listed = accounts.list(only).into_iter();
            listed.map(|user| user.user).collect::<Vec<_>>()
        };
        assert_eq!(users(None), ["1000", "33"]);
        assert_eq!(users(Some("33")), ["33"]);
    }

    #[test]
    fn users_who_have_gone_are_forgotten_and_those_who_have_something_are_not() {
        let accounts = accounts();
        let call = accounts.of("busy").charge(7).expect("there is room");
        for user in 0..2 * IDLE_USERS_MAX {
            accounts.of(&user.to_string());
        }
        assert!(accounts.known().accounts.len() <= IDLE_USERS_MAX);
        assert_eq!(accounts.list(Some("busy")).len(), 1);
        drop(call);
        assert!(accounts.list(Some("busy")).is_empty());
    }
}
