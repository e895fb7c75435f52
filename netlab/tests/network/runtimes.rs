//! Nodes on different runtimes in one cluster.

use swim_netlab::{Program, Setup, clock::time_of_day};

use crate::harness::{detection, finish, setup, started, wait_all_told};

/// Even hosts have tokio, odd ones smol.
pub(crate) fn both() -> Vec<Program> {
    let smol = Program { path: env!("CARGO_BIN_EXE_node-smol").into(), words: Vec::new() };
    vec![Program::swim().unwrap(), smol]
}

#[test]
#[ignore = "needs root, ip and nft"]
fn nodes_on_tokio_and_on_smol_are_one_cluster() {
    let mut cluster = started(Setup { programs: both(), ..setup(6, &[]) });
    let limit = detection(&cluster.setup().options(), 6);
    let began = time_of_day();
    for from in [0, 1] {
        cluster.node(from).unwrap().order(&format!("broadcast from {from}")).unwrap();
        cluster.node(from).unwrap().order(&format!("meta of {from}")).unwrap();
    }
    let others = |host| Vec::from_iter((0..6).filter(|other| *other != host));
    for from in [0, 1] {
        cluster.wait_told(&others(from), "user", (from, began), limit).unwrap();
        cluster.wait_told(&others(from), "member-update", (from, began), limit).unwrap();
    }
    for gone in [4, 5] {
        cluster.crash(gone).unwrap();
        wait_all_told(&mut cluster, (&[0, 1, 2, 3], &[gone]), "member-failed", began);
        cluster.start(gone).unwrap();
        cluster.wait_agreement(limit).unwrap();
    }
    for gone in [2, 3] {
        cluster.leave(gone).unwrap();
        wait_all_told(&mut cluster, (&[0, 1, 4, 5], &[gone]), "member-leave", began);
    }
    let account = finish(cluster, &[]);
    assert!(account.record.failures.iter().all(|failure| failure.subject >= 4));
}
