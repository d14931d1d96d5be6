//! The viewing log: a file for each day of April 2022, a JSON object on each line.
//!
//! A row is a contract that watched an app on a device for some seconds. Every contract has a row on each of its active
//! days; the rest go to contracts by a long tail, on days when they are active anyway. Among the rows are those of contract
//! '0', exact duplicates (same `_id`), missing and null fields, and apps that no category knows.

use std::io::{self, Write};

use crate::contracts::Contracts;
use crate::rng::{Rng, hash};
use crate::sample::{Shuffle, Weighted};

/// Days of the month.
pub(crate) const DAYS: u32 = 30;

const PURPOSE_DAY: u64 = 0xda_0001;
const PURPOSE_DEVICE: u64 = 0xda_0002;
/// How many earlier lines a duplicate is chosen from.
const RECENT: usize = 64;
/// How many devices watch under contract '0'.
const ZERO_DEVICES: u64 = 50;

/// What a household watches.
#[derive(Clone, Copy)]
pub(crate) enum Profile {
    Tv,
    Movies,
    Children,
    Music,
    Sport,
    Wanderer,
}

impl Profile {
    /// All of them, in the order of `SHARES`.
    pub(crate) const ALL: [Profile; 6] =
        [Profile::Tv, Profile::Movies, Profile::Children, Profile::Music, Profile::Sport, Profile::Wanderer];
    /// How common each is.
    pub(crate) const SHARES: [f64; 6] = [0.60, 0.17, 0.10, 0.07, 0.04, 0.02];
}

/// An app: its name in the log, the mean of the logarithm of the seconds watched at a time, and how much each profile
/// uses it.
struct App(&'static str, f64, [f64; 6]);

/// Known apps, apps of one taxonomy alone, and names that belong to none or are spelled oddly.
const APPS: [App; 20] = [
    App("CHANNEL", 9.6, [920.0, 550.0, 470.0, 510.0, 590.0, 100.0]),
    App("DSHD", 9.2, [15.0, 10.0, 10.0, 10.0, 10.0, 2.0]),
    App("KPLUS", 9.0, [40.0, 60.0, 20.0, 20.0, 100.0, 5.0]),
    App("KPlus", 8.5, [2.0, 3.0, 2.0, 2.0, 5.0, 1.0]),
    App("VOD", 7.9, [4.0, 240.0, 60.0, 60.0, 60.0, 60.0]),
    App("VOD_RES", 7.5, [0.4, 8.0, 3.0, 3.0, 3.0, 3.0]),
    App("FIMS", 7.9, [1.0, 60.0, 10.0, 10.0, 10.0, 10.0]),
    App("FIMS_RES", 7.4, [0.2, 5.0, 2.0, 2.0, 2.0, 2.0]),
    App("BHD", 7.8, [0.3, 14.0, 3.0, 3.0, 3.0, 3.0]),
    App("BHD_RES", 7.2, [0.1, 3.0, 1.0, 1.0, 1.0, 1.0]),
    App("DANET", 7.6, [0.2, 6.0, 2.0, 2.0, 2.0, 2.0]),
    App("SPORT", 5.6, [0.6, 2.0, 1.0, 2.0, 180.0, 1.0]),
    App("RELAX", 5.1, [3.0, 12.0, 15.0, 340.0, 20.0, 5.0]),
    App("CHILD", 7.6, [2.0, 10.0, 380.0, 20.0, 10.0, 10.0]),
    App("APP", 6.0, [1.0, 3.0, 4.0, 4.0, 3.0, 400.0]),
    App("HBO_GO", 7.0, [0.4, 1.0, 2.0, 2.0, 1.0, 200.0]),
    App("channel", 6.0, [0.3, 0.5, 0.5, 0.5, 0.5, 60.0]),
    App(" VOD", 6.0, [0.2, 0.5, 0.5, 0.5, 0.5, 40.0]),
    App("MUSIC", 6.0, [0.4, 1.0, 2.0, 2.0, 1.0, 90.0]),
    App("", 3.0, [0.1, 0.2, 0.2, 0.2, 0.2, 5.0]),
];

/// How many rows of each kind a day has.
#[derive(Clone, Copy, Default)]
struct DayPlan {
    active: u64,
    extra: u64,
    zero: u64,
    duplicates: u64,
}

/// The month, planned: what each day's file will hold.
pub(crate) struct Content<'a> {
    contracts: &'a Contracts,
    seed: u64,
    plans: Vec<DayPlan>,
    apps: Vec<Weighted>,
}

impl<'a> Content<'a> {
    /// Shares `rows` out to the days.
    pub(crate) fn new(contracts: &'a Contracts, seed: u64, rows: u64) -> Content<'a> {
        let active: Vec<u64> = (0..DAYS).map(|day| contracts.active_on(day)).collect();
        let total: u64 = active.iter().sum();
        let zero = rows / 500;
        let duplicates = rows / 200;
        let extra = rows.saturating_sub(total + zero + duplicates);
        let mut before = 0;
        let plans = active.iter().map(|n| {
            // The part of `all` that is due once `before + n` of `total` are there, less what was due before.
            let part = |all: u64| all * (before + n) / total.max(1) - all * before / total.max(1);
            let plan = DayPlan { active: *n, extra: part(extra), zero: part(zero), duplicates: part(duplicates) };
            before += n;
            plan
        });
        let plans = plans.collect();
        let apps = (0..Profile::ALL.len()).map(|p| Weighted::new(APPS.iter().map(|app| app.2[p]))).collect();
        Content { contracts, seed, plans, apps }
    }

    /// Writes a day (0 is the first of April); answers with its rows and bytes.
    pub(crate) fn write_day(&self, day: u32, out: &mut dyn Write) -> io::Result<(u64, u64)> {
        let plan = self.plans[day as usize];
        let mut lines = Lines::new(out);
        let mut rng = Rng::new(self.seed, PURPOSE_DAY, u64::from(day));
        let order = Shuffle::new(self.contracts.len(), self.seed, PURPOSE_DAY + 100 + u64::from(day));
        let mut done = DayPlan::default();
        for i in 0..self.contracts.len() {
            let contract = order.at(i);
            if self.contracts.get(contract).days >> day & 1 == 0 {
                continue;
            }
            self.row(&mut rng, Some(contract), lines.start());
            lines.finish()?;
            done.active += 1;
            let due = |all: u64| all * done.active / plan.active;
            while done.extra < due(plan.extra) {
                let heavy = self.heavy_on(&mut rng, day).unwrap_or(contract);
                self.row(&mut rng, Some(heavy), lines.start());
                lines.finish()?;
                done.extra += 1;
            }
            while done.zero < due(plan.zero) {
                self.row(&mut rng, None, lines.start());
                lines.finish()?;
                done.zero += 1;
            }
            while done.duplicates < due(plan.duplicates) {
                lines.repeat(&mut rng)?;
                done.duplicates += 1;
            }
        }
        Ok((lines.rows, lines.bytes))
    }

    /// A contract by the long tail that is active on the day, if a few tries find one.
    fn heavy_on(&self, rng: &mut Rng, day: u32) -> Option<u64> {
        (0..40).map(|_| self.contracts.heavy(rng)).find(|i| self.contracts.get(*i).days >> day & 1 == 1)
    }

    /// Appends the JSON object of a row; without a contract it is one of contract '0'.
    fn row(&self, rng: &mut Rng, contract: Option<u64>, out: &mut Vec<u8>) {
        let (profile, devices) = contract.map_or((Profile::Tv, ZERO_DEVICES), |i| {
            let contract = self.contracts.get(i);
            (contract.profile, u64::from(contract.devices))
        });
        let App(app, seconds, _) = &APPS[self.apps[profile as usize].draw(rng)];
        // Decides, in ten-thousandths, which field is null or missing.
        let odd = rng.below(10_000);

        out.extend_from_slice(b"{\"_index\":\"history\",\"_type\":\"");
        match app.trim() {
            "" => out.extend_from_slice(b"app"),
            name => out.extend(name.bytes().map(|b| b.to_ascii_lowercase())),
        }
        out.extend_from_slice(b"\",\"_id\":\"");
        document_id(rng, out);
        out.extend_from_slice(b"\",\"_score\":0,\"_source\":{");
        self.write_contract(odd, contract, out);
        self.write_device(rng, odd, contract, devices, out);
        write_duration(rng, odd, *seconds, out);
        write_app(odd, app, out);
        out.extend_from_slice(b"}}");
    }

    fn write_contract(&self, odd: u64, contract: Option<u64>, out: &mut Vec<u8>) {
        match odd {
            0..5 => out.extend_from_slice(b"\"Contract\":null,"),
            5..8 => {}
            _ => {
                out.extend_from_slice(b"\"Contract\":\"");
                match contract {
                    Some(i) => self.contracts.write_name(i, out),
                    None => out.push(b'0'),
                }
                out.extend_from_slice(b"\",");
            }
        }
    }

    /// One of the contract's devices, the first ones more often.
    fn write_device(&self, rng: &mut Rng, odd: u64, contract: Option<u64>, devices: u64, out: &mut Vec<u8>) {
        match odd {
            10..20 => out.extend_from_slice(b"\"Mac\":null,"),
            20..30 => {}
            _ => {
                let u = rng.unit();
                let device = (u * u * devices as f64) as u64;
                let owner = contract.map_or(0, |i| i + 1);
                out.extend_from_slice(b"\"Mac\":\"");
                hexadecimal(hash(self.seed, PURPOSE_DEVICE, owner * 64 + device), 12, out);
                out.extend_from_slice(b"\",");
            }
        }
    }
}

fn write_duration(rng: &mut Rng, odd: u64, mean_of_log: f64, out: &mut Vec<u8>) {
    if (30..35).contains(&odd) {
        out.extend_from_slice(b"\"TotalDuration\":null");
    } else {
        out.extend_from_slice(b"\"TotalDuration\":");
        decimal(duration(rng, mean_of_log), out);
    }
}

fn write_app(odd: u64, app: &str, out: &mut Vec<u8>) {
    match odd {
        40..45 => out.extend_from_slice(b",\"AppName\":null"),
        45..50 => {}
        _ => {
            out.extend_from_slice(b",\"AppName\":\"");
            out.extend_from_slice(app.as_bytes());
            out.push(b'"');
        }
    }
}

/// Seconds watched: log-normal, at most a day, and at times none.
fn duration(rng: &mut Rng, mean_of_log: f64) -> u64 {
    if rng.chance(0.01) {
        return 0;
    }
    ((mean_of_log + 1.3 * rng.normal()).exp() as u64).min(86_400)
}

/// Appends twenty characters that look like the ids of the log store.
fn document_id(rng: &mut Rng, out: &mut Vec<u8>) {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    out.extend_from_slice(b"AX_lak");
    for _ in 0..2 {
        let mut bits = rng.bits();
        for _ in 0..7 {
            out.push(ALPHABET[(bits & 63) as usize]);
            bits >>= 6;
        }
    }
}

/// Appends the lowest `digits` hexadecimal digits of `x`.
fn hexadecimal(x: u64, digits: u32, out: &mut Vec<u8>) {
    out.extend((0..digits).rev().map(|i| b"0123456789ABCDEF"[(x >> (4 * i) & 15) as usize]));
}

/// Appends `x` in decimal.
fn decimal(x: u64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    let mut rest = x;
    loop {
        start -= 1;
        digits[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

/// Lines on their way into a file, the last few of which are kept to be repeated.
struct Lines<'a> {
    out: &'a mut dyn Write,
    recent: Vec<Vec<u8>>,
    next: usize,
    fresh: u64,
    rows: u64,
    bytes: u64,
}

impl<'a> Lines<'a> {
    fn new(out: &'a mut dyn Write) -> Lines<'a> {
        Lines {
            out,
            recent: (0..RECENT).map(|_| Vec::with_capacity(256)).collect(),
            next: 0,
            fresh: 0,
            rows: 0,
            bytes: 0,
        }
    }

    /// The empty buffer of the next line.
    fn start(&mut self) -> &mut Vec<u8> {
        let line = &mut self.recent[self.next];
        line.clear();
        line
    }

    /// Writes the line that was started.
    fn finish(&mut self) -> io::Result<()> {
        self.recent[self.next].push(b'\n');
        self.write(self.next)?;
        self.next = (self.next + 1) % RECENT;
        self.fresh += 1;
        Ok(())
    }

    /// Writes one of the last lines again.
    fn repeat(&mut self, rng: &mut Rng) -> io::Result<()> {
        let known = self.fresh.min(RECENT as u64);
        let back = 1 + rng.below(known) as usize;
        self.write((self.next + RECENT - back) % RECENT)
    }

    fn write(&mut self, slot: usize) -> io::Result<()> {
        let line = &self.recent[slot];
        self.out.write_all(line)?;
        self.rows += 1;
        self.bytes += line.len() as u64;
        Ok(())
    }
}
