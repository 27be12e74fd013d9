//! What commands print.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write};

/// Prints a line. When the reader is gone the command ends quietly, as a filter does.
pub(crate) fn line(text: Arguments<'_>) {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => {
            eprintln!("balefire: can't write the output: {error}");
            std::process::exit(i32::from(crate::FAILED));
        }
    }
}

/// Prints a line to standard output.
macro_rules! say {
    ($($arg:tt)*) => { $crate::output::line(format_args!($($arg)*)) };
}
