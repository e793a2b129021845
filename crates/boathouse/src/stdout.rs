//! What commands say. Unlike `println!` it bears that nobody reads any more, as in `boathouse credentials | head -1`.

use std::fmt::Arguments;
use std::io::{Write, stdout};

/// Writes a line; see [`crate::say`].
pub(crate) fn line(text: Arguments<'_>) {
    // Who has closed the pipe has read enough.
    let _ = writeln!(stdout().lock(), "{text}");
}

/// Like `println!`, but for a closed pipe.
#[macro_export]
macro_rules! say {
    ($($text:tt)*) => { $crate::stdout::line(format_args!($($text)*)) };
}
