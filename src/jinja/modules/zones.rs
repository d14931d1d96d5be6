//! `modules.pytz`: UTC, and the zones whose offset never changes nowadays. Zones with daylight saving time need a
//! database that c360 does not carry; asking for one is an error that says so.

use std::any::Any;

use super::moments::Moment;
use crate::jinja::Interpreter;
use crate::jinja::stop::{Result, fail};
use crate::jinja::value::{Args, Object, Value};

/// A time zone with a fixed offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Zone {
    pub(super) name: String,
    pub(super) seconds: i32,
}

impl Zone {
    pub(super) fn utc() -> Zone {
        Zone { name: "UTC".to_string(), seconds: 0 }
    }

    /// `+07:00`, with `separator` between hours and minutes.
    pub(super) fn offset_text(&self, separator: &str) -> String {
        let sign = if self.seconds < 0 { '-' } else { '+' };
        let minutes = self.seconds.abs() / 60;
        format!("{sign}{:02}{separator}{:02}", minutes / 60, minutes % 60)
    }

    /// Reads `Z`, `+0700` or `+07:00`; gives back the rest.
    pub(super) fn parse(text: &str) -> Option<(Zone, &str)> {
        if let Some(rest) = text.strip_prefix('Z') {
            return Some((Zone::utc(), rest));
        }
        let sign = match text.as_bytes().first()? {
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        let hours: i32 = text.get(1..3)?.parse().ok()?;
        let rest = text.get(3..)?;
        let rest = rest.strip_prefix(':').unwrap_or(rest);
        let minutes: i32 = rest.get(..2)?.parse().ok()?;
        let seconds = sign * (hours * 3600 + minutes * 60);
        let zone = Zone { name: String::new(), seconds };
        let name = if seconds == 0 { "UTC".to_string() } else { format!("UTC{}", zone.offset_text(":")) };
        Some((Zone { name, seconds }, &rest[2..]))
    }
}

/// A time zone as a value.
pub(super) struct ZoneValue(pub(super) Zone);

impl Object for ZoneValue {
    fn type_name(&self) -> &str {
        "tzinfo"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn get_attr(&self, name: &str) -> Option<Value> {
        (name == "zone").then(|| Value::str(&self.0.name))
    }

    fn methods(&self) -> &[&'static str] {
        &["localize", "normalize"]
    }

    fn call_method(&self, _: &mut Interpreter<'_>, name: &str, args: Args) -> Result {
        let [moment, _] = args.bind(name, ["dt", "is_dst"])?;
        let moment = moment.as_ref().and_then(|moment| moment.as_object::<Moment>());
        let Some(Moment::DateTime(moment, zone)) = moment else { return Err(fail("expected a datetime")) };
        match (name, zone) {
            ("localize", Some(_)) => Err(fail("Not naive datetime (tzinfo is already set)")),
            ("localize", None) => Ok(Value::object(Moment::DateTime(*moment, Some(self.0.clone())))),
            _ => Moment::DateTime(*moment, zone.clone()).in_zone(&self.0).map(Value::object),
        }
    }

    fn str(&self) -> String {
        self.0.name.clone()
    }

    fn repr(&self) -> String {
        if self.0.name == "UTC" { "<UTC>".to_string() } else { format!("<StaticTzInfo '{}'>", self.0.name) }
    }

    fn equals(&self, other: &Value) -> bool {
        other.as_object::<ZoneValue>().is_some_and(|other| other.0 == self.0)
    }
}

/// Names and offsets in minutes.
const FIXED: &[(&str, i32)] = &[
    ("Africa/Johannesburg", 120),
    ("Africa/Lagos", 60),
    ("Africa/Nairobi", 180),
    ("America/Argentina/Buenos_Aires", -180),
    ("America/Bogota", -300),
    ("America/Caracas", -240),
    ("America/Lima", -300),
    ("America/Phoenix", -420),
    ("America/Sao_Paulo", -180),
    ("Asia/Bangkok", 420),
    ("Asia/Calcutta", 330),
    ("Asia/Dhaka", 360),
    ("Asia/Dubai", 240),
    ("Asia/Ho_Chi_Minh", 420),
    ("Asia/Hong_Kong", 480),
    ("Asia/Jakarta", 420),
    ("Asia/Karachi", 300),
    ("Asia/Kathmandu", 345),
    ("Asia/Kolkata", 330),
    ("Asia/Kuala_Lumpur", 480),
    ("Asia/Manila", 480),
    ("Asia/Riyadh", 180),
    ("Asia/Saigon", 420),
    ("Asia/Seoul", 540),
    ("Asia/Shanghai", 480),
    ("Asia/Singapore", 480),
    ("Asia/Taipei", 480),
    ("Asia/Tashkent", 300),
    ("Asia/Tokyo", 540),
    ("Australia/Brisbane", 600),
    ("Australia/Perth", 480),
    ("Europe/Istanbul", 180),
    ("Europe/Moscow", 180),
    ("Pacific/Honolulu", -600),
    ("US/Arizona", -420),
    ("US/Hawaii", -600),
];

/// The zone with this name, if its offset is fixed.
fn find(name: &str) -> Option<Zone> {
    if matches!(name.to_ascii_uppercase().as_str(), "UTC" | "GMT" | "ETC/UTC" | "ETC/GMT" | "ZULU" | "UNIVERSAL") {
        return Some(Zone::utc());
    }
    let (name, minutes) = FIXED.iter().find(|(other, _)| other.eq_ignore_ascii_case(name))?;
    Some(Zone { name: name.to_string(), seconds: minutes * 60 })
}

struct Pytz;

impl Object for Pytz {
    fn type_name(&self) -> &str {
        "module"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn get_attr(&self, name: &str) -> Option<Value> {
        matches!(name, "utc" | "UTC").then(|| Value::object(ZoneValue(Zone::utc())))
    }

    fn methods(&self) -> &[&'static str] {
        &["timezone"]
    }

    fn call_method(&self, _: &mut Interpreter<'_>, name: &str, args: Args) -> Result {
        let [zone] = args.required(name, ["zone"])?;
        let zone = zone.text();
        match find(&zone) {
            Some(found) => Ok(Value::object(ZoneValue(found))),
            None => Err(fail(format!(
                "the time zone '{zone}' is not known: zones with daylight saving time are not supported, convert in SQL"
            ))),
        }
    }
}

/// The value of `modules.pytz`.
pub(super) fn module() -> Value {
    Value::object(Pytz)
}
