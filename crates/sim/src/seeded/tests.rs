//! Some seeds of every kind.

use super::hazard::Reached;
use super::options::Options;
use super::run::run;
use super::trace::Keeping;

#[test]
fn a_seed_names_one_history() {
    for seed in 0..20 {
        let options = Options::of(seed);
        let first = run(&options, None, Keeping::Hash);
        let second = run(&options, None, Keeping::Hash);
        assert_eq!(first.hash, second.hash, "seed {seed}");
        assert_ne!(
            first.hash,
            run(&Options::of(seed + 1000), None, Keeping::Hash).hash
        );
    }
}

#[test]
fn keeping_the_lines_changes_nothing() {
    let options = Options::of(7);
    let kept = run(&options, None, Keeping::Lines);
    assert_eq!(kept.hash, run(&options, None, Keeping::Hash).hash);
    assert!(!kept.lines.is_empty());
}

#[test]
fn a_count_is_of_runs_and_not_of_times() {
    let mut run = Reached::default();
    run.count(super::hazard::Fault::F14);
    run.count(super::hazard::Fault::F14);
    let mut all = Reached::default();
    all.add(&run);
    assert_eq!(all.of(super::hazard::Fault::F14), 1);
}
