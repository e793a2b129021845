//! How the object store is, for the health page and the metrics.

use boathouse_aws::vitals::{Report, Vitals};
use boathouse_objects::{Objects, ScrubReport};
use serde_json::json;

pub(crate) struct StoreVitals {
    objects: Objects,
}

impl StoreVitals {
    pub(crate) fn new(objects: Objects) -> Self {
        Self { objects }
    }
}

impl Vitals for StoreVitals {
    fn report(&self) -> Report {
        let mut report = Report::default();
        match self.objects.disk() {
            Ok(disk) => {
                report.problems.extend(disk.refusal().map(|why| format!("writes are refused: {why}")));
                report.details.insert(
                    "disk".into(),
                    json!({"free_bytes": disk.free, "reserve_bytes": disk.reserve, "read_only": disk.read_only}),
                );
                report.gauges.extend([
                    ("disk_free_bytes", "Bytes that may be written to the data directory's disk", disk.free),
                    ("disk_reserve_bytes", "Free bytes below which nothing new is taken", disk.reserve),
                    (
                        "disk_read_only",
                        "Whether the data directory's disk can't be written to",
                        u64::from(disk.read_only),
                    ),
                ]);
            }
            Err(error) => report.problems.push(format!("the disk can't be looked at: {error}")),
        }
        match self.objects.scrubbed() {
            Ok(scrubbed) => add_scrubbed(&mut report, &scrubbed),
            Err(error) => report.problems.push(format!("the index of objects can't be read: {error}")),
        }
        if let Some((url, trouble)) = self.objects.remote() {
            report.details.insert("remote".into(), json!({"url": url, "answers": trouble.is_none()}));
            // What it said stays in the log: everybody may see this page.
            report.problems.extend(trouble.is_some().then(|| "the last request to the remote store failed".to_owned()));
        }
        let files = self.objects.damaged_files();
        if files > 0 {
            report.problems.push(format!("readers met damage in {files} files; the log names them"));
        }
        report.gauges.push(("damaged_files", "Files in which readers met damage since the start", files as u64));
        report
    }
}

/// Keys stay in the log: everybody may see this page.
fn add_scrubbed(report: &mut Report, scrubbed: &ScrubReport) {
    let damaged = scrubbed.damage.len();
    if damaged > 0 {
        report.problems.push(format!("{damaged} objects are damaged; the log names them"));
    }
    report.details.insert(
        "scrub".into(),
        json!({
            "records": scrubbed.records, "bytes": scrubbed.bytes, "passes": scrubbed.passes,
            "last_pass_ms": scrubbed.last_pass_ms, "damaged": damaged,
        }),
    );
    report.gauges.extend([
        ("damaged_objects", "Objects that the scrubber found damaged", damaged as u64),
        ("scrubbed_bytes", "Bytes that the scrubber has read since the start", scrubbed.bytes),
        ("scrub_passes", "Passes of the scrubber that ended since the start", scrubbed.passes),
    ]);
}
