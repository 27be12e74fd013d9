//! `provider list|link-test|pause|resume`.

use std::fmt::Write as _;
use std::process::ExitCode;

use balefire_app::providers::{ProviderAct, ProviderChange, ProviderRefusal};
use balefire_app::{App, Failure};
use balefire_dispatcher::link_tests::RouteTest;
use balefire_domain::link_test::ProbeKind;
use balefire_domain::provider::{ProviderName, Route};
use balefire_store::probes::{Probe, ProbeResult};
use balefire_store::provider_pauses::ProviderPause;
use balefire_store::route_results::RouteResult;
use serde_json::{Value, json};

use super::{Session, find};
use crate::cli::ProviderCommand;
use crate::config::Provider;
use crate::{FAILED, link_tests, way_out};

pub(super) async fn run(session: &Session, command: ProviderCommand) -> anyhow::Result<ExitCode> {
    match command {
        ProviderCommand::List => list(session).await,
        ProviderCommand::LinkTest { provider } => link_test(session, provider.as_deref()).await,
        ProviderCommand::Pause {
            provider,
            reason,
            dry_run,
        } => change(session, &provider, &ProviderAct::Pause { reason }, dry_run).await,
        ProviderCommand::Resume { provider, dry_run } => {
            change(session, &provider, &ProviderAct::Resume, dry_run).await
        }
    }
}

/// What the database knows of all providers.
struct Known {
    probes: Vec<Probe>,
    uses: Vec<RouteResult>,
    pauses: Vec<ProviderPause>,
}

impl Known {
    fn latest(&self, kind: ProbeKind, provider: &str, target: &str) -> Option<&ProbeResult> {
        let found = self.probes.iter().find(|probe| {
            let key = &probe.key;
            key.kind == kind && key.provider == provider && key.target == target
        });
        found?.latest.as_ref()
    }

    fn pause(&self, provider: &ProviderName) -> Option<&ProviderPause> {
        self.pauses.iter().find(|p| p.provider == *provider)
    }
}

async fn list(session: &Session) -> anyhow::Result<ExitCode> {
    let app = session.open().await?;
    let known = Known {
        probes: app.list_probes().await?,
        uses: app.list_route_results().await?,
        pauses: app.list_provider_pauses().await?,
    };
    let providers = &session.config.provider;
    let shown: Vec<Value> = providers.iter().map(|p| shown(p, &known)).collect();
    session.print(&json!(shown), || plain(session, &known));
    Ok(ExitCode::SUCCESS)
}

fn shown(provider: &Provider, known: &Known) -> Value {
    let route = |route: &Route| {
        let test = known.latest(ProbeKind::LinkTest, provider.name.as_str(), &route.name());
        json!({
            "proxy": route.proxy,
            "site": route.site,
            "last_link_test": test.map(|test| json!({
                "at": test.at.to_json_style(), "ok": test.is_good, "detail": test.detail,
            })),
        })
    };
    json!({
        "name": provider.name,
        "paused": known.pause(&provider.name).is_some(),
        "routes": provider.routes.iter().map(route).collect::<Vec<_>>(),
    })
}

fn plain(session: &Session, known: &Known) -> String {
    let mut lines = Vec::new();
    for provider in &session.config.provider {
        let format = provider.format.as_str();
        let paused = known.pause(&provider.name).map_or_else(String::new, |p| {
            let why = p.reason.as_deref().unwrap_or("no reason given");
            format!("  PAUSED since {}: {why}", p.paused_at)
        });
        lines.push(format!("{:<10} {format}{paused}", provider.name.as_str()));
        for route in &provider.routes {
            lines.push(plain_route(provider, route, known));
        }
    }
    if let Some(function) = &session.config.cbc.canary {
        let latest = known.latest(ProbeKind::Canary, "", function);
        lines.push(format!("canary     {function:<22} {}", told(latest)));
    }
    lines.join("\n")
}

fn plain_route(provider: &Provider, route: &Route, known: &Known) -> String {
    let (name, own) = (route.name(), provider.name.as_str());
    let test = known.latest(ProbeKind::LinkTest, own, &name);
    let mut line = format!("  {name:<22} link test {}", told(test));
    let latest_use = known
        .uses
        .iter()
        .find(|used| used.provider == own && used.route == name);
    if let Some(used) = latest_use.filter(|used| test.is_none_or(|test| used.at != test.at)) {
        let how = if used.is_good { "ok" } else { "FAILED" };
        let _ = write!(line, "; last used {how} {}: {}", used.at, used.detail);
    }
    if !provider.capabilities.own_protocol {
        return line;
    }
    let beat = known.latest(ProbeKind::Heartbeat, own, &route.proxy);
    let _ = write!(line, "; heartbeat {}", told(beat));
    // Whichever was measured last.
    let measured = [test, beat].into_iter().flatten();
    let latest = measured
        .filter(|result| result.skew_us.is_some())
        .max_by_key(|result| result.at);
    if let Some(skew_us) = latest.and_then(|result| result.skew_us) {
        let _ = write!(line, "; its clock {:+} ms", skew_us / 1000);
    }
    line
}

fn told(result: Option<&ProbeResult>) -> String {
    match result {
        None => "never".to_owned(),
        Some(result) if result.is_good => format!("ok {}", result.at),
        Some(result) => format!("FAILED {}: {}", result.at, result.detail),
    }
}

async fn link_test(session: &Session, name: Option<&str>) -> anyhow::Result<ExitCode> {
    let chosen = match name {
        None => session
            .config
            .provider
            .iter()
            .map(|p| p.name.clone())
            .collect(),
        Some(name) => match known_provider(session, name) {
            Ok(name) => vec![name],
            Err(code) => return Ok(code),
        },
    };
    if !session.config.cbc.enabled {
        return Ok(session.refuse(
            "the proxies are switched off (cbc.enabled = false): nothing is sent to them",
        ));
    }
    let app = session.open().await?;
    let actor = session.operator(&app).await?;
    let way_out = way_out::open(&session.config, &app.clock).await?;
    let tests = link_tests::link_tests(&session.config, &app, way_out);
    let tests = tests.test_now(&chosen).await;
    let failed: Vec<String> = tests
        .iter()
        .filter(|test| !test.result.is_good)
        .map(|test| test.route.name())
        .collect();
    let object = match chosen.as_slice() {
        [one] => format!("provider {one}"),
        _ => "all providers".to_owned(),
    };
    let details = json!({ "routes": tests.len(), "failed": failed });
    app.note_link_test(actor, object, details).await?;
    for test in &tests {
        if let Some(why) = &test.not_stored {
            eprintln!(
                "balefire: the test of {} could not be stored: {why}",
                test.route.name()
            );
        }
    }
    let shown: Vec<Value> = tests.iter().map(shown_test).collect();
    session.print(&json!(shown), || {
        let lines: Vec<String> = tests.iter().map(plain_test).collect();
        lines.join("\n")
    });
    let is_good = failed.is_empty() && tests.iter().all(|test| test.not_stored.is_none());
    Ok(if is_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FAILED)
    })
}

fn shown_test(test: &RouteTest) -> Value {
    let result = &test.result;
    json!({
        "provider": test.provider, "proxy": test.route.proxy, "site": test.route.site,
        "at": result.at.to_json_style(), "ok": result.is_good, "detail": result.detail,
        "clock_ahead_ms": result.skew_us.map(|skew_us| skew_us / 1000),
    })
}

fn plain_test(test: &RouteTest) -> String {
    let (result, how) = (
        &test.result,
        if test.result.is_good { "ok" } else { "FAILED" },
    );
    let provider = test.provider.as_str();
    let mut line = format!(
        "{provider:<10} {:<22} {how:<7}{}",
        test.route.name(),
        result.detail
    );
    if let Some(skew_us) = result.skew_us {
        let _ = write!(line, "; its clock {:+} ms", skew_us / 1000);
    }
    line
}

async fn change(
    session: &Session,
    name: &str,
    act: &ProviderAct,
    is_dry_run: bool,
) -> anyhow::Result<ExitCode> {
    let email = match session.person() {
        Ok(email) => email,
        Err(code) => return Ok(code),
    };
    let provider = match known_provider(session, name) {
        Ok(provider) => provider,
        Err(code) => return Ok(code),
    };
    let app: App = session.open().await?;
    let user = find(&app, email).await?;
    let change = match app
        .change_provider(user.id, &provider, act, is_dry_run)
        .await
    {
        Ok(change) => change,
        Err(Failure::Store(error)) => return Err(error.into()),
        Err(Failure::Refused(ProviderRefusal::NotAnAdministrator)) => {
            return Ok(session.refuse(&format!(
                "{email} is no platform administrator: a provider serves every service"
            )));
        }
    };
    let shown = json!({
        "provider": provider,
        "paused": matches!(act, ProviderAct::Pause { .. }) ,
        "changed": change.is_changed,
        "waiting_alerts": change.waiting_alerts,
        "dry_run": is_dry_run,
    });
    session.print(&shown, || words(&provider, act, change, is_dry_run));
    Ok(ExitCode::SUCCESS)
}

fn words(
    provider: &ProviderName,
    act: &ProviderAct,
    change: ProviderChange,
    is_dry_run: bool,
) -> String {
    let waiting = change.waiting_alerts;
    let alerts = match waiting {
        0 => "no alert waits".to_owned(),
        1 => "1 alert waits".to_owned(),
        _ => format!("{waiting} alerts wait"),
    };
    match (act, change.is_changed, is_dry_run) {
        (ProviderAct::Pause { .. }, false, _) => format!("{provider} is paused already; {alerts}"),
        (ProviderAct::Resume, false, _) => format!("{provider} is not paused; {alerts}"),
        (ProviderAct::Pause { .. }, true, true) => format!(
            "this would pause {provider}: its alerts are held until it is resumed, cancels go; \
             {alerts} now"
        ),
        (ProviderAct::Pause { .. }, true, false) => format!(
            "{provider} is paused: its alerts are held, cancels go; {alerts}. \
             `balefire provider resume {provider}` ends it"
        ),
        (ProviderAct::Resume, true, true) => {
            format!("this would resume {provider}: what waits is sent at once; {alerts}")
        }
        (ProviderAct::Resume, true, false) => {
            format!("{provider} is resumed: what waits is sent at once; {alerts}")
        }
    }
}

/// The provider of this name, or the refusal that names those there are.
fn known_provider(session: &Session, name: &str) -> Result<ProviderName, ExitCode> {
    let names = session.config.provider.iter().map(|p| &p.name);
    let found = names.clone().find(|known| known.as_str() == name);
    found.cloned().ok_or_else(|| {
        let names: Vec<&str> = names.map(ProviderName::as_str).collect();
        session.refuse(&format!(
            "no provider is named `{name}`; the configuration has {}",
            names.join(", ")
        ))
    })
}
