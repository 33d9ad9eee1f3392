//! A Dockerfile as instructions: lines joined, comments and here-documents left out.
//!
//! Never here: what an instruction means.

/// So many instructions of one file are kept.
pub(super) const MOST: usize = 10_000;

/// Returns each instruction's word, in capitals, and the rest of it. The first are the parser's own directives, as
/// `#syntax` and the like.
pub(super) fn instructions(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut escape = '\\';
    let mut lines = text.lines().peekable();
    // Directives stand before all else.
    while let Some((key, value)) = lines.peek().and_then(|line| directive(line)) {
        if key == "ESCAPE" {
            escape = value.chars().next().unwrap_or(escape);
        }
        found.push((format!("#{key}"), value.to_owned()));
        lines.next();
    }
    while let Some(line) = lines.next() {
        if found.len() >= MOST {
            break;
        }
        let mut whole = String::new();
        let mut line = line;
        loop {
            let inner = line.trim();
            let goes_on = inner.strip_suffix(escape);
            if !inner.starts_with('#') {
                whole.push_str(goes_on.unwrap_or(inner));
                whole.push(' ');
            }
            // Comments and empty lines may stand between the lines of one instruction.
            let is_open = goes_on.is_some() || (!whole.trim().is_empty() && inner.starts_with('#'));
            match lines.next_if(|_| is_open && !whole.trim().is_empty()) {
                Some(next) => line = next,
                None => break,
            }
        }
        let whole = whole.trim();
        let (word, rest) = whole.split_once([' ', '\t']).unwrap_or((whole, ""));
        if word.is_empty() {
            continue;
        }
        if ["RUN", "COPY", "ADD"].iter().any(|known| word.eq_ignore_ascii_case(known)) {
            for end in here_documents(rest) {
                let is_end = |line: &str| line.trim_start_matches('\t') == end;
                while lines.next().is_some_and(|line| !is_end(line)) {}
            }
        }
        found.push((word.to_ascii_uppercase(), rest.trim().to_owned()));
    }
    found
}

fn directive(line: &str) -> Option<(String, &str)> {
    let (key, value) = line.trim().strip_prefix('#')?.split_once('=')?;
    let key = key.trim().to_ascii_uppercase();
    ["SYNTAX", "ESCAPE", "CHECK"].contains(&key.as_str()).then(|| (key, value.trim()))
}

/// Returns the words that end the here-documents that a line begins.
fn here_documents(line: &str) -> Vec<String> {
    let starts = line.split("<<").skip(1).take(16);
    let words = starts.filter_map(|rest| {
        let rest = rest.trim_start_matches('-');
        let word = rest.split_whitespace().next().filter(|_| !rest.starts_with([' ', '<']))?;
        let word = word.trim_matches(['"', '\'']);
        (!word.is_empty() && word.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_')).then(|| word.to_owned())
    });
    // Shifts in arithmetic (`$((1<<2))`) begin no document.
    words.filter(|word| !word.starts_with(|c: char| c.is_ascii_digit())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_joined_and_documents_left_out() {
        let text = "# syntax=docker/dockerfile:1\n# escape=`\n# a comment\nfrom a `\n  # between\n  AS b\nRUN <<EOF x\nFROM not-this\nEOF\nRUN echo $((1<<2))\nCOPY <<-'X' /y\n\tFROM nor-this\n\tX\n\nFROM c";
        let told: Vec<_> = instructions(text).into_iter().map(|(word, rest)| format!("{word} {rest}")).collect();
        assert_eq!(
            told,
            [
                "#SYNTAX docker/dockerfile:1",
                "#ESCAPE `",
                "FROM a  AS b",
                "RUN <<EOF x",
                "RUN echo $((1<<2))",
                "COPY <<-'X' /y",
                "FROM c"
            ]
        );
    }

    #[test]
    fn an_end_that_never_comes_ends_with_the_file() {
        assert_eq!(instructions("RUN <<EOF\nFROM x\\").len(), 1);
        assert_eq!(instructions("FROM x \\\n#\n#\n").len(), 1);
        assert_eq!(instructions("").len(), 0);
    }
}
