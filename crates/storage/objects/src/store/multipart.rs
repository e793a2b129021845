//! An upload in parts through `object_store`: dropped before it is complete, it is aborted.

use std::sync::Arc;

use async_trait::async_trait;
use futures::FutureExt as _;
use object_store::{MultipartUpload, PutPayload, PutResult};
use parking_lot::Mutex;

use super::{BucketStore, NAME, body, failure, written};
use crate::{CompleteUpload, CompletedPart, Expectations, UploadInfo, UploadPart};

pub(super) struct Upload {
    store: BucketStore,
    upload: UploadInfo,
    begun: u32,
    parts: Arc<Mutex<Vec<CompletedPart>>>,
    ended: bool,
}

impl Upload {
    pub(super) fn new(store: BucketStore, upload: UploadInfo) -> Self {
        Self { store, upload, begun: 0, parts: Arc::default(), ended: false }
    }
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upload").field("store", &self.store).field("upload", &self.upload).finish()
    }
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, payload: PutPayload) -> object_store::UploadPart {
        self.begun += 1;
        let (objects, parts) = (self.store.objects.clone(), Arc::clone(&self.parts));
        let request = UploadPart {
            bucket: self.store.bucket(),
            key: self.upload.key.clone(),
            upload_id: self.upload.upload_id.clone(),
            number: self.begun,
            ..UploadPart::default()
        };
        Box::pin(async move {
            let key = request.key.clone();
            let part = objects.upload_part(request, body(payload), Expectations::default).await;
            let part = part.map_err(|error| failure(&key, error))?;
            parts.lock().push(CompletedPart { number: part.number, etag: part.etag, checksums: Vec::new() });
            Ok(())
        })
    }

    async fn complete(&mut self) -> object_store::Result<PutResult> {
        if self.begun == 0 {
            // An object needs a part, if an empty one.
            self.put_part(PutPayload::new()).await?;
        }
        let mut parts = self.parts.lock().clone();
        if parts.len() != self.begun as usize {
            let source = format!("{} of {} parts were written", parts.len(), self.begun).into();
            return Err(object_store::Error::Generic { store: NAME, source });
        }
        parts.sort_by_key(|part| part.number);
        let request = CompleteUpload {
            bucket: self.store.bucket(),
            key: self.upload.key.clone(),
            upload_id: self.upload.upload_id.clone(),
            parts,
            origin: self.store.origin(),
            ..CompleteUpload::default()
        };
        // Only S3's own interface has a least size of parts.
        let completed = self.store.objects.complete_with(request, 0).await;
        let info = completed.map_err(|error| failure(&self.upload.key, error))?;
        self.ended = true;
        Ok(written(info))
    }

    async fn abort(&mut self) -> object_store::Result<()> {
        let UploadInfo { key, upload_id, .. } = &self.upload;
        let aborted = self.store.objects.abort_upload(&self.store.bucket, key, upload_id).await;
        self.ended = true;
        aborted.map_err(|error| failure(key, error))
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if !self.ended {
            let UploadInfo { key, upload_id, .. } = &self.upload;
            // One poll hands it to the writer; there is nobody to tell how it ended.
            let _ = self.store.objects.abort_upload(&self.store.bucket, key, upload_id).now_or_never();
        }
    }
}
