//! Durations as `"250ms"`, `"10s"`, `"5m"`, `"12h"`, `"7d"`; sizes as `"64KiB"`, `"16MiB"`, `"1GiB"`; modes as `"0660"`.

use std::{fmt, str::FromStr, time::Duration};

use super::mistake::Misread;

macro_rules! as_text {
    ($name:ident) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

/// A length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Span(pub(crate) Duration);

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Bytes(pub(crate) u64);

/// The permission bits of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mode(pub(crate) u32);

as_text!(Span);
as_text!(Bytes);
as_text!(Mode);

/// Largest first, so that a value is shown in the largest unit that fits it whole.
const SPANS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];
const SIZES: [(&str, u64); 4] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];

fn parse(text: &str, units: &[(&str, u64)], what: &str, example: &str) -> Result<u64, Misread> {
    let wrong = || {
        Misread::new(
            format!("\"{text}\" is not {what}"),
            format!("write it like {example}"),
        )
    };
    let digits = text
        .find(|letter: char| !letter.is_ascii_digit() && letter != '_')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.replace('_', "").parse().map_err(|_| wrong())?;
    let unit = unit.trim();
    let factor = units
        .iter()
        .find(|(name, _)| *name == unit)
        .map(|(_, factor)| *factor);
    let factor = if unit.is_empty() && number == 0 {
        Some(1)
    } else {
        factor
    };
    number
        .checked_mul(factor.ok_or_else(wrong)?)
        .ok_or_else(wrong)
}

fn show(f: &mut fmt::Formatter<'_>, value: u64, units: &[(&str, u64)], zero: &str) -> fmt::Result {
    match units
        .iter()
        .find(|(_, factor)| value.is_multiple_of(*factor))
    {
        Some((unit, factor)) if value > 0 => write!(f, "{}{unit}", value / factor),
        _ => f.write_str(zero),
    }
}

impl FromStr for Span {
    type Err = Misread;

    fn from_str(text: &str) -> Result<Self, Misread> {
        parse(
            text,
            &SPANS,
            "a duration",
            "\"250ms\", \"10s\", \"5m\" or \"12h\"",
        )
        .map(|ms| Span(Duration::from_millis(ms)))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(f, self.0.as_millis() as u64, &SPANS, "0s")
    }
}

impl FromStr for Bytes {
    type Err = Misread;

    fn from_str(text: &str) -> Result<Self, Misread> {
        parse(text, &SIZES, "a size", "\"64KiB\", \"16MiB\" or \"1GiB\"").map(Bytes)
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(f, self.0, &SIZES, "0")
    }
}

impl FromStr for Mode {
    type Err = Misread;

    fn from_str(text: &str) -> Result<Self, Misread> {
        let mode = u32::from_str_radix(text, 8)
            .ok()
            .filter(|mode| *mode <= 0o777);
        mode.map(Mode).ok_or_else(|| {
            Misread::new(
                format!("\"{text}\" is not a file mode"),
                "write it like \"0660\"",
            )
        })
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_understood_again() {
        for text in ["250ms", "10s", "5m", "12h", "90s", "0s"] {
            assert_eq!(
                text.parse::<Span>().map(|span| span.to_string()).as_deref(),
                Ok(text)
            );
        }
        for text in ["64KiB", "16MiB", "1GiB", "100B", "0"] {
            assert_eq!(
                text.parse::<Bytes>()
                    .map(|size| size.to_string())
                    .as_deref(),
                Ok(text)
            );
        }
        assert_eq!(
            "0660"
                .parse::<Mode>()
                .map(|mode| mode.to_string())
                .as_deref(),
            Ok("0660")
        );
    }

    #[test]
    fn a_number_without_a_unit_or_with_a_wrong_one_is_refused() {
        for text in [
            "10",
            "10 parsecs",
            "",
            "s",
            "-1s",
            "99999999999999999999s",
            "10_000_000_000_000_000h",
        ] {
            assert!(
                text.parse::<Span>()
                    .is_err_and(|why| why.to_string().contains("hint")),
                "{text}"
            );
        }
        assert!("0999".parse::<Mode>().is_err());
    }
}
