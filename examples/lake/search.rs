//! The search log: Parquet parts in a folder for each of June and July 2022.
//!
//! A row is an event of a user who searched. One of five has no user (a guest). A user mostly looks for a favourite of
//! the month, else for what is popular.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, ListBuilder, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use crate::Result;
use crate::dates;
use crate::keywords::Vocabulary;
use crate::rng::Rng;
use crate::sample::{Shuffle, Zipf};

/// The months of the log.
pub(crate) const MONTHS: [u64; 2] = [6, 7];

const PURPOSE_PART: u64 = 0x5e_0001;
const PURPOSE_USER: u64 = 0x5e_0002;
const PURPOSE_RANK: u64 = 0x5e_0003;

const USERS_PER_MILLION: f64 = 90_000.0;
const ROWS_PER_PART: u64 = 400_000;
const ROWS_PER_GROUP: usize = 262_144;
const ROWS_PER_BATCH: u64 = 32_768;

/// Columns of text with few values, the common ones first.
const FEW: [(&str, &[&str]); 5] = [
    ("category", &["enter", "quit", "click", "search"]),
    ("proxy_isp", &["vnpt", "viettel", "fpt", "mobifone", "other"]),
    (
        "platform",
        &["ottbox-2019", "android", "ios", "smarttv-sony-android", "web", "smarttv-lg", "box-2021", "smarttv-samsung"],
    ),
    ("networkType", &["wifi", "ethernet", "3g/4g", "cable"]),
    ("action", &["search", "enter", "click"]),
];

/// What users pay for; the last kind is not known.
const PLANS: [Option<&[&str]>; 5] =
    [Some(&[]), Some(&["Kênh Gia Đình:HBO GO"]), Some(&["MAX:Giải trí", "SPORT:K+"]), Some(&["VIP"]), None];

/// The users of the app.
pub(crate) struct Users {
    count: u64,
    long: Shuffle,
    short: Shuffle,
}

impl Users {
    /// As many as belong to `rows` searches.
    pub(crate) fn new(seed: u64, rows: u64) -> Users {
        Users {
            count: ((rows as f64 * USERS_PER_MILLION / 1e6) as u64).max(30),
            long: Shuffle::new(100_000_000, seed, PURPOSE_USER),
            short: Shuffle::new(10_000_000, seed, PURPOSE_USER + 1),
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> u64 {
        self.count
    }

    /// The id of a user: digits, with zeros at the front, eight or (one of nine) seven. No two are the same.
    pub(crate) fn id(&self, user: u64) -> String {
        if user.is_multiple_of(9) {
            format!("{:07}", self.short.at(user / 9))
        } else {
            format!("{:08}", self.long.at(user))
        }
    }
}

/// A file of the log.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    /// 0 for June, 1 for July.
    pub(crate) month: usize,
    pub(crate) number: u64,
    pub(crate) rows: u64,
}

/// The files that hold `rows` searches: half of them in each month, at least two parts a month.
pub(crate) fn parts(rows: u64) -> Vec<Part> {
    let halves = [rows / 2, rows - rows / 2];
    let month = |(month, rows): (usize, u64)| {
        let count = rows.div_ceil(ROWS_PER_PART).max(2);
        (0..count).map(move |number| Part { month, number, rows: rows / count + u64::from(number < rows % count) })
    };
    halves.into_iter().enumerate().flat_map(month).collect()
}

/// The search log as a whole.
pub(crate) struct Search<'a> {
    seed: u64,
    users: &'a Users,
    vocabulary: &'a Vocabulary,
    ranks: Shuffle,
    tail: Zipf,
}

impl<'a> Search<'a> {
    pub(crate) fn new(seed: u64, users: &'a Users, vocabulary: &'a Vocabulary) -> Search<'a> {
        let ranks = Shuffle::new(users.len(), seed, PURPOSE_RANK);
        Search { seed, users, vocabulary, ranks, tail: Zipf::new(users.len(), 0.75) }
    }

    /// Writes a part.
    pub(crate) fn write_part(&self, part: Part, out: impl Write + Send) -> Result<()> {
        let schema = schema();
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_max_row_group_row_count(Some(ROWS_PER_GROUP))
            .set_created_by("c360 lake generator".to_string())
            .build();
        let mut writer = ArrowWriter::try_new(out, Arc::clone(&schema), Some(properties))?;
        let mut rng = Rng::new(self.seed, PURPOSE_PART + part.month as u64, part.number);
        let mut left = part.rows;
        while left > 0 {
            let rows = left.min(ROWS_PER_BATCH);
            writer.write(&self.batch(&mut rng, part.month, rows, &schema)?)?;
            left -= rows;
        }
        writer.close()?;
        Ok(())
    }

    fn batch(&self, rng: &mut Rng, month: usize, rows: u64, schema: &SchemaRef) -> Result<RecordBatch> {
        let (mut event, mut datetime, mut user_id, mut keyword) =
            (StringBuilder::new(), StringBuilder::new(), StringBuilder::new(), StringBuilder::new());
        let mut few: [StringBuilder; FEW.len()] = std::array::from_fn(|_| StringBuilder::new());
        let mut plans = ListBuilder::new(StringBuilder::new()).with_field(Field::new("item", DataType::Utf8, true));
        for _ in 0..rows {
            let user = self.ranks.at(self.tail.draw(rng));
            event.append_value(format!("{:016x}{:08x}", rng.bits(), rng.bits() >> 32));
            datetime.append_option(dates::draw(rng, MONTHS[month]));
            user_id.append_option((!rng.chance(0.22)).then(|| self.users.id(user)));
            keyword.append_option(self.keyword(rng, user, month));
            for (column, (_, values)) in few.iter_mut().zip(FEW) {
                let u = rng.unit();
                column.append_value(values[(u * u * values.len() as f64) as usize]);
            }
            match rng.pick(&PLANS) {
                Some(names) => plans.append_value(names.iter().map(|name| Some(*name))),
                None => plans.append_null(),
            }
        }
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(event.finish()),
            Arc::new(datetime.finish()),
            Arc::new(user_id.finish()),
            Arc::new(keyword.finish()),
        ];
        columns.extend(few.iter_mut().map(|column| Arc::new(column.finish()) as ArrayRef));
        columns.push(Arc::new(plans.finish()));
        Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
    }

    /// What is searched; at times nothing, or blanks.
    fn keyword(&self, rng: &mut Rng, user: u64, month: usize) -> Option<&str> {
        let chosen = if rng.chance(0.45) {
            self.vocabulary.favourite(user, month as u64)
        } else {
            self.vocabulary.anything(rng)
        };
        match rng.below(1000) {
            0..30 => None,
            30..32 => Some(""),
            32 => Some("   "),
            _ => Some(&self.vocabulary.keywords[chosen].text),
        }
    }
}

fn schema() -> SchemaRef {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    let mut fields: Vec<Field> = ["eventID", "datetime", "user_id", "keyword"].map(text).into();
    fields.extend(FEW.map(|(name, _)| text(name)));
    fields.push(Field::new_list("userPlansMap", Field::new("item", DataType::Utf8, true), true));
    Arc::new(Schema::new(fields))
}
