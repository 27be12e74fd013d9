//! `alert update` and `alert reject`: a change of an alert, and a no to it or to the alert itself.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use balefire_app::App;
use balefire_app::Failure;
use balefire_app::propose_update::UpdateChange;
use balefire_app::update_alert::{AlertChange, UpdateRefusal};
use balefire_domain::alert::Status;
use balefire_domain::ids::{AlertId, UserId};
use balefire_domain::limits::ALERT_VERSIONS_MAX;
use balefire_store::alerts::Alert;
use serde_json::{Value, json};

use super::alert::load;
use super::{Session, cap, find, render, render_update};

/// What `alert update` was given.
pub(super) struct Asked {
    pub(super) content: Option<String>,
    pub(super) file: Option<PathBuf>,
    pub(super) areas: Option<PathBuf>,
    pub(super) is_dry_run: bool,
}

pub(super) async fn update(
    session: &Session,
    id: AlertId,
    asked: Asked,
) -> anyhow::Result<ExitCode> {
    let email = match session.person() {
        Ok(email) => email,
        Err(code) => return Ok(code),
    };
    let content = match (asked.content, &asked.file) {
        (None, Some(file)) => Some(read_text(file)?),
        (content, _) => content,
    };
    let areas = asked.areas.as_deref().map(read_areas).transpose()?;
    if content.is_none() && areas.is_none() {
        return Ok(session.refuse("nothing to change: give --content or --file, or --areas"));
    }
    let app = session.open().await?;
    let by = find(&app, email).await?.id;
    let alert = load(&app, id).await?;
    let is_dry_run = asked.is_dry_run;
    if alert.status.is_editable() {
        return edit(session, &app, &alert, by, content, areas, is_dry_run).await;
    }
    let change = UpdateChange { content, areas, by };
    match app
        .propose_update(alert.service_id, id, &change, is_dry_run)
        .await
    {
        Ok(proposal) => {
            let page = render_update::ProposalPage {
                alert: &alert,
                proposal: &proposal,
                is_dry_run,
            };
            session.print(&page.json(), || page.text());
            Ok(ExitCode::SUCCESS)
        }
        Err(Failure::Store(error)) => Err(error.into()),
        Err(Failure::Refused(refusal)) => Ok(session.refuse(&update_words(&refusal))),
    }
}

/// What nobody has approved yet is edited in place.
async fn edit(
    session: &Session,
    app: &App,
    alert: &Alert,
    by: UserId,
    content: Option<String>,
    mut areas: Option<Value>,
    is_dry_run: bool,
) -> anyhow::Result<ExitCode> {
    if let Some(areas) = &mut areas {
        areas["ids"] = json!([]);
    }
    let change = AlertChange {
        content,
        areas,
        created_by: Some(by),
        is_dry_run,
        ..AlertChange::default()
    };
    match app.update_alert(alert.service_id, alert.id, &change).await {
        Ok(alert) => {
            session.print(&render::alert(&alert, None), || {
                let would = if is_dry_run { "would be" } else { "is" };
                let line = render::alert_line(&alert);
                format!(
                    "{line}\nversion {} {would} what waits for approval",
                    alert.version
                )
            });
            Ok(ExitCode::SUCCESS)
        }
        Err(Failure::Store(error)) => Err(error.into()),
        Err(Failure::Refused(refusal)) => Ok(session.refuse(&update_words(&refusal))),
    }
}

fn read_text(file: &Path) -> anyhow::Result<String> {
    let text = String::from_utf8(cap::read(file)?)
        .with_context(|| format!("{} is no UTF-8 text", file.display()))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// The areas of a GeoJSON file (RFC 7946): polygons as they are stored, latitude first, and the
/// names of features that have one. What is wrong with the polygons is for `app` to say.
fn read_areas(file: &Path) -> anyhow::Result<Value> {
    let shown = file.display();
    let read: Value =
        serde_json::from_slice(&cap::read(file)?).with_context(|| format!("{shown} is no JSON"))?;
    let features = match read["type"].as_str() {
        Some("FeatureCollection") => match &read["features"] {
            Value::Array(features) => features.clone(),
            _ => bail!("{shown}: a FeatureCollection has a list of features"),
        },
        Some("Feature") => vec![read],
        _ => vec![json!({ "geometry": read })],
    };
    let (mut names, mut polygons) = (Vec::new(), Vec::new());
    for feature in &features {
        if let Some(name) = feature["properties"]["name"].as_str() {
            names.push(json!(name));
        }
        let geometry = &feature["geometry"];
        let coordinates = geometry["coordinates"].as_array();
        let coordinates = coordinates.map(Vec::as_slice).unwrap_or_default();
        match geometry["type"].as_str() {
            Some("Polygon") => polygons.push(exterior(coordinates)),
            Some("MultiPolygon") => {
                let each = coordinates.iter();
                let rings = each.map(|p| p.as_array().map(Vec::as_slice).unwrap_or_default());
                polygons.extend(rings.map(exterior));
            }
            _ => bail!("{shown}: every geometry is a Polygon or a MultiPolygon"),
        }
    }
    let polygons: Option<Vec<Value>> = polygons.into_iter().collect();
    let Some(polygons) = polygons.filter(|polygons| !polygons.is_empty()) else {
        bail!("{shown}: every polygon is one ring of [longitude, latitude], without holes");
    };
    Ok(json!({ "names": names, "simple_polygons": polygons }))
}

/// The only ring of a polygon, latitude first; `None` where it has holes or is none.
fn exterior(rings: &[Value]) -> Option<Value> {
    let [ring] = rings else { return None };
    let turned = |position: &Value| {
        let [lon, lat] = position.as_array()?.get(..2)? else {
            return None;
        };
        Some(json!([lat, lon]))
    };
    let ring: Option<Vec<Value>> = ring.as_array()?.iter().map(turned).collect();
    ring.map(Value::Array)
}

fn update_words(refusal: &UpdateRefusal) -> String {
    match refusal {
        UpdateRefusal::NotFound => "there is no such alert".to_owned(),
        UpdateRefusal::ServiceInactive => "the service is suspended or archived".to_owned(),
        UpdateRefusal::UserNotFound | UpdateRefusal::EditorMissing => {
            "there is no such person".to_owned()
        }
        UpdateRefusal::NotAMember(_) => "this person does not belong to the service".to_owned(),
        UpdateRefusal::NotEditable(Status::Broadcasting) => {
            "the alert's time is over: make a new one".to_owned()
        }
        UpdateRefusal::NotEditable(status) => format!(
            "the alert is {}: only one that waits or is on the air can be changed",
            status.as_str()
        ),
        UpdateRefusal::HalfAreas => "the areas are not whole".to_owned(),
        UpdateRefusal::Text(refusal) => refusal.message("the text"),
        UpdateRefusal::Areas(balefire_app::AreasRefusal::Form(what)) => what.clone(),
        UpdateRefusal::Areas(balefire_app::AreasRefusal::Shape(refusal)) => {
            format!("areas: {refusal}")
        }
        UpdateRefusal::NothingChanges => {
            "the alert says exactly this already: nothing would change".to_owned()
        }
        UpdateRefusal::TooManyVersions => format!(
            "the alert was changed {ALERT_VERSIONS_MAX} times, which is the most: cancel it and \
             make a new one"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn areas(geojson: &Value) -> Result<Value, String> {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), geojson.to_string()).expect("written");
        read_areas(file.path()).map_err(|error| error.to_string())
    }

    #[test]
    fn areas_come_from_polygons_with_the_latitude_first() {
        let ring = json!([[1.0, 50.0], [2.0, 50.0], [2.0, 51.0, 9.0], [1.0, 50.0]]);
        let turned = json!([[50.0, 1.0], [50.0, 2.0], [51.0, 2.0], [50.0, 1.0]]);
        let polygon = json!({ "type": "Polygon", "coordinates": [ring] });
        let multi = json!({ "type": "MultiPolygon", "coordinates": [[ring], [ring]] });
        let named = json!({ "type": "Feature", "properties": { "name": "Here" },
            "geometry": polygon });
        let unnamed = json!({ "type": "Feature", "properties": null, "geometry": multi });
        let both = json!({ "type": "FeatureCollection", "features": [named, unnamed] });
        for (what, given, names, count) in [
            ("a polygon", polygon, json!([]), 1),
            ("several", multi, json!([]), 2),
            ("a feature", named, json!(["Here"]), 1),
            ("features", both, json!(["Here"]), 3),
        ] {
            let read = areas(&given).expect(what);
            assert_eq!(read["names"], names, "{what}");
            assert_eq!(
                read["simple_polygons"],
                json!(vec![&turned; count]),
                "{what}"
            );
        }
    }

    #[test]
    fn what_is_no_whole_polygon_is_refused_and_named() {
        let hole = json!({ "type": "Polygon", "coordinates": [[[1, 2]], [[1, 2]]] });
        for (given, want) in [
            (hole, "without holes"),
            (json!({ "type": "Point", "coordinates": [1, 2] }), "Polygon"),
            (
                json!({ "type": "Polygon", "coordinates": [[[1]]] }),
                "longitude",
            ),
            (
                json!({ "type": "FeatureCollection", "features": [] }),
                "polygon",
            ),
            (json!({ "type": "FeatureCollection" }), "features"),
            (json!([]), "Polygon"),
        ] {
            let why = areas(&given).expect_err("refused");
            assert!(why.contains(want), "{given}: {why}");
        }
    }
}
