//! The program `swim agent`, as anybody starts it, beside Go's nodes and Serf's agents: all list
//! each other, those that are killed have failed, and those that say goodbye have left.

use std::{collections::BTreeMap, net::SocketAddr};

use swim_interop::{
    agent::Agent,
    cluster::{Cluster, excuse_ends, free_addr},
    peer::Kind,
    tape::until,
};
use swim_netlab::{Node, Program};

use crate::harness::{KEYS, QUICK, SEALED, empty, nobody_complained, programs_and_serf};

/// Where each member is, and in which state.
type List = BTreeMap<String, (SocketAddr, String)>;

/// Runs the program at an address that it returns, too; it joins through the one at `seed`.
fn start(
    cluster: &mut Cluster,
    name: &str,
    seed: SocketAddr,
    flags: &[&str],
) -> (Node, SocketAddr) {
    let program = Program::swim().unwrap();
    let (mut command, addr) = cluster.place(program.path.to_str().unwrap());
    command.args(program.words).args(["--node", name, "--dialect", "memberlist"]);
    command.args(["--profile", "local", "--encrypt", KEYS[0], "--control", "stdin"]);
    command.args(["--output", "json"]);
    command.args([format!("--bind={addr}"), format!("--join={seed}")]);
    command.args(QUICK.map(|setting| format!("--set={setting}"))).args(flags);
    (Node::start(name, command).unwrap(), addr)
}

fn wait_list(who: &str, should: &List, mut list: impl FnMut() -> List) {
    until(&format!("{who} lists {should:?}"), || {
        let listed = list();
        if listed == *should { Ok(()) } else { Err(format!("{listed:?}")) }
    });
}

/// What the program lists.
fn listed(node: &mut Node) -> List {
    let mut rows = node.ask("members").unwrap_or_else(|error| panic!("{error}\n{}", node.story()));
    // The last one says how many there are.
    rows.pop();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let row = |row: serde_json::Value| {
        (text(&row["node"]), (row["addr"].as_str().unwrap().parse().unwrap(), text(&row["state"])))
    };
    rows.into_iter().map(row).collect()
}

/// What one of Go's nodes lists.
fn listed_by_go(cluster: &mut Cluster, name: &str) -> List {
    let rows = cluster.peer(name).members().into_iter();
    rows.map(|(name, row)| (name, (row.addr, row.state))).collect()
}

/// That somebody is there now, at this address, and in this state.
fn put(list: &mut List, name: &str, addr: SocketAddr, state: &str) {
    list.insert(name.into(), (addr, state.into()));
}

/// Whether the program told this of somebody.
fn told(node: &Node, event: &str, name: &str) -> bool {
    node.lines.look(|lines| lines.iter().any(|it| it["event"] == event && it["node"] == name))
}

#[test]
#[ignore = "needs Go and HashiCorp's memberlist"]
fn the_program_beside_gos_nodes() {
    let mut cluster = empty(SEALED, &[]).favoured();
    let mut list = List::new();
    for name in ["go-0", "go-1", "go-2"] {
        let addr = cluster.add(Kind::Go, name, &[]).addr;
        put(&mut list, name, addr, "alive");
    }
    let seed = cluster.peer("go-0").addr;
    let (mut stays, addr) = start(&mut cluster, "stays", seed, &[]);
    put(&mut list, "stays", addr, "alive");
    let (mut killed, killed_addr) = start(&mut cluster, "killed", seed, &[]);
    put(&mut list, "killed", killed_addr, "alive");
    let all_agree = |cluster: &mut Cluster, stays: &mut Node, list: &List| {
        wait_list("the program", list, || listed(stays));
        wait_list("go-0", list, || listed_by_go(cluster, "go-0"));
    };
    all_agree(&mut cluster, &mut stays, &list);
    wait_list("the program", &list, || listed(&mut killed));

    killed.kill().unwrap();
    put(&mut list, "killed", killed_addr, "dead");
    drop(cluster.take("go-1"));
    let addr = list["go-1"].0;
    put(&mut list, "go-1", addr, "dead");
    all_agree(&mut cluster, &mut stays, &list);
    let mut leaver = cluster.take("go-2");
    leaver.ask("leave");
    put(&mut list, "go-2", leaver.addr, "left");
    all_agree(&mut cluster, &mut stays, &list);
    for (event, name) in
        [("member-failed", "killed"), ("member-failed", "go-1"), ("member-leave", "go-2")]
    {
        assert!(told(&stays, event, name), "{event} of {name}: {}", stays.story());
    }
    assert!(!told(&stays, "member-failed", "go-0"), "{}", stays.story());

    stays.leave().unwrap();
    let addr = list["stays"].0;
    put(&mut list, "stays", addr, "left");
    wait_list("go-0", &list, || listed_by_go(&mut cluster, "go-0"));
    nobody_complained(&cluster, &[]);
}

#[test]
#[ignore = "needs HashiCorp's program `serf`, and Go with its memberlist"]
fn the_program_beside_serfs_agents() {
    let mut cluster = Cluster::new(programs_and_serf(), Vec::new()).favoured();
    let (mut agents, mut list) = (Vec::<Agent>::new(), List::new());
    for name in ["serf-0", "serf-1"] {
        let (command, addr) = cluster.place("serf");
        let join = agents.first().map(|agent| format!("-join={}", agent.addr));
        let flags: Vec<_> = [format!("-encrypt={}", KEYS[0])].into_iter().chain(join).collect();
        agents.push(Agent::start(command, name, [addr, free_addr().unwrap()], &flags));
        put(&mut list, name, addr, "alive");
    }
    let versions = ["--application", "2,5,5"];
    let (mut stays, addr) = start(&mut cluster, "stays", agents[0].addr, &versions);
    put(&mut list, "stays", addr, "alive");
    let (mut killed, killed_addr) = start(&mut cluster, "killed", agents[0].addr, &versions);
    put(&mut list, "killed", killed_addr, "alive");
    wait_list("the program", &list, || listed(&mut stays));
    wait_list("serf-0", &list, || agents[0].members());

    killed.kill().unwrap();
    let _ = agents.pop().unwrap().ask(&["leave"]);
    let leaver = list["serf-1"].0;
    // What Serf's agents say of each other is their affair.
    let mut serfs = list.clone();
    serfs.remove("serf-1");
    let of_ours = |agent: &Agent| {
        let mut members = agent.members();
        members.remove("serf-1");
        members
    };
    put(&mut list, "killed", killed_addr, "dead");
    put(&mut list, "serf-1", leaver, "left");
    put(&mut serfs, "killed", killed_addr, "failed");
    wait_list("the program", &list, || listed(&mut stays));
    wait_list("serf-0", &serfs, || of_ours(&agents[0]));

    // It does not know Serf's own goodbye. (G33)
    stays.leave().unwrap();
    put(&mut serfs, "stays", addr, "failed");
    wait_list("serf-0", &serfs, || of_ours(&agents[0]));
    let mut complaints = agents[0].complaints();
    excuse_ends(&mut complaints, 3);
    assert_eq!(complaints, [""; 0]);
}
