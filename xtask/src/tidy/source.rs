//! Reads Rust just far enough for tidy: what is test, and where functions begin and end.
//!
//! It is not a parser. Macros that build odd shapes can fool it, and rustc has the last word on
//! whether the text is Rust at all.

use std::ops::RangeInclusive;

use super::lexer::{Lexer, Piece};

/// A function with a body: its name and its lines, from `fn` to the closing brace.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    pub lines: RangeInclusive<usize>,
}

/// One file of Rust, taken apart. Lines count from 1.
#[derive(Debug, Default)]
pub struct Source {
    /// The lines with comments, strings and characters blanked out.
    pub code: Vec<String>,
    pub comments: Vec<Piece>,
    pub strings: Vec<Piece>,
    pub functions: Vec<Function>,
    /// Names of modules in files of their own that are compiled for tests only.
    pub test_modules: Vec<String>,
    test_lines: Vec<RangeInclusive<usize>>,
    string_lines: Vec<RangeInclusive<usize>>,
}

impl Source {
    pub fn parse(text: &str) -> Self {
        let lexer = Lexer::read(text);
        let code: Vec<char> = lexer.code.chars().collect();
        let mut source = Self {
            code: lexer.code.lines().map(str::to_owned).collect(),
            comments: lexer.comments,
            strings: lexer.strings,
            string_lines: lexer.string_lines,
            ..Self::default()
        };
        source.find_tests(&code);
        source.functions = find_functions(&code);
        source
    }

    /// Whether the line is compiled for tests only.
    pub fn is_test(&self, line: usize) -> bool {
        self.test_lines.iter().any(|lines| lines.contains(&line))
    }

    /// Whether a string has a part on the line.
    pub fn has_string(&self, line: usize) -> bool {
        self.string_lines.iter().any(|lines| lines.contains(&line))
    }

    /// The lines that contain `word` as a whole word.
    pub fn lines_with<'a>(&'a self, word: &'a str) -> impl Iterator<Item = usize> + 'a {
        self.code
            .iter()
            .enumerate()
            .filter(|(_, line)| has_word(line, word))
            .map(|(at, _)| at + 1)
    }

    fn find_tests(&mut self, code: &[char]) {
        let mut at = 0;
        while let Some(start) = position(code, at, |c| c == '#') {
            let is_inner = code.get(start + 1) == Some(&'!');
            let open = start + 1 + usize::from(is_inner);
            at = open;
            if code.get(open) != Some(&'[') {
                continue;
            }
            let close = matching(code, open);
            let attribute: String = code[open + 1..close].iter().collect();
            at = close;
            if !is_test_attribute(attribute.trim()) {
                continue;
            }
            if is_inner {
                self.test_lines.push(1..=self.code.len());
                return;
            }
            let begin = skip_attributes(code, close + 1);
            let end = item_end(code, begin);
            let item: String = code[begin..end].iter().collect();
            if let Some(name) = out_of_line_module(&item) {
                self.test_modules.push(name.to_owned());
            }
            self.test_lines
                .push(line_of(code, start)..=line_of(code, end));
            at = end;
        }
    }
}

/// Whether `line` contains `word` with no part of a longer name on either side.
pub fn has_word(line: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let starts_named = word.starts_with(is_part);
    let ends_named = word.ends_with(is_part);
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back().is_some_and(is_part);
        let after = line[at + word.len()..].chars().next().is_some_and(is_part);
        !(starts_named && before || ends_named && after)
    })
}

fn is_test_attribute(attribute: &str) -> bool {
    if let Some(condition) = attribute.strip_prefix("cfg(") {
        return has_word(condition, "test") && !condition.contains("not(test");
    }
    let path = attribute.split(['(', ' ']).next().unwrap_or_default();
    path == "test" || path.ends_with("::test")
}

/// The name in `mod name;`.
fn out_of_line_module(item: &str) -> Option<&str> {
    let declared = item.strip_suffix(';')?.trim_end();
    let (before, name) = declared.rsplit_once(char::is_whitespace)?;
    before.ends_with("mod").then_some(name)
}

fn position(code: &[char], from: usize, is_it: impl Fn(char) -> bool) -> Option<usize> {
    code.get(from..)?
        .iter()
        .position(|c| is_it(*c))
        .map(|at| from + at)
}

/// Where the bracket at `open` closes; the end of the text when it doesn't.
fn matching(code: &[char], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, c) in code.iter().enumerate().skip(open) {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => continue,
        }
        if depth == 0 {
            return at;
        }
    }
    code.len()
}

fn skip_attributes(code: &[char], mut at: usize) -> usize {
    loop {
        at = position(code, at, |c| !c.is_whitespace()).unwrap_or(code.len());
        if code.get(at) != Some(&'#') || code.get(at + 1) != Some(&'[') {
            return at;
        }
        at = (matching(code, at + 1) + 1).min(code.len());
    }
}

/// Where the item that begins at `at` ends: behind its body or its semicolon.
fn item_end(code: &[char], mut at: usize) -> usize {
    while at < code.len() {
        match code[at] {
            ';' => return at + 1,
            '{' => return (matching(code, at) + 1).min(code.len()),
            '(' | '[' => at = matching(code, at) + 1,
            _ => at += 1,
        }
    }
    code.len()
}

fn line_of(code: &[char], at: usize) -> usize {
    1 + code[..at.min(code.len())]
        .iter()
        .filter(|c| **c == '\n')
        .count()
}

fn find_functions(code: &[char]) -> Vec<Function> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut functions = Vec::new();
    let mut at = 0;
    while at + 3 < code.len() {
        let is_word = code[at..].starts_with(&['f', 'n', ' '])
            && (at == 0 || !is_part(code[at - 1]) && code[at - 1] != '#');
        at += 1;
        if !is_word {
            continue;
        }
        let begin = at - 1;
        let name: String = code[begin + 3..]
            .iter()
            .take_while(|c| is_part(**c))
            .collect();
        let end = item_end(code, begin);
        if !name.is_empty() && code[end - 1] == '}' {
            functions.push(Function {
                name,
                lines: line_of(code, begin)..=line_of(code, end - 1),
            });
        }
    }
    functions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_code_is_told_from_the_rest() {
        let source = Source::parse(concat!(
            "fn one() {}\n",
            "#[cfg(test)]\n",
            "#[expect(unused, reason = \"}\")]\n",
            "mod tests {\n",
            "    fn two() { '}'; }\n",
            "}\n",
            "fn three() {}\n",
            "#[cfg(test)]\n",
            "mod table;\n",
            "#[cfg(not(test))]\n",
            "fn four() {}\n",
            "#[tokio::test]\n",
            "async fn five() {\n",
            "}\n",
        ));
        let tests: Vec<usize> = (1..=14).filter(|line| source.is_test(*line)).collect();
        assert_eq!(tests, [2, 3, 4, 5, 6, 8, 9, 12, 13, 14]);
        assert_eq!(source.test_modules, ["table"]);
        assert!(Source::parse("#![cfg(test)]\nfn f() {}").is_test(2));
    }

    #[test]
    fn functions_are_found_with_their_lines() {
        let source = Source::parse(concat!(
            "trait T {\n",
            "    fn declared(&self) -> [u8; 2];\n",
            "}\n",
            "pub fn long(\n",
            "    a: [u8; 4],\n",
            ") -> u8 {\n",
            "    let f: fn (u8) = g;\n",
            "    fn inner() {}\n",
            "    \"}\"; a[0]\n",
            "}\n",
        ));
        let found: Vec<_> = source
            .functions
            .iter()
            .map(|f| (f.name.as_str(), f.lines.clone()))
            .collect();
        assert_eq!(found, [("long", 4..=10), ("inner", 8..=8)]);
    }

    #[test]
    fn a_word_is_not_a_part_of_a_longer_one() {
        for (line, word, want) in [
            ("Instant::now()", "Instant::now", true),
            ("MyInstant::now()", "Instant::now", false),
            ("Instant::nowhere()", "Instant::now", false),
            ("rand::rng()", "rand::", true),
            ("operand::x", "rand::", false),
            ("thread::sleep(d)", "sleep(", true),
            ("no_sleep(d)", "sleep(", false),
        ] {
            assert_eq!(has_word(line, word), want, "{word} in {line}");
        }
    }
}
