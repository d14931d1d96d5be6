//! Short delimited texts, such as the rows of a unit test.

use super::super::records::Cut;
use super::super::spec::CsvOptions;
use super::cut::cut;

/// The records of `text`; an empty field without quotes is none.
pub fn csv_records(text: &str) -> Vec<Vec<Option<String>>> {
    let options = CsvOptions::default();
    let (mut rest, mut fields, mut records) = (text.trim_start().as_bytes(), Vec::new(), Vec::new());
    while let Cut::Record { end, next, .. } = cut(rest, true, &options, &mut fields) {
        let record = &rest[..end];
        let blank = fields.len() == 1 && record.trim_ascii().is_empty();
        if !blank {
            let value = |field: &super::cut::FieldAt| {
                let text = String::from_utf8_lossy(&field.text(record, &options)).trim().to_string();
                (field.quoted || !text.is_empty()).then_some(text)
            };
            records.push(fields.iter().map(value).collect());
        }
        if next == 0 || next > rest.len() {
            break;
        }
        rest = &rest[next..];
    }
    records
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_fields_are_none_unless_quoted() {
        let some = |text: &str| Some(text.to_string());
        assert_eq!(
            csv_records("\nid,name\n1,\"a, b\"\n\n2,\n3,\"\"\n"),
            [
                vec![some("id"), some("name")],
                vec![some("1"), some("a, b")],
                vec![some("2"), None],
                vec![some("3"), some("")],
            ]
        );
    }
}
