//! The firmware's machine: a Cortex-M4 with a heap of a fixed size, its SysTick timer for a clock,
//! and a debugger for a screen (semihosting, which an emulator offers too).

use core::{
    arch::asm,
    fmt::{self, Write},
    panic::PanicInfo,
    ptr::addr_of_mut,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

use cortex_m::{Peripherals, peripheral::syst::SystClkSource};
use cortex_m_rt::{entry, exception};
use linked_list_allocator::LockedHeap;
use swim_core::Instant;

use crate::story::{self, Board};

/// All the memory that two nodes and the cable between them get.
const HEAP_LEN: usize = 96 * 1_024;

#[global_allocator]
static HEAP: LockedHeap = LockedHeap::empty();

static MILLIS: AtomicU32 = AtomicU32::new(0);

#[entry]
fn main() -> ! {
    static mut MEMORY: [u64; HEAP_LEN / 8] = [0; HEAP_LEN / 8];
    let memory = addr_of_mut!(*MEMORY).cast();
    #[expect(unsafe_code, reason = "nobody else has this memory, and it is given away once")]
    // SAFETY: `entry` hands out the only reference to `MEMORY`, once.
    unsafe {
        HEAP.lock().init(memory, HEAP_LEN);
    }
    let is_well = Peripherals::take().is_some_and(|peripherals| {
        let mut timer = peripherals.SYST;
        timer.set_clock_source(SystClkSource::Core);
        timer.set_reload(CLOCK_HZ / 1_000 - 1);
        timer.clear_current();
        timer.enable_counter();
        timer.enable_interrupt();
        story::play(&mut Chip)
    });
    let used = HEAP.lock().used();
    Chip.say(format_args!("{used} bytes of the heap were never given back"));
    exit(is_well)
}

#[exception]
fn SysTick() {
    MILLIS.fetch_add(1, Relaxed);
}

/// A stack that was too short ends here, for example.
#[expect(unsafe_code, reason = "this is how the exception must be declared")]
mod fault {
    use cortex_m_rt::{ExceptionFrame, exception};

    use super::{Board, Chip, exit};

    #[exception]
    unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
        Chip.say(format_args!("hard fault at {:#x}", frame.pc()));
        exit(false)
    }
}

struct Chip;

impl Board for Chip {
    fn now(&mut self) -> Instant {
        Instant::from_millis(u64::from(MILLIS.load(Relaxed)))
    }

    /// Until the next interrupt, which comes in a millisecond at the latest.
    fn sleep(&mut self, _: Instant) {
        cortex_m::asm::wfi();
    }

    fn say(&mut self, words: fmt::Arguments<'_>) {
        let mut line = Line { text: [0; 160], len: 0 };
        let _cut_off = writeln!(line, "{words}");
        semihost(WRITE0, line.text.as_ptr() as usize);
    }
}

/// A line of text that ends with a zero; what is longer is cut off.
struct Line {
    text: [u8; 160],
    len: usize,
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.text.len() - 1 - self.len;
        let taken = &text.as_bytes()[..text.len().min(room)];
        self.text[self.len..][..taken.len()].copy_from_slice(taken);
        self.len += taken.len();
        Ok(())
    }
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    Chip.say(format_args!("{info}"));
    exit(false)
}

fn exit(is_well: bool) -> ! {
    semihost(EXIT, if is_well { STOPPED } else { FAULT });
    loop {
        cortex_m::asm::wfi();
    }
}

/// Asks the debugger for something.
fn semihost(operation: usize, argument: usize) {
    #[expect(unsafe_code, reason = "there is no other way to reach the debugger")]
    // SAFETY: Semihosting reads what the argument points to, which lives, and changes one register.
    unsafe {
        asm!("bkpt 0xab", inout("r0") operation => _, in("r1") argument);
    }
}

const WRITE0: usize = 0x04;
const EXIT: usize = 0x18;
const STOPPED: usize = 0x2_0026;
const FAULT: usize = 0x2_0024;

/// The clock of the board that QEMU calls `mps2-an386`.
const CLOCK_HZ: u32 = 25_000_000;
