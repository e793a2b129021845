//! A large object written piece by piece: the pieces, in the order in which they were handed over, are the body of one PUT.

use async_trait::async_trait;
use bytes::Bytes;
use futures::channel::{mpsc, oneshot};
use futures::{FutureExt as _, Stream, StreamExt as _};
use object_store::{MultipartUpload, PutPayload, PutResult, UploadPart};
use tokio::task::JoinHandle;

use crate::{Error, Expectations, ObjectInfo, Objects, PutRequest};

/// A piece, and whom to tell when it has been taken over.
struct Piece {
    payload: PutPayload,
    taken: oneshot::Sender<()>,
}

/// An object that is being written. Dropped before it is complete, it leaves nothing.
#[derive(Debug)]
pub(crate) struct Upload {
    pieces: Option<mpsc::UnboundedSender<Piece>>,
    complete: Option<oneshot::Sender<()>>,
    writing: Option<JoinHandle<crate::Result<ObjectInfo>>>,
    path: String,
}

impl Upload {
    pub(crate) fn start(objects: Objects, request: PutRequest) -> Self {
        let path = request.key.clone();
        let (pieces, queue) = mpsc::unbounded();
        let (complete, completed) = oneshot::channel();
        let body = body(queue, completed);
        let writing = tokio::spawn(async move { objects.put(request, body, Expectations::default).await });
        Self { pieces: Some(pieces), complete: Some(complete), writing: Some(writing), path }
    }

    fn closed() -> object_store::Error {
        object_store::Error::Generic { store: "boathouse", source: "the upload has ended".into() }
    }
}

/// The pieces' bytes; an error at the end if the upload was not completed, so that the PUT fails.
fn body(
    queue: mpsc::UnboundedReceiver<Piece>,
    completed: oneshot::Receiver<()>,
) -> impl Stream<Item = std::io::Result<Bytes>> + Send + Unpin {
    let bytes = queue.flat_map(|piece| {
        // The engine asks for a piece when it has written the one before.
        let _ = piece.taken.send(());
        futures::stream::iter(piece.payload.into_iter().map(Ok))
    });
    let end = completed.into_stream().filter_map(|completed| {
        let abandoned = || std::io::Error::new(std::io::ErrorKind::ConnectionAborted, "the upload was abandoned");
        std::future::ready(completed.err().map(|_| Err(abandoned())))
    });
    Box::pin(bytes.chain(end))
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, payload: PutPayload) -> UploadPart {
        let (taken, done) = oneshot::channel();
        let sent = self.pieces.as_ref().is_some_and(|pieces| pieces.unbounded_send(Piece { payload, taken }).is_ok());
        async move {
            if !sent {
                return Err(Self::closed());
            }
            done.await.map_err(|_| Self::closed())
        }
        .boxed()
    }

    async fn complete(&mut self) -> object_store::Result<PutResult> {
        let (Some(complete), Some(writing)) = (self.complete.take(), self.writing.take()) else {
            return Err(Self::closed());
        };
        // If the engine has failed already, its error is what `writing` says.
        let _ = complete.send(());
        self.pieces = None;
        let info = writing.await.map_err(|_| Error::Closed).flatten();
        let info = info.map_err(|error| super::failure(&self.path, error))?;
        Ok(PutResult { e_tag: Some(format!("\"{}\"", info.etag)), version: None })
    }

    async fn abort(&mut self) -> object_store::Result<()> {
        self.complete = None;
        self.pieces = None;
        if let Some(writing) = self.writing.take() {
            // The PUT fails because the body ends in an error; that is the purpose.
            let _ = writing.await;
        }
        Ok(())
    }
}
