//! HCL as blocks and values that know their lines, as Terraform is written in it.
//!
//! Syntax: HCL native syntax 2. Literals and `jsonencode` are read; every other expression keeps its spelling and is
//! not evaluated. What cannot be read is passed over to the next line. Depth is bounded.

use super::tree::{Node, Value};

/// The deepest nesting of blocks and values.
const MAX_DEPTH: usize = 40;

/// `type "label" { … }`
#[derive(Debug)]
pub(super) struct Block {
    pub(super) kind: String,
    pub(super) labels: Vec<String>,
    pub(super) body: Body,
}

/// What stands between braces.
#[derive(Debug, Default)]
pub(super) struct Body {
    pub(super) attributes: Vec<(String, Node)>,
    pub(super) blocks: Vec<Block>,
}

impl Body {
    /// Returns the value of an attribute.
    pub(super) fn get(&self, name: &str) -> Option<&Node> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, node)| node)
    }

    /// Returns the inner blocks of a type; what a `dynamic` block makes counts as one.
    pub(super) fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Self> {
        self.blocks.iter().filter_map(move |block| match block.labels.first() {
            Some(label) if block.kind == "dynamic" && label == kind => {
                block.body.blocks.iter().find(|inner| inner.kind == "content").map(|content| &content.body)
            }
            _ => (block.kind == kind).then_some(&block.body),
        })
    }
}

/// Reads a file.
pub(super) fn read(text: &str) -> Body {
    Reader { text, at: 0, line: 1 }.body(0)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    line: u32,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn next(&mut self) {
        self.line = self.line.saturating_add(u32::from(self.peek() == Some(b'\n')));
        self.at += 1;
    }

    /// Passes over white space and comments; line ends are white space where `lines` says so.
    fn skip(&mut self, lines: bool) {
        while let Some(byte) = self.peek() {
            match byte {
                b'\n' if !lines => return,
                b' ' | b'\t' | b'\r' | b'\n' => self.next(),
                b'#' => self.skip_line(),
                b'/' if self.rest().starts_with("//") => self.skip_line(),
                b'/' if self.rest().starts_with("/*") => {
                    let length = self.rest().find("*/").map_or(self.rest().len(), |end| end + 2);
                    (0..length).for_each(|_| self.next());
                }
                _ => return,
            }
        }
    }

    fn skip_line(&mut self) {
        while self.peek().is_some_and(|byte| byte != b'\n') {
            self.next();
        }
    }

    fn name(&mut self) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "_-.".contains(c))).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    fn body(&mut self, depth: usize) -> Body {
        let mut body = Body::default();
        loop {
            self.skip(true);
            let line = self.line;
            match self.peek() {
                None => return body,
                Some(b'}') => {
                    self.next();
                    return body;
                }
                Some(_) => {}
            }
            let name = self.name();
            self.skip(false);
            match self.peek() {
                Some(b'=') if !name.is_empty() => {
                    self.next();
                    body.attributes.push((name.to_owned(), Node { key_line: line, ..self.value(depth + 1) }));
                }
                Some(b'{' | b'"') if !name.is_empty() && depth < MAX_DEPTH => {
                    let mut labels = Vec::new();
                    while self.peek() == Some(b'"') {
                        labels.push(self.text());
                        self.skip(false);
                    }
                    if self.peek() == Some(b'{') {
                        self.next();
                        body.blocks.push(Block { kind: name.to_owned(), labels, body: self.body(depth + 1) });
                    }
                }
                _ => {
                    self.skip_line();
                    if self.peek().is_some() {
                        self.next();
                    }
                }
            }
        }
    }

    /// A literal, or the spelling of what is none.
    fn value(&mut self, depth: usize) -> Node {
        self.skip(false);
        let (line, from) = (self.line, self.at);
        let literal = match self.peek() {
            _ if depth >= MAX_DEPTH => None,
            Some(b'"') => Some(Value::Text(self.text())),
            Some(b'[') => Some(self.list(depth)),
            Some(b'{') => Some(self.map(depth)),
            Some(b'<') if self.rest().starts_with("<<") => return self.heredoc(),
            Some(_) if self.rest().starts_with("jsonencode(") => {
                self.at += "jsonencode(".len();
                self.skip(true);
                let inner = self.value(depth + 1);
                self.skip(true);
                if self.peek() == Some(b')') {
                    self.next();
                }
                return inner;
            }
            Some(_) => Some(match self.name() {
                "true" => Value::Flag(true),
                "false" => Value::Flag(false),
                "null" => Value::Null,
                word if !word.is_empty() && word.parse::<f64>().is_ok() => Value::Number(word.to_owned()),
                _ => Value::Null,
            }),
            None => None,
        };
        let plain = matches!(literal, Some(Value::Null)) && self.text.get(from..self.at) != Some("null");
        self.skip(false);
        match (literal, self.peek()) {
            (Some(value), None | Some(b'\n' | b',' | b']' | b'}' | b')')) if !plain => {
                Node { line, key_line: line, value }
            }
            _ => {
                self.pass_expression();
                let spelled = self.text.get(from..self.at).unwrap_or_default().trim();
                Node { line, key_line: line, value: Value::Text(format!("${{{spelled}}}")) }
            }
        }
    }

    /// Goes to the end of an expression: a line end, comma or closing bracket that no bracket is open before.
    fn pass_expression(&mut self) {
        let mut open = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    self.text();
                    continue;
                }
                b'(' | b'[' | b'{' => open += 1,
                b')' | b']' | b'}' | b'\n' | b',' if open == 0 => return,
                b')' | b']' | b'}' => open -= 1,
                b'#' => {
                    self.skip_line();
                    continue;
                }
                _ => {}
            }
            self.next();
        }
    }

    /// `"…"`; what an interpolation quotes is part of it.
    fn text(&mut self) -> String {
        self.next();
        let from = self.at;
        let mut open = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'\\' => self.next(),
                b'$' | b'%' if self.rest().as_bytes().get(1) == Some(&b'{') => {
                    open += 1;
                    self.next();
                }
                b'}' if open > 0 => open -= 1,
                b'"' | b'\n' if open == 0 => break,
                _ => {}
            }
            self.next();
        }
        let text = self.text.get(from..self.at.min(self.text.len())).unwrap_or_default();
        if self.peek() == Some(b'"') {
            self.next();
        }
        text.replace("\\\"", "\"")
    }

    fn list(&mut self, depth: usize) -> Value {
        self.next();
        let mut values = Vec::new();
        loop {
            self.skip(true);
            match self.peek() {
                None => break,
                Some(b']') => {
                    self.next();
                    break;
                }
                Some(b',' | b')' | b'}' | b'=' | b':') => self.next(),
                Some(_) => values.push(self.value(depth + 1)),
            }
        }
        Value::List(values)
    }

    fn map(&mut self, depth: usize) -> Value {
        self.next();
        let mut entries = Vec::new();
        loop {
            self.skip(true);
            let key_line = self.line;
            let key = match self.peek() {
                None => break,
                Some(b'}') => {
                    self.next();
                    break;
                }
                Some(b'"') => self.text(),
                Some(_) => self.name().to_owned(),
            };
            self.skip(false);
            match self.peek() {
                Some(b'=' | b':') => {
                    self.next();
                    entries.push((key, Node { key_line, ..self.value(depth + 1) }));
                }
                Some(b'}') | None => {}
                Some(_) => self.next(),
            }
        }
        Value::Map(entries)
    }

    /// `<<EOF` or `<<-EOF`; its line is that of the first line of the text.
    fn heredoc(&mut self) -> Node {
        self.at += 2;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let mark = self.name();
        self.skip_line();
        if self.peek().is_some() {
            self.next();
        }
        let (line, from) = (self.line, self.at);
        let mut end = self.text.len();
        while self.peek().is_some() {
            let start = self.at;
            self.skip_line();
            if self.text.get(start..self.at).is_some_and(|text| text.trim() == mark) {
                end = start;
                break;
            }
            if self.peek().is_some() {
                self.next();
            }
        }
        Node { line, key_line: line, value: Value::Text(self.text.get(from..end).unwrap_or_default().to_owned()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_literals_and_expressions_are_told_apart() {
        let text = "a \"b\" \"c\" { # x\n  n = 1\n  t = \"x${f(\"y\")}z\" // y\n  l = [1,\n    \"q\", var.x]\n  \
                    m = { k : \"v\", w = true }\n  e = a.b == 1 ? [2] : []\n  inner { z = null }\n}\n";
        let body = read(text);
        let block = &body.blocks[0];
        assert_eq!((block.kind.as_str(), block.labels.as_slice()), ("a", &["b".to_owned(), "c".to_owned()][..]));
        let get = |name: &str| block.body.get(name).unwrap();
        assert_eq!(get("n").scalar(), Some("1"));
        assert_eq!(get("t").text(), Some("x${f(\"y\")}z"));
        assert_eq!(get("l").texts(), ["1", "q", "${var.x}"]);
        assert_eq!(get("l").items()[1].line, 5);
        assert!(get("m").get("w").unwrap().is_true());
        assert_eq!(get("e").text(), Some("${a.b == 1 ? [2] : []}"));
        assert_eq!(block.body.of_kind("inner").next().unwrap().get("z").unwrap().value, Value::Null);
    }

    #[test]
    fn documents_inside_keep_their_lines() {
        let body = read("p = jsonencode({\n  A = \"*\"\n})\nq = <<-EOF\n  {\"B\": 1}\n  EOF\nr = 2\n");
        assert_eq!(body.get("p").unwrap().get("A").unwrap().key_line, 2);
        assert_eq!(body.get("q").map(|node| (node.line, node.text())), Some((5, Some("  {\"B\": 1}\n"))));
        assert_eq!(body.get("r").unwrap().scalar(), Some("2"));
    }

    #[test]
    fn hostile_text_ends() {
        for unit in
            ["a {", "a = [", "a = {", "a = jsonencode(", "\"", "a = \"${", "<<E", "a = <<E\n", "}", "= {", "a = ("]
        {
            read(&unit.repeat(5_000));
        }
    }
}
