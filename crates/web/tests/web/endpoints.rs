//! Every route that existing clients call is in the table, and none of the SMS product's is.
//!
//! `endpoints.txt` is the table of endpoints as method and path, `{}` for each parameter. Where the
//! page that it was made of is at hand, a test makes it again (with `BLESS=1` it is written anew).

use std::collections::BTreeSet;

use balefire_web::{routes, test_routes};

use crate::support::*;

const ENDPOINTS: &str = include_str!("endpoints.txt");
const LIST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/web/endpoints.txt");
const PAGE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../shared/design/http.md"
);
const METHODS: [&str; 4] = ["GET", "POST", "DELETE", "OPTIONS"];

/// Routes of the earlier service's other product, and calls of clients that it answered no more.
const LEFT_OVER: [&str; 19] = [
    "/service/{}/inbound-api",
    "/service/{}/inbound-api/{}",
    "/service/{}/delivery-receipt-api",
    "/service/{}/delivery-receipt-api/{}",
    "/service/{}/statistics",
    "/service/{}/guest-list",
    "/service/{}/email-reply-to",
    "/service/{}/sms-sender",
    "/service/{}/data-retention",
    "/service/{}/notifications",
    "/service/{}/notifications/monthly",
    "/service/{}/template/precompiled",
    "/service/live-services-data",
    "/notifications/sms/mmg",
    "/notifications/sms/receive/mmg",
    "/notifications/email/ses",
    "/v2/notifications",
    "/v2/template/{}",
    "/platform-admin/find-by-uuid",
];

/// A path whose parameters have no names.
fn nameless(path: &str, open: char, close: char) -> String {
    let mut bare = String::new();
    let mut is_inside = false;
    for c in path.chars() {
        if c == open {
            bare.push_str("{}");
            is_inside = true;
        } else if c == close {
            is_inside = false;
        } else if !is_inside {
            bare.push(c);
        }
    }
    bare
}

fn ours() -> BTreeSet<(String, String)> {
    routes()
        .chain(test_routes())
        .map(|route| (route.method.to_owned(), nameless(route.path, '{', '}')))
        .collect()
}

/// What one cell or paragraph of the page names, one entry for each way to say it: the method,
/// where it is said before the path, and the paths of which one must exist.
fn named(text: &str) -> Vec<(Option<String>, Vec<String>)> {
    let (mut found, mut methods, mut base) = (Vec::new(), Vec::new(), String::new());
    for (index, part) in text.split('`').enumerate() {
        let words = part.split(|c: char| c == '/' || c.is_whitespace());
        let said: Vec<String> = words
            .filter(|word| METHODS.contains(word))
            .map(str::to_owned)
            .collect();
        if !said.is_empty() {
            methods = said;
        }
        let path = part.rsplit(' ').next().unwrap_or_default();
        let is_path = index % 2 == 1
            && (path.starts_with(['/', '…']) || path == "B" || path.starts_with("B/"));
        if !is_path {
            continue;
        }
        for path in spelt(path, &mut base) {
            for method in &methods {
                found.push((Some(method.clone()), path.clone()));
            }
            if methods.is_empty() {
                found.push((None, path));
            }
        }
    }
    found
}

/// A path as the page spells it, in full; each inner list holds what it may mean.
fn spelt(path: &str, base: &mut String) -> Vec<Vec<String>> {
    let path = path.split('?').next().unwrap_or_default();
    let path = path.replace('B', "/service/<sid>/broadcast-message");
    let path = nameless(&path, '<', '>');
    let (path, optional) = match path.split_once('[') {
        Some((path, more)) => (path.to_owned(), Some(more.trim_end_matches(']').to_owned())),
        None => (path, None),
    };
    let tail = path.trim_matches('…').to_owned();
    let is_whole = !path.starts_with('…') && tail.matches('/').count() > 1;
    if is_whole {
        base.clone_from(&tail);
    }
    let mut all = vec![vec![format!("{base}{tail}"), tail.clone()]];
    if let Some(more) = optional {
        all.push(vec![format!("{tail}{more}")]);
    }
    all
}

/// The rows that are called, and the paragraphs, of the page's table.
fn read_page(page: &str) -> Vec<(Option<String>, Vec<String>)> {
    let start = page.find("## 1.2").expect("the table");
    let end = page.find("## 1.3").expect("what follows it");
    let (mut called_by, mut all) = (None, Vec::new());
    for line in page[start..end].lines() {
        let line = line.replace("\\|", "/");
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        if !line.starts_with('|') {
            called_by = None;
            let is_about = [
                "Clients:",
                "Prefix",
                "State machine",
                "What the API",
                "Not registered",
            ];
            let is_table =
                line.starts_with(['`', 'P']) && !is_about.iter().any(|a| line.starts_with(a));
            if is_table {
                // Here methods stand before or behind a path: the path is what is compared.
                all.extend(named(&line).into_iter().map(|(_, paths)| (None, paths)));
            }
        } else if let Some(at) = cells.iter().position(|cell| cell.starts_with("called by")) {
            called_by = Some(at);
        } else if let Some(cell) = called_by.and_then(|at| cells.get(at)) {
            let is_left_over = cell.contains("left-overs");
            if !cell.starts_with("none") && *cell != "–" && !is_left_over {
                all.extend(named(cells[0]));
            }
        }
    }
    all
}

/// The routes that an entry of the page means.
fn resolve(method: Option<&str>, paths: &[String]) -> Vec<(String, String)> {
    let all = ours();
    for path in paths {
        let is_meant = |(known, at): &&(String, String)| {
            method.is_none_or(|method| method == known) && (at == path)
        };
        let found: Vec<_> = all.iter().filter(is_meant).cloned().collect();
        if !found.is_empty() {
            return found;
        }
    }
    let is_end = |(known, at): &&(String, String)| {
        method.is_none_or(|method| method == known) && paths.iter().any(|path| at.ends_with(path))
    };
    all.iter().filter(is_end).cloned().collect()
}

#[test]
fn every_route_that_clients_call_is_in_the_table() {
    let all = ours();
    let lines = ENDPOINTS.lines().map(|line| line.split_once(' ').unwrap());
    let wanted: Vec<_> = lines
        .map(|(method, path)| (method.to_owned(), path.to_owned()))
        .collect();
    let missing: Vec<_> = wanted.iter().filter(|one| !all.contains(*one)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(wanted.len() > 100, "{}", wanted.len());
}

#[test]
fn the_list_of_endpoints_is_what_the_page_has() {
    let Ok(page) = std::fs::read_to_string(PAGE) else {
        eprintln!("the page of endpoints is not at hand: endpoints.txt stands for it");
        return;
    };
    let (mut found, mut missing) = (BTreeSet::new(), Vec::new());
    for (method, paths) in read_page(&page) {
        let meant = resolve(method.as_deref(), &paths);
        if meant.is_empty() {
            missing.push(format!("{method:?} {paths:?}"));
        }
        found.extend(meant);
    }
    assert!(missing.is_empty(), "no route: {missing:#?}");
    let found: Vec<String> = found.iter().map(|(m, p)| format!("{m} {p}")).collect();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(LIST, found.join("\n") + "\n").unwrap();
        return;
    }
    assert_eq!(found, ENDPOINTS.lines().collect::<Vec<_>>());
}

#[tokio::test]
async fn what_is_left_over_of_the_sms_product_answers_404() {
    let web = TestWeb::start().await;
    let id = web.live.id.to_string();
    for path in LEFT_OVER.map(|path| path.replace("{}", &id)) {
        for method in ["GET", "POST"] {
            let answer = web.send(web.request(method, &path, "{}")).await;
            assert_eq!(answer.status, 404, "{method} {path}: {answer:?}");
        }
    }
}
