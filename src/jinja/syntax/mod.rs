//! From text to tree: Jinja2's grammar with byte positions.
//!
//! [`lexer`] cuts a range of a file into tokens (white space control is settled there), [`parser`] builds the owned tree
//! of [`ast`]. Chains (`a ~ b ~ c`, `elif`, comparisons) are flat in the tree and nesting is counted, so neither parsing,
//! evaluating nor dropping a tree can exhaust the native stack.

pub mod ast;
mod definitions;
mod expr;
pub(crate) mod lexer;
pub(crate) mod parser;
mod postfix;
mod statements;
mod strings;

#[cfg(test)]
mod tests;
