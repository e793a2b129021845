//! The Runtime API ("Using the Lambda runtime API for custom runtimes"), served on a port of the function's own network.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};

use super::failure::response_too_large;

/// Bytes of an answer.
pub(crate) const LARGEST_ANSWER: usize = 6 * 1024 * 1024;
const PREFIX: &str = "/2018-06-01/runtime/";

/// An event for the function.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) request_id: String,
    pub(crate) payload: Bytes,
    pub(crate) deadline_ms: i64,
    /// The ARN that the caller used.
    pub(crate) arn: String,
    pub(crate) client_context: Option<String>,
}

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// The function's answer.
    Answer(Bytes),
    /// The function's error, as JSON.
    Error(Bytes),
}

struct Current {
    request_id: String,
    taken: bool,
    reply: oneshot::Sender<Reply>,
}

/// One instance's Runtime API.
pub(crate) struct RuntimeApi {
    send: mpsc::Sender<Event>,
    events: tokio::sync::Mutex<mpsc::Receiver<Event>>,
    current: Mutex<Option<Current>>,
    init: Mutex<Option<oneshot::Sender<Result<(), Bytes>>>>,
}

type Answer = Response<Full<Bytes>>;

impl RuntimeApi {
    /// The API, and what says whether the function could be initialised: nothing, or its error.
    pub(crate) fn new() -> (Arc<Self>, oneshot::Receiver<Result<(), Bytes>>) {
        let (send, events) = mpsc::channel(1);
        let (tell, initialised) = oneshot::channel();
        let api = Self { send, events: events.into(), current: Mutex::new(None), init: Mutex::new(Some(tell)) };
        (Arc::new(api), initialised)
    }

    /// Hands an event to the function; what comes of it arrives later.
    pub(crate) fn give(&self, event: Event) -> oneshot::Receiver<Reply> {
        let (reply, replied) = oneshot::channel();
        *self.current.lock() = Some(Current { request_id: event.request_id.clone(), taken: false, reply });
        // There is one event at a time, and room for one: a failure means that the receiver is gone with the instance.
        let _ = self.send.try_send(event);
        replied
    }

    /// Whether the function has asked for the present event.
    pub(crate) fn was_taken(&self) -> bool {
        self.current.lock().as_ref().is_none_or(|current| current.taken)
    }

    /// Serves one connection.
    pub(crate) fn serve(self: &Arc<Self>, stream: TcpStream) {
        let api = Arc::clone(self);
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let api = Arc::clone(&api);
                async move { Ok::<_, Infallible>(api.respond(request).await) }
            });
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a runtime's connection ended");
            }
        });
    }

    async fn respond(&self, request: Request<Incoming>) -> Answer {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path().strip_prefix(PREFIX).unwrap_or_default().to_owned();
        let steps: Vec<&str> = path.split('/').collect();
        match (&parts.method, steps.as_slice()) {
            (&Method::GET, ["invocation", "next"]) => self.next().await,
            (&Method::POST, ["invocation", id, "response"]) => self.answered(id, body).await,
            (&Method::POST, ["invocation", id, "error"]) => match read(body).await {
                Ok(error) => self.settle(id, Reply::Error(error)),
                Err(refused) => refused,
            },
            (&Method::POST, ["init", "error"]) => match read(body).await {
                Ok(error) => {
                    self.initialised(Err(error));
                    status_ok()
                }
                Err(refused) => refused,
            },
            _ => problem(
                StatusCode::NOT_FOUND,
                "NotFound",
                &format!(
                    "{} {} is not part of the Runtime API that Boathouse implements",
                    parts.method,
                    parts.uri.path()
                ),
            ),
        }
    }

    fn initialised(&self, outcome: Result<(), Bytes>) {
        if let Some(tell) = self.init.lock().take() {
            let _ = tell.send(outcome); // an instance that is being given up does not listen
        }
    }

    async fn next(&self) -> Answer {
        self.initialised(Ok(()));
        let Some(event) = self.events.lock().await.recv().await else {
            return problem(StatusCode::GONE, "Gone", "the instance is shutting down");
        };
        if let Some(current) = self.current.lock().as_mut() {
            current.taken = true;
        }
        let mut response = Response::builder()
            .header("Content-Type", "application/json")
            .header("Lambda-Runtime-Aws-Request-Id", &event.request_id)
            .header("Lambda-Runtime-Deadline-Ms", event.deadline_ms)
            .header("Lambda-Runtime-Invoked-Function-Arn", &event.arn);
        if let Some(context) = &event.client_context {
            response = response.header("Lambda-Runtime-Client-Context", context);
        }
        response
            .body(Full::new(event.payload))
            .unwrap_or_else(|error| problem(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", &error.to_string()))
    }

    async fn answered(&self, id: &str, body: Incoming) -> Answer {
        match read(body).await {
            Ok(answer) if answer.len() <= LARGEST_ANSWER => self.settle(id, Reply::Answer(answer)),
            Ok(answer) => self.too_large(id, answer.len()),
            Err(_) => self.too_large(id, LARGEST_ANSWER + 1),
        }
    }

    fn too_large(&self, id: &str, length: usize) -> Answer {
        let error = response_too_large(length, LARGEST_ANSWER);
        self.settle(id, Reply::Error(error.clone()));
        json_answer(StatusCode::PAYLOAD_TOO_LARGE, error)
    }

    fn settle(&self, id: &str, reply: Reply) -> Answer {
        let mut current = self.current.lock();
        match current.take_if(|current| current.taken && current.request_id == id) {
            Some(found) => {
                let _ = found.reply.send(reply); // the caller may have given up
                status_ok()
            }
            None => problem(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID"),
        }
    }
}

/// A body of a little more than an answer may have: more than that is not even read.
async fn read(body: Incoming) -> Result<Bytes, Answer> {
    match Limited::new(body, LARGEST_ANSWER * 2).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) => Err(problem(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", &error.to_string())),
    }
}

fn json_answer(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    response
}

fn status_ok() -> Answer {
    json_answer(StatusCode::ACCEPTED, r#"{"status":"OK"}"#)
}

fn problem(status: StatusCode, kind: &str, message: &str) -> Answer {
    json_answer(status, json!({"errorType": kind, "errorMessage": message}).to_string())
}
