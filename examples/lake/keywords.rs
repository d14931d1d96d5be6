//! The vocabulary of searches: every title in the ways in which people type it.

use std::collections::{BTreeMap, HashSet};

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::rng::{Rng, hash, unit};
use crate::sample::{Shuffle, Weighted};
use crate::titles::{ADDITIONS, TITLES};

const PURPOSE_RANK: u64 = 0x6b77_0001;
const PURPOSE_LIKING: u64 = 0x6b77_0002;

/// The steepness of the popularity of keywords.
const TAIL: f64 = 1.02;
/// How many users like the same kind of thing in both months.
const FAITHFUL: f64 = 0.44;

/// A keyword as it is typed, and the category that it stands for.
pub(crate) struct Keyword {
    pub(crate) text: String,
    pub(crate) category: &'static str,
}

/// All keywords, and how popular each is.
pub(crate) struct Vocabulary {
    pub(crate) keywords: Vec<Keyword>,
    popular: Weighted,
    by_category: Vec<(Vec<usize>, Weighted)>,
    seed: u64,
}

impl Vocabulary {
    /// The vocabulary is the same for every seed; what is popular is not.
    pub(crate) fn new(seed: u64) -> Vocabulary {
        let keywords = spellings();
        let ranks = Shuffle::new(keywords.len() as u64, seed, PURPOSE_RANK);
        let weight = |i: usize| ((ranks.at(i as u64) + 1) as f64).powf(-TAIL);
        let mut groups: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (i, keyword) in keywords.iter().enumerate() {
            groups.entry(keyword.category).or_default().push(i);
        }
        let by_category = groups
            .into_values()
            .map(|members| {
                let weights = Weighted::new(members.iter().map(|i| weight(*i)));
                (members, weights)
            })
            .collect();
        let popular = Weighted::new((0..keywords.len()).map(weight));
        Vocabulary { keywords, popular, by_category, seed }
    }

    /// Something that anybody might search for.
    pub(crate) fn anything(&self, rng: &mut Rng) -> usize {
        self.popular.draw(rng)
    }

    /// What the user likes most in a month (0 or 1): a keyword of the category that the user likes.
    pub(crate) fn favourite(&self, user: u64, month: u64) -> usize {
        let faithful = unit(hash(self.seed, PURPOSE_LIKING, user * 8)) < FAITHFUL;
        let liking = if faithful { 0 } else { month };
        let category = hash(self.seed, PURPOSE_LIKING, user * 8 + 1 + liking) % self.by_category.len() as u64;
        let (members, weights) = &self.by_category[category as usize];
        members[weights.at(unit(hash(self.seed, PURPOSE_LIKING, user * 8 + 3 + month)))]
    }
}

/// Titles with and without additions first, then their odd spellings; none twice.
fn spellings() -> Vec<Keyword> {
    let clean: Vec<Keyword> = ADDITIONS
        .iter()
        .flat_map(|more| {
            TITLES.iter().map(move |(title, category)| Keyword { text: format!("{title}{more}"), category })
        })
        .collect();
    // Popular forms get every odd spelling, the long tail a few.
    let odd = clean.iter().enumerate().flat_map(|(i, keyword)| {
        let kinds = if i < 2 * TITLES.len() { 11 } else { 5 };
        odd_spellings(&keyword.text).into_iter().take(kinds).map(|text| Keyword { text, category: keyword.category })
    });
    let odd: Vec<Keyword> = odd.collect();
    let mut seen = HashSet::new();
    clean.into_iter().chain(odd).filter(|keyword| seen.insert(keyword.text.clone())).collect()
}

/// The text as people also type it: shouted, without accents, with blanks where none belong, decomposed, cut off.
fn odd_spellings(text: &str) -> Vec<String> {
    let plain = without_accents(text);
    let half = text.chars().count().div_ceil(2).max(2);
    vec![
        text.to_uppercase(),
        plain.clone(),
        format!("{text} "),
        text.nfd().collect(),
        capitalised(text),
        format!("  {text}"),
        plain.to_uppercase(),
        text.replacen(' ', "  ", 1),
        format!("{text}\t"),
        format!("{text}\u{a0}"),
        text.chars().take(half).collect(),
    ]
}

/// Latin letters without their marks; other scripts are left alone.
fn without_accents(text: &str) -> String {
    if text.chars().any(|c| c > '\u{2e80}') {
        return text.to_string();
    }
    text.replace('đ', "d").replace('Đ', "D").nfd().filter(|c| !is_combining_mark(*c)).collect()
}

/// Each word with a capital letter.
fn capitalised(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut start = true;
    for c in text.chars() {
        if start {
            out.extend(c.to_uppercase());
        } else {
            out.push(c);
        }
        start = !c.is_alphanumeric();
    }
    out
}
