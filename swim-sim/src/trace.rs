//! A digest of all that happened, to hold two runs against each other; and all of it as text, for
//! whoever wants to read it. (D1)

use std::{
    fmt::Debug,
    io::{self, Write},
    net::SocketAddr,
};

use swim_core::{Instant, Output, StreamEvent, StreamId};

use crate::{chance::mix, network::HostId};

/// Every input and output of every node, with its time, fed to one digest.
pub struct Trace {
    digest: u64,
    hosts: Vec<u64>,
    file: Option<Box<dyn Write>>,
    /// The first error of writing: the digest goes on without the file.
    error: Option<io::Error>,
}

impl Trace {
    /// A digest only.
    #[must_use]
    pub const fn new() -> Self {
        Self { digest: 0, hosts: Vec::new(), file: None, error: None }
    }

    /// A digest, and every line of it written there: the time in nanoseconds, the host, what
    /// happened.
    #[must_use]
    pub fn to(file: Box<dyn Write>) -> Self {
        Self { file: Some(file), ..Self::new() }
    }

    /// The digest of all so far.
    #[must_use]
    pub const fn digest(&self) -> u64 {
        self.digest
    }

    /// The digest of what happened on one host so far.
    #[must_use]
    pub fn digest_of(&self, host: HostId) -> u64 {
        self.hosts.get(host).copied().unwrap_or(0)
    }

    /// Writes what is still in the file's buffer.
    ///
    /// # Errors
    ///
    /// The first error that writing met.
    pub fn finish(&mut self) -> io::Result<()> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }

    pub(crate) fn packet_in(&mut self, now: Instant, host: HostId, from: SocketAddr, data: &[u8]) {
        self.add(now, host, 1, digest(data));
        self.say(now, host, || format!("packet from {from}: {}", hex(data)));
    }

    pub(crate) fn stream_in(
        &mut self,
        now: Instant,
        host: HostId,
        stream: StreamId,
        event: &StreamEvent<'_>,
    ) {
        let content = match event {
            StreamEvent::Chunk(data) => digest(data),
            other => digest(format!("{other:?}").as_bytes()),
        };
        self.add(now, host, 2, mix(digest(stream.to_string().as_bytes()), content));
        self.say(now, host, || format!("stream {stream}: {event:?}"));
    }

    pub(crate) fn tick(&mut self, now: Instant, host: HostId) {
        self.add(now, host, 3, 0);
        self.say(now, host, || "tick".into());
    }

    pub(crate) fn command(&mut self, now: Instant, host: HostId) {
        self.add(now, host, 4, 0);
        self.say(now, host, || "command".into());
    }

    pub(crate) fn output<E: Debug>(&mut self, now: Instant, host: HostId, output: &Output<E>) {
        let content = match output {
            Output::SendPacket { to, data } => mix(digest(to.to_string().as_bytes()), digest(data)),
            Output::Write { id, data } => mix(digest(id.to_string().as_bytes()), digest(data)),
            Output::ScheduleTimer { at, why } => mix(at.as_nanos(), *why as u64),
            other => digest(format!("{other:?}").as_bytes()),
        };
        self.add(now, host, 5, content);
        self.say(now, host, || match output {
            Output::SendPacket { to, data } => format!("send to {to}: {}", hex(data)),
            other => format!("{other:?}"),
        });
    }

    fn add(&mut self, now: Instant, host: HostId, kind: u64, content: u64) {
        let word = mix(mix(now.as_nanos(), kind), content);
        if self.hosts.len() <= host {
            self.hosts.resize(host + 1, 0);
        }
        self.hosts[host] = mix(self.hosts[host], word);
        self.digest = mix(self.digest, mix(host as u64, word));
    }

    fn say(&mut self, now: Instant, host: HostId, line: impl FnOnce() -> String) {
        let Some(file) = &mut self.file else { return };
        if let Err(error) = writeln!(file, "{}\t{host}\t{}", now.as_nanos(), line()) {
            self.error = Some(error);
            self.file = None;
        }
    }
}

impl Default for Trace {
    fn default() -> Self {
        Self::new()
    }
}

impl Debug for Trace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Trace({:016x})", self.digest)
    }
}

/// A digest of bytes that does not depend on the machine.
fn digest(data: &[u8]) -> u64 {
    let mut chunks = data.chunks_exact(8);
    let mut digest = data.len() as u64;
    for chunk in &mut chunks {
        digest = mix(digest, u64::from_le_bytes(chunk.try_into().expect("eight bytes")));
    }
    chunks.remainder().iter().fold(digest, |digest, &byte| mix(digest, u64::from(byte)))
}

fn hex(data: &[u8]) -> String {
    data.iter().map(|byte| format!("{byte:02x}")).collect()
}
