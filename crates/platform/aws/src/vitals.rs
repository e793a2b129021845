//! How the server is: what its stores say of themselves, for `/_boathouse/health` and `/_boathouse/metrics`.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

/// What somebody has to say of how they are.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// What is wrong, in words; empty if nothing is.
    pub problems: Vec<String>,
    /// Members of the health page.
    pub details: Map<String, Value>,
    /// Gauges: name, what it is, value.
    pub gauges: Vec<(&'static str, &'static str, u64)>,
}

/// Somebody who can tell how they are, at any time and at once.
pub trait Vitals: Send + Sync {
    /// How they are now.
    fn report(&self) -> Report;
}

impl Report {
    /// The health page: `status` is `ok` or `degraded`. A degraded server still answers, so the page's status is 200.
    pub(crate) fn health(&self) -> String {
        let status = if self.problems.is_empty() { "ok" } else { "degraded" };
        let mut page = json!({"status": status});
        if !self.problems.is_empty() {
            page["problems"] = json!(self.problems);
        }
        for (name, value) in &self.details {
            page[name] = value.clone();
        }
        page.to_string()
    }

    /// Puts the gauges at the end of what the gateway counts.
    pub(crate) fn add_to(&self, metrics: &str) -> String {
        let mut text = metrics.trim_end().trim_end_matches("# EOF").to_owned();
        let problems = ("problems", "What the health page says is wrong", self.problems.len() as u64);
        for (name, help, value) in self.gauges.iter().chain([&problems]) {
            let lines = writeln!(
                text,
                "# HELP boathouse_{name} {help}.\n# TYPE boathouse_{name} gauge\nboathouse_{name} {value}"
            );
            lines.expect("invariant: writing to a string succeeds");
        }
        text + "# EOF\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_show() {
        let mut report = Report::default();
        assert_eq!(report.health(), r#"{"status":"ok"}"#);
        report.problems.push("the disk is full".into());
        report.details.insert("disk".into(), json!({"free": 1}));
        report.gauges.push(("disk_free_bytes", "Bytes that may be written", 1));
        let page: Value = serde_json::from_str(&report.health()).unwrap();
        assert_eq!(page, json!({"status": "degraded", "problems": ["the disk is full"], "disk": {"free": 1}}));
        let text = report.add_to("a 1\n# EOF\n");
        assert!(text.starts_with("a 1\n# HELP boathouse_disk_free_bytes Bytes that may be written.\n"), "{text}");
        assert!(text.ends_with("boathouse_disk_free_bytes 1\n# HELP boathouse_problems What the health page says is wrong.\n# TYPE boathouse_problems gauge\nboathouse_problems 1\n# EOF\n"));
    }
}
