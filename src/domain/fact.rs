//! What a recogniser read out of an item: typed, canonical, and free of secrets.
//!
//! Never here: how a fact was found. Map keys are kept in the order of RFC 8949 §4.2.1 when stored.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::shown::Show as _;

/// Named facts of one item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts(BTreeMap<String, Fact>);

/// One fact's value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fact {
    /// True or false.
    Flag(bool),
    /// A whole number.
    Number(i64),
    /// Text.
    Text(String),
    /// Values in an order that matters, or sorted by the recogniser where it does not.
    List(Vec<Self>),
    /// Named values.
    Map(Facts),
}

impl Facts {
    /// Returns no facts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a fact.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Fact>) {
        self.0.insert(name.into(), value.into());
    }

    /// Sets a fact when there is a value.
    pub fn set_some(&mut self, name: impl Into<String>, value: Option<impl Into<Fact>>) {
        if let Some(value) = value {
            self.set(name, value);
        }
    }

    /// Returns the fact of that name.
    pub fn find(&self, name: &str) -> Option<&Fact> {
        self.0.get(name)
    }

    /// Returns the fact of that name when it is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.0.get(name) {
            Some(Fact::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Returns the fact of that name when it is a number.
    pub fn number(&self, name: &str) -> Option<i64> {
        match self.0.get(name) {
            Some(Fact::Number(number)) => Some(*number),
            _ => None,
        }
    }

    /// Returns the fact of that name when it is true or false.
    pub fn flag(&self, name: &str) -> Option<bool> {
        match self.0.get(name) {
            Some(Fact::Flag(flag)) => Some(*flag),
            _ => None,
        }
    }

    /// Returns the fact of that name when it is a list.
    pub fn list(&self, name: &str) -> &[Fact] {
        match self.0.get(name) {
            Some(Fact::List(list)) => list,
            _ => &[],
        }
    }

    /// Returns names and values, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Fact)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Says whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl PartialOrd for Facts {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Facts {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}

impl From<bool> for Fact {
    fn from(value: bool) -> Self {
        Self::Flag(value)
    }
}

impl From<i64> for Fact {
    fn from(value: i64) -> Self {
        Self::Number(value)
    }
}

impl From<u32> for Fact {
    fn from(value: u32) -> Self {
        Self::Number(value.into())
    }
}

impl From<&str> for Fact {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Fact {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<Facts> for Fact {
    fn from(value: Facts) -> Self {
        Self::Map(value)
    }
}

impl<T: Into<Self>> From<Vec<T>> for Fact {
    fn from(values: Vec<T>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

/// One line of text, for people: lists with commas, maps as `name=value`.
impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => write!(f, "{}", text.shown()),
            Self::List(list) => join(f, list.iter(), |f, value| write!(f, "{value}")),
            Self::Map(facts) => join(f, facts.iter(), |f, (name, value)| write!(f, "{}={value}", name.shown())),
        }
    }
}

fn join<T>(
    f: &mut fmt::Formatter<'_>,
    values: impl Iterator<Item = T>,
    mut write: impl FnMut(&mut fmt::Formatter<'_>, T) -> fmt::Result,
) -> fmt::Result {
    f.write_str("[")?;
    for (index, value) in values.enumerate() {
        if index > 0 {
            f.write_str(", ")?;
        }
        write(f, value)?;
    }
    f.write_str("]")
}

impl Serialize for Facts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // The length is part of a text key's first bytes, so shorter keys come first.
        let mut sorted: Vec<_> = self.0.iter().collect();
        sorted.sort_by_key(|(name, _)| (name.len(), name.as_bytes()));
        let mut map = serializer.serialize_map(Some(sorted.len()))?;
        for (name, value) in sorted {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Facts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::deserialize(deserializer).map(Self)
    }
}

impl Serialize for Fact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Flag(flag) => flag.serialize(serializer),
            Self::Number(number) => number.serialize(serializer),
            Self::Text(text) => text.serialize(serializer),
            Self::List(list) => list.serialize(serializer),
            Self::Map(facts) => facts.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Fact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FactVisitor)
    }
}

struct FactVisitor;

impl<'de> Visitor<'de> for FactVisitor {
    type Value = Fact;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a flag, a number, text, a list or a map")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Fact, E> {
        Ok(Fact::Flag(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Fact, E> {
        Ok(Fact::Number(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Fact, E> {
        i64::try_from(value).map(Fact::Number).map_err(|_| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Fact, E> {
        Ok(Fact::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Fact, E> {
        Ok(Fact::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Fact, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = access.next_element()? {
            list.push(value);
        }
        Ok(Fact::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Fact, A::Error> {
        let mut facts = Facts::new();
        while let Some((name, value)) = access.next_entry::<String, Fact>()? {
            facts.set(name, value);
        }
        Ok(Fact::Map(facts))
    }
}
