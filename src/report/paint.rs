//! Colours of the terminal, where they are wanted.

/// What a piece of text means; the colour follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// It went well: green.
    Good,
    /// Worth a look: yellow.
    Warn,
    /// It failed: red.
    Bad,
    /// Less important: dim.
    Dim,
    /// More important: bold.
    Strong,
}

/// Paints, or does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Palette {
    pub(super) colour: bool,
}

impl Palette {
    /// `text` in the colour of `tone`.
    pub(super) fn paint(self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Good => "32",
            Tone::Warn => "33",
            Tone::Bad => "31",
            Tone::Dim => "2",
            Tone::Strong => "1",
        };
        if self.colour && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
    }
}

/// Whether to colour a stream: `NO_COLOR` forbids it, `CLICOLOR_FORCE` demands it, otherwise a terminal that is not
/// dumb gets colours. `env` looks up an environment variable.
pub fn colour_wanted(is_terminal: bool, env: &dyn Fn(&str) -> Option<String>) -> bool {
    let is_set = |name: &str| env(name).is_some_and(|value| !value.is_empty());
    let is_on = |name: &str| env(name).is_some_and(|value| !value.is_empty() && value != "0");
    if is_set("NO_COLOR") {
        return false;
    }
    if is_on("CLICOLOR_FORCE") {
        return true;
    }
    is_terminal && env("CLICOLOR").as_deref() != Some("0") && env("TERM").as_deref() != Some("dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(is_terminal: bool, vars: &[(&str, &str)]) -> bool {
        colour_wanted(is_terminal, &|name| vars.iter().find(|(key, _)| *key == name).map(|(_, v)| v.to_string()))
    }

    #[test]
    fn the_environment_has_the_last_word_on_colours() {
        assert!(wanted(true, &[]));
        assert!(!wanted(false, &[]));
        assert!(!wanted(true, &[("NO_COLOR", "1")]));
        assert!(wanted(true, &[("NO_COLOR", "")]));
        assert!(wanted(false, &[("CLICOLOR_FORCE", "1")]));
        assert!(!wanted(false, &[("CLICOLOR_FORCE", "0")]));
        assert!(!wanted(true, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
        assert!(!wanted(true, &[("TERM", "dumb")]));
    }

    #[test]
    fn without_colour_the_text_is_untouched() {
        assert_eq!(Palette { colour: false }.paint(Tone::Bad, "FAIL"), "FAIL");
        assert_eq!(Palette { colour: true }.paint(Tone::Bad, "FAIL"), "\x1b[31mFAIL\x1b[0m");
        assert_eq!(Palette { colour: true }.paint(Tone::Bad, ""), "");
    }
}
