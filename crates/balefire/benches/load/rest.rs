//! What the service takes when nothing happens: time to start, memory, processor.

use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

use crate::figures::{cpu_ticks, memory_kib, pause, rounded, spread};
use crate::scene::{Place, Scene};

const STARTS: usize = 5;
const REST: Duration = Duration::from_secs(10);

/// Starts on fresh databases, the last of which is left alone for ten seconds.
pub(crate) fn measure(place: &Place<'_>) -> Result<Value> {
    let (mut starts, mut last) = (Vec::new(), None);
    for n in 0..STARTS {
        // The one before ends first.
        drop(last.take());
        let scene = Scene::start(place, &format!("rest{n}"), "")?;
        starts.push(scene.ready_ms);
        last = Some(scene);
    }
    let process = last.as_ref().expect("several were started").serve.id();
    let ticks = cpu_ticks(process)?;
    pause(REST);
    let ticks = u32::try_from(cpu_ticks(process)? - ticks)?;
    let (rss, highest) = memory_kib(process)?;
    Ok(json!({
        "start_to_ready_ms": spread(&starts), "memory_kib": rss, "memory_highest_kib": highest,
        "processor_percent": rounded(f64::from(ticks) / REST.as_secs_f64()),
    }))
}
