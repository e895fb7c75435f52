//! Agents as child processes that don't outlive their test.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
#[cfg(target_os = "linux")]
use rustix::process::{Resource, Rlimit, prlimit};
use serde_json::Value;

use crate::tape::{Tape, now, parse_time};

/// A key for whoever needs one.
pub(crate) const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// Another one.
pub(crate) const OTHER_KEY: &str = "//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA=";

/// Long enough for anything that nothing was promised about.
pub(crate) const LONG: Duration = Duration::from_secs(30);

/// Holds the machine for one test.
pub(crate) fn machine() -> MutexGuard<'static, ()> {
    static MACHINE: Mutex<()> = Mutex::new(());
    MACHINE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The binary, with nothing of our own environment that it would listen to.
pub(crate) fn swim(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_swim"));
    command.args(args).env_remove("SWIM_ENCRYPT").stdin(Stdio::null());
    command
}

/// A file of this content and mode, only for the test that names it.
pub(crate) fn file(name: &str, content: &str, mode: u32) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_file(&path);
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path
}

/// A running agent that prints JSON and obeys its stdin.
pub(crate) struct Agent {
    pub(crate) name: String,
    /// Where it is reached.
    pub(crate) addr: String,
    /// What it printed.
    pub(crate) lines: Tape<Value>,
    /// What it logged.
    pub(crate) log: Tape<String>,
    child: Child,
    stdin: Option<ChildStdin>,
}

impl Agent {
    /// Starts an agent at a port of the kernel's choice and waits until it runs.
    pub(crate) fn start(name: &str, args: &[&str]) -> Self {
        Self::launch(name, &[args, &["--bind", "127.0.0.1:0"]].concat()).started()
    }

    /// Starts the process; it has no address yet.
    pub(crate) fn launch(name: &str, args: &[&str]) -> Self {
        Self::run(name, swim(&Self::words(name, args)))
    }

    /// The words of such an agent.
    pub(crate) fn words<'a>(name: &'a str, args: &[&'a str]) -> Vec<&'a str> {
        let own = ["agent", "--node", name, "--output", "json", "--control", "stdin"];
        [&own, args].concat()
    }

    /// The same as a command that was made from its words.
    pub(crate) fn run(name: &str, mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = Tape::record(child.stdout.take().unwrap(), |line| {
            serde_json::from_str(&line).unwrap_or(Value::String(line))
        });
        let log = Tape::record(child.stderr.take().unwrap(), |line| line);
        let stdin = child.stdin.take();
        Self { name: name.into(), addr: String::new(), lines, log, child, stdin }
    }

    /// Waits for the first event, which is the agent's own joining, and learns the address from it.
    pub(crate) fn started(mut self) -> Self {
        let addr = self.wait("its own start", LONG, |lines| {
            let own = lines.first()?;
            assert_eq!(own["event"], "member-join", "{own}");
            assert_eq!(own["node"], self.name.as_str(), "{own}");
            Some(own["addr"].as_str().unwrap().to_owned())
        });
        self.addr = addr;
        self
    }

    /// Waits until `find` finds something in what was printed; fails after `limit`.
    pub(crate) fn wait<T>(
        &self,
        what: &str,
        limit: Duration,
        find: impl FnMut(&[Value]) -> Option<T>,
    ) -> T {
        self.lines.wait(limit, find).unwrap_or_else(|| {
            panic!("{} did not see {what} within {limit:?}\n{}", self.name, self.story())
        })
    }

    /// Waits until an event of this kind about `node` was printed, from line `from` on; and when.
    pub(crate) fn wait_event(
        &self,
        from: usize,
        event: &str,
        node: &str,
        limit: Duration,
    ) -> Duration {
        self.wait(&format!("{event} of {node}"), limit, |lines| {
            let line =
                lines.get(from..)?.iter().find(|l| l["event"] == event && l["node"] == node)?;
            Some(time_of(line))
        })
    }

    /// Waits until the log has a line with this text.
    pub(crate) fn wait_log(&self, text: &str, limit: Duration) {
        let find = |lines: &[String]| lines.iter().any(|line| line.contains(text)).then_some(());
        if self.log.wait(limit, find).is_none() {
            panic!("{} did not log {text:?} within {limit:?}\n{}", self.name, self.story());
        }
    }

    /// How many lines of the log have this text.
    pub(crate) fn logged(&self, text: &str) -> usize {
        self.log.look(|lines| lines.iter().filter(|line| line.contains(text)).count())
    }

    /// How many lines were printed so far.
    pub(crate) fn printed(&self) -> usize {
        self.lines.look(<[_]>::len)
    }

    /// The nodes that events of this kind were about, each as often as it was.
    pub(crate) fn nodes_of(&self, event: &str) -> Vec<String> {
        self.lines.look(|lines| {
            let lines = lines.iter().filter(|line| line["event"] == event);
            lines.map(|line| line["node"].as_str().unwrap().to_owned()).collect()
        })
    }

    /// Asks something and waits for the answer's last line; all of its lines.
    pub(crate) fn ask(&mut self, command: &str) -> Vec<Value> {
        let from = self.printed();
        self.tell(command);
        let word = command.split(' ').next().unwrap().to_owned();
        self.wait(&format!("an answer to {word}"), LONG, |lines| {
            let answers: Vec<_> =
                lines.get(from..)?.iter().filter(|line| !line["answer"].is_null()).collect();
            let end = answers.iter().position(|line| line["answer"] == *word)?;
            Some(answers[..=end].iter().map(|line| (*line).clone()).collect())
        })
    }

    /// Writes a command without waiting for what comes of it.
    pub(crate) fn tell(&mut self, command: &str) {
        writeln!(self.stdin.as_mut().unwrap(), "{command}").unwrap();
    }

    /// There will be no more commands.
    pub(crate) fn hang_up(&mut self) {
        self.stdin = None;
    }

    /// The members it lists, with their states.
    pub(crate) fn members(&mut self) -> BTreeMap<String, String> {
        let mut lines = self.ask("members");
        let end = lines.pop().unwrap();
        assert_eq!(end["count"], lines.len(), "{end}");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        lines.iter().map(|line| (text(&line["node"]), text(&line["state"]))).collect()
    }

    /// One of its counters.
    pub(crate) fn counter(&mut self, name: &str) -> u64 {
        let answer = self.ask("stats").pop().unwrap();
        answer[name].as_u64().unwrap_or_else(|| panic!("no {name} in {answer}"))
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Ends the process like a power cut.
    pub(crate) fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.child.wait().unwrap();
    }

    /// Waits until the process has ended by itself.
    pub(crate) fn exit(&mut self, limit: Duration) -> ExitStatus {
        let deadline = now() + limit;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            if now() > deadline {
                panic!("{} did not exit within {limit:?}\n{}", self.name, self.story());
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Whether the process still runs.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Memory that the process holds, in KiB.
    pub(crate) fn resident(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim_end_matches("kB").trim().parse().unwrap()
    }

    /// Descriptors that the process has open.
    pub(crate) fn files(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().count()
    }

    /// Time that the process has had a processor, kernel included.
    pub(crate) fn processor(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        // The 14th and 15th field; the second is the program's name, which may have blanks.
        let fields = stat.rsplit_once(')').unwrap().1.split_whitespace().skip(11).take(2);
        let ticks: u32 = fields.map(|ticks| ticks.parse::<u32>().unwrap()).sum();
        Duration::from_millis(10) * ticks // `getconf CLK_TCK` is 100 on every Linux.
    }

    /// Lets the process have so many descriptors. Those it has stay with it.
    #[cfg(target_os = "linux")]
    pub(crate) fn limit_files(&self, limit: u64) {
        let pid = Some(Pid::from_child(&self.child));
        let limit = Rlimit { current: Some(limit), maximum: Some(4_096) };
        prlimit(pid, Resource::Nofile, limit).unwrap();
    }

    /// How many members it takes for live.
    pub(crate) fn live(&mut self) -> usize {
        self.members().values().filter(|state| *state == "alive").count()
    }

    fn story(&self) -> String {
        let printed = self.lines.look(tail);
        let logged = self.log.look(tail);
        format!("printed by {}:\n{printed}logged:\n{logged}", self.name)
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts `count` agents, the first as the seed of the others.
pub(crate) fn cluster(count: usize, args: &[&str]) -> Vec<Agent> {
    cluster_at(count, args, |_, _| "127.0.0.1:0".into())
}

/// The same, each with an address of its own and all with one port.
pub(crate) fn cluster_on_one_port(count: usize, args: &[&str]) -> Vec<Agent> {
    cluster_at(count, args, |n, port| format!("127.0.0.{}:{port}", n + 1))
}

/// The same, at addresses that follow from the number of an agent and the port of the first.
fn cluster_at(count: usize, args: &[&str], addr: fn(usize, &str) -> String) -> Vec<Agent> {
    let mut agents = vec![Agent::start("n0", args)];
    let seed = agents[0].addr.clone();
    let port = seed.rsplit(':').next().unwrap();
    for n in 1..count {
        let bind = addr(n, port);
        let join = ["--bind", &bind, "--join", &seed];
        agents.push(Agent::launch(&format!("n{n}"), &[args, &join].concat()));
    }
    agents
        .into_iter()
        .map(|agent| if agent.addr.is_empty() { agent.started() } else { agent })
        .collect()
}

/// Waits until each of `agents` has seen all of them join; when the last one had.
pub(crate) fn wait_complete(agents: &[Agent], limit: Duration) -> Duration {
    let deadline = now() + limit;
    let names: BTreeSet<&str> = agents.iter().map(|agent| agent.name.as_str()).collect();
    let complete = agents.iter().map(|agent| {
        let left = deadline.saturating_duration_since(now());
        agent.wait("everybody join", left, |lines| {
            let joins = || lines.iter().filter(|line| line["event"] == "member-join");
            let seen: BTreeSet<_> = joins().filter_map(|line| line["node"].as_str()).collect();
            names.is_subset(&seen).then(|| joins().map(time_of).max())?
        })
    });
    complete.max().unwrap()
}

/// When a line says that it was written.
pub(crate) fn time_of(line: &Value) -> Duration {
    parse_time(line["time"].as_str().unwrap()).unwrap_or_else(|| panic!("no time in {line}"))
}

fn tail<T: std::fmt::Display>(lines: &[T]) -> String {
    let from = lines.len().saturating_sub(30);
    lines[from..].iter().map(|line| format!("  {line}\n")).collect()
}

/// Waits until it is so.
pub(crate) fn comes_true(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = now() + 2 * LONG;
    while !is_so() {
        assert!(now() < deadline, "not within {:?}: {what}", 2 * LONG);
        thread::sleep(Duration::from_millis(50));
    }
}

/// A process of a test's own, ended with it.
pub(crate) struct Reaper(pub(crate) Child);

impl Drop for Reaper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
