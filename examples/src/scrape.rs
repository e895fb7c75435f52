//! All metrics of a node as Prometheus reads them, without any other crate: for programs that
//! answer a scrape themselves. Those with an exporter of the `metrics` crate call
//! `Handle::record_metrics` instead, before they let it answer.

use std::fmt::Write;

use swim_driver::{Metric, MetricKind, MetricValue, Reading, Sample};

/// The answer to a scrape, in the text format of Prometheus.
#[must_use]
pub fn text(sample: &Sample) -> String {
    let (mut text, mut last) = (String::new(), "");
    sample.for_each(|Reading { metric, label, value }| {
        let Metric { name, kind, about, .. } = *metric;
        let kind = match kind {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
        };
        if last != name {
            let _infallible = write!(text, "# HELP {name} {about}.\n# TYPE {name} {kind}\n");
            last = name;
        }
        let label = label.map(|(label, value)| format!("{{{label}=\"{value}\"}}"));
        let label = label.unwrap_or_default();
        let _infallible = match value {
            MetricValue::Counter(value) => writeln!(text, "{name}{label} {value}"),
            MetricValue::Gauge(value) => writeln!(text, "{name}{label} {value}"),
        };
    });
    text
}
