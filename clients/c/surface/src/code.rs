//! The return codes, as `standin.h` has them; a test compares.

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, $constant:literal, $name:literal;)*) => {
        /// What a function returns.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Code { $($(#[$doc])* $variant = $number,)* }

        impl Code {
            /// Every code with its name in the header.
            #[cfg(test)]
            pub(crate) const ALL: &[(Code, &str)] = &[$((Code::$variant, $constant),)*];

            /// The name that an error of the library's own with this code has.
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Code::$variant => $name,)* }
            }

            pub(crate) const fn number(self) -> i32 {
                self as i32
            }
        }
    };
}

codes! {
    Ok = 0, "STANDIN_OK", "ok";
    Pending = 1, "STANDIN_PENDING", "pending";
    Callback = 2, "STANDIN_CALLBACK", "callback";
    Failed = 3, "STANDIN_FAILED", "failed";
    TooSmall = 4, "STANDIN_TOO_SMALL", "too_small";
    Missing = 5, "STANDIN_MISSING", "missing";
    Null = 6, "STANDIN_NULL", "null";
    BadHandle = -1, "STANDIN_BAD_HANDLE", "bad_handle";
    BadArgument = -2, "STANDIN_BAD_ARGUMENT", "bad_argument";
    BadPath = -3, "STANDIN_BAD_PATH", "bad_path";
    WrongType = -4, "STANDIN_WRONG_TYPE", "wrong_type";
    BadText = -5, "STANDIN_BAD_TEXT", "bad_text";
    BadState = -6, "STANDIN_BAD_STATE", "bad_state";
    TooDeep = -7, "STANDIN_TOO_DEEP", "too_deep";
    NotRunning = -8, "STANDIN_NOT_RUNNING", "not_running";
    Busy = -9, "STANDIN_BUSY", "busy";
    Denied = -10, "STANDIN_DENIED", "denied";
    Lost = -11, "STANDIN_LOST", "lost";
    File = -12, "STANDIN_FILE", "file";
    Range = -13, "STANDIN_RANGE", "range";
    Limit = -14, "STANDIN_LIMIT", "limit";
    Panic = -99, "STANDIN_PANIC", "panic";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_has_the_same_codes() {
        let header = include_str!("../../include/standin.h");
        let defined: Vec<(i32, &str)> = header
            .lines()
            .filter_map(|line| line.strip_prefix("#define ")?.split_once(' '))
            .filter(|(name, _)| !name.starts_with("STANDIN_TYPE_"))
            .filter_map(|(name, number)| Some((number.parse().ok()?, name)))
            .collect();
        let ours: Vec<(i32, &str)> = Code::ALL
            .iter()
            .map(|(code, name)| (code.number(), *name))
            .collect();
        assert_eq!(defined, ours);
    }
}
