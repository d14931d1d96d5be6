//! `modules.pytz`: UTC, and the zones whose offset never changes nowadays. Zones with daylight saving time need a
//! database that c360 does not carry; asking for one is an error that says so.

use std::any::Any;

use super::moments::{Zone, ZoneValue};
use crate::jinja::Interpreter;
use crate::jinja::stop::{Result, fail};
use crate::jinja::value::{Args, Object, Value};

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
