//! One JSON object to one row of columns.
//!
//! The rules: unknown fields are ignored, missing ones and `null` are NULL. Names match exactly, else whatever their
//! case; of equal names the last one wins. Numbers and booleans become text where text is declared, and so do objects
//! and lists (their JSON). Text becomes a number, date or time where that is declared and the text spells exactly one.

use super::super::columns::{Column, ListColumn, MapColumn, ScalarColumn, StructColumn};
use super::super::values;
use super::cursor::{Bad, Cursor};

/// Appends the object in `record` to `root` as a row.
///
/// # Errors
/// What is wrong with the record; `root` may then hold parts of it, which [`StructColumn::truncate`] removes.
pub(in super::super) fn append_object(root: &mut StructColumn, record: &[u8]) -> Result<(), Bad> {
    if let Err(error) = std::str::from_utf8(record) {
        return Err(Bad::new(error.valid_up_to(), "the text is not valid UTF-8"));
    }
    let mut cursor = Cursor::new(record);
    match cursor.next_token() {
        Some(b'{') => object(root, &mut cursor)?,
        Some(b'[') => return Err(Bad::new(cursor.pos, "a list where an object is expected")),
        _ => return Err(Bad::new(cursor.pos, "no JSON object")),
    }
    match cursor.next_token() {
        None => Ok(()),
        Some(_) => Err(Bad::new(cursor.pos, "there is more text after the object")),
    }
}

/// Appends the JSON text of one value to `column`: for formats whose fields hold JSON.
pub(in super::super) fn append_json(column: &mut Column, text: &[u8]) -> Result<(), Bad> {
    let mut cursor = Cursor::new(text);
    value(column, &mut cursor)?;
    match cursor.next_token() {
        None => Ok(()),
        Some(_) => Err(Bad::new(cursor.pos, "there is more text after the value")),
    }
}

fn object(column: &mut StructColumn, cursor: &mut Cursor<'_>) -> Result<(), Bad> {
    cursor.pos += 1;
    column.start();
    if cursor.next_token() == Some(b'}') {
        cursor.pos += 1;
        column.end();
        return Ok(());
    }
    let mut position = 0;
    loop {
        if cursor.next_token() != Some(b'"') {
            return Err(cursor.unexpected("a field's name"));
        }
        let slot = match column.expected(position, &cursor.rest()[1..]) {
            Some((slot, len)) => {
                cursor.pos += len + 1;
                slot
            }
            None => {
                let key = cursor.string()?;
                let plain = matches!(key, std::borrow::Cow::Borrowed(_));
                column.find(position, &key, plain)
            }
        };
        cursor.expect(b':')?;
        match column.child(slot) {
            Some(child) => value(child, cursor)?,
            None => cursor.skip()?,
        }
        position += 1;
        match cursor.next_token() {
            Some(b',') => cursor.pos += 1,
            Some(b'}') => {
                cursor.pos += 1;
                column.end();
                return Ok(());
            }
            _ => return Err(cursor.unexpected("`,` or `}`")),
        }
        cursor.next_token();
    }
}

/// Appends the value at the cursor to `column`. Recursion goes as deep as the declared type, which has a limit.
fn value(column: &mut Column, cursor: &mut Cursor<'_>) -> Result<(), Bad> {
    let next = cursor.next_token();
    if next == Some(b'n') {
        cursor.literal("null")?;
        column.append_null();
        return Ok(());
    }
    match (column, next) {
        (Column::Scalar(column), _) => scalar(column, cursor),
        (Column::Struct(column), Some(b'{')) => object(column, cursor),
        (Column::List(column), Some(b'[')) => list(column, cursor),
        (Column::Map(column), Some(b'{')) => map(column, cursor),
        (Column::List(_), _) => Err(mismatch(cursor, "a list")),
        (Column::Struct(_) | Column::Map(_), _) => Err(mismatch(cursor, "an object")),
    }
}

#[inline]
fn scalar(column: &mut ScalarColumn, cursor: &mut Cursor<'_>) -> Result<(), Bad> {
    let start = cursor.pos;
    let at = |reason| Bad { at: start, reason };
    match cursor.peek() {
        Some(b'"') => {
            let text = cursor.string()?;
            column.append_text(&text).map_err(at)
        }
        Some(b'-' | b'0'..=b'9') => {
            let text = cursor.number()?;
            if column.is_number() || column.is_text() {
                return column.append_text(text).map_err(at);
            }
            Err(Bad::new(start, format!("the number {} where another type is declared", values::quoted(text))))
        }
        Some(b't' | b'f') => boolean(column, cursor),
        Some(b'{' | b'[') if column.is_text() => {
            cursor.skip()?;
            column.append_bytes(cursor.since(start));
            Ok(())
        }
        Some(b'{') => Err(Bad::new(start, "an object where a single value is declared")),
        Some(b'[') => Err(Bad::new(start, "a list where a single value is declared")),
        _ => Err(cursor.unexpected("a value")),
    }
}

fn boolean(column: &mut ScalarColumn, cursor: &mut Cursor<'_>) -> Result<(), Bad> {
    let start = cursor.pos;
    let truth = cursor.peek() == Some(b't');
    let word = if truth { "true" } else { "false" };
    cursor.literal(word)?;
    if column.is_bool() {
        column.append_bool(truth);
    } else if column.is_text() {
        column.append_bytes(word.as_bytes());
    } else {
        return Err(Bad::new(start, format!("{word} where another type is declared")));
    }
    Ok(())
}

fn list(column: &mut ListColumn, cursor: &mut Cursor<'_>) -> Result<(), Bad> {
    cursor.pos += 1;
    if cursor.next_token() == Some(b']') {
        cursor.pos += 1;
        column.end();
        return Ok(());
    }
    loop {
        value(&mut column.items, cursor)?;
        match cursor.next_token() {
            Some(b',') => cursor.pos += 1,
            Some(b']') => {
                cursor.pos += 1;
                column.end();
                return Ok(());
            }
            _ => return Err(cursor.unexpected("`,` or `]`")),
        }
    }
}

fn map(column: &mut MapColumn, cursor: &mut Cursor<'_>) -> Result<(), Bad> {
    cursor.pos += 1;
    if cursor.next_token() == Some(b'}') {
        cursor.pos += 1;
        column.end();
        return Ok(());
    }
    loop {
        if cursor.next_token() != Some(b'"') {
            return Err(cursor.unexpected("a field's name"));
        }
        let key = cursor.string()?;
        column.append_key(&key);
        cursor.expect(b':')?;
        value(&mut column.values, cursor)?;
        match cursor.next_token() {
            Some(b',') => cursor.pos += 1,
            Some(b'}') => {
                cursor.pos += 1;
                column.end();
                return Ok(());
            }
            _ => return Err(cursor.unexpected("`,` or `}`")),
        }
    }
}

/// An error: the value at the cursor is not what the column's type holds.
fn mismatch(cursor: &mut Cursor<'_>, wanted: &str) -> Bad {
    let found = match cursor.peek() {
        None => return cursor.unexpected(wanted),
        Some(b'"') => "a string",
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b't' | b'f') => "a boolean",
        Some(b'-' | b'0'..=b'9') => "a number",
        Some(_) => return cursor.unexpected("a value"),
    };
    Bad::new(cursor.pos, format!("{found} where {wanted} is declared"))
}
