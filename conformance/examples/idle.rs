//! What idle nodes cost: `idle tokio|tokio-multi|smol [NODES [SECONDS]]`.
//!
//! Starts that many nodes in this process at the `lan` profile, joins them, and lets them be until
//! all know all. Then it counts the processor time of the process over the seconds given, how often
//! its threads went to sleep, and what memory the nodes added to it. Linux only, because it reads
//! `/proc`.

use std::{env, fs, future::Future, time::Duration};

use swim_conformance::heap::{self, Heap};
use swim_driver::{Builder, Events, Handle, Runtime};

#[global_allocator]
static HEAP: Heap = Heap;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let mut args = env::args().skip(1);
    let on = args.next().unwrap_or_default();
    let nodes = args.next().map_or(Ok(100), |text| text.parse())?;
    let seconds = args.next().map_or(Ok(60), |text| text.parse())?;
    match on.as_str() {
        "tokio" => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(idle::<swim_tokio::Tokio, _>(nodes, seconds, tokio::time::sleep))
        }
        "tokio-multi" => {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            runtime.block_on(idle::<swim_tokio::Tokio, _>(nodes, seconds, tokio::time::sleep))
        }
        "smol" => smol::block_on(idle::<swim_smol::Smol, _>(nodes, seconds, async |time| {
            smol::Timer::after(time).await;
        })),
        _ => Err("say on what: `idle tokio|tokio-multi|smol [NODES [SECONDS]]`".into()),
    }
}

async fn idle<R: Runtime, F: Future<Output = ()>>(
    nodes: usize,
    seconds: u64,
    sleep: impl Fn(Duration) -> F,
) -> Result<(), Failure> {
    let one = start::<R>(0).await?; // So that the runtime has all it needs.
    let (resident, live) = (resident_kib()?, heap::live());
    let mut running: Vec<(Handle, Events)> = vec![one];
    for nth in 1..=nodes {
        let node = start::<R>(nth).await?;
        node.0.join([running[0].0.addr().to_string()]).await?;
        running.push(node);
    }
    while running.iter().any(|(node, _)| node.members().len() <= nodes) {
        sleep(Duration::from_millis(100)).await;
    }
    let quiet = Duration::from_secs(30); // Until all was told that was new.
    sleep(quiet).await;
    for (_, events) in &mut running {
        while events.try_next().is_some() {}
    }

    let (before, switches_before) = (processor_time(), context_switches()?);
    sleep(Duration::from_secs(seconds)).await;
    let (spent, switches) = (processor_time() - before, context_switches()? - switches_before);
    let all = f64::from(u32::try_from(nodes + 1)?);
    let minutes = Duration::from_secs(seconds).as_secs_f64() / 60.0;
    let per_minute = spent.as_secs_f64() / all / minutes;
    let kib = (resident_kib()? - resident) / i64::try_from(nodes)?;
    let heap_kib = (heap::live() - live) / 1024 / i64::try_from(nodes)?;
    println!("{all} nodes: {per_minute:.4} s of processor time a node and minute");
    let span = Duration::from_secs(seconds).as_secs_f64();
    println!("{:.2} voluntary context switches a node and second", switches / all / span);
    println!("{kib} KiB resident and {heap_kib} KiB of heap a node");
    Ok(())
}

async fn start<R: Runtime>(nth: usize) -> Result<(Handle, Events), Failure> {
    let node = Builder::<R>::lan(format!("node-{nth}")).bind("127.0.0.1:0").start().await?;
    Ok(node)
}

/// What this process has spent, in user space and in the kernel.
fn processor_time() -> Duration {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(spent).unwrap_or_default()
}

/// How often a thread of this process went to sleep by itself.
fn context_switches() -> Result<f64, Failure> {
    let mut sum = 0.0;
    for thread in fs::read_dir("/proc/self/task")? {
        let status = fs::read_to_string(thread?.path().join("status"))?;
        let mut lines = status.lines();
        let count = lines.find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        sum += count.unwrap_or_default().trim().parse::<f64>()?;
    }
    Ok(sum)
}

fn resident_kib() -> Result<i64, Failure> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|rest| rest.trim().split(' ').next()).unwrap_or_default();
    Ok(number.parse()?)
}
