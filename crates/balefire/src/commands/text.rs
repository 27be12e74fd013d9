//! `text count|pages|facts`: what a text becomes, without a database.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use balefire_app::text_facts::{FactsOfText, TextFacts};
use balefire_cell_broadcast::pages::{self, Heading, PAGES_MAX, Page};
use balefire_cell_broadcast::{
    AlertText, Allowed, Cost, Encoding, Fact, Fate, Language, Measure, MessageIdentifier, Needs,
    Scripts, SerialNumber, TextRefusal, facts, measure, national,
};
use balefire_domain::limits::TEXT_BYTES_MAX;
use balefire_domain::shown::named as code;
use serde_json::{Value, json};

use crate::FAILED;
use crate::cli::{TextCommand, TextPages};

/// Places that are named of one character; the rest are counted.
const PLACES_SHOWN: usize = 5;

pub(super) fn run(command: &TextCommand, json: bool) -> anyhow::Result<ExitCode> {
    match command {
        TextCommand::Count { file, scripts } => Ok(count(&read(file.as_deref())?, *scripts, json)),
        TextCommand::Pages(asked) => show_pages(asked, json),
        TextCommand::Facts {
            file,
            number,
            host,
            scripts,
        } => {
            let allowed = Allowed {
                numbers: number.iter().cloned().collect(),
                hosts: host.iter().cloned().collect(),
            };
            Ok(show_facts(
                &read(file.as_deref())?,
                *scripts,
                &allowed,
                json,
            ))
        }
    }
}

/// Reads a file, or what is typed; one line end at the end belongs to the file, not to the text.
fn read(file: Option<&Path>) -> anyhow::Result<String> {
    let limit = u64::try_from(TEXT_BYTES_MAX).unwrap_or(u64::MAX) + 1;
    let mut bytes = Vec::new();
    let (name, size) = match file.filter(|path| path.as_os_str() != "-") {
        None => {
            let size = std::io::stdin().lock().take(limit).read_to_end(&mut bytes);
            ("what is typed".to_owned(), size)
        }
        Some(path) => {
            let file = std::fs::File::open(path);
            let file = file.with_context(|| format!("can't read {}", path.display()))?;
            (
                path.display().to_string(),
                file.take(limit).read_to_end(&mut bytes),
            )
        }
    };
    size.with_context(|| format!("can't read {name}"))?;
    String::from_utf8(bytes).with_context(|| format!("{name} is not UTF-8"))
}

const fn encoding_word(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Gsm7 => "gsm7",
        Encoding::Ucs2 => "ucs2",
    }
}

const fn encoding_name(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Gsm7 => "GSM-7",
        Encoding::Ucs2 => "UCS-2",
    }
}

fn count(raw: &str, scripts: Scripts, json: bool) -> ExitCode {
    let measure = measure(raw, scripts);
    if json {
        say!("{}", measure_json(&measure));
    } else {
        say!("{}", measure_words(&measure));
    }
    if measure.refusals.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FAILED)
    }
}

fn measure_json(measure: &Measure) -> Value {
    let encoding = measure.text.encoding();
    let cost = |(cost, position): (&Cost, usize)| {
        json!({
            "position": position, "character": cost.written, "code": code(cost.written),
            "fate": cost.fate.as_str(), "sent": cost.sent,
            "alphabet": cost.needs.map(Needs::as_str), "units": cost.units,
        })
    };
    let forcing = measure.forcing_ucs2();
    let forcing = forcing.iter().map(|(ch, positions)| {
        let names: Vec<_> = national::tables_with(*ch)
            .map(national::National::name)
            .collect();
        json!({ "character": ch, "code": code(*ch), "positions": positions,
            "national_tables": names })
    });
    json!({
        "ok": measure.refusals.is_empty(),
        "encoding": encoding_word(encoding),
        "units": measure.text.units(), "limit": encoding.units_max(),
        "remaining": measure.remaining(),
        "pages": measure.pages, "pages_max": PAGES_MAX, "page_units": encoding.page_units(),
        "padding": measure.wasted(),
        "language": language_word(&measure.text), "text": measure.text.as_str(),
        "forces_ucs2": forcing.collect::<Vec<_>>(),
        "characters": measure.costs.iter().zip(1..).map(cost).collect::<Vec<_>>(),
        "refusals": measure.refusals.iter().map(refusal_json).collect::<Vec<_>>(),
    })
}

fn language_word(text: &AlertText) -> &'static str {
    match text.language() {
        Language::English => "english",
        Language::Welsh => "welsh",
    }
}

fn refusal_json(refusal: &TextRefusal) -> Value {
    let (character, position) = match *refusal {
        TextRefusal::Character { ch, position }
        | TextRefusal::Marks { ch, position }
        | TextRefusal::Link { ch, position } => (Some(code(ch)), Some(position)),
        TextRefusal::Placeholder { position } => (None, Some(position)),
        TextRefusal::Empty | TextRefusal::TooLong { .. } => (None, None),
    };
    json!({ "message": refusal.to_string(), "code": character, "position": position })
}

fn measure_words(measure: &Measure) -> String {
    if let ([], [refusal]) = (&measure.costs[..], &measure.refusals[..])
        && matches!(refusal, TextRefusal::TooLong { .. })
    {
        return format!("not counted: it has more than {TEXT_BYTES_MAX} bytes\nrefused: {refusal}");
    }
    let encoding = measure.text.encoding();
    let (units, limit) = (measure.text.units(), encoding.units_max());
    let room = match measure.remaining() {
        left @ 0.. => format!("{left} left"),
        over => format!("{} too many", -over),
    };
    let mut words = format!(
        "{}: {units} of {limit} units, {room}; pages of {}: {} of at most {PAGES_MAX}",
        encoding_name(encoding),
        encoding.page_units(),
        measure.pages,
    );
    for (ch, places) in measure.forcing_ucs2() {
        let _ = write!(
            words,
            "\nforces UCS-2: {} at {}",
            name_of(ch),
            shown(&places)
        );
    }
    if encoding == Encoding::Gsm7 {
        list(measure, &mut words, |cost| {
            (cost.needs == Some(Needs::Extension)).then(|| "costs 2".to_owned())
        });
    }
    list(measure, &mut words, |cost| match cost.fate {
        Fate::Changed if cost.written.is_whitespace() && cost.sent.trim().is_empty() => None,
        Fate::Changed => Some(format!("sent as {}", cost.sent)),
        Fate::LeftOut if !cost.written.is_whitespace() => Some("left out".to_owned()),
        Fate::Kept | Fate::Joined | Fate::LeftOut | Fate::Refused => None,
    });
    if measure.pages > PAGES_MAX && measure.refusals.is_empty() {
        let _ = write!(
            words,
            "\nwarning: it fits only if a network splits a character of two units over two pages; \
             shorten it by {} units",
            measure.text.units() + measure.wasted() - limit
        );
    }
    for refusal in &measure.refusals {
        let _ = write!(words, "\nrefused: {refusal}");
    }
    words
}

/// One line for each character of which `remark` says something.
fn list(measure: &Measure, words: &mut String, remark: impl Fn(&Cost) -> Option<String>) {
    let mut lines: BTreeMap<(String, char), Vec<usize>> = BTreeMap::new();
    for (cost, position) in measure.costs.iter().zip(1..) {
        if let Some(remark) = remark(cost) {
            let places = lines.entry((remark, cost.written)).or_default();
            places.push(position);
        }
    }
    for ((remark, ch), places) in lines {
        let _ = write!(words, "\n{remark}: {} at {}", name_of(ch), shown(&places));
    }
}

/// A character with its number; its number alone where a terminal would show something else.
fn name_of(ch: char) -> String {
    if ch.is_whitespace() || ch.is_control() || is_unseen(ch) {
        code(ch)
    } else {
        format!("{ch} ({})", code(ch))
    }
}

/// Whether a terminal shows nothing, or something else, for `ch`.
fn is_unseen(ch: char) -> bool {
    !ch.is_alphanumeric() && format!("{ch:?}").starts_with("'\\u")
}

fn shown(places: &[usize]) -> String {
    let named: Vec<String> = places
        .iter()
        .take(PLACES_SHOWN)
        .map(usize::to_string)
        .collect();
    let rest = places.len() - named.len();
    let more = match rest {
        0 => String::new(),
        rest => format!(" and {rest} more"),
    };
    named.join(", ") + &more
}

fn accept(raw: &str, scripts: Scripts, json: bool) -> Result<AlertText, ExitCode> {
    AlertText::accept(raw, scripts).map_err(|refusal| {
        if json {
            say!("{}", json!({ "error": refusal_json(&refusal) }));
        }
        eprintln!("balefire: {refusal}");
        ExitCode::from(FAILED)
    })
}

fn show_pages(asked: &TextPages, json: bool) -> anyhow::Result<ExitCode> {
    let text = match accept(&read(asked.file.as_deref())?, asked.scripts, json) {
        Ok(text) => text,
        Err(code) => return Ok(code),
    };
    let own = MessageIdentifier::of(asked.channel);
    let identifier = if asked.further_language {
        own.in_another_language()
            .context("the channel has no further language")?
    } else {
        own
    };
    let serial = SerialNumber::new(asked.scope, asked.code, asked.update);
    let heading = Heading {
        identifier,
        serial: serial.context("a message code is below 1024, an update number below 16")?,
        language: asked.language,
    };
    let pages = match pages::encode(&text, &heading) {
        Ok(pages) => pages,
        Err(refusal) => {
            if json {
                say!("{}", json!({ "error": { "message": refusal.to_string() } }));
            }
            eprintln!("balefire: {refusal}");
            return Ok(ExitCode::from(FAILED));
        }
    };
    if json {
        say!("{}", pages_json(&heading, &pages));
    } else {
        say!("{}", pages_words(&heading, &pages));
    }
    Ok(ExitCode::SUCCESS)
}

fn hex(octets: &[u8]) -> String {
    octets
        .iter()
        .fold(String::with_capacity(octets.len() * 2), |mut hex, octet| {
            let _ = write!(hex, "{octet:02x}");
            hex
        })
}

fn pages_json(heading: &Heading, pages: &[Page]) -> Value {
    let Heading {
        identifier, serial, ..
    } = heading;
    let page = |page: &Page| {
        let octets = hex(&page.to_octets());
        json!({ "number": page.number, "total": page.total, "octets": octets })
    };
    json!({
        "message_identifier": identifier.number(), "name": identifier.name(),
        "serial_number": serial.to_bits(), "scope": serial.scope().as_str(),
        "message_code": serial.code(), "update_number": serial.update(),
        "data_coding": pages.first().map(|page| page.coding.octet()),
        "language": heading.language.map(|language| language.to_string()),
        "pages": pages.iter().map(page).collect::<Vec<_>>(),
    })
}

fn pages_words(heading: &Heading, pages: &[Page]) -> String {
    let Heading {
        identifier, serial, ..
    } = heading;
    let coding = pages
        .first()
        .map(|page| page.coding.to_string())
        .unwrap_or_default();
    let mut words = format!(
        "message {identifier}: {}\nserial {serial}: scope {}, code {}, update {}\n\
         coding {coding}",
        identifier.name().unwrap_or("no public warning"),
        serial.scope().as_str(),
        serial.code(),
        serial.update(),
    );
    for page in pages {
        let octets = hex(&page.to_octets());
        let _ = write!(words, "\npage {} of {}\n{octets}", page.number, page.total);
    }
    words
}

fn show_facts(raw: &str, scripts: Scripts, allowed: &Allowed, json: bool) -> ExitCode {
    let text = match accept(raw, scripts, json) {
        Ok(text) => text,
        Err(code) => return code,
    };
    let facts = facts(text.as_str());
    if json {
        let list: Vec<Value> = facts.iter().map(|fact| fact_json(fact, allowed)).collect();
        say!("{}", json!(list));
    } else {
        say!("{}", facts_words(&facts, allowed));
    }
    ExitCode::SUCCESS
}

/// What an approver must look at, as JSON.
pub(super) fn fact_json(fact: &Fact, allowed: &Allowed) -> Value {
    json!({
        "kind": fact.kind.as_str(), "text": fact.text, "position": fact.position,
        "value": fact.value, "allowed": fact.is_allowed(allowed),
        "warnings": fact.warnings(allowed),
    })
}

/// What the approver of an alert is told of its texts, as JSON: for each text its language, facts
/// and warnings.
pub(super) fn text_facts_json(found: &TextFacts) -> Value {
    let of_text = |text: &FactsOfText| {
        let facts = text
            .facts
            .iter()
            .map(|fact| fact_json(fact, &found.allowed));
        json!({
            "of": if text.is_update { "update" } else { "alert" },
            "language": text.language, "facts": facts.collect::<Vec<_>>(),
            "incoherence": text.incoherence.as_ref().map(ToString::to_string),
        })
    };
    json!({
        "texts": found.texts.iter().map(of_text).collect::<Vec<_>>(),
        "warnings": found.warnings(),
    })
}

/// The same in words.
pub(super) fn text_facts_words(found: &TextFacts) -> String {
    let mut lines = Vec::new();
    for text in &found.texts {
        let of = if text.is_update {
            " of the proposed update"
        } else {
            ""
        };
        if let Some(language) = &text.language {
            lines.push(format!("in the text{of} in {language}:"));
        } else if text.is_update {
            lines.push(format!("in the text{of}:"));
        }
        lines.push(facts_words(&text.facts, &found.allowed));
        let incoherence = text.incoherence.iter();
        lines.extend(incoherence.map(|own| format!("WARNING: {own}")));
    }
    lines.join("\n")
}

/// What an approver must look at: a line for each, and its warnings below.
pub(super) fn facts_words(facts: &[Fact], allowed: &Allowed) -> String {
    if facts.is_empty() {
        return "no telephone numbers, links or addresses".to_owned();
    }
    let mut lines = Vec::new();
    for fact in facts {
        let (kind, text, position) = (fact.kind.as_str(), &fact.text, fact.position);
        lines.push(format!("{kind} {text} at position {position}"));
        let warnings = fact.warnings(allowed);
        lines.extend(
            warnings
                .iter()
                .map(|warning| format!("  WARNING: {warning}")),
        );
    }
    lines.join("\n")
}
