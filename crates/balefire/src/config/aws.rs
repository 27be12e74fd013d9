//! What a configuration must not say about AWS (D61; docs/aws.md).

use balefire_gateway::Endpoint;

use super::{Config, Queue};

/// Characters of a queue's name that SQS takes.
const QUEUE_NAME_CHARS_MAX: usize = 80;

/// Without a server the proxies are Lambda functions.
pub(super) fn check_lambda(config: &Config, findings: &mut Vec<String>) {
    if !cfg!(feature = "aws") {
        findings.push(
            "cbc.enabled is true and cbc.endpoint_url is absent, so the proxies would be Lambda \
             functions, and this build lacks the feature `aws`: install a build with it (cargo \
             build --features aws), name the server of the Invoke API in cbc.endpoint_url, or set \
             cbc.enabled = false"
                .to_owned(),
        );
        return;
    }
    if config.cbc.region.is_empty() {
        findings.push(
            "cbc.endpoint_url is absent and cbc.region is empty: name the region of the functions"
                .to_owned(),
        );
    }
    for provider in &config.provider {
        if provider.upstream_timeout_seconds == 0 && !provider.capabilities.own_protocol {
            findings.push(format!(
                "provider `{}`: upstream_timeout_seconds = 0 while cbc.endpoint_url is absent and \
                 capabilities.own_protocol is false: a Lambda function runs on after we stop \
                 waiting, so say for how long (its own time-out)",
                provider.name
            ));
        }
    }
}

/// The queue between processes.
pub(super) fn check_queue(config: &Config, findings: &mut Vec<String>) {
    let queue = &config.queue;
    match queue.kind.as_str() {
        "database" => return check_unused(queue, findings),
        "sqs" => {}
        _ => return findings.push("queue.kind is neither \"database\" nor \"sqs\"".to_owned()),
    }
    if !cfg!(feature = "aws") {
        findings.push(
            "queue.kind is \"sqs\" and this build lacks the feature `aws`: install a build with it \
             (cargo build --features aws), or set queue.kind = \"database\""
                .to_owned(),
        );
    }
    match &queue.name {
        None => findings.push("queue.kind is \"sqs\" and queue.name is absent".to_owned()),
        Some(name) => check_name("queue.name", name, findings),
    }
    if let Some(name) = &queue.dead_letter_name {
        check_name("queue.dead_letter_name", name, findings);
        if queue.name.as_ref() == Some(name) {
            findings.push(
                "queue.dead_letter_name and queue.name are the same queue: what was given up would \
                 be taken for a wake-up"
                    .to_owned(),
            );
        }
    }
    if queue
        .region
        .as_deref()
        .unwrap_or(&config.cbc.region)
        .is_empty()
    {
        findings.push("queue.region, or cbc.region in its place, is empty".to_owned());
    }
    if let Some(url) = &queue.endpoint_url
        && let Err(error) = Endpoint::parse(url.reveal())
    {
        findings.push(format!("queue.endpoint_url: {error}"));
    }
}

fn check_unused(queue: &Queue, findings: &mut Vec<String>) {
    if queue.name.is_some() || queue.dead_letter_name.is_some() {
        findings.push(
            "queue.name or queue.dead_letter_name is set and queue.kind is \"database\": the queue \
             would not be used; set queue.kind = \"sqs\", or leave the names out"
                .to_owned(),
        );
    }
}

fn check_name(key: &str, name: &str, findings: &mut Vec<String>) {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > QUEUE_NAME_CHARS_MAX || !name.chars().all(is_plain) {
        findings.push(format!(
            "{key}: name a standard queue, 1 to {QUEUE_NAME_CHARS_MAX} letters, \
             digits, - and _ (the order of messages is the database's matter, so no .fifo)"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::super::{check, parse};

    fn findings(text: &str) -> Vec<String> {
        check(&parse(text, std::iter::empty()).expect("it can be read"))
    }

    #[cfg(feature = "aws")]
    #[test]
    fn a_function_that_runs_on_must_be_waited_for() {
        let one = "[[provider]]\nname = \"ee\"\nformat = \"cap\"\nroutes = [{ proxy = \"a\" }]\n\
                   upstream_timeout_seconds = 0\ncapabilities = { shared_sites = true, own_protocol = ";
        let found = findings(&format!("{one}false }}")).join("\n");
        let keys = [
            "cbc.endpoint_url",
            "upstream_timeout_seconds",
            "own_protocol",
        ];
        assert!(keys.iter().all(|key| found.contains(key)), "{found}");
        assert_eq!(findings(&format!("{one}true }}")), Vec::<String>::new());
        let found = findings("[cbc]\nregion = \"\"").join("\n");
        assert!(found.contains("cbc.region"), "{found}");
    }

    #[test]
    fn a_queue_that_could_not_work_is_named_with_its_keys() {
        let rows = [
            ("kind = \"kafka\"", vec!["queue.kind", "sqs"]),
            ("kind = \"sqs\"", vec!["queue.kind", "queue.name"]),
            ("name = \"a\"", vec!["queue.kind", "queue.name"]),
            (
                "kind = \"sqs\"\nname = \"a.fifo\"",
                vec!["queue.name", "standard"],
            ),
            (
                "kind = \"sqs\"\nname = \"a\"\ndead_letter_name = \"a\"",
                vec!["queue.name", "queue.dead_letter_name"],
            ),
            (
                "kind = \"sqs\"\nname = \"a\"\nregion = \"\"",
                vec!["queue.region", "cbc.region"],
            ),
            (
                "kind = \"sqs\"\nname = \"a\"\nendpoint_url = \"here\"",
                vec!["queue.endpoint_url"],
            ),
        ];
        for (text, keys) in rows {
            let found = findings(&format!("[cbc]\nenabled = false\n[queue]\n{text}")).join("\n");
            assert!(
                keys.iter().all(|key| found.contains(key)),
                "{text}: {found}"
            );
        }
        let good = findings("[cbc]\nenabled = false\n[queue]\nkind = \"sqs\"\nname = \"a\"");
        if cfg!(feature = "aws") {
            assert_eq!(good, Vec::<String>::new());
        } else {
            assert!(good.join("").contains("feature `aws`"), "{good:?}");
        }
    }
}
