//! Terms as `mix.lock` (Elixir) and `rebar.lock` (Erlang) write them: atoms, texts, lists, tuples, maps.
//!
//! Never here: evaluation. What is no literal is refused; nesting is bounded.

/// No lock nests deeper.
const DEEPEST: usize = 32;

/// One term.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Term {
    /// `:name`, `name`, a number, `true`.
    Atom(String),
    /// `"text"`, `<<"text">>`.
    Text(String),
    /// `[…]`, and a map as the list of its pairs.
    List(Vec<Self>),
    /// `{…}`, and a pair of a map or a keyword list.
    Tuple(Vec<Self>),
}

impl Term {
    /// Returns the name of an atom.
    pub(super) fn atom(&self) -> Option<&str> {
        if let Self::Atom(name) = self { Some(name) } else { None }
    }

    /// Returns a text.
    pub(super) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// Returns the elements of a list.
    pub(super) fn list(&self) -> Option<&[Self]> {
        if let Self::List(elements) = self { Some(elements) } else { None }
    }

    /// Returns the elements of a tuple.
    pub(super) fn tuple(&self) -> Option<&[Self]> {
        if let Self::Tuple(elements) = self { Some(elements) } else { None }
    }

    /// Returns the value under a name in a list of pairs.
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        let pairs = self.list()?.iter().filter_map(Self::tuple);
        pairs
            .filter_map(|pair| Some((pair.first()?.atom()?, pair.get(1)?)))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    }
}

/// Reads all terms of a text; in Erlang each ends with a dot.
///
/// # Errors
/// With the line that is not understood.
pub(super) fn terms(text: &str) -> Result<Vec<Term>, String> {
    let mut parser = Parser { text, at: 0 };
    let mut found = Vec::new();
    loop {
        parser.space();
        while parser.eats(".") {
            parser.space();
        }
        if parser.rest().is_empty() {
            return Ok(found);
        }
        match parser.term(DEEPEST) {
            Some(term) => found.push(term),
            None => return Err(format!("not understood from line {}", parser.line())),
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn line(&self) -> usize {
        let before = self.text.as_bytes().get(..self.at).unwrap_or_default();
        memchr::memchr_iter(b'\n', before).count() + 1
    }

    fn eats(&mut self, what: &str) -> bool {
        let found = self.rest().starts_with(what);
        self.at += if found { what.len() } else { 0 };
        found
    }

    /// Skips space and comments; `%{` begins a map and no comment.
    fn space(&mut self) {
        loop {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start().len();
            let rest = self.rest();
            let is_comment = rest.starts_with('#') || (rest.starts_with('%') && !rest.starts_with("%{"));
            if !is_comment {
                return;
            }
            self.at += memchr::memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len());
        }
    }

    fn term(&mut self, deeper: usize) -> Option<Term> {
        let deeper = deeper.checked_sub(1)?;
        self.space();
        if self.eats("%{") {
            return self.elements("}", deeper).map(Term::List);
        }
        if self.eats("{") {
            return self.elements("}", deeper).map(Term::Tuple);
        }
        if self.eats("[") {
            return self.elements("]", deeper).map(Term::List);
        }
        if self.eats("<<") {
            self.space();
            let text = self.quoted('"')?;
            // `/utf8` names an encoding.
            let end = self.rest().find(">>")?;
            self.at += end + 2;
            return Some(Term::Text(text));
        }
        if self.rest().starts_with('"') {
            return self.quoted('"').map(Term::Text);
        }
        if self.rest().starts_with('\'') {
            return self.quoted('\'').map(Term::Atom);
        }
        if self.eats(":") && self.rest().starts_with('"') {
            return self.quoted('"').map(Term::Atom);
        }
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_alphanumeric() && !"_@!?-".contains(c)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).filter(|name| !name.is_empty()).map(|name| Term::Atom(name.to_owned()))
    }

    fn elements(&mut self, end: &str, deeper: usize) -> Option<Vec<Term>> {
        let mut elements = Vec::new();
        loop {
            self.space();
            if self.eats(end) {
                return Some(elements);
            }
            let mut element = self.term(deeper)?;
            self.space();
            let pairs = self.eats("=>") || (!self.rest().starts_with("::") && self.eats(":"));
            if pairs {
                // `name: value` and `"name": value` have an atom for their key.
                element = Term::Tuple(vec![element, self.term(deeper)?]);
                self.space();
            }
            elements.push(element);
            if !self.eats(",") && !self.rest().starts_with(end) {
                return None;
            }
        }
    }

    fn quoted(&mut self, quote: char) -> Option<String> {
        let mut chars = self.rest().char_indices();
        chars.next().filter(|(_, c)| *c == quote)?;
        let mut text = String::new();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => text.push(chars.next()?.1),
                c if c == quote => {
                    self.at += at + c.len_utf8();
                    return Some(text);
                }
                c => text.push(c),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_are_read() {
        let elixir = "%{\n  \"a\": {:hex, :a, \"1.0\", [only: [:dev], x: true]}, # c\n  \"b\" => {:\"q r\", 3},\n}\n";
        let [Term::List(pairs)] = &terms(elixir).unwrap()[..] else { panic!("one map") };
        assert_eq!(pairs.len(), 2);
        let a = pairs[0].tuple().unwrap();
        assert_eq!(a[0].text(), Some("a"));
        let a = a[1].tuple().unwrap();
        assert_eq!(a[3].get("x").and_then(Term::atom), Some("true"));
        let erlang = "%% c\n{\"1.2.0\",[{<<\"a\">>,{pkg,<<\"b\"/utf8>>,<<\"1\">>},0}]}.\n[{pkg_hash,[]}].\n";
        let found = terms(erlang).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[1].get("pkg_hash"), Some(&Term::List(Vec::new())));
    }

    #[test]
    fn what_is_no_literal_or_too_deep_is_refused() {
        assert_eq!(terms("{a, b\n(c)}"), Err("not understood from line 2".to_owned()));
        for text in ["{".repeat(100_000), "\"open".to_owned(), "[a b]".to_owned(), "<<\"a\"".to_owned()] {
            assert!(terms(&text).is_err());
        }
    }
}
