//! A member of a cluster of HashiCorp's own Serf agents: it joins, hears and is heard, sees one
//! leave, and is missed when it is gone.

use std::{
    net::{Ipv4Addr, SocketAddr},
    ops::ControlFlow,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

use embedding::{
    blocking,
    ground::{self, Clock, Ports},
};
use swim_core::{
    Bytes, Dialect, EventKind, Key, Keyring, MemberChange, MemberlistOptions, Options, VersionRange,
};

/// A test key, as `serf keygen` writes one.
const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// Serf's tags, of which there is one: `role=swim`.
const TAGS: &[u8] = b"\xff\x81\xa4role\xa4swim";

/// A Serf agent.
struct Agent {
    child: Child,
    addr: SocketAddr,
    rpc: SocketAddr,
}

impl Agent {
    fn start(name: &str, seed: Option<SocketAddr>, args: &[String]) -> Self {
        let [addr, rpc] = [free_addr(), free_addr()];
        let mut command = Command::new("serf");
        command.args(["agent", "-profile=local", &format!("-node={name}")]);
        command.args([format!("-bind={addr}"), format!("-rpc-addr={rpc}")]);
        if let Some(seed) = seed {
            command.args([format!("-retry-join={seed}"), "-retry-interval=1s".into()]);
        }
        let command = command.args(args).stdout(Stdio::null()).stderr(Stdio::null());
        Self { child: command.spawn().expect("HashiCorp's serf"), addr, rpc }
    }

    /// What a command says that is sent to this agent; nothing as long as it is not up.
    fn ask(&self, args: &[&str]) -> String {
        let rpc = format!("-rpc-addr={}", self.rpc);
        let output = Command::new("serf").arg(args[0]).arg(rpc).args(&args[1..]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// Whether it lists a member with this status and something else that stands in its line.
    fn lists(&self, name: &str, status: &str, what: &str) -> bool {
        let members = self.ask(&["members"]);
        let mut lines = members.lines().filter(|line| line.split_whitespace().next() == Some(name));
        lines.any(|line| line.contains(status) && line.contains(what))
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// An address that nobody has right now.
fn free_addr() -> SocketAddr {
    Ports::bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap().addr
}

/// One of our nodes, until it is dropped, which it tells nobody.
struct Ours {
    events: Arc<Mutex<Vec<EventKind>>>,
    is_killed: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Ours {
    fn start(seed: SocketAddr, key: Option<&str>) -> Self {
        let ports = Ports::bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let mut options = Options::local("ours", ports.addr);
        options.dialect = Dialect::Memberlist(MemberlistOptions::default());
        options.application = VersionRange { min: 2, max: 5, current: 5 };
        options.meta = Bytes::from_static(TAGS);
        options.keyring = key.map(|key| Keyring::new(Key::from_base64(key).unwrap()));
        let clock = Clock::start();
        let mut node = ground::node(options, clock).unwrap();
        node.join(clock.now(), &[seed], Duration::from_secs(10)).unwrap();
        let (events, is_killed) = (Arc::default(), Arc::new(AtomicBool::new(false)));
        let (heard, kill): (Arc<Mutex<Vec<_>>>, _) = (Arc::clone(&events), is_killed.clone());
        let thread = thread::spawn(move || {
            let look = |_: &_, event: Option<&swim_core::Event>| {
                if let Some(event) = event {
                    heard.lock().unwrap().push(event.kind.clone());
                }
                if kill.load(SeqCst) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            blocking::run(node, clock, ports, look).unwrap();
        });
        Self { events, is_killed, thread: Some(thread) }
    }

    fn has(&self, is_it: impl Fn(&EventKind) -> bool) -> bool {
        self.events.lock().unwrap().iter().any(is_it)
    }

    fn has_seen(&self, change: MemberChange, name: &str) -> bool {
        self.has(|kind| match kind {
            EventKind::Member { change: seen, member } => {
                *seen == change && member.name.as_str() == name
            }
            _ => false,
        })
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        self.is_killed.store(true, SeqCst);
        let ended = self.thread.take().map(thread::JoinHandle::join);
        assert!(ended.is_none_or(|result| result.is_ok()));
    }
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..600 {
        if is_so() {
            return;
        }
        thread::sleep(Duration::from_millis(100));
    }
    panic!("not within a minute: {what}");
}

fn a_member_among_agents(key: Option<&str>, args: &[&str]) {
    let encrypt = key.map(|key| format!("-encrypt={key}"));
    let args: Vec<String> = args.iter().map(|&arg| arg.into()).chain(encrypt).collect();
    let one = Agent::start("one", None, &args);
    let two = Agent::start("two", Some(one.addr), &args);
    until("both agents up", || one.lists("two", "alive", ""));
    let ours = Ours::start(one.addr, key);
    until("all see all", || {
        let is_seen = |agent: &Agent| agent.lists("ours", "alive", "role=swim");
        let sees = |name| ours.has_seen(MemberChange::Joined, name);
        is_seen(&one) && is_seen(&two) && sees("one") && sees("two")
    });
    two.ask(&["event", "deploy", "now"]);
    until("an event is heard", || {
        let deploy = |payload: &Bytes| payload.windows(6).any(|bytes| bytes == b"deploy");
        ours.has(|kind| matches!(kind, EventKind::Message { payload, .. } if deploy(payload)))
    });
    two.ask(&["leave"]);
    until("one leaves", || ours.has_seen(MemberChange::Left, "two"));
    assert!(!ours.has(|kind| matches!(kind, EventKind::Rejected { .. })));
    assert!(one.lists("ours", "alive", ""), "{}", one.ask(&["members"]));
    drop(ours);
    until("we are missed", || one.lists("ours", "failed", ""));
}

#[test]
#[ignore = "needs HashiCorp's program `serf`"]
fn plain() {
    a_member_among_agents(None, &[]);
}

#[test]
#[ignore = "needs HashiCorp's program `serf`"]
fn sealed() {
    a_member_among_agents(Some(KEY), &[]);
}

#[test]
#[ignore = "needs HashiCorp's program `serf`"]
fn sealed_and_not_compressed() {
    a_member_among_agents(Some(KEY), &["-disable-compression"]);
}
