//! The way out: the only outbound HTTP and SMTP of Balefire besides the AWS SDK (invariant 2).
//!
//! [`Gateway`] sends a delivery to a proxy through the Lambda Invoke API and turns every end into
//! an [`Outcome`](balefire_domain::outcome::Outcome): no error escapes. [`HttpClient`] is for
//! commands, tickets, pages and notifications; [`SmtpClient`] sends an e-mail.
//!
//! What is promised: a request is written at most once; nothing of it is written at or after its
//! deadline by the wall clock; at the deadline the connection is reset and what the kernel still
//! holds is thrown away; *refused* is said only if the provider surely did not take the message.
//! Every answer is bounded before it is read.
//!
//! What is deliberately not done: no retries, no redirects, no choice of routes (the lane decides),
//! no signing of requests (the AWS adapter does), no HTTP/2, no proxies from the environment.

mod answer_body;
pub mod classify;
mod connection;
mod connector;
mod endpoint;
mod gate;
mod http_client;
mod invoke;
mod payload;
mod pool;
mod smtp;
mod tls;
mod wire;

pub use classify::ProxySays;
pub use endpoint::{Endpoint, InvalidEndpoint, Scheme};
pub use http_client::{HttpAnswer, HttpCall, HttpClient, HttpError};
pub use invoke::{
    Answered, Gateway, GatewaySettings, Invocation, ProbeRequest, Probed, SendRequest,
};
pub use smtp::{Mail, MailError, SmtpClient, SmtpSecurity, SmtpServer};
pub use tls::GatewayError;
pub use wire::Wire;
