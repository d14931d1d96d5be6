//! How wide text is on a terminal, and how to make it fit.

use crate::stdx::grouped;

/// The columns that a character takes: none for marks that combine with the one before (Vietnamese tone marks in
/// decomposed text), two for CJK and emoji, one for the rest.
fn char_width(c: char) -> usize {
    match c as u32 {
        0..=0x1f | 0x7f..=0x9f => 0,
        0x20..=0x2ff => 1,
        0x300..=0x36f
        | 0x483..=0x489
        | 0x591..=0x5bd
        | 0x610..=0x61a
        | 0x64b..=0x65f
        | 0x93c
        | 0x941..=0x948
        | 0x94d
        | 0xe31
        | 0xe34..=0xe3a
        | 0xe47..=0xe4e
        | 0x1ab0..=0x1aff
        | 0x1dc0..=0x1dff
        | 0x200b..=0x200f
        | 0x202a..=0x202e
        | 0x2060..=0x2064
        | 0x20d0..=0x20ff
        | 0xfe00..=0xfe0f
        | 0xfe20..=0xfe2f
        | 0xfeff => 0,
        0x1100..=0x115f
        | 0x2e80..=0x303e
        | 0x3041..=0xa4cf
        | 0xa960..=0xa97f
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff01..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1f64f
        | 0x1f680..=0x1f6ff
        | 0x1f900..=0x1f9ff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

/// The columns that `text` takes.
pub(super) fn width(text: &str) -> usize {
    if text.is_ascii() {
        text.bytes().filter(|byte| !byte.is_ascii_control()).count()
    } else {
        text.chars().map(char_width).sum()
    }
}

/// `text`, or its beginning and a `…`, in at most `columns` columns.
pub(super) fn cut_end(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_string();
    }
    format!("{}…", head(text, columns.saturating_sub(1)))
}

/// `text`, or its beginning, a `…` and its end, in at most `columns` columns. Names differ at both ends.
pub(super) fn cut_middle(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_string();
    }
    let kept = columns.saturating_sub(1);
    format!("{}…{}", head(text, kept.div_ceil(2)), tail(text, kept / 2))
}

/// The longest beginning of `text` in at most `columns` columns, with the marks of its last character.
fn head(text: &str, columns: usize) -> &str {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += char_width(c);
        if used > columns {
            return &text[..at];
        }
    }
    text
}

/// The longest end of `text` in at most `columns` columns that does not start with a mark.
fn tail(text: &str, columns: usize) -> &str {
    let (mut used, mut start) = (0, text.len());
    for (at, c) in text.char_indices().rev() {
        let own = char_width(c);
        used += own;
        if used > columns {
            break;
        }
        if own > 0 {
            start = at;
        }
    }
    &text[start..]
}

/// `text` with blanks after it, `columns` wide.
pub(super) fn pad_right(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// `text` with blanks before it, `columns` wide.
pub(super) fn pad_left(text: &str, columns: usize) -> String {
    format!("{}{text}", " ".repeat(columns.saturating_sub(width(text))))
}

/// `1 row`, `1,102 rows`.
pub(super) fn counted(number: u64, noun: &str) -> String {
    let number_text = grouped(number);
    match (number, noun) {
        (1, _) => format!("{number_text} {noun}"),
        (_, "incremental") => format!("{number_text} incremental"),
        (_, noun) if noun.ends_with("sh") => format!("{number_text} {noun}es"),
        (_, noun) => format!("{number_text} {noun}s"),
    }
}

/// `text` on one line, without characters that would move the cursor or colour the screen.
pub(super) fn one_line(text: &str) -> String {
    if !text.chars().any(char::is_control) {
        return text.to_string();
    }
    text.chars()
        .filter_map(|c| match c {
            '\n' => Some('↵'),
            '\t' => Some(' '),
            '\r' => None,
            c if c.is_control() => Some('\u{fffd}'),
            c => Some(c),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_take_no_room_and_ideographs_take_two() {
        assert_eq!(width("Thể thao"), 8);
        assert_eq!(width("The\u{302}\u{309} thao"), 8, "decomposed");
        assert_eq!(width("中文"), 4);
        assert_eq!(width("plain"), 5);
    }

    #[test]
    fn cuts_keep_both_ends_and_whole_characters() {
        assert_eq!(cut_middle("not_null_customer_content_contract", 13), "not_nu…ntract");
        assert_eq!(cut_middle("short", 5), "short");
        assert_eq!(cut_end("中文字", 5), "中文…");
        assert_eq!(cut_end("中文字", 4), "中…");
        assert_eq!(cut_middle("abcdef", 1), "…");
        assert_eq!(width(&cut_middle("The\u{302}\u{309} thao va\u{300} phim", 7)), 7);
    }

    #[test]
    fn numbers_have_separators() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_102), "1,102");
        assert_eq!(grouped(12_345_678), "12,345,678");
        assert_eq!(counted(1, "row"), "1 row");
        assert_eq!(counted(2, "publish"), "2 publishes");
        assert_eq!(counted(3, "incremental"), "3 incremental");
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(one_line("a\nb\t\x1b[31mred\r"), "a↵b \u{fffd}[31mred");
    }
}
