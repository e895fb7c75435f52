//! What only smol has: nodes need no runtime around their start, and may be given an executor.

use std::{sync::Arc, thread};

use smol::{Executor, channel, future};

use swim_smol::{Builder, Smol, StopReason};

fn node(name: &str) -> Builder {
    Builder::local(name).bind("127.0.0.1:0")
}

#[test]
fn a_node_starts_wherever_a_future_is_polled() {
    let (a, _events) = future::block_on(node("a").start()).expect("it starts");
    assert_eq!(future::block_on(a.shutdown()), StopReason::Shutdown);
}

#[test]
fn a_node_runs_on_the_executor_that_it_is_given_and_does_not_keep_it() {
    static STATIC: Executor<'_> = Executor::new();
    let shared = Arc::new(Executor::new());
    for (runtime, executor) in [(Smol::on(&shared), &*shared), (Smol::on_static(&STATIC), &STATIC)]
    {
        future::block_on(async {
            let (a, _events) = node("a").runtime(runtime).start().await.expect("it starts");
            assert!(!executor.is_empty(), "its task is there");
            executor.run(a.shutdown()).await;
            assert!(executor.is_empty(), "and is over");
        });
    }
    assert_eq!(Arc::strong_count(&shared), 1);
}

#[test]
fn many_threads_may_run_the_executor() {
    let executor = Arc::new(Executor::new());
    let (stop, stopped) = channel::unbounded::<()>();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (executor, stopped) = (Arc::clone(&executor), stopped.clone());
            thread::spawn(move || future::block_on(executor.run(stopped.recv())))
        })
        .collect();
    future::block_on(async {
        let start = |name| node(name).runtime(Smol::on(&executor)).start();
        let (a, _events) = start("a").await.expect("it starts");
        let (b, _events) = start("b").await.expect("it starts");
        b.join([a.addr().to_string()]).await.expect("it joins");
        b.send_reliable("a", vec![0; 1_000_000]).await.expect("it arrives");
        b.shutdown().await;
        a.shutdown().await;
    });
    drop(stop);
    for thread in threads {
        let _closed = thread.join().expect("nothing panics");
    }
    assert!(executor.is_empty());
}
