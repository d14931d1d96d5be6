//! Shell wildcards as Python's `fnmatch` reads them: `*`, `?`, `[abc]`, `[a-z]`, `[!abc]`; upper and lower case differ,
//! and no character is special otherwise (a `*` runs over `.` and `/` too).

/// A wildcard pattern, ready to match.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    tokens: Vec<Token>,
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    /// Exactly this character.
    Char(char),
    /// Any one character.
    One,
    /// Any characters, also none.
    Many,
    /// One character in (or, if negated, outside) the ranges.
    Class { negated: bool, ranges: Vec<(char, char)> },
}

impl Pattern {
    /// Reads a pattern. Every text is one: a `[` that is never closed stands for itself.
    pub(super) fn new(text: &str) -> Pattern {
        let chars: Vec<char> = text.chars().collect();
        let mut tokens = Vec::new();
        let mut at = 0;
        while at < chars.len() {
            match chars[at] {
                '*' => {
                    if tokens.last() != Some(&Token::Many) {
                        tokens.push(Token::Many);
                    }
                }
                '?' => tokens.push(Token::One),
                '[' => match class_end(&chars, at + 1) {
                    Some(end) => {
                        tokens.push(class(&chars[at + 1..end]));
                        at = end;
                    }
                    None => tokens.push(Token::Char('[')),
                },
                other => tokens.push(Token::Char(other)),
            }
            at += 1;
        }
        Pattern { tokens }
    }

    /// True if the whole of `text` fits. Linear but for the backing up after a `*`, which is at most quadratic.
    pub(super) fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        let (mut token, mut at) = (0, 0);
        let mut retry: Option<(usize, usize)> = None;
        while at < text.len() {
            match self.tokens.get(token) {
                Some(Token::Many) => {
                    retry = Some((token + 1, at));
                    token += 1;
                }
                Some(other) if fits(other, text[at]) => {
                    token += 1;
                    at += 1;
                }
                _ => match &mut retry {
                    Some((after, from)) => {
                        *from += 1;
                        (token, at) = (*after, *from);
                    }
                    None => return false,
                },
            }
        }
        self.tokens[token..].iter().all(|token| *token == Token::Many)
    }
}

/// True if `text` has a character that a pattern may read as a wildcard.
pub(super) fn has_wildcard(text: &str) -> bool {
    text.contains(['*', '?', '[', ']'])
}

/// Where the class that starts at `from` (behind its `[`) closes. A `]` right at the start is a member.
fn class_end(chars: &[char], from: usize) -> Option<usize> {
    let mut first = from;
    if chars.get(first) == Some(&'!') {
        first += 1;
    }
    let skip = usize::from(chars.get(first) == Some(&']'));
    (first + skip..chars.len()).find(|at| chars[*at] == ']')
}

fn class(inside: &[char]) -> Token {
    let (negated, members) = match inside.split_first() {
        Some(('!', rest)) => (true, rest),
        _ => (false, inside),
    };
    let mut ranges = Vec::new();
    let mut at = 0;
    while at < members.len() {
        if at + 2 < members.len() && members[at + 1] == '-' {
            ranges.push((members[at], members[at + 2]));
            at += 3;
        } else {
            ranges.push((members[at], members[at]));
            at += 1;
        }
    }
    Token::Class { negated, ranges }
}

fn fits(token: &Token, c: char) -> bool {
    match token {
        Token::Char(own) => *own == c,
        Token::One | Token::Many => true,
        Token::Class { negated, ranges } => ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *negated,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_as_python_does() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "a.b/c", true),
            ("a*c", "abcbc", true),
            ("a*c", "abcb", false),
            ("*ly", "weekly", true),
            ("fct_[io]*", "fct_orders", true),
            ("fct_[io]*", "fct_mrr", false),
            ("x[!0-9]", "xa", true),
            ("x[!0-9]", "x4", false),
            ("x[]]", "x]", true),
            ("x[", "x[", true),
            ("x[z-a]", "xb", false),
            ("kpi_??", "kpi_ab", true),
            ("kpi_??", "kpi_abc", false),
            ("A", "a", false),
            ("tình*", "tình yêu", true),
            ("**a**b**", "xxaxxbxx", true),
        ] {
            assert_eq!(Pattern::new(pattern).matches(text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_hostile_pattern_ends() {
        let pattern = Pattern::new(&"*a".repeat(40));
        assert!(!pattern.matches(&"b".repeat(4000)));
        assert!(!pattern.matches(&format!("{}b", "a".repeat(4000))));
    }
}
