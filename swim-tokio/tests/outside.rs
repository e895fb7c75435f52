//! What only tokio has: threads that are in no runtime, and runtimes that lack a part.

use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use swim_tokio::{Builder, StartError};
use tokio::runtime;

#[test]
fn without_a_runtime_a_start_says_so() {
    let start = pin!(Builder::local("a").bind("127.0.0.1:0").start());
    let Poll::Ready(Err(error)) = start.poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("nothing to wait for")
    };
    assert_advises(&error, "from within a tokio runtime");
}

#[test]
fn in_a_runtime_without_io_or_time_a_start_says_so() {
    let without_io = runtime::Builder::new_current_thread().enable_time().build().unwrap();
    assert_advises(&start_fails_in(&without_io), "I/O is not enabled");
    let without_time = runtime::Builder::new_current_thread().enable_io().build().unwrap();
    assert_advises(&start_fails_in(&without_time), "time is not enabled");
}

fn start_fails_in(runtime: &runtime::Runtime) -> StartError {
    let start = Builder::local("a").bind("127.0.0.1:0").start();
    runtime.block_on(start).expect_err("a part is missing")
}

fn assert_advises(error: &StartError, advice: &str) {
    assert!(matches!(error, StartError::Runtime { .. }), "{error:?}");
    assert!(error.to_string().contains(advice), "{error}");
}
