//! One table of the file while it is being read: it knows which keys were asked for, so that what is left is unknown.

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    Settings,
    mistake::{Misread, Mistakes, nearest},
    values::Setting,
};

/// One table of the file.
pub(super) struct Section<'a> {
    /// As the header names it, such as `pools.reports`; empty for the file itself.
    name: String,
    table: &'a DeTable<'a>,
    /// Where the table begins.
    at: usize,
    known: Vec<&'static str>,
    /// Keys whose values could not be read: one complaint about each is enough.
    failed: Vec<&'static str>,
    mistakes: &'a mut Mistakes,
}

impl<'a> Section<'a> {
    /// The file itself.
    pub(super) fn whole(table: &'a DeTable<'a>, mistakes: &'a mut Mistakes) -> Self {
        Self {
            name: String::new(),
            table,
            at: 0,
            known: Vec::new(),
            failed: Vec::new(),
            mistakes,
        }
    }

    /// Reads a setting if it is there.
    pub(super) fn set<T: Setting>(&mut self, key: &'static str, into: &mut T) {
        self.known.push(key);
        let Some(value) = self.value(key) else { return };
        match T::read(value) {
            Ok(value) => *into = value,
            Err((at, mut what)) => {
                what.message = format!("`{key}`: {}", what.message);
                self.mistakes.note(at, what);
                self.failed.push(key);
            }
        }
    }

    /// Reads a table if it is there; afterwards every key that nobody asked for is a mistake.
    pub(super) fn table(&mut self, key: &'static str, read: impl FnOnce(&mut Section<'_>)) {
        self.known.push(key);
        self.inner(key, |section| {
            read(section);
            section.report_unknown();
        });
    }

    /// Reads a table whose keys are names that the user chooses; each holds a table.
    pub(super) fn tables(
        &mut self,
        key: &'static str,
        mut read: impl FnMut(&str, &mut Section<'_>),
    ) {
        self.known.push(key);
        self.inner(key, |section| {
            let names: Vec<String> = section
                .table
                .keys()
                .map(|name| name.get_ref().to_string())
                .collect();
            for name in names {
                section.inner(&name, |inner| {
                    read(&name, inner);
                    inner.report_unknown();
                });
            }
        });
    }

    fn inner(&mut self, key: &str, read: impl FnOnce(&mut Section<'_>)) {
        let Some((spanned, value)) = self.table.iter().find(|(name, _)| name.get_ref() == key)
        else {
            return;
        };
        let name = if self.name.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.name)
        };
        match value.get_ref() {
            DeValue::Table(table) => {
                let at = spanned.span().start;
                let (known, failed) = (Vec::new(), Vec::new());
                let mistakes = &mut *self.mistakes;
                read(&mut Section {
                    name,
                    table,
                    at,
                    known,
                    failed,
                    mistakes,
                });
            }
            _ => {
                let what = Misread::new(
                    format!("`{key}` is a table of settings"),
                    format!("write [{name}]"),
                );
                self.mistakes.note(value.span().start, what);
            }
        }
    }

    fn value(&self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.table
            .iter()
            .find(|(name, _)| name.get_ref() == key)
            .map(|(_, value)| value)
    }

    /// Notes a mistake at the first of `keys` that the file has, or at the table itself, unless `holds`.
    pub(super) fn require(&mut self, keys: &[&str], holds: bool, what: impl FnOnce() -> Misread) {
        if !holds && !keys.iter().any(|key| self.failed.contains(key)) {
            let at = keys
                .iter()
                .find_map(|key| self.value(key))
                .map_or(self.at, |value| value.span().start);
            self.mistakes.note(at, what());
        }
    }

    /// Notes every key that nobody has asked for.
    pub(super) fn report_unknown(&mut self) {
        for key in self.table.keys() {
            let name = key.get_ref().as_ref();
            if self.known.contains(&name) {
                continue;
            }
            let place = match self.name.as_str() {
                "" => "is not a section of this file".to_owned(),
                section => format!("is not a setting of [{section}]"),
            };
            let what = Misread::new(format!("`{name}` {place}"), self.hint(name));
            self.mistakes.note(key.span().start, what);
        }
    }

    /// What was meant: the table that has such a key, or a key of this table that is spelled alike.
    fn hint(&self, name: &str) -> String {
        let own = &self.name.split('.').take(2).collect::<Vec<_>>();
        let mut homes = Vec::new();
        find_homes(
            &mut homes,
            "",
            name,
            &toml::Table::try_from(Settings::default()).unwrap_or_default(),
        );
        // The example pool stands for every pool; the one that the mistake is in is the best example.
        if let [section, pool] = own[..]
            && section == "pools"
        {
            homes
                .iter_mut()
                .for_each(|home| *home = home.replacen(Settings::BUILTIN_POOL, pool, 1));
        }
        let near = || nearest(name, self.known.iter().copied());
        match homes.first().ok_or_else(near) {
            Ok(home) => format!("`{name}` belongs in [{home}]"),
            Err(Some(near)) => format!("did you mean `{near}`?"),
            Err(None) if self.name.is_empty() => {
                format!("the sections are: {}", self.known.join(", "))
            }
            Err(None) => format!(
                "the settings of [{}] are: {}",
                self.name,
                self.known.join(", ")
            ),
        }
    }
}

fn find_homes(homes: &mut Vec<String>, path: &str, name: &str, table: &toml::Table) {
    for (key, value) in table {
        if key == name && !path.is_empty() {
            homes.push(path.to_owned());
        }
        if let toml::Value::Table(inner) = value {
            let path = if path.is_empty() {
                key.clone()
            } else {
                format!("{path}.{key}")
            };
            find_homes(homes, &path, name, inner);
        }
    }
}
