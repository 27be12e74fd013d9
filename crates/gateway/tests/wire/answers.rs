//! What a server writes after it has read a request, and what that means (D23): the same for every
//! way out. The tests of the AWS adapter run this table through the SDK.

use balefire_domain::outcome::Outcome;

use crate::support::{answer, body_saying};

/// A name, what is written before the connection is closed, the outcome, the status that is kept.
pub type Row = (&'static str, String, Outcome, Option<u16>);

/// The table.
pub fn rows() -> Vec<Row> {
    let ours = body_saying("accepted");
    let length = ours.len();
    let ok = answer("200 OK", &ours);
    let chunks = |end: &str| {
        format!(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n{ours}\r\n{end}"
        )
    };
    let bytes_max = balefire_domain::limits::ANSWER_BYTES_MAX;
    vec![
        ("whole", ok.clone(), Outcome::Accepted, Some(200)),
        (
            "all chunks",
            chunks("0\r\n\r\n"),
            Outcome::Accepted,
            Some(200),
        ),
        ("no last chunk", chunks(""), Outcome::Unknown, Some(200)),
        (
            "half a body",
            format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{ours}",
                length + 1
            ),
            Outcome::Unknown,
            Some(200),
        ),
        (
            "a body that ends with the connection",
            format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{ours}"),
            Outcome::Unknown,
            Some(200),
        ),
        (
            "HTTP/1.0 without a length",
            format!("HTTP/1.0 200 OK\r\n\r\n{ours}"),
            Outcome::Unknown,
            Some(200),
        ),
        (
            "another coding than chunked",
            format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n{ours}"),
            Outcome::Unknown,
            Some(200),
        ),
        (
            "two lengths",
            format!("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{ours}"),
            Outcome::Unknown,
            None,
        ),
        ("nothing", String::new(), Outcome::Unknown, None),
        (
            "half a head",
            "HTTP/1.1 200 OK\r\nConte".to_owned(),
            Outcome::Unknown,
            None,
        ),
        (
            "not HTTP",
            "220 ready\r\n\r\n".to_owned(),
            Outcome::Unknown,
            None,
        ),
        (
            "an endless head",
            format!("HTTP/1.1 200 OK\r\n{}", "a: b\r\n".repeat(20_000)),
            Outcome::Unknown,
            None,
        ),
        (
            "a longer body than is read, announced",
            format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
                bytes_max + 1
            ),
            Outcome::Unknown,
            Some(200),
        ),
        (
            "the longest body that is read",
            answer("200 OK", &format!("\"{}\"", "x".repeat(bytes_max - 2))),
            Outcome::Accepted,
            Some(200),
        ),
        (
            "a longer body than is read, in chunks",
            format!(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n\"{}\"\r\n0\r\n\r\n",
                bytes_max + 1,
                "x".repeat(bytes_max - 1)
            ),
            Outcome::Unknown,
            Some(200),
        ),
        (
            "an interim answer before the answer",
            format!("HTTP/1.1 100 Continue\r\n\r\n{ok}"),
            Outcome::Accepted,
            Some(200),
        ),
        (
            "only an interim answer",
            "HTTP/1.1 100 Continue\r\n\r\n".to_owned(),
            Outcome::Unknown,
            None,
        ),
        (
            "another protocol",
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
                .to_owned(),
            Outcome::Unknown,
            Some(101),
        ),
        (
            "a function error",
            format!(
                "HTTP/1.1 200 OK\r\nX-Amz-Function-Error: Unhandled\r\n\
                 Content-Length: {length}\r\n\r\n{ours}"
            ),
            Outcome::Unknown,
            Some(200),
        ),
        (
            "refused by status",
            answer("404 Not Found", "{}"),
            Outcome::Refused,
            Some(404),
        ),
        (
            "refused by status, with half a body",
            "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 9\r\n\r\n{".to_owned(),
            Outcome::Refused,
            Some(429),
        ),
        (
            "a gateway's own time-out",
            answer("504 x", ""),
            Outcome::Unknown,
            Some(504),
        ),
        (
            "HTML",
            answer("200 OK", "<html>OK</html>"),
            Outcome::Unknown,
            Some(200),
        ),
        ("empty", answer("200 OK", ""), Outcome::Accepted, Some(200)),
    ]
}
