//! `libstandin.so`, `standin.dll`: the functions of `standin-surface` as a library of C. This package only makes it.

// Its functions have C names, and that is how they get out.
extern crate standin_surface as _;
