//! Tokio in both its flavours, as the suite of all runtimes needs it.

use std::{future::Future, time::Duration};

use swim_conformance::Platform;
use swim_tokio::Tokio;
use tokio::runtime::{Builder, Runtime};

pub(crate) struct CurrentThread;

pub(crate) struct MultiThread;

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime can be built")
}

fn multi_thread() -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().expect("a runtime can be built")
}

macro_rules! platform {
    ($name:ident, $make:ident) => {
        impl Platform for $name {
            type Runtime = Tokio;

            fn block_on<T>(test: impl Future<Output = T>) -> T {
                $make().block_on(test)
            }

            fn brief<T>(test: impl AsyncFnOnce(Tokio) -> T) -> T {
                let runtime = $make();
                runtime.block_on(test(Tokio::on(runtime.handle().clone())))
            }

            fn spawn<T: Send + 'static>(
                task: impl Future<Output = T> + Send + 'static,
            ) -> impl Future<Output = T> {
                let task = tokio::spawn(task);
                async { task.await.expect("the task does not panic") }
            }

            fn sleep(time: Duration) -> impl Future<Output = ()> + Send {
                tokio::time::sleep(time)
            }
        }
    };
}

platform!(CurrentThread, current_thread);
platform!(MultiThread, multi_thread);
