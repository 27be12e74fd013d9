//! Areas: polygons (C10), circles (C11), heights (C12), codes (C13).

use super::judge::Judge;
use super::{AreaContent, circle, country, is_blank, named_values, polygon, ring};
use crate::alert::Area;

/// Checks one area and reads its shapes. They are all there when no error was found.
pub(super) fn read(area: &Area, path: &str, judge: &mut Judge) -> AreaContent {
    let mut polygons = Vec::with_capacity(area.polygons.len());
    for (n, text) in area.polygons.iter().enumerate() {
        let path = format!("{path}/polygon[{}]", n + 1);
        let before = judge.errors();
        let points = polygon::read(text, &path, judge);
        if judge.errors() == before {
            ring::check(&points, &path, judge);
            country::check(&points, &path, judge);
        }
        polygons.push(points);
    }
    let mut circles = Vec::with_capacity(area.circles.len());
    for (n, text) in area.circles.iter().enumerate() {
        let path = format!("{path}/circle[{}]", n + 1);
        if let Some(circle) = circle::read(text, &path, judge) {
            country::check(&[(circle.lat, circle.lon)], &path, judge);
            circles.push(circle);
        }
    }
    if area.polygons.is_empty() && area.circles.is_empty() {
        let message = "the area has no polygon and no circle; codes of places can't be sent to \
                       phones";
        judge.find("area-without-polygon", path, message);
    }
    if is_blank(&area.description) {
        let message = "the areaDesc should not be empty: people see it as the area's name";
        judge.find("empty-area-name", format!("{path}/areaDesc"), message);
    }
    check_heights(area, path, judge);
    named_values::check(&area.geocodes, &format!("{path}/geocode"), judge);
    AreaContent {
        name: area.description.clone(),
        polygons,
        circles,
    }
}

/// C12. The structure step has seen that both are decimals.
fn check_heights(area: &Area, path: &str, judge: &mut Judge) {
    let Some(ceiling) = &area.ceiling else { return };
    let path = format!("{path}/ceiling");
    let feet = |text: &str| text.trim().parse::<f64>().unwrap_or_default();
    match &area.altitude {
        None => judge.find(
            "ceiling-without-altitude",
            path,
            "a ceiling needs an altitude",
        ),
        Some(altitude) if feet(ceiling) < feet(altitude) => {
            let message =
                "the ceiling is below the altitude; both are in feet above mean sea level";
            judge.find("ceiling-below-altitude", path, message);
        }
        Some(_) => {}
    }
}
