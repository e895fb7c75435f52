//! Floods: whoever sends as much as he can, without a key, keeps nobody from the cluster's work.

use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, SocketAddrV4, UdpSocket},
    process::{Child, Stdio},
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use rustix::process::setpriority_process;
use serde_json::Value;
use swim_core::{Member, State};
use swim_netlab::{
    Cluster, PORT, Program, Setup, Usage,
    clock::{now, time_of_day, wait},
};
use swim_sim::network::HostId;

use crate::harness::{settled, setup, suspicion_min};

#[test]
#[ignore = "needs root, ip and nft"]
fn x2_a_flood_of_packets_fails_nobody_and_each_is_refused_at_a_bounded_price() {
    let mut cluster = sealed_cluster(MEMBERS + 2);
    let recorded = cluster.lab().record(VICTIM, PORT, RECORDING).unwrap();
    assert!(recorded.len() > 10, "only {} packets were recorded", recorded.len());
    let ammunition = [
        noise(),
        of_another_key(&cluster),
        recorded.iter().map(|packet| in_an_unknown_session(packet)).collect(),
        recorded,
    ];
    let (before, counted_before) =
        (cluster.node(VICTIM).unwrap().usage().unwrap(), counted(&mut cluster));
    let began = time_of_day();
    let flood = Flood::begin(&cluster, ammunition);
    let end = now() + flood_time();
    let mut peak = before;
    while now() < end {
        thread::sleep(Duration::from_secs(2));
        let victim = cluster.node(VICTIM).unwrap();
        assert!(lists_all(&victim.members().unwrap()), "{}", victim.story());
        let usage = victim.usage().unwrap();
        peak = Usage { resident: peak.resident.max(usage.resident), ..usage };
    }
    let sent = flood.end();
    let (after, counted_after) =
        (cluster.node(VICTIM).unwrap().usage().unwrap(), counted(&mut cluster));
    let grown =
        |name: &str| counted_after.get(name).unwrap_or(&0) - counted_before.get(name).unwrap_or(&0);
    let received = grown("packets_received");
    tell(&Bill { sent, received, before, after, peak });
    for reason in
        ["rejected_version", "rejected_unknown_key", "rejected_decrypt", "rejected_replayed"]
    {
        eprintln!("{reason}: {}", grown(reason));
        assert!(grown(reason) > 0, "nothing was {reason} of {received} packets");
    }
    // What the members say to each other is a drop in this sea.
    assert!(
        grown("rejected") > received / 10 * 9,
        "{} of {received} were refused",
        grown("rejected")
    );
    let flood_min = FLOOD_MIN * flood_time().as_secs() / 60;
    assert!(received > flood_min, "{received} packets are no flood, of {flood_min} at least");
    assert!(peak.resident < before.resident + GROWTH_MAX && after.files <= before.files + 4);
    assert!((after.processor() - before.processor()) < COST_MAX * u32::try_from(received).unwrap());
    let told = log_lines(&mut cluster, "refused what was sent");
    assert!(told <= 10, "the log tells of each reason once in ten minutes, not {told} times");

    let options = cluster.setup().options();
    // Whoever was suspected at the very end would be failed by then.
    let members = u32::try_from(MEMBERS).unwrap();
    thread::sleep(suspicion_min(&options, members) * options.suspicion_max_mult);
    cluster.wait_agreement(settled(&options, MEMBERS)).unwrap();
    assert_eq!(cluster.count_told("member-failed", began), 0);
}

/// Packets as fast as one thread can send them, at one node. It runs at the lowest priority unless
/// told otherwise: on few processors it would take from the nodes the time that they have on
/// machines of their own. Whatever is idle is its own, and what it sends crosses the network at its
/// own expense.
struct Flood {
    is_over: Arc<AtomicBool>,
    sending: thread::JoinHandle<io::Result<u64>>,
}

impl Flood {
    fn begin(cluster: &Cluster, kinds: [Vec<Vec<u8>>; 4]) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let (to, stop) =
            (SocketAddrV4::new(cluster.lab().addr(VICTIM), PORT), Arc::clone(&is_over));
        let sending = cluster.lab().spawn(ATTACKER, move || {
            setpriority_process(None, niceness())?; // Of this thread alone.
            let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
            let mut sent = 0;
            let mut rounds = (0..).take_while(|_| !stop.load(Relaxed));
            rounds.try_for_each(|round: usize| {
                kinds.iter().try_for_each(|kind| {
                    // A full queue of the sender's own is no reason to stop.
                    match socket.send_to(&kind[round % kind.len()], to) {
                        Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
                        sending => {
                            sent += u64::from(sending.is_ok());
                            Ok(())
                        }
                    }
                })
            })?;
            Ok(sent)
        });
        Self { is_over, sending: sending.unwrap() }
    }

    /// How many packets were sent.
    fn end(self) -> u64 {
        self.is_over.store(true, Relaxed);
        self.sending.join().unwrap().unwrap()
    }
}

/// What a flood has cost its victim.
struct Bill {
    sent: u64,
    received: u64,
    before: Usage,
    after: Usage,
    peak: Usage,
}

fn tell(bill: &Bill) {
    let Bill { sent, received, before, after, peak } = bill;
    let each = |time: Duration| time.as_nanos() / u128::from(*received).max(1);
    let (user, system) = (after.user - before.user, after.system - before.system);
    eprintln!("{sent} packets were sent in {:?}, {received} received", flood_time());
    eprintln!(
        "processor: {user:?} for itself, {} ns each; {system:?} in the kernel, {} ns each",
        each(user),
        each(system)
    );
    let share = (user + system).as_secs_f64() / flood_time().as_secs_f64() * 100.0;
    eprintln!("that is {share:.0} % of one processor");
    eprintln!(
        "memory: {} KiB before, {} at most, {} after",
        before.resident, peak.resident, after.resident
    );
    eprintln!("descriptors: {} before, {} after", before.files, after.files);
}

/// A cluster with a key on the first hosts; the others are for those who don't belong to it.
fn sealed_cluster(hosts: usize) -> Cluster {
    let setup = Setup { key: Some(KEY.into()), ..setup(hosts, &[]) };
    let limit = settled(&setup.options(), MEMBERS);
    let mut cluster = Cluster::new(setup).unwrap();
    (0..MEMBERS).for_each(|host| cluster.start(host).unwrap());
    cluster.wait_agreement(limit).unwrap();
    cluster
}

fn lists_all(members: &[Member]) -> bool {
    let is_live = |member: &&Member| matches!(member.state, State::Alive | State::Suspect);
    members.iter().filter(is_live).count() == MEMBERS
}

fn counted(cluster: &mut Cluster) -> BTreeMap<String, u64> {
    let answer = cluster.node(VICTIM).unwrap().order("stats").unwrap();
    let Value::Object(fields) = answer else { panic!("{answer} has no counters") };
    fields.into_iter().filter_map(|(name, value)| Some((name, value.as_u64()?))).collect()
}

fn log_lines(cluster: &mut Cluster, text: &str) -> usize {
    let has = |line: &&String| line.contains(text);
    cluster.node(VICTIM).unwrap().log.look(|lines| lines.iter().filter(has).count())
}

/// Bytes that mean nothing, in every length up to that of a full packet.
fn noise() -> Vec<Vec<u8>> {
    let mut state = 1_u64;
    let mut byte = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    (1..1_400).map(|len| (0..len).map(|_| byte()).collect()).collect()
}

/// What two agents say to each other that have another key.
fn of_another_key(cluster: &Cluster) -> Vec<Vec<u8>> {
    let addr = |host| format!("{}:{PORT}", cluster.lab().addr(host));
    let stranger = |host: HostId, other: HostId| {
        let program = Program::swim().unwrap();
        let mut command = cluster.lab().command(host, &program.path.to_string_lossy());
        command.args(&program.words).args(["--node", &format!("x{host}"), "--bind", &addr(host)]);
        command.args(["--join", &addr(other), "--profile", "local"]).env("SWIM_ENCRYPT", OTHER_KEY);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Stranger(command.spawn().unwrap())
    };
    let _pair = (stranger(ATTACKER, ATTACKER + 1), stranger(ATTACKER + 1, ATTACKER));
    let record = || cluster.lab().record(ATTACKER, PORT, RECORDING).unwrap();
    let heard = wait(Duration::from_secs(60), || Some(record()).filter(|heard| heard.len() > 10));
    heard.expect("agents with another key talk to each other")
}

struct Stranger(Child);

impl Drop for Stranger {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The same in a session that nobody has begun: the dearest packet that one can send without a key,
/// because a cipher must be derived before it turns out that it is forged.
fn in_an_unknown_session(packet: &[u8]) -> Vec<u8> {
    let mut forged = packet.to_vec();
    forged[SESSION].iter_mut().for_each(|byte| *byte ^= 0x55);
    forged
}

/// How long the flood lasts: a minute, or as many seconds as the environment says.
fn flood_time() -> Duration {
    Duration::from_secs(given("SWIM_FLOOD_SECONDS").unwrap_or(60))
}

/// How little of the processors the sender is to have, from 0, as all others, to 19.
fn niceness() -> i32 {
    given("SWIM_FLOOD_NICE").unwrap_or(19)
}

#[expect(clippy::disallowed_methods, reason = "while one works on this test a minute is long")]
fn given<T: FromStr>(variable: &str) -> Option<T> {
    std::env::var(variable).ok().and_then(|text| text.parse().ok())
}

const MEMBERS: usize = 5;
const VICTIM: HostId = 0;
const ATTACKER: HostId = MEMBERS;
const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const OTHER_KEY: &str = "//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA=";

/// Where in a packet's header the session stands. docs/wire.md
const SESSION: core::ops::Range<usize> = 10..18;

/// What the busiest of machines delivers within a minute: a ninth of what one with two processors
/// has delivered that had much else to do.
const FLOOD_MIN: u64 = 200_000;

/// Some ten probes and their answers.
const RECORDING: Duration = Duration::from_secs(6);

/// What a packet may cost, in time on a processor, kernel included: three times of what it does,
/// and far below what a search or an allocation of size would take.
const COST_MAX: Duration = Duration::from_micros(40);

/// By how much the victim may grow, in KiB. It has grown by 4; of the 1.8 million packets that an
/// idle machine delivers, one in a thousand that left its bytes behind would be twice this.
const GROWTH_MAX: u64 = 1_024;
