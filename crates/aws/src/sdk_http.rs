//! How the SDK reaches the network and the time: through what the rest of Balefire uses.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_smithy_async::time::TimeSource;
use aws_smithy_runtime_api::client::connection::{CaptureSmithyConnection, ConnectionMetadata};
use aws_smithy_runtime_api::client::http::{
    HttpClient as SdkHttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use balefire_domain::time::Clock;
use balefire_gateway::{HttpAnswer, HttpCall, HttpClient, HttpError};
use bytes::Bytes;

/// Bound on one call where the SDK names none: the longest poll of a queue (20 s) and some.
const CALL_MAX: Duration = Duration::from_secs(30);

/// Shows the SDK our clock: signatures carry its time, credentials end by it.
pub struct ClockSource(pub Arc<dyn Clock>);

impl fmt::Debug for ClockSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClockSource")
    }
}

impl TimeSource for ClockSource {
    fn now(&self) -> SystemTime {
        let micros = u64::try_from(self.0.now().micros()).unwrap_or(0);
        SystemTime::UNIX_EPOCH + Duration::from_micros(micros)
    }
}

/// Carries what is no alert: credentials, queues. One connection per call, nothing sent twice.
#[derive(Clone)]
pub struct Calls {
    client: HttpClient,
    timeout: Duration,
}

impl Calls {
    pub const fn new(client: HttpClient) -> Self {
        Self {
            client,
            timeout: CALL_MAX,
        }
    }
}

impl fmt::Debug for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Calls")
    }
}

impl SdkHttpClient for Calls {
    /// The gateway bounds the time to connect; what the SDK allows for reading bounds the call.
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let allowed = settings.read_timeout().unwrap_or(CALL_MAX);
        SharedHttpConnector::new(Self {
            client: self.client.clone(),
            timeout: allowed.min(CALL_MAX),
        })
    }
}

impl HttpConnector for Calls {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Self { client, timeout } = self.clone();
        HttpConnectorFuture::new(async move {
            let call = read_call(request, timeout)?;
            let answer = client.call(call).await.map_err(|error| match error {
                HttpError::Url(_) | HttpError::Header(_) => ConnectorError::user(error.into()),
                HttpError::NotSent { .. }
                | HttpError::NoAnswer { .. }
                | HttpError::TooLong { .. } => ConnectorError::io(error.into()),
            })?;
            let HttpAnswer {
                status,
                headers,
                body,
            } = answer;
            let mut response = http::Response::new(SdkBody::from(body));
            *response.status_mut() =
                http::StatusCode::from_u16(status).map_err(|e| ConnectorError::io(e.into()))?;
            *response.headers_mut() = headers;
            HttpResponse::try_from(response).map_err(|e| ConnectorError::io(e.into()))
        })
    }
}

fn read_call(request: HttpRequest, timeout: Duration) -> Result<HttpCall, ConnectorError> {
    let request = whole(request)?;
    let (parts, body) = request.into_parts();
    let mut headers = Vec::with_capacity(parts.headers.len());
    for (name, value) in &parts.headers {
        let value = value
            .to_str()
            .map_err(|error| ConnectorError::user(error.into()))?;
        // Both are the gateway's to write.
        if name != http::header::CONTENT_LENGTH && name != http::header::HOST {
            headers.push((name.to_string(), value.to_owned()));
        }
    }
    Ok(HttpCall {
        method: parts.method,
        url: parts.uri.to_string(),
        headers,
        body,
        timeout,
    })
}

/// A request of the SDK with its body in memory, as all of ours are.
pub fn whole(request: HttpRequest) -> Result<http::Request<Bytes>, ConnectorError> {
    let request = request
        .try_into_http1x()
        .map_err(|error| ConnectorError::user(error.into()))?;
    let (parts, body) = request.into_parts();
    if let Some(capture) = parts.extensions.get::<CaptureSmithyConnection>() {
        // After some answers the SDK marks the connection, and complains where there is none to
        // mark. Whether a connection is used again is the gateway's decision.
        capture.set_connection_retriever(|| Some(unmarked_connection()));
    }
    let Some(bytes) = body.bytes() else {
        return Err(ConnectorError::user("a body that is not in memory".into()));
    };
    let bytes = Bytes::copy_from_slice(bytes);
    Ok(http::Request::from_parts(parts, bytes))
}

fn unmarked_connection() -> ConnectionMetadata {
    ConnectionMetadata::builder()
        .proxied(false)
        .poison_fn(|| {})
        .build()
}
