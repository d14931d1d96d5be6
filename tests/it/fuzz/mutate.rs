//! Inputs out of other inputs, always the same ones from a seed.

/// The largest input that is made.
const LONGEST: usize = 8 * 1024;

/// Bytes and words that break things more often than others.
const WORDS: &[&str] = &[
    "\0",
    "\r\n",
    "\r",
    "\n\n",
    "\t",
    "\u{feff}",
    "\u{2028}",
    "é",
    "日本",
    "😀",
    "\u{301}",
    "-1",
    "0",
    "00",
    "1e999",
    "NaN",
    "9223372036854775808",
    "18446744073709551616",
    "1_000",
    "0x1F",
    "2022-02-30",
    "9999-12-31",
    "null",
    "~",
    "true",
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "{%-",
    "-%}",
    "\"",
    "'",
    "\\",
    "\\u",
    "\\ud800",
    "\\u0000",
    ",",
    ":",
    ": ",
    "- ",
    "  ",
    "&a ",
    "*a",
    "<<: ",
    "|\n",
    ">\n",
    "!!",
    "? ",
    "---\n",
    "...\n",
    "#",
    "@",
    "+",
    "*",
    "**",
    "..",
    "//",
    "%",
    "%s",
    "{0}",
    "%Y",
    "~ ",
    " if ",
    " else ",
    " for x in ",
    " in ",
    " is ",
    "not ",
    "|",
    "=",
    "==",
    "**2",
    "set x = ",
    "endif",
    "endfor",
    "macro m() ",
    "endmacro",
    "raw",
    "endraw",
    "call ",
    "do ",
    "ref('x')",
    "var('x')",
    "config(",
    "return(",
    "=== models/x.sql\n",
    "=== models/x.yml\n",
    "=== macros/x.sql\n",
    "version: 2\n",
    "name: ",
    "config:",
    "meta:",
    "columns:",
    "tag:",
    "state:",
    "config.",
    "union:",
    "intersection:",
    "exclude:",
    "method: ",
    "value: ",
    "selector:",
    "struct<",
    "map<",
    "varchar",
    "[]",
    ">",
    "decimal(",
    "env_var('DBT_ENV_SECRET_PASSWORD')",
    "target",
    "this",
    "namespace(x=1)",
    "range(9)",
];

/// Makes inputs.
pub(super) struct Mutator<'a> {
    seeds: &'a [Vec<u8>],
    state: u64,
}

impl<'a> Mutator<'a> {
    pub(super) fn new(seeds: &'a [Vec<u8>], seed: u64) -> Mutator<'a> {
        Mutator { seeds, state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1 }
    }

    /// xorshift64*
    fn random(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `end`, or 0.
    fn below(&mut self, end: usize) -> usize {
        if end == 0 { 0 } else { (self.random() >> 16) as usize % end }
    }

    fn seed(&mut self) -> &'a [u8] {
        let at = self.below(self.seeds.len());
        &self.seeds[at]
    }

    /// The next one: a seed, changed in one to eight places.
    pub(super) fn next_input(&mut self) -> Vec<u8> {
        let mut input = self.seed().to_vec();
        for _ in 0..=self.below(8) {
            self.change(&mut input);
        }
        input.truncate(LONGEST);
        input
    }

    fn piece(&mut self, of: &[u8]) -> Vec<u8> {
        let start = self.below(of.len());
        let longest = if self.random().is_multiple_of(4) { 200 } else { 12 };
        let length = 1 + self.below(longest);
        of[start..(start + length).min(of.len())].to_vec()
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let at = self.below(input.len() + 1);
        match self.below(10) {
            0 if at < input.len() => input[at] ^= 1 << self.below(8),
            1 if at < input.len() => input[at] = self.random() as u8,
            2 => {
                let end = (at + 1 + self.below(16)).min(input.len());
                input.drain(at..end);
            }
            3 | 4 => {
                let word = WORDS[self.below(WORDS.len())];
                input.splice(at..at, word.bytes());
            }
            5 => {
                // Words that stand in another seed of the target are its dictionary.
                let seed = self.seed();
                let piece = self.piece(seed);
                input.splice(at..at, piece);
            }
            6 => {
                let own = self.piece(&input.clone());
                input.splice(at..at, own);
            }
            7 => {
                // The same again and again, which nests.
                let (piece, times) = (self.piece(&input.clone()), 2 + self.below(60));
                input.splice(at..at, piece.repeat(times));
            }
            8 => input.truncate(at),
            _ => {
                let end = (at + 1 + self.below(16)).min(input.len());
                let word = WORDS[self.below(WORDS.len())];
                input.splice(at..end, word.bytes());
            }
        }
    }
}
