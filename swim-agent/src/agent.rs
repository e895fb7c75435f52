//! `swim agent`: one member of a cluster, from the command line to its last goodbye.

use std::{fmt, process::ExitCode, time::Duration};

use swim_tokio::{Dialect, Events, Handle, Left};
use tokio::{runtime, select, sync::mpsc, task::JoinHandle, time::timeout};
use tracing::{debug, info, warn};

use crate::{
    args::{AgentArgs, Control},
    control::{self, Command},
    failure::Failure,
    join, log, panics,
    printer::Printer,
    report::Reporter,
    signals::Signals,
    start::{Started, start},
};

/// Runs the agent until it is told to stop.
///
/// # Errors
///
/// When it can't start, or fails while it runs.
pub(crate) fn run(args: AgentArgs) -> Result<ExitCode, Failure> {
    let log = log::init(args.log_level).map_err(|error| runtime_failure("cannot log", error))?;
    let printer =
        Printer::to_stdout(args.output).map_err(|error| runtime_failure("cannot print", error))?;
    panics::end_the_process(printer.sink().clone(), log.clone());
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| runtime_failure("cannot start the event loop", error))?;
    let result = runtime.block_on(serve(args, printer.clone()));
    runtime.shutdown_background(); // A name being looked up must not hold us up.
    printer.sink().flush(FLUSH_LIMIT);
    log.flush(FLUSH_LIMIT);
    match result? {
        Ended::Left => Ok(ExitCode::SUCCESS),
        Ended::Forced => Ok(ExitCode::FAILURE),
    }
}

/// How the agent came to its end.
enum Ended {
    /// It left, or there was nothing to leave yet.
    Left,
    /// It was told twice and did not wait.
    Forced,
}

async fn serve(mut args: AgentArgs, printer: Printer) -> Result<Ended, Failure> {
    let mut signals =
        Signals::listen().map_err(|error| runtime_failure("cannot listen to signals", error))?;
    let started = select! {
        started = start(&mut args) => started?,
        signal = signals.stop() => {
            info!(signal, "stopped before it had started");
            return Ok(Ended::Left);
        }
    };
    let Started { handle, events, is_encrypted } = started;
    announce(&args, &handle, is_encrypted);

    let reporter = Reporter::new(handle.clone(), printer.clone(), args.events);
    let reporting = tokio::spawn(report(reporter, events));
    let joining = (!args.join.is_empty()).then(|| {
        let (handle, seeds) = (handle.clone(), args.join.clone());
        tokio::spawn(async move { join::until_joined(&handle, &seeds).await })
    });
    let mut commands = open_control(args.control)?;

    let why = select! {
        why = signals.stop() => why,
        () = obey(&handle, &printer, &mut commands) => "command",
        reason = handle.stopped() => {
            return Err(Failure::Runtime(format!("the node has stopped: {reason}")));
        }
    };
    if let Some(joining) = joining {
        joining.abort();
    }
    select! {
        () = leave(&handle, why, reporting) => Ok(Ended::Left),
        signal = signals.stop() => {
            warn!(signal, "asked a second time: exiting without having left");
            Ok(Ended::Forced)
        }
    }
}

/// Says who we are, and what stands between us and the others.
fn announce(args: &AgentArgs, handle: &Handle, is_encrypted: bool) {
    let (addr, bound_addr) = (handle.addr(), handle.bound_addr());
    info!(
        node = %handle.name(),
        %addr,
        %bound_addr,
        dialect = dialect_name(args.dialect),
        profile = %args.profile,
        label = args.label,
        encrypted = is_encrypted,
        version = env!("CARGO_PKG_VERSION"),
        "agent started"
    );
    if bound_addr.ip().is_loopback() {
        info!(
            "only this machine can reach this node: for others, start it with --bind \
             and a key, as `swim help agent` shows"
        );
    } else if !is_encrypted {
        warn!("there is no key: whoever can reach {addr} can join and read along");
    }
}

fn dialect_name(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Native => "native",
        Dialect::Memberlist(_) => "memberlist",
    }
}

async fn report(mut reporter: Reporter, mut events: Events) {
    while let Some(notice) = events.next().await {
        reporter.report(&notice);
    }
}

fn open_control(from: Option<Control>) -> Result<Option<Commands>, Failure> {
    match from {
        None => Ok(None),
        Some(Control::Stdin) => {
            let commands = control::read_stdin()
                .map_err(|error| runtime_failure("cannot read commands", error))?;
            Ok(Some(commands))
        }
    }
}

/// Carries out commands until one says to leave. When there are none any more, waits for ever.
async fn obey(handle: &Handle, printer: &Printer, commands: &mut Option<Commands>) {
    if let Some(commands) = commands {
        while let Some(command) = commands.recv().await {
            let is_leave = command == Ok(Command::Leave);
            for line in control::answer(handle, command).await {
                printer.print(&line);
            }
            if is_leave {
                return;
            }
        }
        debug!("there will be no more commands");
    }
    std::future::pending::<()>().await;
}

async fn leave(handle: &Handle, why: &'static str, reporting: JoinHandle<()>) {
    info!(why, "leaving");
    match handle.leave(LEAVE_LIMIT).await {
        Ok(Left { confirmed: 0, told, members }) if members > 0 => warn!(
            told,
            members, "left, but nobody has confirmed it: the others may take this node for failed"
        ),
        Ok(Left { confirmed, told, members }) => info!(confirmed, told, members, "left"),
        Err(error) => warn!(%error, "could not leave"),
    }
    handle.shutdown().await;
    if timeout(REPORT_LIMIT, reporting).await.is_err() {
        debug!("events were still coming in at the end");
    }
}

fn runtime_failure(what: &str, error: impl fmt::Display) -> Failure {
    Failure::Runtime(format!("{what}: {error}"))
}

type Commands = mpsc::Receiver<Result<Command, String>>;

/// How long a leave may take: as long as the others may need to hear it, and no longer than
/// somebody waits who pressed Ctrl-C.
const LEAVE_LIMIT: Duration = Duration::from_secs(5);
/// How long the last events may take.
const REPORT_LIMIT: Duration = Duration::from_secs(1);
/// How long a slow reader is waited for at the end, each of stdout's and stderr's: also by who was
/// told twice, for why it has not left is its last word.
const FLUSH_LIMIT: Duration = Duration::from_secs(1);
