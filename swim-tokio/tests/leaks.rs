//! The cases of the suite that count what the whole process has, on tokio.

#![cfg(target_os = "linux")]

mod platform;

#[global_allocator]
static HEAP: swim_conformance::heap::Heap = swim_conformance::heap::Heap;

mod current_thread {
    swim_conformance::conform_alone!(crate::platform::CurrentThread);
}

mod multi_thread {
    swim_conformance::conform_alone!(crate::platform::MultiThread);
}

#[test]
fn no_case_is_missing() {
    swim_conformance::assert_complete(swim_conformance::ALONE, &["current_thread", "multi_thread"]);
}
