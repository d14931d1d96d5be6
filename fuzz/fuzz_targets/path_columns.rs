#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| (c360::fuzzing::target("path_columns").expect("a target").run)(data));
