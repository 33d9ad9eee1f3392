//! The text of `CMakeLists.txt` and `*.cmake`: commands with their arguments, comments and quotes understood.
//!
//! Never here: evaluation. Conditions, loops and functions are not followed; a value is text.

/// One command.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Command {
    /// Its name in lower case.
    pub(super) name: String,
    /// Its arguments, unquoted.
    pub(super) arguments: Vec<String>,
}

/// No command that is looked for has more arguments.
const MOST_ARGUMENTS: usize = 500;

/// Returns the commands of these names, which are in lower case.
pub(super) fn commands(text: &str, names: &[&str]) -> Vec<Command> {
    let mut scanner = Scanner { text, at: 0 };
    let mut found = Vec::new();
    while let Some(token) = scanner.token() {
        let Token::Word(word) = token else { continue };
        let name = word.to_ascii_lowercase();
        if scanner.opens() && names.contains(&name.as_str()) {
            found.push(Command { name, arguments: scanner.arguments() });
        }
    }
    found
}

enum Token {
    Word(String),
    Text(String),
    Open,
    Close,
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Moves past a text that ends with `end`, which may be missing. Returns what stands before.
    fn until(&mut self, end: &str) -> &'a str {
        let rest = self.rest();
        let (inside, after) = rest.split_once(end).unwrap_or((rest, ""));
        self.at = self.text.len() - after.len();
        inside
    }

    /// `[==[` begins a text that ends with `]==]`.
    fn bracket(&mut self) -> Option<&'a str> {
        let inner = self.rest().strip_prefix('[')?;
        let signs = inner.len() - inner.trim_start_matches('=').len();
        inner.get(signs..)?.strip_prefix('[').filter(|_| signs < 20)?;
        self.at += signs + 2;
        Some(self.until(&format!("]{}]", "=".repeat(signs))))
    }

    fn opens(&self) -> bool {
        self.rest().trim_start().starts_with('(')
    }

    fn token(&mut self) -> Option<Token> {
        loop {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start().len();
            if !self.rest().starts_with('#') {
                break;
            }
            self.at += 1;
            if self.bracket().is_none() {
                self.until("\n");
            }
        }
        let first = self.rest().chars().next()?;
        match first {
            '(' | ')' => {
                self.at += 1;
                Some(if first == '(' { Token::Open } else { Token::Close })
            }
            '"' => Some(Token::Text(self.quoted())),
            '[' => Some(match self.bracket() {
                Some(text) => Token::Text(text.to_owned()),
                None => Token::Word(self.word()),
            }),
            _ => Some(Token::Word(self.word())),
        }
    }

    fn word(&mut self) -> String {
        let rest = self.rest();
        let end = rest.find(|c: char| c.is_whitespace() || "()\"#".contains(c)).unwrap_or(rest.len());
        // A sign that ends a word and begins none must not be met again.
        let end = if end == 0 { rest.chars().next().map_or(0, char::len_utf8) } else { end };
        self.at += end;
        rest.get(..end).unwrap_or_default().to_owned()
    }

    fn quoted(&mut self) -> String {
        let mut text = String::new();
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => text.extend(chars.next().map(|(_, c)| c)),
                '"' => {
                    self.at += at + 1;
                    return text;
                }
                c => text.push(c),
            }
        }
        self.at = self.text.len();
        text
    }

    fn arguments(&mut self) -> Vec<String> {
        let mut arguments = Vec::new();
        let mut depth = 0_usize;
        while let Some(token) = self.token() {
            match token {
                Token::Open => depth += 1,
                Token::Close => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        break;
                    }
                }
                Token::Word(text) | Token::Text(text) if arguments.len() < MOST_ARGUMENTS => arguments.push(text),
                Token::Word(_) | Token::Text(_) => {}
            }
        }
        arguments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_quotes_and_brackets_are_understood() {
        let text = "# set(A no)\nSET(A \"x y\" # why )\n  b)\n#[[ set(B no)\n]] set(C [=[a]]b]=] (d))\nif(set) endif()\nset(D \"open";
        let found = commands(text, &["set"]);
        let arguments: Vec<_> = found.iter().map(|command| command.arguments.join("|")).collect();
        assert_eq!(arguments, ["A|x y|b", "C|a]]b|d", "D|open"]);
    }

    #[test]
    fn any_text_ends() {
        for text in ["(", ")", "\"", "[[", "#[==[", "set(", "set((((", "[=", "a\"b"] {
            assert!(commands(&text.repeat(1000), &["set"]).len() <= 1000, "{text}");
        }
    }
}
