//! The table of metrics in `docs/metrics.md`, and what is really exported: the same, both ways.

use std::{
    collections::BTreeSet,
    fs,
    net::UdpSocket,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use examples::scrape;
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, Key, KeyName, Metadata, Recorder, SharedString,
    Unit, with_local_recorder,
};
use swim_driver::{
    Builder, MetricKind, MetricUnit, MetricValue, Runtime, Sample, describe_metrics,
    swim_core::Reject,
};
use swim_smol::Smol;

use super::nodes::{cluster, on_every_runtime, sleep, soon, start};

on_every_runtime! { real_numbers_reach_the_recorder }

/// One row of the table: name, type, labels, unit.
type Row = [String; 4];

fn documented() -> BTreeSet<Row> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let text = fs::read_to_string(root.join("docs/metrics.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `swim_"));
    rows.map(|row| {
        let cells = row.split('|').map(|cell| cell.trim().replace('`', "")).collect::<Vec<_>>();
        [1, 2, 3, 4].map(|cell| cells[cell].clone())
    })
    .collect()
}

fn exported(sample: &Sample) -> BTreeSet<Row> {
    let mut labels = std::collections::BTreeMap::<&str, (String, Vec<&str>)>::new();
    let mut rows = Vec::new();
    sample.for_each(|reading| {
        let metric = reading.metric;
        let kind = match (metric.kind, reading.value) {
            (MetricKind::Counter, MetricValue::Counter(_)) => "counter",
            (MetricKind::Gauge, MetricValue::Gauge(_)) => "gauge",
            (kind, value) => panic!("{} is {kind:?} and {value:?}", metric.name),
        };
        let unit = match metric.unit {
            MetricUnit::Count => "",
            MetricUnit::Bytes => "bytes",
            MetricUnit::Seconds => "seconds",
        };
        if let Some((label, value)) = reading.label {
            labels.entry(metric.name).or_insert((label.into(), Vec::new())).1.push(value);
        }
        rows.push((metric.name, kind, unit));
    });
    let row = |(name, kind, unit): (&'static str, &str, &str)| {
        let label =
            labels.get(name).map(|(label, values)| format!("{label}: {}", values.join(", ")));
        [name.into(), kind.into(), label.unwrap_or_default(), unit.into()]
    };
    rows.into_iter().map(row).collect()
}

#[test]
fn the_table_says_what_is_exported_and_nothing_else() {
    let (documented, exported) = (documented(), exported(&Sample::default()));
    let unsaid = exported.difference(&documented).collect::<Vec<_>>();
    let invented = documented.difference(&exported).collect::<Vec<_>>();
    assert!(
        unsaid.is_empty() && invented.is_empty(),
        "not documented: {unsaid:#?}\nnot there: {invented:#?}"
    );
}

#[test]
fn what_is_exported_has_been_described() {
    let mut names = BTreeSet::new();
    Sample::default().for_each(|reading| {
        names.insert(reading.metric.name);
    });
    let listed = swim_driver::metrics().map(|metric| metric.name).collect::<BTreeSet<_>>();
    assert_eq!(names, listed);
    let log = Log::default();
    with_local_recorder(&log, describe_metrics);
    assert_eq!(log.lines().len(), listed.len());
}

#[test]
fn names_are_what_prometheus_asks_for() {
    for metric in swim_driver::metrics() {
        let name = metric.name;
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
        assert_eq!(name.ends_with("_total"), metric.kind == MetricKind::Counter, "{name}");
        let unit = name.trim_end_matches("_total");
        assert_eq!(unit.ends_with("_bytes"), metric.unit == MetricUnit::Bytes, "{name}");
        assert_eq!(unit.ends_with("_seconds"), metric.unit == MetricUnit::Seconds, "{name}");
    }
}

async fn real_numbers_reach_the_recorder<R: Runtime>() {
    let members = cluster::<R>(&["a", "b"]).await;
    let received = soon::<R, _>("a packet is counted", async {
        loop {
            let sample = members[0].handle.sample().await.unwrap();
            if sample.stats.packets_received > 0 {
                return sample;
            }
            sleep::<R>(Duration::from_millis(2)).await;
        }
    });
    let sample = received.await;
    let log = Log::default();
    with_local_recorder(&log, || sample.record());
    let lines = log.lines();
    let received = format!("swim_packets_received_total = {}", sample.stats.packets_received);
    for line in
        [&received, "swim_members{state=alive} = 2", "swim_rejected_total{reason=stranger} = 0"]
    {
        assert!(lines.iter().any(|found| found == line), "there is no {line:?} in {lines:#?}");
    }
    let text = scrape::text(&sample);
    assert!(
        text.contains("# TYPE swim_members gauge\nswim_members{state=\"alive\"} 2\n"),
        "{text}"
    );
    assert_eq!(text.lines().filter(|line| !line.starts_with('#')).count(), lines.len());
}

/// X16: whoever says whatever, there are the series that there were before, and no others: members
/// and clusters of strange names, and every reason to refuse what they say.
#[test]
fn x16_no_series_comes_from_the_network() {
    smol::block_on(async {
        let node = start::<Smol>("a").await.handle;
        let quiet = series(&node.sample().await.unwrap());
        let mut others = Vec::new();
        for nth in 0..4 {
            let name = format!("{EVIL}{nth}");
            let meta = format!("meta {EVIL}{nth}");
            let other = Builder::<Smol>::local(&name).bind("127.0.0.1:0").meta(meta);
            let (other, events) = other.start().await.unwrap();
            other.join([node.addr().to_string()]).await.unwrap();
            other.broadcast(format!("broadcast {EVIL}{nth}")).await.unwrap();
            others.push((other, events));
        }
        let stranger = Builder::<Smol>::local(EVIL).bind("127.0.0.1:0").label(EVIL);
        let (stranger, _events) = stranger.start().await.unwrap();
        stranger.join([node.addr().to_string()]).await.unwrap_err();
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        for len in 0..200 {
            socket.send_to(&EVIL.repeat(20).as_bytes()[..len], node.addr()).unwrap();
        }
        let busy = soon::<Smol, _>("all was heard", async {
            loop {
                let sample = node.sample().await.unwrap();
                let refused = [Reject::Truncated, Reject::Version, Reject::Label]
                    .map(|reject| sample.stats.rejected_for(reject));
                if sample.counts.alive == 5
                    && sample.stats.broadcasts_delivered == 4
                    && refused.into_iter().all(|count| count > 0)
                {
                    return sample;
                }
                sleep::<Smol>(Duration::from_millis(2)).await;
            }
        });
        let mut busy = busy.await;
        assert_eq!(series(&busy), quiet);
        busy.stats.rejects = [7; Reject::COUNT];
        assert_eq!(series(&busy), quiet, "whatever was refused");
        assert!(!scrape::text(&busy).contains("evil"), "{}", scrape::text(&busy));
    });
}

/// The series as the recorder gets them: names with their labels.
fn series(sample: &Sample) -> Vec<String> {
    let log = Log::default();
    with_local_recorder(&log, || sample.record());
    let name = |line: &String| line.rsplit_once(" = ").unwrap().0.to_owned();
    log.lines().iter().map(name).collect()
}

/// What would be another series if it got between the lines.
const EVIL: &str = "\"} 1 swim_evil_total{a=\"";

/// A recorder that writes down what it gets.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    fn entry(&self, key: &Key) -> Arc<Entry> {
        let labels = key.labels().map(|label| format!("{{{}={}}}", label.key(), label.value()));
        Arc::new(Entry {
            name: format!("{}{}", key.name(), labels.collect::<String>()),
            log: self.clone(),
        })
    }

    fn write(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }
}

struct Entry {
    name: String,
    log: Log,
}

impl CounterFn for Entry {
    fn increment(&self, _: u64) {
        panic!("counters are set to what they are");
    }

    fn absolute(&self, value: u64) {
        self.log.write(format!("{} = {value}", self.name));
    }
}

impl GaugeFn for Entry {
    fn increment(&self, _: f64) {
        panic!("gauges are set to what they are");
    }

    fn decrement(&self, _: f64) {
        panic!("gauges are set to what they are");
    }

    fn set(&self, value: f64) {
        self.log.write(format!("{} = {value}", self.name));
    }
}

impl Recorder for Log {
    fn describe_counter(&self, name: KeyName, _: Option<Unit>, about: SharedString) {
        self.write(format!("{}: {about}", name.as_str()));
    }

    fn describe_gauge(&self, name: KeyName, _: Option<Unit>, about: SharedString) {
        self.write(format!("{}: {about}", name.as_str()));
    }

    fn describe_histogram(&self, name: KeyName, _: Option<Unit>, _: SharedString) {
        panic!("{} is no histogram", name.as_str());
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.entry(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.entry(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        panic!("{} is no histogram", key.name());
    }
}
