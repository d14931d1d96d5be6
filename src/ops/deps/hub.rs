//! The hub: which versions of a package there are, and where their archives lie.
//!
//! `<hub>/api/v1/<namespace>/<name>.json` is an object whose `versions` maps each version to its `downloads.tarball`.

use semver::Version;
use serde_json::Value as Json;

use super::fetch::{download, unreachable};
use crate::diag::{Diagnostic, Result, Span, codes};

/// Where the hub is unless the environment says otherwise.
pub(super) const HUB: &str = "https://hub.getdbt.com";

/// A version of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Release {
    pub(super) version: String,
    pub(super) tarball: String,
}

/// The newest version of `package` that satisfies all `wanted`.
///
/// # Errors
/// C1016 if the hub does not answer or does not know the package; C1015 if no version satisfies.
pub(super) async fn newest(
    hub: &str,
    package: &str,
    wanted: &[String],
    prerelease: bool,
    span: &Span,
) -> Result<Release> {
    let url = format!("{}/api/v1/{package}.json", hub.trim_end_matches('/'));
    let bytes = download(&url, package, span).await?;
    let answer: Json = serde_json::from_slice(&bytes)
        .map_err(|error| unreachable(package, span, format!("the hub's answer cannot be read: {error}")))?;
    let versions = answer.get("versions").and_then(Json::as_object);
    let known: Vec<(Version, &Json)> =
        versions.into_iter().flatten().filter_map(|(text, release)| Some((parse(text)?, release))).collect();
    let best = choose(known.iter().map(|(version, _)| version), wanted, prerelease)
        .map_err(|problem| Diagnostic::error(codes::BAD_VALUE, problem).label(span.clone(), "asked for here"))?;
    let Some(best) = best else {
        let mut all: Vec<&Version> = known.iter().map(|(version, _)| version).collect();
        all.sort();
        let newest = all.last().map(|version| format!("the newest is {version}"));
        return Err(Diagnostic::error(
            codes::PACKAGE_CONFLICT,
            format!("no version of `{package}` satisfies {}", wanted.join(" and ")),
        )
        .label(span.clone(), "asked for here")
        .maybe_help(newest));
    };
    let release = known.iter().find(|(version, _)| version == best).map(|(_, release)| *release);
    let tarball = release.and_then(|release| release.pointer("/downloads/tarball")).and_then(Json::as_str);
    let tarball = tarball.ok_or_else(|| unreachable(package, span, "the hub names no archive for it"))?;
    Ok(Release { version: best.to_string(), tarball: tarball.to_string() })
}

/// The greatest of `known` that satisfies all `wanted`. A version that is asked for by name may be a prerelease.
fn choose<'a>(
    known: impl Iterator<Item = &'a Version>,
    wanted: &[String],
    prerelease: bool,
) -> std::result::Result<Option<&'a Version>, String> {
    let bounds: Vec<Bound> = wanted.iter().flat_map(|text| text.split(',')).map(bound).collect::<Result<_, _>>()?;
    let exact = bounds.iter().any(|bound| bound.0 == "=" && !bound.1.pre.is_empty());
    Ok(known
        .filter(|version| prerelease || exact || version.pre.is_empty())
        .filter(|version| bounds.iter().all(|bound| satisfies(version, bound)))
        .max())
}

/// A comparison and what is compared with.
type Bound = (&'static str, Version);

fn bound(text: &str) -> std::result::Result<Bound, String> {
    let text = text.trim();
    let operator = [">=", "<=", "==", ">", "<", "="].into_iter().find(|operator| text.starts_with(operator));
    let version = operator.map_or(text, |operator| &text[operator.len()..]);
    let version = parse(version.trim()).ok_or_else(|| format!("`{text}` is no version, such as 1.3.0 or >=1.0.0"))?;
    Ok((operator.map_or("=", |operator| if operator == "==" { "=" } else { operator }), version))
}

fn parse(text: &str) -> Option<Version> {
    Version::parse(text.trim_start_matches('v')).ok()
}

fn satisfies(version: &Version, (operator, bound): &Bound) -> bool {
    match *operator {
        ">=" => version >= bound,
        "<=" => version <= bound,
        ">" => version > bound,
        "<" => version < bound,
        _ => version == bound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best(wanted: &[&str], prerelease: bool) -> Option<String> {
        let known: Vec<Version> =
            ["0.9.0", "1.0.0", "1.2.0", "1.10.0", "2.0.0-rc1"].iter().filter_map(|text| parse(text)).collect();
        let wanted: Vec<String> = wanted.iter().map(ToString::to_string).collect();
        choose(known.iter(), &wanted, prerelease).expect("versions").map(ToString::to_string)
    }

    #[test]
    fn the_newest_that_satisfies_all() {
        assert_eq!(best(&[">=1.0.0", "<2.0.0"], false).as_deref(), Some("1.10.0"));
        assert_eq!(best(&[">=1.0.0,<1.10.0"], false).as_deref(), Some("1.2.0"));
        assert_eq!(best(&["1.0.0"], false).as_deref(), Some("1.0.0"));
        assert_eq!(best(&[">=1.0.0"], true).as_deref(), Some("2.0.0-rc1"));
        assert_eq!(best(&["2.0.0-rc1"], false).as_deref(), Some("2.0.0-rc1"));
        assert_eq!(best(&[">3.0.0"], true), None);
        assert!(bound("newest").is_err());
    }
}
