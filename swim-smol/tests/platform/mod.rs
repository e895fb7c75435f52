//! Smol with its global executor and with one of the test's own, as the suite of all runtimes
//! needs it.

use std::{future::Future, sync::Arc, time::Duration};

use smol::Executor;

use swim_conformance::Platform;
use swim_smol::Smol;

pub(crate) struct Global;

impl Platform for Global {
    type Runtime = Smol;

    fn block_on<T>(test: impl Future<Output = T>) -> T {
        smol::block_on(test)
    }

    fn brief<T>(test: impl AsyncFnOnce(Smol) -> T) -> T {
        let executor = Arc::new(Executor::new());
        smol::block_on(executor.run(test(Smol::on(&executor))))
    }

    fn spawn<T: Send + 'static>(
        task: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = T> {
        smol::spawn(task)
    }

    fn sleep(time: Duration) -> impl Future<Output = ()> + Send {
        let timer = smol::Timer::after(time);
        async {
            timer.await;
        }
    }
}
