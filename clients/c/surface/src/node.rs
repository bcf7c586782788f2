//! A value that is being built: the arguments of a call, or the answer to a callback.

use rmp::encode::{self as pack, ValueWriteError};

use crate::{
    code::Code,
    codepage::{Codepage, Pieces, no_room, reserve},
    failure::Failure,
    path::{DEPTH_MAX, Step},
};

/// A value.
#[derive(Debug)]
pub(crate) enum Node {
    Null,
    Bool(bool),
    Int(i64),
    Unsigned(u64),
    Number(f64),
    Text(String),
    /// A text that is appended to.
    Growing(String, Pieces),
    Bytes(Vec<u8>),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

/// What a program has built so far: nothing, or a value.
#[derive(Debug, Default)]
pub(crate) struct Built(Option<Node>);

impl Built {
    /// Puts a value at the end of a path, and makes the lists and maps on the way.
    pub(crate) fn set(&mut self, steps: &[Step], node: Node) -> Result<(), Failure> {
        check_depth(steps, &node)?;
        // A way that ends in an error must not leave half of itself behind, so it is looked at before it is made.
        self.check(steps)?;
        let mut here = self.0.get_or_insert(Node::Null);
        for step in steps {
            here = here.enter(step)?;
        }
        *here = node;
        Ok(())
    }

    /// Appends a piece to the text at the end of a path.
    pub(crate) fn append_text(
        &mut self,
        steps: &[Step],
        piece: &[u8],
        page: &Codepage,
    ) -> Result<(), Failure> {
        match self.find(steps)? {
            None => {
                let (mut text, mut pieces) = (String::new(), page.begin_pieces());
                pieces.append(page, &mut text, piece)?;
                self.set(steps, Node::Growing(text, pieces))
            }
            Some(Node::Growing(text, pieces)) => pieces.append(page, text, piece),
            Some(node @ Node::Text(_)) => {
                let Node::Text(text) = node else {
                    return Ok(());
                };
                let (mut text, mut pieces) = (std::mem::take(text), page.begin_pieces());
                let appended = pieces.append(page, &mut text, piece);
                *node = Node::Growing(text, pieces);
                appended
            }
            Some(_) => Err(wrong_type("no text")),
        }
    }

    /// Appends to the bytes at the end of a path.
    pub(crate) fn append_bytes(&mut self, steps: &[Step], piece: &[u8]) -> Result<(), Failure> {
        match self.find(steps)? {
            None => self.set(steps, Node::Bytes(copy(piece)?)),
            Some(Node::Bytes(bytes)) => {
                let room = bytes.try_reserve(piece.len());
                room.map_err(|_| no_room(piece.len()))?;
                bytes.extend_from_slice(piece);
                Ok(())
            }
            Some(_) => Err(wrong_type("no bytes")),
        }
    }

    /// What is at the end of a path.
    fn find(&mut self, steps: &[Step]) -> Result<Option<&mut Node>, Failure> {
        self.check(steps)?;
        let mut here = self.0.as_mut();
        for step in steps {
            here = match (here, step) {
                (Some(Node::List(items)), step) => {
                    let place = place_in(items.len(), step)?;
                    items.get_mut(place)
                }
                (Some(Node::Map(entries)), Step::Name(name)) => entries
                    .iter_mut()
                    .find(|(known, _)| known == name)
                    .map(|(_, value)| value),
                (Some(Node::Map(entries)), Step::Place(place)) => {
                    entries.get_mut(*place).map(|(_, value)| value)
                }
                _ => None,
            };
        }
        Ok(here)
    }

    /// Whether a value could be put at the end of a path.
    fn check(&self, steps: &[Step]) -> Result<(), Failure> {
        let mut here = self.0.as_ref();
        for step in steps {
            here = match (here, step) {
                (None | Some(Node::Null | Node::Map(_)), Step::Name(name)) => match here {
                    Some(Node::Map(entries)) => entries
                        .iter()
                        .find(|(known, _)| known == name)
                        .map(|(_, value)| value),
                    _ => None,
                },
                (Some(Node::Map(entries)), Step::Place(place)) => {
                    let entry = entries.get(*place).map(|(_, value)| value);
                    Some(entry.ok_or_else(|| no_entry(*place, entries.len()))?)
                }
                (Some(Node::List(items)), step) => items.get(place_in(items.len(), step)?),
                (None | Some(Node::Null), Step::Place(place)) => return Err(no_entry(*place, 0)),
                (None | Some(Node::Null), step) => {
                    place_in(0, step)?;
                    None
                }
                (Some(node), step) => return Err(no_way(node, step)),
            };
        }
        Ok(())
    }

    /// The value, for the answer to a callback; nil if nothing was set.
    pub(crate) fn encode(&mut self) -> Result<Vec<u8>, Failure> {
        let mut out = Vec::new();
        match &mut self.0 {
            None => out.push(0xc0),
            Some(node) => node.encode(&mut out)?,
        }
        Ok(out)
    }

    /// How many levels of lists and maps the parameters of a call have.
    pub(crate) fn params_depth(&self) -> usize {
        match &self.0 {
            None => 1,
            Some(list @ Node::List(_)) => list.depth(),
            Some(node) => 1 + node.depth(),
        }
    }

    /// The parameters of a call: the one map of its arguments, or a list of them.
    pub(crate) fn encode_params(&mut self) -> Result<Vec<u8>, Failure> {
        let mut out = Vec::new();
        match &mut self.0 {
            None => out.push(0x90),
            Some(list @ Node::List(_)) => list.encode(&mut out)?,
            Some(node) => {
                out.push(0x91);
                node.encode(&mut out)?;
            }
        }
        Ok(out)
    }
}

impl Node {
    /// One step down, to what is there or to a new nil.
    fn enter(&mut self, step: &Step) -> Result<&mut Node, Failure> {
        if matches!(self, Node::Null) {
            *self = match step {
                Step::Name(_) | Step::Place(_) => Node::Map(Vec::new()),
                Step::Item(_) | Step::FromEnd(_) | Step::Behind => Node::List(Vec::new()),
            };
        }
        match (self, step) {
            (Node::List(items), step) => {
                let place = place_in(items.len(), step)?;
                if place == items.len() {
                    items.push(Node::Null);
                }
                Ok(&mut items[place])
            }
            (Node::Map(entries), Step::Name(name)) => {
                let known = entries.iter().position(|(known, _)| known == name);
                let place = known.unwrap_or_else(|| {
                    entries.push((name.clone(), Node::Null));
                    entries.len() - 1
                });
                Ok(&mut entries[place].1)
            }
            (Node::Map(entries), Step::Place(place)) => {
                let count = entries.len();
                let entry = entries.get_mut(*place);
                entry
                    .map(|(_, value)| value)
                    .ok_or_else(|| no_entry(*place, count))
            }
            (node, step) => Err(no_way(node, step)),
        }
    }

    /// How many levels of lists and maps there are in it.
    fn depth(&self) -> usize {
        match self {
            Node::List(items) => 1 + items.iter().map(Node::depth).max().unwrap_or(0),
            Node::Map(entries) => {
                let depths = entries.iter().map(|(_, value)| value.depth());
                1 + depths.max().unwrap_or(0)
            }
            _ => 0,
        }
    }

    fn encode(&mut self, out: &mut Vec<u8>) -> Result<(), Failure> {
        if let Node::Text(text) | Node::Growing(text, _) = self {
            room_for(out, text.len())?;
        }
        if let Node::Growing(_, pieces) = self
            && !pieces.finish()
        {
            let why = "A text that was appended in pieces ends in the middle of a character.";
            return Err(Failure::new(Code::BadText, why));
        }
        let written = match self {
            Node::Null => pack::write_nil(out).map_err(ValueWriteError::InvalidMarkerWrite),
            Node::Bool(value) => {
                pack::write_bool(out, *value).map_err(ValueWriteError::InvalidMarkerWrite)
            }
            Node::Int(value) => pack::write_sint(out, *value).map(|_| ()),
            Node::Unsigned(value) => pack::write_uint(out, *value).map(|_| ()),
            Node::Number(value) => pack::write_f64(out, *value),
            Node::Text(text) | Node::Growing(text, _) => {
                check_length(text.len())?;
                pack::write_str(out, text)
            }
            Node::Bytes(bytes) => {
                check_length(bytes.len())?;
                room_for(out, bytes.len())?;
                pack::write_bin(out, bytes)
            }
            Node::List(items) => {
                let count = check_length(items.len())?;
                let begun = pack::write_array_len(out, count).map(|_| ());
                for item in items {
                    item.encode(out)?;
                }
                begun
            }
            Node::Map(entries) => {
                let count = check_length(entries.len())?;
                let begun = pack::write_map_len(out, count).map(|_| ());
                for (name, value) in entries {
                    pack::write_str(out, name).expect("a Vec takes every byte");
                    value.encode(out)?;
                }
                begun
            }
        };
        written.expect("a Vec takes every byte");
        Ok(())
    }
}

/// A copy, if there is room for one.
pub(crate) fn copy(bytes: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut out = Vec::new();
    room_for(&mut out, bytes.len())?;
    out.extend_from_slice(bytes);
    Ok(out)
}

/// The same of a text.
pub(crate) fn copy_text(text: &str) -> Result<String, Failure> {
    let mut out = String::new();
    reserve(&mut out, text.len())?;
    out.push_str(text);
    Ok(out)
}

fn room_for(out: &mut Vec<u8>, length: usize) -> Result<(), Failure> {
    // With a little more for what stands around it.
    out.try_reserve(length + 16).map_err(|_| no_room(length))
}

fn check_length(length: usize) -> Result<u32, Failure> {
    u32::try_from(length).map_err(|_| {
        let why = format!("A value of {length} bytes or items is more than a message can have.");
        Failure::new(Code::Limit, why)
    })
}

/// The place that a step means in a list of so many items; the place behind the last is one.
fn place_in(count: usize, step: &Step) -> Result<usize, Failure> {
    let place = match step {
        Step::Behind => Some(count),
        Step::Item(place) => Some(*place).filter(|place| *place <= count),
        Step::FromEnd(back) => count.checked_sub(*back),
        Step::Name(name) => {
            let why = format!("The path leads to \"{name}\" in a list, which has no names.");
            return Err(Failure::new(Code::BadPath, why));
        }
        Step::Place(_) => {
            let why =
                "The path leads to an entry by its place (#) in a list; items are in brackets.";
            return Err(Failure::new(Code::BadPath, why));
        }
    };
    place.ok_or_else(|| {
        let why = format!("A list of {count} items has no such place; it grows by one at a time.");
        Failure::new(Code::BadPath, why)
    })
}

fn no_entry(place: usize, count: usize) -> Failure {
    let why = format!("There is no entry #{place} in a map of {count}.");
    Failure::new(Code::BadPath, why)
}

fn no_way(node: &Node, step: &Step) -> Failure {
    let what = match node {
        Node::Map(_) => "a map, whose entries have names",
        _ => "neither a list nor a map",
    };
    let to = match step {
        Step::Name(name) => format!("\"{name}\""),
        Step::Place(place) => format!("#{place}"),
        _ => "an item".to_owned(),
    };
    let why = format!("The path leads to {to} in {what}.");
    Failure::new(Code::BadPath, why)
}

fn wrong_type(what: &str) -> Failure {
    let why = format!("There is {what} at the path to append to.");
    Failure::new(Code::WrongType, why)
}

fn check_depth(steps: &[Step], node: &Node) -> Result<(), Failure> {
    let depth = steps.len() + node.depth();
    if depth > DEPTH_MAX {
        let why = format!("Values nest {depth} levels there, and {DEPTH_MAX} are possible.");
        return Err(Failure::new(Code::Limit, why));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
