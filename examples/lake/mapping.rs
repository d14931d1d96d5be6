//! The small files: the category of keywords (as CSV and as a workbook), and the bridge from contracts to users.

use std::io::{self, Write};
use std::path::Path;

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook};

use crate::Result;
use crate::contracts::Contracts;
use crate::keywords::Vocabulary;
use crate::rng::Rng;
use crate::sample::Shuffle;
use crate::search::Users;

const PURPOSE_LABELS: u64 = 0x3a_0001;
const PURPOSE_ORDER: u64 = 0x3a_0002;
const PURPOSE_BRIDGE: u64 = 0x3a_0003;

/// The share of keywords that editors have labelled.
const LABELLED: f64 = 0.94;
/// One of so many labels is there a second time.
const REPEATED: u64 = 12;
/// How many users the bridge has for each contract, as long as there are so many users.
const BRIDGED: f64 = 0.65;

const HEADER: (&str, &str) = ("search", "category");

/// A keyword without the blanks around it, and its category.
pub(crate) type Label<'a> = (&'a str, &'a str);

/// The labels in the order of the file. Some keywords come twice, at times with another category.
pub(crate) fn labels(vocabulary: &Vocabulary, seed: u64) -> Vec<Label<'_>> {
    let mut rng = Rng::new(seed, PURPOSE_LABELS, 0);
    let mut labels: Vec<Label<'_>> = Vec::new();
    for keyword in &vocabulary.keywords {
        let text = keyword.text.trim_matches(' ');
        if rng.chance(LABELLED) && !text.is_empty() {
            labels.push((text, keyword.category));
        }
    }
    for _ in 0..labels.len() as u64 / REPEATED {
        let (text, category) = *rng.pick(&labels);
        labels.push((text, *rng.pick(&["other", "Western", "animation", "K-drama", category])));
    }
    let order = Shuffle::new(labels.len() as u64, seed, PURPOSE_ORDER);
    (0..labels.len()).map(|i| labels[order.at(i as u64) as usize]).collect()
}

/// Writes the labels as CSV (RFC 4180, with a header).
pub(crate) fn write_csv(labels: &[Label<'_>], out: &mut dyn Write) -> io::Result<()> {
    for (text, category) in std::iter::once(&HEADER).chain(labels) {
        writeln!(out, "{},{}", quoted(text), quoted(category))?;
    }
    Ok(())
}

/// A CSV field, in quotes where it needs them.
fn quoted(text: &str) -> String {
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_string() }
}

/// Writes the labels as a workbook whose bytes are the same each time.
pub(crate) fn write_xlsx(labels: &[Label<'_>], path: &Path) -> Result<()> {
    let mut workbook = Workbook::new();
    let created = ExcelDateTime::from_ymd(2022, 8, 1)?;
    workbook.set_properties(&DocProperties::new().set_creation_datetime(&created));
    let sheet = workbook.add_worksheet().set_name("mapping")?;
    for (row, (text, category)) in (0..).zip(std::iter::once(&HEADER).chain(labels)) {
        sheet.write_string(row, 0, *text)?;
        sheet.write_string(row, 1, *category)?;
    }
    workbook.save(path)?;
    Ok(())
}

/// Writes the bridge, `contract,user_id`: each user at most once, a contract any number of times. Answers with its rows.
pub(crate) fn write_bridge(contracts: &Contracts, users: &Users, seed: u64, out: &mut dyn Write) -> io::Result<u64> {
    let rows = users.len().min((contracts.len() as f64 * BRIDGED) as u64);
    let order = Shuffle::new(users.len(), seed, PURPOSE_BRIDGE);
    let mut rng = Rng::new(seed, PURPOSE_BRIDGE, 0);
    let mut line = Vec::new();
    out.write_all(b"contract,user_id\n")?;
    for i in 0..rows {
        line.clear();
        contracts.write_name(rng.below(contracts.len()), &mut line);
        writeln!(line, ",{}", users.id(order.at(i)))?;
        out.write_all(&line)?;
    }
    Ok(rows)
}
