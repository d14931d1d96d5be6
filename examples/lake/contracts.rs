//! The operator's customers: what each contract is called, on which days of the month it watches, and what it likes.

use std::io::Write as _;

use crate::content::{DAYS, Profile};
use crate::rng::{Rng, hash};
use crate::sample::{Shuffle, Weighted, Zipf};

const PURPOSE_NUMBER: u64 = 0xc0_0001;
const PURPOSE_LIFE: u64 = 0xc0_0002;
const PURPOSE_RANK: u64 = 0xc0_0003;
const PURPOSE_ADDRESS: u64 = 0xc0_0004;

/// Contracts for each million viewing rows.
const PER_MILLION: f64 = 112_000.0;
/// Of a thousand contracts, so many are named by an IP address.
const ADDRESSES: u64 = 3;

/// Prefixes of contracts: the place that sold it. With its number a name has nine characters.
const PREFIXES: [&str; 24] = [
    "HNH", "SGH", "SGJ", "DNH", "HND", "SGD", "DAD", "BDD", "HPD", "TTD", "HNFD", "SGFD", "HDFD", "CTFD", "NTFD",
    "PYFD", "VLFD", "QNFD", "HUFD", "NAFD", "LCFD", "BDFD", "HTFD", "AGAAA",
];

/// What is remembered of a contract: eight bytes, whatever it watches.
pub(crate) struct Contract {
    /// Bit `d` is set when it is active on day `d`.
    pub(crate) days: u32,
    pub(crate) profile: Profile,
    /// How many devices it has, 1 to 8.
    pub(crate) devices: u8,
}

/// All contracts.
pub(crate) struct Contracts {
    seed: u64,
    all: Vec<Contract>,
    numbers: [Shuffle; 3],
    addresses: Shuffle,
    ranks: Shuffle,
    tail: Zipf,
}

impl Contracts {
    /// As many as belong to `rows` viewing rows.
    pub(crate) fn new(seed: u64, rows: u64) -> Contracts {
        let count = ((rows as f64 * PER_MILLION / 1e6) as u64).max(40);
        // Few rows can't give every contract all its days.
        let keep = (rows as f64 * 0.85 / (count as f64 * 7.5)).min(1.0);
        let life = Life::new();
        let all = (0..count).map(|i| life.contract(seed, i, keep)).collect();
        Contracts {
            seed,
            all,
            numbers: [4, 5, 6].map(|digits| Shuffle::new(10u64.pow(digits), seed, PURPOSE_NUMBER + u64::from(digits))),
            addresses: Shuffle::new(254u64.pow(4), seed, PURPOSE_ADDRESS),
            ranks: Shuffle::new(count, seed, PURPOSE_RANK),
            tail: Zipf::new(count, 0.9),
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> u64 {
        self.all.len() as u64
    }

    /// The contract with an index below `len`.
    pub(crate) fn get(&self, index: u64) -> &Contract {
        &self.all[index as usize]
    }

    /// How many contracts are active on a day.
    pub(crate) fn active_on(&self, day: u32) -> u64 {
        self.all.iter().filter(|c| c.days >> day & 1 == 1).count() as u64
    }

    /// A contract chosen by how much it watches: a few (hotels, offices) watch thousands of times as much as most.
    pub(crate) fn heavy(&self, rng: &mut Rng) -> u64 {
        self.ranks.at(self.tail.draw(rng))
    }

    /// Appends the name of a contract. No two have the same.
    pub(crate) fn write_name(&self, index: u64, out: &mut Vec<u8>) {
        // Writing to a Vec can't fail.
        if hash(self.seed, PURPOSE_ADDRESS, index) % 1000 < ADDRESSES {
            let n = self.addresses.at(index);
            let octet = |i: u32| n / 254u64.pow(i) % 254 + 1;
            let _ = write!(out, "{}.{}.{}.{}", octet(0), octet(1), octet(2), octet(3));
            return;
        }
        let kinds = PREFIXES.len() as u64;
        let prefix = PREFIXES[(index % kinds) as usize];
        let digits = 9 - prefix.len();
        let number = self.numbers[digits - 4].at(index / kinds);
        let _ = write!(out, "{prefix}{number:0digits$}");
    }
}

/// The chances of how contracts live.
struct Life {
    profiles: Weighted,
    bands: Weighted,
    devices: Weighted,
}

impl Life {
    fn new() -> Life {
        Life {
            profiles: Weighted::new(Profile::SHARES),
            bands: Weighted::new([0.69, 0.12, 0.07, 0.05, 0.07]),
            devices: Weighted::new([0.895, 0.08, 0.018, 0.005, 0.002]),
        }
    }

    fn contract(&self, seed: u64, index: u64, keep: f64) -> Contract {
        let mut rng = Rng::new(seed, PURPOSE_LIFE, index);
        let profile = Profile::ALL[self.profiles.draw(&mut rng)];
        let devices = [1, 2, 3, 5, 8][self.devices.draw(&mut rng)];
        Contract { days: self.days(&mut rng, keep), profile, devices }
    }

    /// Two of three contracts watch on one to seven days, and most of these on one or two; one of thirty leaves: it
    /// watches on the first days of the month and never again.
    fn days(&self, rng: &mut Rng, keep: f64) -> u32 {
        let count = match self.bands.draw(rng) {
            0 => ((1.0 - rng.unit()).powf(-1.0 / 1.1) as u64).clamp(1, 7),
            1 => 8 + rng.below(7),
            2 => 15 + rng.below(7),
            3 => 22 + rng.below(7),
            _ => 29 + rng.below(2),
        };
        if rng.chance(1.0 / 30.0) {
            return (1 << (1 + rng.below(7))) - 1;
        }
        let mut order: [u8; DAYS as usize] = std::array::from_fn(|d| d as u8);
        let mut days = 0;
        for i in 0..count as usize {
            let j = i + rng.below(u64::from(DAYS) - i as u64) as usize;
            order.swap(i, j);
            if i == 0 || keep >= 1.0 || rng.chance(keep) {
                days |= 1 << order[i];
            }
        }
        days
    }
}
