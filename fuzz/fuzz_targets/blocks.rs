#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| (c360::fuzzing::target("blocks").expect("a target").run)(data));
