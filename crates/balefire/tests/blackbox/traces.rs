//! Traces: which build tells them, and that one leads from the approval to every acceptance.

#[cfg(not(feature = "otlp"))]
#[tokio::test]
async fn a_build_that_cannot_tell_traces_says_which_feature_it_lacks() {
    use crate::support::sandbox::{Engine, Sandbox, run};

    let sandbox = Sandbox::new(Engine::Sqlite).await;
    let mut command = sandbox.command(&["serve"]);
    command.env("BALEFIRE__TRACES__ENDPOINT_URL", "http://127.0.0.1:4318");
    let ran = run(command).await;
    assert_eq!(ran.code, Some(1));
    for word in ["traces.endpoint_url", "feature `otlp`"] {
        assert!(ran.stderr.contains(word), "{ran:?}");
    }
}

#[cfg(feature = "otlp")]
mod spans;

#[cfg(feature = "otlp")]
mod with_exporter {
    use balefire_test_support::http_server::{HttpServer, Reply};

    use super::spans::{Span, spans_of};
    use crate::support::documents::TEXT;
    use crate::support::oracle::judge;
    use crate::support::sandbox::{PROVIDERS, Sandbox};
    use crate::support::server::Server;
    use crate::support::{SOON, on_both_engines, poll_until};

    on_both_engines!(
        one_trace_leads_from_the_approval_to_every_acceptance,
        a_collector_that_is_gone_holds_up_nothing,
    );

    async fn start(sandbox: &Sandbox, roles: &str, collector: &str) -> Server {
        let mut command = sandbox.command(&["serve", "--roles", roles]);
        command.env("BALEFIRE__TRACES__ENDPOINT_URL", collector);
        Server::start_command(roles, command).await
    }

    /// Waits until the collector has a span of this name and its four accepted attempts.
    async fn story(collector: &HttpServer, name: &str) -> (Vec<Span>, Span, Vec<Span>) {
        let what = format!("the collector has {name} and four acceptances below it");
        poll_until(SOON, &what, async || {
            let requests = collector.received();
            let spans: Vec<Span> = requests.iter().flat_map(|r| spans_of(&r.bytes)).collect();
            let root = spans.iter().find(|span| span.name == name)?.clone();
            let is_acceptance = |span: &&Span| {
                let outcome = span.attributes.get("outcome");
                span.name == "attempt"
                    && span.parent == root.id
                    && outcome.is_some_and(|outcome| outcome == "accepted")
            };
            let accepted: Vec<Span> = spans.iter().filter(is_acceptance).cloned().collect();
            (accepted.len() == PROVIDERS.len()).then_some((spans, root, accepted))
        })
        .await
    }

    async fn one_trace_leads_from_the_approval_to_every_acceptance(
        engine: crate::support::sandbox::Engine,
    ) {
        let collector = HttpServer::start(Box::new(|_| Reply::Answer(200, String::new()))).await;
        let sandbox = Sandbox::new(engine).await;
        // Who approves and who sends are two processes: the trace goes through the database.
        let api = start(&sandbox, "api", &collector.url()).await;
        let dispatch = start(&sandbox, "dispatch,schedule", &collector.url()).await;
        let team = sandbox.live_team().await;
        let alert = api.broadcast(&team, "traced").await;
        sandbox.settled(&alert, PROVIDERS.len()).await;
        let (spans, approval, accepted) = story(&collector, "alert.approve").await;
        assert_eq!(approval.attributes["alert.id"], alert);
        let request = spans.iter().find(|span| span.id == approval.parent);
        let request = request.expect("the approval belongs to its request");
        assert_eq!((&*request.name, &request.trace), ("http", &approval.trace));
        let mut providers: Vec<&str> = Vec::new();
        for attempt in &accepted {
            assert_eq!(attempt.trace, approval.trace, "one trace");
            providers.push(&attempt.attributes["provider"]);
        }
        providers.sort_unstable();
        assert_eq!(providers, PROVIDERS.map(|(provider, _)| provider));

        api.cancel(&team, "traced").await;
        let (_, cancel, accepted) = story(&collector, "alert.cancel").await;
        assert_ne!(cancel.trace, approval.trace, "another act");
        assert!(accepted.iter().all(|attempt| attempt.trace == cancel.trace));
        for request in collector.received() {
            assert_eq!(request.path, "/v1/traces");
            assert_eq!(
                request.header("content-type"),
                Some("application/x-protobuf")
            );
            assert!(
                !request.body.contains(TEXT),
                "no span has the text of an alert"
            );
        }
        judge(&sandbox, &api).await;
        api.end().await;
        dispatch.end().await;
    }

    async fn a_collector_that_is_gone_holds_up_nothing(engine: crate::support::sandbox::Engine) {
        let sandbox = Sandbox::new(engine).await;
        let gone = HttpServer::start(Box::new(|_| Reply::Close)).await.url();
        let server = start(&sandbox, "api,dispatch,schedule", &gone).await;
        let team = sandbox.live_team().await;
        let alert = server.broadcast(&team, "untold").await;
        sandbox.settled(&alert, PROVIDERS.len()).await;
        poll_until(SOON, "the log says that the collector fails", async || {
            let said = server.process.events("traces.not_sent");
            (!said.is_empty()).then_some(())
        })
        .await;
        judge(&sandbox, &server).await;
        server.end().await;
    }
}
