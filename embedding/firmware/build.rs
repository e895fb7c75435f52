//! Tells the linker where the chip has its memory. Only where there is no operating system.

fn main() {
    println!("cargo:rerun-if-changed=memory.x");
    #[expect(clippy::disallowed_methods, reason = "this is how cargo tells it")]
    let os = std::env::var("CARGO_CFG_TARGET_OS");
    if os.as_deref() == Ok("none") {
        println!("cargo:rustc-link-search={}", env!("CARGO_MANIFEST_DIR"));
        println!("cargo:rustc-link-arg-bins=-Tlink.x");
        println!("cargo:rustc-link-arg-bins=--nmagic");
    }
}
