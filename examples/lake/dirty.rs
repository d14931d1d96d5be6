//! A day of the viewing log as it comes on a bad day: nine lines that are broken in nine ways among the good ones.

use std::io::{self, BufRead, Write};

/// Copies the lines of a day and mixes the broken ones in: the first after seven lines, then one every thirteen.
pub(crate) fn copy(day: &mut dyn BufRead, out: &mut dyn Write) -> io::Result<()> {
    let lines = day.split(b'\n').collect::<io::Result<Vec<_>>>()?;
    let mut broken = broken_lines(&lines).into_iter();
    for (i, line) in lines.iter().enumerate() {
        if i >= 7 && (i - 7) % 12 == 0 {
            write_line(broken.next().as_deref(), out)?;
        }
        write_line(Some(line), out)?;
    }
    broken.try_for_each(|line| write_line(Some(&line), out))
}

fn write_line(line: Option<&[u8]>, out: &mut dyn Write) -> io::Result<()> {
    if let Some(line) = line {
        out.write_all(line)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// Cut off, empty, no JSON, a word for a number, an empty object, a null struct, a number in scientific notation beside an unknown
/// field, broken UTF-8, and two objects on a line.
fn broken_lines(good: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let line = |i: usize| good.get(i).map_or(&b"{}"[..], Vec::as_slice);
    vec![
        line(0)[..line(0).len().min(60)].to_vec(),
        Vec::new(),
        b"--- log rotated ---".to_vec(),
        br#"{"_index":"history","_source":{"Contract":"BAD1","TotalDuration":"12x"}}"#.to_vec(),
        b"{}".to_vec(),
        br#"{"_source":null}"#.to_vec(),
        br#"{"_source":{"Contract":"HNH000001","TotalDuration":1.5e3,"AppName":"VOD","Extra":[1,2]}}"#.to_vec(),
        b"\xff\xfe broken utf8".to_vec(),
        [line(1), line(2)].concat(),
    ]
}
