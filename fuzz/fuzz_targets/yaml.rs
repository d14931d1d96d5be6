#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| (c360::fuzzing::target("yaml").expect("a target").run)(data));
