//! The suite of all runtimes, on smol.

mod platform;

swim_conformance::assert_surface!(swim_smol, Smol);

mod global {
    swim_conformance::conform!(crate::platform::Global);
}

#[test]
fn no_case_is_missing() {
    swim_conformance::assert_complete(swim_conformance::TOGETHER, &["global"]);
}
