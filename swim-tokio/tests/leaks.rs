//! Nodes that come and go leave nothing behind in the process. Alone in its program, because it
//! counts what the whole process has.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::{fs, time::Duration};

use swim_tokio::Builder;

fn open_files() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

fn threads() -> usize {
    fs::read_dir("/proc/self/task").unwrap().count()
}

async fn come_and_go() {
    let node = |name| Builder::local(name).bind("127.0.0.1:0").start();
    let (a, _events) = node("a").await.unwrap();
    let (b, _events) = node("b").await.unwrap();
    b.join([format!("localhost:{}", a.addr().port())]).await.unwrap();
    a.send_reliable("b", vec![0; 100_000]).await.unwrap();
    for _ in 0..10 {
        let dropped = b.join([format!("localhost:{}", a.addr().port())]);
        let _dropped = tokio::time::timeout(Duration::from_micros(50), dropped).await;
        let _dropped = tokio::time::timeout(Duration::ZERO, a.send_reliable("b", "x")).await;
    }
    b.shutdown().await;
}

#[tokio::test]
async fn files_and_threads_stay_as_they_are() {
    for _ in 0..3 {
        come_and_go().await;
    }
    let (files, threads_before) = (open_files(), threads());
    for _ in 0..30 {
        come_and_go().await;
    }
    // The last handle of `a` was dropped without waiting, and so were threads that resolve names.
    for _ in 0..1_000 {
        if open_files() <= files && threads() <= threads_before {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{files} files and {threads_before} threads became {} and {}", open_files(), threads());
}
