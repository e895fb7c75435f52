//! What the suite needs from a runtime beyond what a node needs: to run a test on it.

use core::{future::Future, time::Duration};

use swim_driver::Runtime;

/// A runtime that is held to the suite.
pub trait Platform: 'static {
    /// What nodes run on.
    type Runtime: Runtime;

    /// Runs a test, within the runtime.
    fn block_on<T>(test: impl Future<Output = T>) -> T;

    /// Runs `test` on a runtime of its own, which has ended when this returns.
    fn brief<T>(test: impl AsyncFnOnce(Self::Runtime) -> T) -> T;

    /// Runs a task in the background; it is to be awaited.
    fn spawn<T: Send + 'static>(
        task: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = T>;

    /// Waits.
    fn sleep(time: Duration) -> impl Future<Output = ()> + Send;
}
