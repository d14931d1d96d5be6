//! Modes, ledger and skips.
