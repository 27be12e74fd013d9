//! Every answer that a test is given is held against the table of the routes.

use std::cmp::Reverse;

use balefire_web::{Route, Schema, routes, test_routes};
use serde_json::Value;

use crate::support::Answer;

/// # Panics
///
/// When the table of the routes has no such status of the route, or another body.
pub fn hold(method: &str, path: &str, answer: &Answer) {
    let Some(route) = find(method, path) else {
        return;
    };
    let status = answer.status.as_u16();
    let name = format!("{method} {}: {status}", route.path);
    // A route of tests does not exist where the public is.
    let is_absent = [404, 405].contains(&status)
        && test_routes().any(|test| (test.method, test.path) == (route.method, route.path));
    if is_absent || route.refusals().contains(&status) {
        return;
    }
    let schema = route.answers.iter().find(|(known, _)| *known == status);
    let Some((_, schema)) = schema else {
        panic!("{name} is no answer of the table");
    };
    let Some(schema) = schema else {
        assert_eq!(answer.text, "", "{name} has no body in the table");
        return;
    };
    if let Schema::Plain = schema {
        assert_eq!(answer.headers["content-type"], "text/plain; charset=utf-8");
        return;
    }
    let value: Value = serde_json::from_str(&answer.text).expect("JSON");
    if let Err(fault) = schema.check(&value) {
        panic!("{name} is not as the table says: answer{fault}");
    }
}

/// The route of a path: one without parameters goes first.
fn find(method: &str, path: &str) -> Option<&'static Route> {
    let mut found: Vec<&Route> = routes()
        .chain(test_routes())
        .filter(|route| route.method == method && is_of(route.path, path))
        .collect();
    // Of two with as many parameters the one that says more: `message={alert}` before `{alert}`.
    found.sort_by_key(|route| {
        let path = route.path;
        (path.matches('{').count(), Reverse(path.len()))
    });
    found.first().copied()
}

fn is_of(template: &str, path: &str) -> bool {
    let (mut names, mut given) = (template.split('/'), path.split('/'));
    loop {
        match (names.next(), given.next()) {
            (None, None) => return true,
            (Some(name), Some(part)) => {
                let (before, is_open) = match name.split_once('{') {
                    Some((before, _)) => (before, true),
                    None => (name, false),
                };
                if is_open && !part.starts_with(before) || !is_open && part != name {
                    return false;
                }
            }
            _ => return false,
        }
    }
}
