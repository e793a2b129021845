//! Uploads in parts.
#![allow(clippy::unwrap_used)]

use boathouse_objects::{
    ChecksumAlgorithm, ChecksumKind, CompletePart, Error, Expectations, Objects, Options, PartInfo, UploadInfo,
    UploadRequest, WriteCondition,
};
use bytes::Bytes;
use futures::{TryStreamExt as _, stream};

const MIB: usize = 1 << 20;

fn open(dir: &std::path::Path) -> Objects {
    Objects::open(dir, &Options::default()).unwrap()
}

fn request(key: &str, checksum: Option<(ChecksumAlgorithm, ChecksumKind)>) -> UploadRequest {
    UploadRequest { bucket: "b".into(), key: key.into(), checksum, ..UploadRequest::default() }
}

async fn part(objects: &Objects, upload: &UploadInfo, number: u32, bytes: Vec<u8>) -> PartInfo {
    let body = stream::iter([Ok(Bytes::from(bytes))]);
    objects.put_part(upload, number, body, Expectations::default).await.unwrap()
}

fn named(parts: &[PartInfo]) -> Vec<CompletePart> {
    let name = |part: &PartInfo| CompletePart { number: part.number, etag: part.info.etag.clone(), checksum: None };
    parts.iter().map(name).collect()
}

async fn complete(objects: &Objects, upload: &UploadInfo, parts: &[PartInfo]) -> Result<String, Error> {
    let id = (upload.request.bucket.as_str(), upload.request.key.as_str(), upload.id.as_str());
    let done = objects.complete_upload(id, named(parts), WriteCondition::Always, Expectations::default()).await;
    done.map(|info| info.etag)
}

fn files(dir: &std::path::Path) -> usize {
    std::fs::read_dir(dir.join("blobs")).unwrap().count()
}

#[tokio::test]
async fn parts_become_one_object_that_is_read_across_them() {
    let dir = tempfile::tempdir().unwrap();
    let objects = open(dir.path());
    objects.create_bucket("b").await.unwrap();
    let checksum = Some((ChecksumAlgorithm::Crc32, ChecksumKind::FullObject));
    let upload = objects.begin_upload(request("k", checksum)).await.unwrap();
    let second = part(&objects, &upload, 7, vec![2; 5 * MIB]).await;
    part(&objects, &upload, 3, vec![9; 100]).await;
    let first = part(&objects, &upload, 3, vec![1; 5 * MIB]).await;
    part(&objects, &upload, 5, vec![9; 6 * MIB]).await;
    let last = part(&objects, &upload, 8, b"end".to_vec()).await;
    let (listed, more) = objects.parts(&upload, 3, 2).unwrap();
    assert_eq!((listed.iter().map(|part| part.number).collect::<Vec<_>>(), more), (vec![5, 7], true));

    let etag = complete(&objects, &upload, &[first.clone(), second.clone(), last.clone()]).await.unwrap();
    assert!(etag.ends_with("-3"), "{etag}");
    assert_eq!(complete(&objects, &upload, &[first, second, last]).await.unwrap(), etag, "a repeated completion");
    assert!(matches!(objects.upload("b", "k", &upload.id), Err(Error::NoSuchUpload(_))));

    drop(objects);
    let objects = open(dir.path());
    let object = objects.get("b", "k").unwrap();
    let size = 10 * MIB as u64 + 3;
    assert_eq!(object.info().size, size);
    let all: Vec<Bytes> = object.read(0..size).unwrap().try_collect().await.unwrap();
    let all = all.concat();
    assert!(all[..5 * MIB].iter().all(|byte| *byte == 1) && all[5 * MIB..10 * MIB].iter().all(|byte| *byte == 2));
    let across = object.read_range(10 * MIB as u64 - 2..size).await.unwrap();
    assert_eq!(&across[..], b"\x02\x02end");
    assert_eq!(object.parts().iter().map(|(number, _)| *number).collect::<Vec<_>>(), [3, 7, 8]);
    // The same bytes written at once have the same CRC.
    let whole = boathouse_objects::PutRequest {
        bucket: "b".into(),
        key: "whole".into(),
        checksums: vec![ChecksumAlgorithm::Crc32],
        ..Default::default()
    };
    let body = stream::iter([Ok(Bytes::from(all))]);
    let whole = objects.put(whole, body, Expectations::default).await.unwrap();
    assert_eq!(whole.checksums, object.info().checksums);
    drop(object);

    objects.delete("b", vec!["k".into(), "whole".into()]).await.unwrap();
    drop(objects);
    drop(open(dir.path()));
    assert_eq!(files(dir.path()), 0, "every content file is freed");
}

#[tokio::test]
async fn wrong_completions_leave_the_upload_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let objects = open(dir.path());
    objects.create_bucket("b").await.unwrap();
    let upload = objects.begin_upload(request("k", None)).await.unwrap();
    let small = part(&objects, &upload, 1, vec![1; 10]).await;
    let other = part(&objects, &upload, 2, vec![2; 10]).await;
    let too_small = complete(&objects, &upload, &[small.clone(), other.clone()]).await;
    assert!(matches!(too_small, Err(Error::PartTooSmall { number: 1, size: 10 })), "{too_small:?}");
    let order = complete(&objects, &upload, &[other.clone(), small.clone()]).await;
    assert!(matches!(order, Err(Error::InvalidPartOrder)), "{order:?}");
    assert!(matches!(complete(&objects, &upload, &[]).await, Err(Error::InvalidPartOrder)));
    let unknown = PartInfo { number: 9, ..small.clone() };
    assert!(matches!(complete(&objects, &upload, &[unknown]).await, Err(Error::InvalidPart(9))));
    let wrong = PartInfo { number: 2, ..small.clone() };
    assert!(matches!(complete(&objects, &upload, &[wrong]).await, Err(Error::InvalidPart(2))));
    assert!(matches!(objects.head("b", "k"), Err(Error::NoSuchKey(_))));
    let number = objects.put_part(&upload, 10_001, stream::empty(), Expectations::default).await;
    assert!(matches!(number, Err(Error::InvalidPart(10_001))));
    complete(&objects, &upload, &[small]).await.unwrap();
}

#[tokio::test]
async fn aborted_uploads_and_deleted_buckets_free_their_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let objects = open(dir.path());
    objects.create_bucket("b").await.unwrap();
    let mut ids = Vec::new();
    for key in ["a/1", "a/2", "b"] {
        let upload = objects.begin_upload(request(key, None)).await.unwrap();
        part(&objects, &upload, 1, vec![1; 10_000]).await;
        ids.push(upload.id);
    }
    let page = objects.uploads("b", "a/", None, 1).unwrap();
    assert_eq!((page.uploads[0].request.key.as_str(), page.more), ("a/1", true));
    let page = objects.uploads("b", "", Some(("a/1", None)), 10).unwrap();
    assert_eq!((page.uploads.len(), page.more), (2, false));
    objects.abort_upload("b", "a/1", &ids[0]).await.unwrap();
    assert!(matches!(objects.abort_upload("b", "a/1", &ids[0]).await, Err(Error::NoSuchUpload(_))));
    objects.delete_bucket("b").await.unwrap();
    drop(objects);
    drop(open(dir.path()));
    assert_eq!(files(dir.path()), 0);
}
