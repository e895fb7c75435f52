//! The suite of all runtimes, on tokio.

mod platform;

swim_conformance::assert_surface!(swim_tokio, Tokio);

mod current_thread {
    swim_conformance::conform!(crate::platform::CurrentThread);
}

mod multi_thread {
    swim_conformance::conform!(crate::platform::MultiThread);
}

#[test]
fn no_case_is_missing() {
    swim_conformance::assert_complete(
        swim_conformance::TOGETHER,
        &["current_thread", "multi_thread"],
    );
}
