//! The cases of the suite that count what the whole process has, on smol.

#![cfg(target_os = "linux")]

mod platform;

#[global_allocator]
static HEAP: swim_conformance::heap::Heap = swim_conformance::heap::Heap;

mod global {
    swim_conformance::conform_alone!(crate::platform::Global);
}

#[test]
fn no_case_is_missing() {
    swim_conformance::assert_complete(swim_conformance::ALONE, &["global"]);
}
