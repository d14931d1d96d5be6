//! What a template may use up.

/// The largest single value, in bytes.
pub(crate) const MAX_TEXT: usize = 64 << 20;

/// The most bytes that one rendering may write, unless told otherwise.
const MAX_OUTPUT: usize = 256 << 20;

/// What one rendering may use up. Going over a limit is the diagnostic C3005, never a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Steps: statements, expressions, items, and a step for every 16 bytes of text made.
    pub fuel: u64,
    /// Macro calls inside of macro calls.
    pub depth: u32,
    /// Bytes written by one rendering.
    pub output: usize,
    /// Bytes of native stack below the place where the rendering started. Must be well below the stack of the thread:
    /// the default suits threads with 2 MB. Use [`Limits::for_stack`] for others.
    pub stack: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { fuel: 50_000_000, depth: 200, output: MAX_OUTPUT, stack: 1 << 20 }
    }
}

impl Limits {
    /// The defaults for a thread whose stack has `bytes`.
    pub fn for_stack(bytes: usize) -> Limits {
        Limits { stack: bytes / 2, ..Limits::default() }
    }
}

/// The stack that threads which render templates should have, in bytes (it is only reserved, not used, until needed).
pub const STACK_SIZE: usize = 64 << 20;
