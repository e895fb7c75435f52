//! Samples on their way to whatever recorder the program installed through the `metrics` crate.
//! Only there with the feature `metrics`.
//!
//! Nothing is recorded by itself: no task, no timer, so a node that nobody looks at does not wake
//! for it. Who wants the numbers asks when they are wanted, which for Prometheus is when it
//! scrapes.

use metrics::{Label, Unit, counter, describe_counter, describe_gauge, gauge};

use crate::sample::{Metric, MetricKind, MetricUnit, MetricValue, Reading, Sample, metrics};

impl Sample {
    /// Sets every counter and gauge to its value here, at the recorder in force: the one of the
    /// program, or that of `metrics::with_local_recorder` around this call, as with several nodes
    /// in one program, whose numbers would otherwise overwrite each other.
    pub fn record(&self) {
        self.for_each(record);
    }
}

/// Tells the recorder in force the meaning and unit of every metric. Once, after it was installed.
pub fn describe_metrics() {
    for &Metric { name, kind, unit, about } in metrics() {
        let unit = match unit {
            MetricUnit::Count => Unit::Count,
            MetricUnit::Bytes => Unit::Bytes,
            MetricUnit::Seconds => Unit::Seconds,
        };
        match kind {
            MetricKind::Counter => describe_counter!(name, unit, about),
            MetricKind::Gauge => describe_gauge!(name, unit, about),
        }
    }
}

fn record(reading: Reading) {
    let Reading { metric, label, value } = reading;
    let label = label.map(|(name, value)| Label::from_static_parts(name, value));
    let labels = label.into_iter().collect::<Vec<_>>();
    match value {
        MetricValue::Counter(value) => counter!(metric.name, labels).absolute(value),
        MetricValue::Gauge(value) => gauge!(metric.name, labels).set(value),
    }
}
