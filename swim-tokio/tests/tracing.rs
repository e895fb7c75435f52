//! What a node reports through `tracing`. In a program of its own: the subscriber is the program's.

#![cfg(feature = "tracing")]

use std::{
    fmt::{self, Write},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use swim_tokio::{Builder, Handle};
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

/// What was reported, a line each: the level, then the fields.
static REPORTS: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Recorder;

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::DEBUG
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        REPORTS.lock().unwrap_or_else(PoisonError::into_inner).push(line.0);
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _never_fails = write!(self.0, " {field}={value:?}");
    }
}

fn has_reported(parts: &[&str]) -> bool {
    let reports = REPORTS.lock().unwrap_or_else(PoisonError::into_inner);
    reports.iter().any(|line| parts.iter().all(|part| line.contains(part)))
}

async fn until_reported(parts: &[&str]) {
    for _ in 0..3_000 {
        if has_reported(parts) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{parts:?} is not among {REPORTS:#?}");
}

async fn start(name: &str) -> (Handle, swim_tokio::Events) {
    Builder::local(name).bind("127.0.0.1:0").start().await.expect("a node on loopback starts")
}

#[tokio::test]
async fn starts_events_errors_and_stops_are_reported() {
    tracing::subscriber::set_global_default(Recorder).unwrap();
    let (a, _events) = start("a").await;
    until_reported(&["DEBUG", "message=started", "name=a", &format!("addr={}", a.addr())]).await;

    let (b, _events) = start("b").await;
    b.join([a.addr().to_string()]).await.unwrap();
    until_reported(&["DEBUG", "message=event", "b"]).await;

    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    a.join([nobody.to_string()]).await.unwrap_err();
    until_reported(&["DEBUG", "a stream broke", &format!("dialing {nobody}"), "refused"]).await;
    assert_eq!(a.io_stats().dials_failed, 1);

    let panicking = b.call(|_, _| -> () { panic!("on purpose") });
    panicking.await.unwrap_err();
    until_reported(&["ERROR", "panicked", "name=b"]).await;
    a.shutdown().await;
    until_reported(&["DEBUG", "message=stopped", "name=a"]).await;
}
