//! What the operating system asks of the agent by signals.

use std::io;

#[cfg(unix)]
pub(crate) use unix::Signals;
#[cfg(not(unix))]
pub(crate) use windows::Signals;

#[cfg(unix)]
mod unix {
    use std::io::IsTerminal;

    use tokio::signal::unix::{Signal, SignalKind, signal};

    use super::io;

    /// The signals that the agent listens to.
    pub(crate) struct Signals {
        interrupt: Signal,
        terminate: Signal,
        hangup: Signal,
        has_terminal: bool,
    }

    impl Signals {
        /// Listens from now on; the signals no longer end the process by themselves.
        ///
        /// # Errors
        ///
        /// When the system refuses.
        pub(crate) fn listen() -> io::Result<Self> {
            let has_terminal = io::stdin().is_terminal()
                || io::stdout().is_terminal()
                || io::stderr().is_terminal();
            Ok(Self {
                interrupt: signal(SignalKind::interrupt())?,
                terminate: signal(SignalKind::terminate())?,
                hangup: signal(SignalKind::hangup())?,
                has_terminal,
            })
        }

        /// Waits until the agent is asked to stop, and returns by what. Loses nothing when dropped.
        ///
        /// A hangup means two things: the terminal was closed, and then nobody is left to stop us,
        /// or, to a service without a terminal, "read your settings again"; there are none yet.
        pub(crate) async fn stop(&mut self) -> &'static str {
            loop {
                tokio::select! {
                    _ = self.interrupt.recv() => return "SIGINT",
                    _ = self.terminate.recv() => return "SIGTERM",
                    _ = self.hangup.recv() => {}
                }
                if self.has_terminal {
                    return "SIGHUP";
                }
                tracing::info!("SIGHUP ignored: there are no settings to read again");
            }
        }
    }
}

#[cfg(not(unix))]
mod windows {
    use super::io;

    /// Ctrl-C, the only request there is.
    pub(crate) struct Signals;

    impl Signals {
        /// Does nothing yet: waiting registers.
        ///
        /// # Errors
        ///
        /// None.
        pub(crate) fn listen() -> io::Result<Self> {
            Ok(Self)
        }

        /// Waits until the agent is asked to stop, and returns by what. Loses nothing when dropped.
        pub(crate) async fn stop(&mut self) -> &'static str {
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
            "Ctrl-C"
        }
    }
}
