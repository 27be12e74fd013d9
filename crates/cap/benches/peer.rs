//! Structure and rules beside `xmllint --schema` alone: the same files, in the same run, one
//! process each, by turns: `cargo bench -p balefire-cap --bench peer`.
//!
//! The files are the project's own corpus and fixtures, and real documents where `../shared` is
//! there; each set is gone through again and again. Both sides open and read every file every time.
//! xmllint's time includes its start and reading the schema, which is under 1 % of it; ours is that
//! of a thread with everything loaded. Both are one thread, so what is measured is time of the
//! processor, over several rounds by turns: a busy machine doesn't stretch it as it does that of
//! the clock. Linux only, for `/proc`.

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

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
        let runs = 1_000;
        let took = timed(|| (0..runs).for_each(|_| drop(black_box(read(largest)))));
        let micros = (took / runs).as_micros();
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
    let mut files = Vec::with_capacity(set.len());
    for (n, document) in set.iter().enumerate() {
        let path = folder.join(format!("{n}.xml"));
        fs::write(&path, document).expect("the folder is writable");
        files.push(path);
    }
    let paths: Vec<PathBuf> = (0..FILES.div_ceil(set.len()))
        .flat_map(|_| files.clone())
        .collect();
    let (mut theirs, mut rules, mut structure) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    for _ in 0..ROUNDS {
        theirs += timed(|| ask_xmllint(&paths));
        rules += timed(|| {
            for path in &paths {
                black_box(check(&fs::read(path).expect("it was written")));
            }
        });
        structure += timed(|| {
            for path in &paths {
                black_box(check_structure(&fs::read(path).expect("it was written")));
            }
        });
    }
    #[expect(clippy::cast_precision_loss, reason = "some tens of thousands")]
    let rate = |took: Duration| (ROUNDS * paths.len()) as f64 / took.as_secs_f64();
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

/// Time of the processor that something took, in this process and in children that it waited for.
fn timed(run: impl FnOnce()) -> Duration {
    let start = processor_time();
    run();
    processor_time().saturating_sub(start)
}

/// proc_pid_stat(5): utime, stime, cutime and cstime in hundredths of a second.
fn processor_time() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").expect("this is Linux");
    let (_, fields) = stat.rsplit_once(") ").expect("the name stands in brackets");
    let ticks = fields.split(' ').skip(11).take(4);
    let ticks: u64 = ticks
        .map(|field| field.parse::<u64>().expect("a number"))
        .sum();
    Duration::from_millis(ticks * 10)
}
