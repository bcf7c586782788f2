//! Who may call a pool's methods.

/// The users and groups that may, by what the operating system calls them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PoolAccess {
    users: Vec<String>,
    groups: Vec<String>,
}

impl PoolAccess {
    /// For these users and the members of these groups; where both are empty, for everybody.
    #[must_use]
    pub const fn new(users: Vec<String>, groups: Vec<String>) -> Self {
        Self { users, groups }
    }

    /// Whether everybody may.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.users.is_empty() && self.groups.is_empty()
    }

    /// Whether it matters in which groups somebody is.
    #[must_use]
    pub const fn asks_for_groups(&self) -> bool {
        !self.groups.is_empty()
    }

    /// Whether a user in these groups may.
    #[must_use]
    pub fn permits(&self, user: &str, groups: &[String]) -> bool {
        self.is_open()
            || self.users.iter().any(|permitted| permitted == user)
            || self.groups.iter().any(|group| groups.contains(group))
    }

    /// Whether what a user has left behind may be done, such as a job. Its groups are not known any more; they were looked
    /// at when it was left.
    #[must_use]
    pub fn permits_later(&self, user: &str) -> bool {
        self.asks_for_groups() || self.permits(user, &[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names<const COUNT: usize>(names: [&str; COUNT]) -> Vec<String> {
        names.map(str::to_owned).into()
    }

    #[test]
    fn a_pool_that_names_nobody_is_for_everybody() {
        let access = PoolAccess::default();
        assert!(access.permits("1000", &[]) && access.permits("", &[]));
        assert!(access.permits_later("1000") && !access.asks_for_groups());
    }

    #[test]
    fn a_pool_that_names_some_is_for_them_and_for_nobody_else() {
        let access = PoolAccess::new(names(["1000"]), names(["50", "51"]));
        assert!(access.permits("1000", &[]));
        assert!(access.permits("1001", &names(["7", "51"])));
        assert!(!access.permits("1001", &names(["7"])));
        assert!(!access.permits("", &[]), "nobody knows who that is");
    }

    #[test]
    fn what_was_left_behind_is_looked_at_again_as_far_as_that_goes() {
        let by_user = PoolAccess::new(names(["1000"]), Vec::new());
        assert!(by_user.permits_later("1000") && !by_user.permits_later("1001"));
        let by_group = PoolAccess::new(Vec::new(), names(["50"]));
        assert!(by_group.permits_later("1001"));
    }
}
