//! Reports through `tracing` where the feature is on, and nothing at all where it is off.

/// Reports a sentence at a level, with values that can be displayed as fields.
macro_rules! trace {
    ($level:ident, $sentence:literal $(, $name:ident = $value:expr)* $(,)?) => {
        #[cfg(feature = "tracing")]
        tracing::$level!($($name = %$value,)* $sentence);
        #[cfg(not(feature = "tracing"))]
        {
            $(let _unused = &$value;)*
        }
    };
}

pub(crate) use trace;
