//! Tells Rust's code from its comments, strings and characters.

use std::ops::RangeInclusive;

/// A comment's or string's text, line by line where it has several.
#[derive(Debug, PartialEq, Eq)]
pub struct Piece {
    /// The line it begins on, from 1.
    pub line: usize,
    pub text: String,
}

#[derive(Default)]
pub struct Lexer {
    chars: Vec<char>,
    at: usize,
    line: usize,
    /// The text with comments, strings and characters blanked out, column by column.
    pub code: String,
    pub comments: Vec<Piece>,
    pub strings: Vec<Piece>,
    /// From the quote that opens a string to the one that closes it.
    pub string_lines: Vec<RangeInclusive<usize>>,
}

impl Lexer {
    /// Reads a whole file.
    pub fn read(text: &str) -> Self {
        let chars = text.chars().collect();
        let mut lexer = Self {
            chars,
            line: 1,
            ..Self::default()
        };
        lexer.run();
        lexer
    }

    fn run(&mut self) {
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
        let lexer = Lexer::read(concat!(
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
        assert_eq!(texts(&lexer.strings), strings);
        let comments = [
            (1, "// one"),
            (2, "/* two /* deep */"),
            (3, "three */"),
            (6, "// four"),
        ];
        assert_eq!(texts(&lexer.comments), comments);
        assert_eq!(lexer.string_lines, [1..=1, 2..=2, 3..=3, 4..=4, 5..=6]);
        let code: Vec<&str> = lexer.code.lines().collect();
        assert_eq!(code[0].trim_end(), "let a =            ;");
        assert!(code[2].contains("let c = b"));
        assert!(code[3].contains("&'static str") && code[3].contains("r#type"));
    }
}
