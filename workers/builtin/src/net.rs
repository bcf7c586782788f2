//! What `http.request` and `mail.send` share: whom TLS trusts, the point of no return, and bytes as arguments.
//!
//! It knows neither HTTP nor SMTP.

mod binary;
mod causes;
mod gate;
pub(crate) mod tls;

pub use self::{binary::Binary, gate::Gate};
pub(crate) use self::{causes::find_cause, gate::Attempt};
