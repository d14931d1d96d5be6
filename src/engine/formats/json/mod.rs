//! JSON: one object a line, or one array of objects a file.
//!
//! | module | what |
//! |---|---|
//! | `cursor` | JSON's grammar over bytes |
//! | `decode` | an object to a row of columns |
//! | `lines`, `array` | records out of a file |
//! | `infer` | types from a sample |

mod array;
mod cursor;
mod decode;
mod infer;
mod lines;
#[cfg(test)]
mod tests;

pub(super) use array::JsonArray;
pub(super) use cursor::Bad;
pub(super) use decode::append_json;
pub(super) use infer::infer;
pub(super) use lines::JsonLines;
