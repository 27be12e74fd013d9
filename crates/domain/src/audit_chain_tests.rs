//! The chain by tables: what is hashed, and what is found.

use super::*;

fn row(n: i64) -> AuditRow {
    AuditRow {
        id: format!("entry {n}"),
        at_us: n,
        actor: "user 7".to_owned(),
        action: "alert.approve".to_owned(),
        object: format!("alert {n}"),
        details: "{\"version\":2}".to_owned(),
        ..AuditRow::default()
    }
}

/// A sound chain of so many links.
fn chain(links: i64) -> Vec<Linked> {
    let mut hash = ChainHash::BEFORE_THE_FIRST;
    let link = |n: i64| {
        let row = row(n);
        hash = hash.next(&row);
        Linked {
            position: n,
            entry_id: row.id.clone(),
            hash: hash.to_string(),
            row: Some(row),
        }
    };
    (1..=links).map(link).collect()
}

fn judge(chain: &[Linked], noted: Option<ChainHash>) -> Verdict {
    let mut judge = Judge::new(noted);
    for link in chain {
        judge.take(link);
    }
    judge.end()
}

fn places(verdict: &Verdict) -> Vec<(i64, &'static str)> {
    let findings = verdict.findings.iter();
    findings.map(|f| (f.position, f.wrong.as_str())).collect()
}

#[test]
fn the_text_that_is_hashed_has_what_is_there_in_the_order_of_the_names() {
    let full = AuditRow {
        asserted_by: Some("notify-admin".to_owned()),
        service_id: Some("s".to_owned()),
        before: Some("{\"b\":1,\"a\":[2.50]}".to_owned()),
        after: Some("no JSON".to_owned()),
        source: Some("192.0.2.1".to_owned()),
        request_id: Some("r".to_owned()),
        refusal: Some("a \"word\"\n".to_owned()),
        ..row(1)
    };
    let want = r#"{"action":"alert.approve","actor":"user 7","after":"no JSON","asserted_by":"notify-admin","at_us":1,"before":{"b":1,"a":[2.50]},"details":{"version":2},"id":"entry 1","object":"alert 1","refusal":"a \"word\"\n","request_id":"r","service_id":"s","source":"192.0.2.1"}"#;
    assert_eq!(full.canonical_text(), want);
    assert!(serde_json::from_str::<Value>(want).is_ok());
    let want = r#"{"action":"alert.approve","actor":"user 7","at_us":1,"details":{"version":2},"id":"entry 1","object":"alert 1"}"#;
    assert_eq!(row(1).canonical_text(), want);
}

#[test]
fn a_hash_is_of_the_hash_before_and_of_the_text() {
    // The same by sha256sum: 32 bytes of zeros and the text above.
    let first = ChainHash::BEFORE_THE_FIRST.next(&row(1));
    let mut hash = Sha256::new();
    hash.update([0; 32]);
    hash.update(row(1).canonical_text().as_bytes());
    let want: [u8; 32] = hash.finalize().into();
    assert_eq!(first, ChainHash(want));
    assert_ne!(first.next(&row(1)), first);
    assert_eq!(first.to_string().parse(), Ok(first));
    let upper = first.to_string().to_uppercase();
    for text in [
        "",
        "00",
        &upper,
        &"g".repeat(64),
        &"0".repeat(65),
        &"é".repeat(32),
    ] {
        assert_eq!(text.parse::<ChainHash>(), Err(InvalidChainHash), "{text}");
    }
}

#[test]
fn every_column_changes_the_hash_and_none_passes_for_another() {
    let some = || Some("x".to_owned());
    let changes: [fn(&mut AuditRow, Option<String>); 15] = [
        |row, _| row.id.push('x'),
        |row, _| row.at_us += 1,
        |row, _| row.actor.push('x'),
        |row, x| row.asserted_by = x,
        |row, _| row.action.push('x'),
        |row, _| row.object.push('x'),
        |row, x| row.service_id = x,
        |row, _| row.details = "{\"version\": 2}".to_owned(),
        |row, _| row.details = "{\"version\":1,\"version\":2}".to_owned(),
        |row, x| row.before = x,
        |row, x| row.after = x,
        |row, x| row.source = x,
        |row, x| row.request_id = x,
        |row, x| row.refusal = x,
        // Two columns for the price of one.
        |row, _| row.details = "{\"version\":2},\"refusal\":\"x\"".to_owned(),
    ];
    let mut seen = vec![ChainHash::BEFORE_THE_FIRST.next(&row(1))];
    for (n, change) in changes.into_iter().enumerate() {
        let mut changed = row(1);
        change(&mut changed, some());
        let hash = ChainHash::BEFORE_THE_FIRST.next(&changed);
        assert!(!seen.contains(&hash), "change {n} is not seen");
        seen.push(hash);
    }
}

#[test]
fn sec_49_whatever_is_done_to_a_link_or_an_entry_is_found_at_its_place() {
    type Tamper = fn(&mut Vec<Linked>);
    type Case = (&'static str, Tamper, &'static [(i64, &'static str)]);
    let cases: [Case; 12] = [
        ("nothing", |_| {}, &[]),
        (
            "an entry is changed",
            |c| c[3].row.as_mut().unwrap().actor = "user 8".to_owned(),
            &[(4, "differs")],
        ),
        (
            "an entry is removed, its link not",
            |c| c[3].row = None,
            &[(4, "entry_gone")],
        ),
        (
            "an entry is removed with its link",
            |c| drop(c.remove(3)),
            &[(4, "links_gone")],
        ),
        (
            "the first ones are removed",
            |c| drop(c.drain(..3)),
            &[(1, "links_gone")],
        ),
        (
            "removed, and what follows moved up",
            |c| {
                c.remove(3);
                c.iter_mut().skip(3).for_each(|link| link.position -= 1);
            },
            &[(4, "differs")],
        ),
        (
            "two are exchanged",
            |c| {
                let (a, b) = (c[2].row.take(), c[5].row.take());
                (c[2].row, c[5].row) = (b, a);
            },
            &[(3, "differs"), (6, "differs")],
        ),
        (
            "two neighbours are exchanged with their hashes",
            |c| {
                c.swap(2, 3);
                (c[2].position, c[3].position) = (3, 4);
            },
            &[(3, "differs"), (4, "differs"), (5, "differs")],
        ),
        (
            "one is put in, and what follows moved down",
            |c| {
                let mut more = c[2].clone();
                more.row = Some(row(99));
                c.insert(3, more);
                c.iter_mut().skip(3).for_each(|link| link.position += 1);
            },
            &[(4, "differs")],
        ),
        (
            "one is put before the first",
            |c| {
                let mut more = c[0].clone();
                more.position = 0;
                c.insert(0, more);
            },
            &[(0, "out_of_place")],
        ),
        (
            "a hash is changed",
            |c| c[3].hash = c[4].hash.clone(),
            &[(4, "differs"), (5, "differs")],
        ),
        (
            "a hash is no hash",
            |c| c[6].hash = "?".to_owned(),
            &[(7, "differs")],
        ),
    ];
    for (what, tamper, want) in cases {
        let mut chain = chain(7);
        tamper(&mut chain);
        let verdict = judge(&chain, None);
        assert_eq!(places(&verdict), want, "{what}");
        assert_eq!(verdict.is_sound(), want.is_empty(), "{what}");
        for finding in &verdict.findings {
            let told = finding.tell();
            let place = format!("position {}: ", finding.position);
            assert!(told.starts_with(&place), "{told}");
        }
    }
}

#[test]
fn a_cut_end_and_a_chain_made_anew_are_found_by_a_head_noted_earlier_and_by_nothing_else() {
    let sound = chain(7);
    let head = |n: usize| -> ChainHash { sound[n - 1].hash.parse().unwrap() };
    assert_eq!(judge(&sound, Some(head(7))).noted_head_at, Some(7));
    // It has grown since.
    let verdict = judge(&sound, Some(head(3)));
    assert!(verdict.is_sound() && verdict.noted_head_at == Some(3));

    let cut = &sound[..5];
    assert!(judge(cut, None).is_sound());
    assert!(!judge(cut, Some(head(7))).is_sound());
    assert!(!judge(&[], Some(head(7))).is_sound());

    let mut anew = sound.clone();
    anew[3].row.as_mut().unwrap().actor = "user 8".to_owned();
    let mut hash = ChainHash::BEFORE_THE_FIRST;
    for link in &mut anew {
        hash = hash.next(link.row.as_ref().unwrap());
        link.hash = hash.to_string();
    }
    assert!(judge(&anew, None).is_sound());
    assert!(
        judge(&anew, Some(head(3))).is_sound(),
        "noted before the change"
    );
    assert!(!judge(&anew, Some(head(4))).is_sound());
}

#[test]
fn an_empty_chain_is_sound_and_a_ruined_one_is_told_of_in_few_words() {
    let empty = judge(&[], None);
    assert!(empty.is_sound() && empty.head.is_none());
    let mut chain = chain(100);
    for link in &mut chain {
        link.row = None;
    }
    let verdict = judge(&chain, None);
    assert_eq!(
        (verdict.wrong, verdict.findings.len()),
        (100, AUDIT_FINDINGS_MAX)
    );
    assert_eq!(verdict.head, Some((100, chain[99].hash.clone())));
}
