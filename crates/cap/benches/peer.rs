//! Structure and rules beside `xmllint --schema` alone: the same files, in the same run, one
//! process each, by turns: `cargo bench -p balefire-cap --bench peer`.
//!
//! The files are the project's own corpus and fixtures, and real documents where `../shared` is
//! there; each set is copied until there are enough of them. Both sides open and read every file.
//! xmllint's time includes its start and reading the schema, which is under 1 % of it; ours is that
//! of a thread with everything loaded. The fastest of several rounds counts for each.

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use balefire_cap::{check, check_structure, read};

const CRATE: &str = env!("CARGO_MANIFEST_DIR");

/// Files of a set, at least.
const FILES: usize = 3_000;
/// Rounds by turns.
const ROUNDS: usize = 7;

#[expect(clippy::print_stdout, reason = "a bench prints what it measured")]
fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let own = documents(&["tests/fixtures", "corpus/good", "corpus/bad"]);
    let shared = "../../../shared/cap-corpus";
    let foreign: Vec<String> = ["oasis-appendix", "other", "signed-ipaws"]
        .map(|name| format!("{shared}/{name}"))
        .to_vec();
    let real = documents(&foreign.iter().map(String::as_str).collect::<Vec<_>>());
    let small = real
        .iter()
        .filter(|text| text.len() < 30_000)
        .cloned()
        .collect();
    println!(
        "set | files | bytes each | xmllint --schema, files/s | structure and rules, files/s | ratio | structure alone, files/s | ratio"
    );
    for (name, set) in [
        ("own corpus", own),
        ("real documents", real.clone()),
        ("real, under 30 kB", small),
    ] {
        if set.is_empty() {
            println!("{name}: not here");
            continue;
        }
        compare(name, &set, folder.path());
    }
    if let Some(largest) = real.iter().max_by_key(|text| text.len()) {
        let best = (0..50)
            .map(|_| timed(|| drop(black_box(read(largest)))))
            .min();
        let micros = best.unwrap_or_default().as_micros();
        println!("reading {} bytes: {micros} µs", largest.len());
    }
}

/// What the files of some folders say, in order.
fn documents(folders: &[&str]) -> Vec<Vec<u8>> {
    let mut files: Vec<PathBuf> = folders
        .iter()
        .filter_map(|folder| fs::read_dir(Path::new(CRATE).join(folder)).ok())
        .flat_map(|entries| entries.filter_map(|entry| Some(entry.ok()?.path())))
        .collect();
    files.sort();
    files
        .iter()
        .filter_map(|file| fs::read(file).ok())
        .collect()
}

#[expect(clippy::print_stdout, reason = "a bench prints what it measured")]
fn compare(name: &str, set: &[Vec<u8>], folder: &Path) {
    let folder = folder.join(name.replace([' ', ','], "-"));
    fs::create_dir(&folder).expect("the folder is new");
    let paths: Vec<PathBuf> = (0..FILES.div_ceil(set.len()) * set.len())
        .map(|n| folder.join(format!("{n}.xml")))
        .collect();
    for (path, document) in paths.iter().zip(set.iter().cycle()) {
        fs::write(path, document).expect("the folder is writable");
    }
    let (mut theirs, mut rules, mut structure) = (Duration::MAX, Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        theirs = theirs.min(timed(|| ask_xmllint(&paths)));
        rules = rules.min(timed(|| {
            for path in &paths {
                black_box(check(&fs::read(path).expect("it was written")));
            }
        }));
        structure = structure.min(timed(|| {
            for path in &paths {
                black_box(check_structure(&fs::read(path).expect("it was written")));
            }
        }));
    }
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let rate = |took: Duration| paths.len() as f64 / took.as_secs_f64();
    let bytes = set.iter().map(Vec::len).sum::<usize>() / set.len();
    println!(
        "{name} | {} | {bytes} | {:.0} | {:.0} | {:.2} | {:.0} | {:.2}",
        paths.len(),
        rate(theirs),
        rate(rules),
        rate(rules) / rate(theirs),
        rate(structure),
        rate(structure) / rate(theirs),
    );
}

fn ask_xmllint(paths: &[PathBuf]) {
    let official = Path::new(CRATE).join("../../../shared/standards/CAP-v1.2.xsd");
    let own = Path::new(CRATE).join("tests/oracle/cap.xsd");
    let schema = if official.is_file() { official } else { own };
    let asked = Command::new("xmllint")
        .args(["--nonet", "--noout", "--schema"])
        .arg(schema)
        .args(paths)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    asked.expect("xmllint runs");
}

#[expect(clippy::disallowed_methods, reason = "a bench measures the real time")]
fn timed(run: impl FnOnce()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}
