//! Reads Rust just far enough for tidy: what is code, what is comment, what is a string, what is
//! test, and where functions begin and end.
//!
//! It is not a parser. Macros that build odd shapes can fool it, and rustc has the last word on
//! whether the text is Rust at all.

use std::ops::RangeInclusive;

/// A comment's or string's text, line by line where it has several.
#[derive(Debug, PartialEq, Eq)]
pub struct Piece {
    /// The line it begins on, from 1.
    pub line: usize,
    pub text: String,
}

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
        let mut lexer = Lexer {
            chars: text.chars().collect(),
            ..Lexer::default()
        };
        lexer.run();
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

#[derive(Default)]
struct Lexer {
    chars: Vec<char>,
    at: usize,
    line: usize,
    code: String,
    comments: Vec<Piece>,
    strings: Vec<Piece>,
    string_lines: Vec<RangeInclusive<usize>>,
}

impl Lexer {
    fn run(&mut self) {
        self.line = 1;
        while let Some(c) = self.peek(0) {
            match (c, self.peek(1)) {
                ('/', Some('/')) => self.line_comment(),
                ('/', Some('*')) => self.block_comment(),
                ('"', _) => self.string(),
                ('r', Some('"' | '#')) if !self.is_inside_name(1) => self.raw_string(),
                ('\'', _) => self.character(),
                _ => self.keep(),
            }
        }
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    /// Whether the `r` here ends a longer name, such as `for`; `br` and `cr` are prefixes too.
    fn is_inside_name(&self, back: usize) -> bool {
        let Some(before) = self.at.checked_sub(back).map(|at| self.chars[at]) else {
            return false;
        };
        match before {
            'b' | 'c' if back == 1 => self.is_inside_name(2),
            c => c.is_alphanumeric() || c == '_',
        }
    }

    fn keep(&mut self) {
        let c = self.chars[self.at];
        self.line += usize::from(c == '\n');
        self.code.push(c);
        self.at += 1;
    }

    /// Takes one character out of the code, keeping the columns and lines.
    fn blank(&mut self) -> char {
        let c = self.chars[self.at];
        self.line += usize::from(c == '\n');
        self.code.push(if c == '\n' { '\n' } else { ' ' });
        self.at += 1;
        c
    }

    fn line_comment(&mut self) {
        let line = self.line;
        let mut text = String::new();
        while self.peek(0).is_some_and(|c| c != '\n') {
            text.push(self.blank());
        }
        self.comments.push(Piece { line, text });
    }

    fn block_comment(&mut self) {
        let mut depth = 0;
        let mut piece = Piece {
            line: self.line,
            text: String::new(),
        };
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some('/'), Some('*')) => depth += 1,
                (Some('*'), Some('/')) => depth -= 1,
                (Some('\n'), _) => {
                    self.blank();
                    let next = Piece {
                        line: self.line,
                        text: String::new(),
                    };
                    self.comments.push(std::mem::replace(&mut piece, next));
                    continue;
                }
                (Some(_), _) => {
                    piece.text.push(self.blank());
                    continue;
                }
                (None, _) => break,
            }
            piece.text.push(self.blank());
            piece.text.push(self.blank());
            if depth == 0 {
                break;
            }
        }
        self.comments.push(piece);
    }

    fn string(&mut self) {
        let line = self.line;
        let mut text = String::new();
        self.blank();
        while let Some(c) = self.peek(0) {
            self.blank();
            match c {
                '"' => break,
                '\\' if self.peek(0) == Some('\n') => {
                    while self.peek(0).is_some_and(char::is_whitespace) {
                        self.blank();
                    }
                }
                '\\' if self.peek(0).is_some() => {
                    text.push(' ');
                    self.blank();
                }
                c => text.push(c),
            }
        }
        self.string_lines.push(line..=self.line);
        self.strings.push(Piece { line, text });
    }

    fn raw_string(&mut self) {
        let hashes = self.chars[self.at + 1..]
            .iter()
            .take_while(|c| **c == '#')
            .count();
        if self.peek(1 + hashes) != Some('"') {
            return self.keep(); // A raw name, such as r#type.
        }
        let line = self.line;
        for _ in 0..hashes + 2 {
            self.blank();
        }
        let mut text = String::new();
        while let Some(c) = self.peek(0) {
            self.blank();
            let closes = c == '"' && (0..hashes).all(|ahead| self.peek(ahead) == Some('#'));
            if closes {
                for _ in 0..hashes {
                    self.blank();
                }
                break;
            }
            text.push(c);
        }
        self.string_lines.push(line..=self.line);
        self.strings.push(Piece { line, text });
    }

    /// A character, or the apostrophe of a lifetime.
    fn character(&mut self) {
        let is_escaped = self.peek(1) == Some('\\');
        if !is_escaped && self.peek(2) != Some('\'') {
            return self.keep();
        }
        self.blank();
        if is_escaped {
            self.blank();
        }
        self.blank();
        while self.peek(0).is_some_and(|c| c != '\'' && c != '\n') {
            self.blank();
        }
        if self.peek(0) == Some('\'') {
            self.blank();
        }
    }
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

    fn texts(pieces: &[Piece]) -> Vec<(usize, &str)> {
        pieces
            .iter()
            .map(|piece| (piece.line, piece.text.as_str()))
            .collect()
    }

    #[test]
    fn strings_and_comments_are_taken_out_of_the_code() {
        let source = Source::parse(concat!(
            "let a = \"x // \\\" y\"; // one\n",
            "let b = r#\"raw \" here\"#; /* two /* deep */\n",
            "three */ let c = b\"bytes\";\n",
            "let d: &'static str = '\"'; let e = '\\''; let r#type = for_r\"\";\n",
            "let f = \"two \\\n   lines\"; // four\n",
        ));
        let strings = [
            (1, "x //   y"),
            (2, "raw \" here"),
            (3, "bytes"),
            (4, ""),
            (5, "two lines"),
        ];
        assert_eq!(texts(&source.strings), strings);
        let comments = [
            (1, "// one"),
            (2, "/* two /* deep */"),
            (3, "three */"),
            (6, "// four"),
        ];
        assert_eq!(texts(&source.comments), comments);
        let with_string: Vec<usize> = (1..=6).filter(|line| source.has_string(*line)).collect();
        assert_eq!(with_string, [1, 2, 3, 4, 5, 6]);
        assert_eq!(source.code[0].trim_end(), "let a =            ;");
        assert!(source.code[2].contains("let c = b"));
        assert!(source.code[3].contains("&'static str") && source.code[3].contains("r#type"));
    }

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
