//! Foreign text as people read it: nothing in it can act on a terminal or hide.
//!
//! Never here: quotation. A backslash stays one, since distinguished names are full of them.

use std::fmt::{self, Write as _};

/// Text whose control characters, and characters that cannot be seen, are spelled out.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a>(&'a str);

/// Shows foreign text.
pub trait Show {
    /// Returns the text as people may read it.
    fn shown(&self) -> Shown<'_>;
}

impl Show for str {
    fn shown(&self) -> Shown<'_> {
        Shown(self)
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '\\' | '\'' | '"' => f.write_char(character)?,
                _ => write!(f, "{}", character.escape_debug())?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_or_hides_is_spelled_out_and_the_rest_is_left() {
        assert_eq!("O=Entrust\\, \"Inc\"".shown().to_string(), "O=Entrust\\, \"Inc\"");
        assert_eq!("a\x1b[31m\u{202e}b\n".shown().to_string(), "a\\u{1b}[31m\\u{202e}b\\n");
        assert_eq!("Köln".shown().to_string(), "Köln");
    }
}
