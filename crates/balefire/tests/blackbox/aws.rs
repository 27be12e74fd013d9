//! The way out through AWS: which build takes it, with whose credentials, and what comes out.

use crate::support::sandbox::{Engine, Sandbox};

/// The configuration of a world without `cbc.endpoint_url`.
fn without_endpoint(sandbox: &Sandbox) {
    let text = std::fs::read_to_string(sandbox.path("balefire.toml")).expect("it was written");
    let line = format!("endpoint_url = \"{}\"\n", sandbox.networks.url());
    assert!(text.contains(&line), "{text}");
    sandbox.write("balefire.toml", &text.replace(&line, ""));
}

#[cfg(not(feature = "aws"))]
#[tokio::test]
async fn a_build_without_the_adapter_says_which_feature_it_lacks() {
    let sandbox = Sandbox::new(Engine::Sqlite).await;
    without_endpoint(&sandbox);
    let ran = sandbox.run(&["serve"]).await;
    assert_eq!(ran.code, Some(1));
    for word in ["feature `aws`", "cbc.endpoint_url", "cbc.enabled"] {
        assert!(ran.stderr.contains(word), "{ran:?}");
    }
}

#[cfg(feature = "aws")]
mod queue;

#[cfg(feature = "aws")]
mod with_adapter {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use serde_json::Value;

    use super::{Engine, Sandbox, without_endpoint};
    use crate::support::oracle::judge;
    use crate::support::process::Process;
    use crate::support::sandbox::{PROVIDERS, run};
    use crate::support::server::Server;
    use crate::support::{SOON, on_both_engines, poll_until};

    on_both_engines!(
        an_alert_reaches_every_function_and_its_cancel_too,
        credentials_that_come_late_are_waited_for_and_then_used,
    );

    /// The surroundings of a process on AWS, with the networks in the place of Lambda.
    const NO_ACCOUNT: [(&str, &str); 3] = [
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_CONFIG_FILE", "absent"),
        ("AWS_SHARED_CREDENTIALS_FILE", "absent"),
    ];
    const DUMMIES: [(&str, &str); 2] = [
        ("AWS_ACCESS_KEY_ID", "dummy"),
        ("AWS_SECRET_ACCESS_KEY", "dummy"),
    ];

    fn command(sandbox: &Sandbox, args: &[&str]) -> tokio::process::Command {
        let mut command = sandbox.command(args);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("AWS_") {
                command.env_remove(name);
            }
        }
        command
            .env("AWS_ENDPOINT_URL_LAMBDA", sandbox.networks.url())
            .envs(NO_ACCOUNT);
        command
    }

    async fn start(sandbox: &Sandbox) -> Server {
        start_as(sandbox, &["serve"]).await
    }

    pub(crate) async fn start_as(sandbox: &Sandbox, args: &[&str]) -> Server {
        let mut command = command(sandbox, args);
        command.envs(DUMMIES);
        let mut process = Process::start("server on AWS", command);
        let url = process.line_after("balefire: ready on ").await;
        Server { process, url }
    }

    async fn an_alert_reaches_every_function_and_its_cancel_too(engine: Engine) {
        let sandbox = Sandbox::new(engine).await;
        let team = sandbox.live_team().await;
        without_endpoint(&sandbox);
        let server = start(&sandbox).await;
        let alert = server.broadcast(&team, "flood-1").await;
        sandbox.acknowledged(&alert, 4).await;
        server.cancel(&team, "flood-1").await;
        sandbox.settled(&alert, 8).await;
        let evidence = judge(&sandbox, &server).await;
        assert_eq!(evidence.requests.len(), 8, "one request each");
        for (provider, _) in PROVIDERS {
            let id = &evidence.delivery(&alert, provider, "cancel").id;
            assert_eq!(
                evidence.requests_of(id)[0].function,
                format!("{provider}-1-proxy")
            );
        }
        server.end().await;
    }

    /// R94: who sends needs credentials, and nobody else.
    #[tokio::test]
    async fn without_credentials_only_what_sends_nothing_starts() {
        let sandbox = Sandbox::new(Engine::Sqlite).await;
        without_endpoint(&sandbox);
        let ran = run(command(&sandbox, &["serve"])).await;
        assert_eq!(ran.code, Some(1), "{ran:?}");
        for word in ["no AWS credentials", "cbc.region", "cbc.endpoint_url"] {
            assert!(ran.stderr.contains(word), "{ran:?}");
        }
        let roles = command(&sandbox, &["serve", "--roles", "api"]);
        let mut process = Process::start("server that sends nothing", roles);
        process.line_after("balefire: ready on ").await;
        process.kill().await;
    }

    /// The endpoint that gives a container its credentials, as ECS has it.
    struct Container {
        url: String,
        is_well: Arc<AtomicBool>,
        asked: Arc<AtomicUsize>,
    }

    impl Container {
        /// Fails until it is told to be well.
        fn start() -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
            let address = listener.local_addr().expect("its address");
            let container = Self {
                url: format!("http://{address}/credentials"),
                is_well: Arc::default(),
                asked: Arc::default(),
            };
            let (is_well, asked) = (Arc::clone(&container.is_well), Arc::clone(&container.asked));
            // It ends with the test's process.
            std::thread::spawn(move || {
                for stream in listener.incoming() {
                    let mut stream = stream.expect("somebody asks");
                    let mut request = [0; 4096];
                    let length = stream.read(&mut request).unwrap_or(0);
                    if !request[..length].starts_with(b"GET /credentials ") {
                        continue; // Who gave up waiting hangs up.
                    }
                    asked.fetch_add(1, Ordering::SeqCst);
                    let (status, body) = if is_well.load(Ordering::SeqCst) {
                        ("200 OK", CREDENTIALS)
                    } else {
                        ("503 Busy", "")
                    };
                    let length = body.len();
                    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n");
                    drop(stream.write_all((head + body).as_bytes()));
                }
            });
            container
        }
    }

    const CREDENTIALS: &str = r#"{"AccessKeyId":"dummy","SecretAccessKey":"dummy",
        "Token":"dummy","Expiration":"2099-01-01T00:00:00Z"}"#;

    async fn credentials_that_come_late_are_waited_for_and_then_used(engine: Engine) {
        let sandbox = Sandbox::new(engine).await;
        let team = sandbox.live_team().await;
        without_endpoint(&sandbox);
        let container = Container::start();
        let mut serve = command(&sandbox, &["serve"]);
        serve.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", &container.url);
        let mut process = Process::start("server in a container", serve);
        let url = process.line_after("balefire: ready on ").await;
        let server = Server { process, url };
        let alert = server.broadcast(&team, "flood-1").await;
        let refused = "not sent: the AWS credentials ";
        poll_until(SOON, "every network has a refused attempt", async || {
            let list = sandbox.deliveries(&alert).await;
            let is_refused = |delivery: &&Value| delivery.to_string().contains(refused);
            (list.iter().filter(is_refused).count() == 4).then_some(())
        })
        .await;
        assert_eq!(sandbox.networks.requests().await, Vec::<Value>::new());
        container.is_well.store(true, Ordering::SeqCst);
        sandbox.acknowledged(&alert, 4).await;
        let asked = container.asked.load(Ordering::SeqCst);
        server.cancel(&team, "flood-1").await;
        sandbox.settled(&alert, 8).await;
        let now = container.asked.load(Ordering::SeqCst);
        assert!(now <= asked + 1, "{now} of {asked}: they are kept");
        judge(&sandbox, &server).await;
        server.end().await;
    }
}
