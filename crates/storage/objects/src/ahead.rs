//! Long bodies that are read and decrypted by another thread while what came before is on its way to the client. That helps
//! whoever reads alone: where all processors are busy with readers anyway, the others read as they go.

use std::sync::Arc;
use std::thread::available_parallelism;

use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt as _};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::error::{Error, Result};

/// How many items wait for the client.
const ITEMS: usize = 2;

/// As many bodies are read ahead as there are processors but the one that sends.
pub(crate) fn permits() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(available_parallelism().map_or(1, usize::from).saturating_sub(1)))
}

/// The same items, read ahead from the first one on that is asked for.
pub(crate) fn read(
    mut items: BoxStream<'static, Result<Bytes>>,
    permit: OwnedSemaphorePermit,
) -> BoxStream<'static, Result<Bytes>> {
    let begin = async move {
        let (sender, receiver) = mpsc::channel(ITEMS);
        let reading = tokio::spawn(async move {
            let _permit = permit;
            while let Some(item) = items.next().await {
                if sender.send(item).await.is_err() {
                    return;
                }
            }
        });
        stream::unfold(Some((receiver, reading)), |state| async move {
            let (mut receiver, reading) = state?;
            match receiver.recv().await {
                Some(item) => Some((item, Some((receiver, reading)))),
                // A body must not end early because its reader did.
                None => reading.await.is_err().then_some((Err(Error::Closed), None)),
            }
        })
    };
    stream::once(begin).flatten().boxed()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permit() -> OwnedSemaphorePermit {
        Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap()
    }

    #[tokio::test]
    async fn items_come_in_order_and_errors_too() {
        let items = (0..100_u8).map(|n| if n == 99 { Err(Error::Closed) } else { Ok(Bytes::from(vec![n])) });
        let read: Vec<_> = read(stream::iter(items).boxed(), permit()).collect().await;
        let numbers: Vec<u8> = read[..99].iter().map(|item| item.as_ref().unwrap()[0]).collect();
        assert_eq!((numbers, read.len()), ((0..99).collect(), 100));
        assert!(read[99].is_err());
    }

    #[tokio::test]
    async fn a_reader_that_panics_is_an_error_and_not_an_end() {
        let items = stream::iter(0..5).map(|n| if n == 3 { panic!("as planned") } else { Ok(Bytes::from(vec![n])) });
        let read: Vec<_> = read(items.boxed(), permit()).collect().await;
        assert_eq!(read.len(), 4);
        assert!(matches!(read[3], Err(Error::Closed)));
    }

    #[tokio::test]
    async fn who_goes_away_frees_the_permit() {
        let permits = Arc::new(Semaphore::new(1));
        let permit = Arc::clone(&permits).try_acquire_owned().unwrap();
        let mut body = read(stream::repeat_with(|| Ok(Bytes::from_static(b"x"))).boxed(), permit);
        assert_eq!(body.next().await.unwrap().unwrap(), "x");
        assert!(Arc::clone(&permits).try_acquire_owned().is_err());
        drop(body);
        drop(permits.acquire().await.unwrap());
    }
}
