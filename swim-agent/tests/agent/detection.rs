//! Crashes are noticed in time, by all, and nobody else is blamed; coming back is noticed at once.

use std::time::Duration;

use swim_tokio::Profile;

use crate::{
    bounds,
    harness::{Agent, KEY, LONG, cluster, machine, wait_complete},
    tape::time_of_day,
};

#[test]
fn a_killed_agent_fails_everywhere_in_time_and_is_back_at_once_when_restarted() {
    let _machine = machine();
    for profile in [Profile::Lan, Profile::Local] {
        let name = profile.to_string();
        let args = ["--profile", &name, "--encrypt", KEY];
        let mut agents = cluster(5, &args);
        wait_complete(&agents, LONG);

        let mut victim = agents.remove(3);
        let killed = time_of_day();
        victim.kill();
        let bound = bounds::detection(profile, 5);
        for agent in &agents {
            let failed = agent.wait_event(0, "member-failed", "n3", bound).saturating_sub(killed);
            println!("{profile}: {} saw n3 fail after {failed:?}, bound {bound:?}", agent.name);
            assert!(failed < bound, "{} after {failed:?}", agent.name);
        }

        let printed: Vec<_> = agents.iter().map(Agent::printed).collect();
        let restarted = time_of_day();
        let join = ["--bind", &victim.addr, "--join", &agents[0].addr];
        let again = Agent::launch("n3", &[&args[..], &join].concat()).started();
        for (agent, from) in agents.iter().zip(printed) {
            let joined =
                agent.wait_event(from, "member-join", "n3", LONG).saturating_sub(restarted);
            println!("{profile}: {} saw n3 again after {joined:?}", agent.name);
            // Nobody waits for the next exchange of tables, which may be half a minute away.
            assert!(joined < Duration::from_secs(5), "{} after {joined:?}", agent.name);
        }
        agents.push(again);
        wait_complete(&agents, LONG);
        for agent in &agents {
            let failed = agent.nodes_of("member-failed");
            let expected: &[&str] = if agent.name == "n3" { &[] } else { &["n3"] };
            assert_eq!(failed, expected, "as seen by {}", agent.name);
        }
    }
}
