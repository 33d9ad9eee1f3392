//! Which of two versions is the newer, told without knowing their ecosystem.
//!
//! Dotted numbers are compared as numbers, and a pre-release comes before what it is a pre-release of. Where that does
//! not settle it, nothing is said: an order that is only guessed would call a downgrade an upgrade.

use std::cmp::Ordering;

/// Words that come before the release, in their order.
const BEFORE: [&[&str]; 5] = [
    &["dev", "snapshot", "nightly", "canary"],
    &["alpha", "a"],
    &["beta", "b"],
    &["preview", "pre", "milestone", "m", "next"],
    &["rc", "c", "cr"],
];

/// Words that come after it.
const AFTER: [&str; 4] = ["post", "patch", "p", "sp"];

/// Returns how two versions compare; nothing where that cannot be known.
pub(super) fn compare(one: &str, other: &str) -> Option<Ordering> {
    let (one, other) = (Version::parse(one)?, Version::parse(other)?);
    let longest = one.numbers.len().max(other.numbers.len());
    let number = |version: &Version<'_>, at: usize| version.numbers.get(at).copied().unwrap_or_default().to_owned();
    for at in 0..longest {
        match by_number(&number(&one, at), &number(&other, at)) {
            Ordering::Equal => {}
            order => return Some(order),
        }
    }
    by_rest(one.rest, other.rest)
}

/// Returns the leading numbers of a version, at most `most`; by these, neighbours are found.
pub(super) fn leading(version: &str, most: usize) -> String {
    let plain = version.strip_prefix(['v', 'V']).unwrap_or(version);
    plain.split(['.', '-', '+']).take(most).collect::<Vec<_>>().join(".")
}

/// The dotted numbers that a version begins with, and what follows.
struct Version<'a> {
    numbers: Vec<&'a str>,
    rest: &'a str,
}

impl<'a> Version<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
        // What a build is called says nothing about its order.
        let text = text.split_once('+').map_or(text, |(version, _)| version);
        let sound = |c: u8| c.is_ascii_alphanumeric() || b".-_".contains(&c);
        if !text.bytes().all(sound) || is_content_id(text) {
            return None;
        }
        let mut numbers = Vec::new();
        let mut rest = text;
        loop {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (number, after) = rest.split_at_checked(digits).filter(|(number, _)| !number.is_empty())?;
            numbers.push(number);
            rest = after;
            match after.strip_prefix('.') {
                Some(more) if more.starts_with(|c: char| c.is_ascii_digit()) => rest = more,
                _ => break,
            }
        }
        let word = tokens(rest).next();
        let joined = rest.starts_with(|c: char| c.is_ascii_alphabetic());
        if joined && word.is_none_or(|word| rank(word).is_none()) {
            return None;
        }
        Some(Self { numbers, rest })
    }
}

/// Says whether it is a commit or a digest rather than a version.
fn is_content_id(text: &str) -> bool {
    let hex = text.len() >= 7 && text.bytes().all(|c| c.is_ascii_hexdigit());
    hex && (text.len() >= 20 || text.bytes().any(|c| c.is_ascii_alphabetic()))
}

/// Compares decimal numbers of any length.
fn by_number(one: &str, other: &str) -> Ordering {
    let (one, other) = (one.trim_start_matches('0'), other.trim_start_matches('0'));
    one.len().cmp(&other.len()).then_with(|| one.cmp(other))
}

/// Parts a text where digits and letters meet, and at separators.
fn tokens(text: &str) -> impl Iterator<Item = &str> {
    text.split(['.', '-', '_']).flat_map(|part| {
        let mut rest = part;
        std::iter::from_fn(move || {
            let first = rest.bytes().next()?.is_ascii_digit();
            let length = rest.bytes().take_while(|c| c.is_ascii_digit() == first).count();
            let (token, after) = rest.split_at_checked(length)?;
            rest = after;
            Some(token)
        })
    })
}

/// Returns where a word stands about the release, which is 0.
fn rank(word: &str) -> Option<i8> {
    let word = word.to_ascii_lowercase();
    if AFTER.contains(&word.as_str()) {
        return Some(1);
    }
    let before = (-5_i8..).zip(BEFORE).find(|(_, words)| words.contains(&word.as_str()))?;
    Some(before.0)
}

fn by_rest(one: &str, other: &str) -> Option<Ordering> {
    let (mut one, mut other) = (tokens(one), tokens(other));
    loop {
        let order = match (one.next(), other.next()) {
            (None, None) => return Some(Ordering::Equal),
            (Some(a), None) => return beyond(a),
            (None, Some(b)) => return beyond(b).map(Ordering::reverse),
            (Some(a), Some(b)) => match (is_number(a), is_number(b)) {
                (true, true) => by_number(a, b),
                _ if a.eq_ignore_ascii_case(b) => Ordering::Equal,
                (false, false) => rank(a)?.cmp(&rank(b)?),
                _ => return None,
            },
        };
        if order != Ordering::Equal {
            return Some(order);
        }
    }
}

/// Returns how a version with this further token compares with one that has nothing there.
fn beyond(token: &str) -> Option<Ordering> {
    rank(token).map(|rank| rank.cmp(&0))
}

fn is_number(token: &str) -> bool {
    token.bytes().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_count_as_numbers_and_pre_releases_come_before() {
        for (older, newer) in [
            ("1.9.0", "1.10.0"),
            ("v1.2", "1.2.1"),
            ("1.0.0-alpha.1", "1.0.0-alpha.2"),
            ("1.0.0-alpha", "1.0.0-rc.1"),
            ("1.0rc1", "1.0"),
            ("2.0b2", "2.0rc1"),
            ("1.0", "1.0.post1"),
            ("1.0.dev3", "1.0"),
            ("3.19-alpine", "3.20-alpine"),
            ("4.2-SNAPSHOT", "4.2"),
            ("1.99999999999999999999998", "1.99999999999999999999999"),
            ("v0.0.0-20190101000000-aaaaaaaaaaaa", "v0.0.0-20200101000000-bbbbbbbbbbbb"),
        ] {
            assert_eq!(compare(older, newer), Some(Ordering::Less), "{older} {newer}");
            assert_eq!(compare(newer, older), Some(Ordering::Greater), "{newer} {older}");
        }
        assert_eq!(compare("1.0", "v1.0.0+build"), Some(Ordering::Equal));
    }

    #[test]
    fn what_cannot_be_known_is_not_said() {
        for (one, other) in [
            ("main", "1.0"),
            ("1.0-jre", "1.0-android"),
            ("1.0", "1.0-jre"),
            ("0123456789abcdef0123456789abcdef01234567", "1123456789abcdef0123456789abcdef01234567"),
            ("1!2.0", "3.0"),
            ("", "1"),
            ("9x", "10x"),
            ("1.0-1", "1.0-rc"),
        ] {
            assert_eq!(compare(one, other), None, "{one} {other}");
        }
    }
}
