//! How long the longest text takes to be counted, searched and cut into pages:
//! `cargo bench -p balefire-cell-broadcast`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use balefire_cell_broadcast::pages::{Heading, encode};
use balefire_cell_broadcast::{
    AlertText, MessageIdentifier, Scope, Scripts, SerialNumber, facts, measure,
};

/// How long each is measured.
const MEASURED: Duration = Duration::from_secs(1);

const SENTENCE: &str =
    "The river floods the low streets within the hour: go to high ground [now]. ";

fn main() {
    let english = longest(SENTENCE, 1_395);
    let welsh = longest(
        "Mae’r afon yn codi; ewch i dir uwch ŵan, ffoniwch 0800 123 456. ",
        615,
    );
    for (name, raw) in [("1,395 in GSM-7", &english), ("615 in UCS-2", &welsh)] {
        let text = AlertText::accept(raw, Scripts::GsmWelsh).expect("it can be sent");
        let heading = Heading {
            identifier: MessageIdentifier::new(4378),
            serial: SerialNumber::new(Scope::Network, 1, 0).expect("it fits"),
            language: None,
        };
        time(name, "accept", || {
            AlertText::accept(raw, Scripts::GsmWelsh).is_ok()
        });
        time(name, "measure", || measure(raw, Scripts::GsmWelsh).pages);
        time(name, "facts", || facts(text.as_str()).len());
        time(name, "pages", || encode(&text, &heading).is_ok());
    }
}

/// A text of that many units, or one less.
fn longest(sentence: &str, units: usize) -> String {
    let mut text = String::new();
    for ch in sentence.chars().cycle() {
        text.push(ch);
        if measure(&text, Scripts::GsmWelsh).text.units() > units {
            text.pop();
            break;
        }
    }
    text
}

#[expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a bench reads the clock and prints"
)]
fn time<T>(name: &str, what: &str, mut run: impl FnMut() -> T) {
    let start = Instant::now();
    let mut rounds = 0_u32;
    while start.elapsed() < MEASURED {
        black_box(run());
        rounds += 1;
    }
    let each = start.elapsed().as_secs_f64() * 1e6 / f64::from(rounds);
    println!("{name}: {what} {each:.1} µs");
}
