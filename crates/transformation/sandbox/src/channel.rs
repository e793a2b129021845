//! Messages with file descriptors over a unix socket that keeps their boundaries.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream as StdUnixStream;

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::Interest;
use tokio::net::UnixStream;

/// Bytes of the largest message. The kernel's own default limit is a little more.
const MAX_MESSAGE: usize = 192 << 10;
/// File descriptors that one message may carry.
const MAX_DESCRIPTORS: usize = 16;

/// One end of a connection.
#[derive(Debug)]
pub(crate) struct Channel(OwnedFd);

impl Channel {
    /// Two connected ends that no other program inherits.
    pub(crate) fn pair() -> io::Result<(Self, Self)> {
        let (left, right) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        Ok((Self(left), Self(right)))
    }

    pub(crate) fn from_fd(fd: OwnedFd) -> Self {
        Self(fd)
    }

    pub(crate) fn into_fd(self) -> OwnedFd {
        self.0
    }

    /// Sends a message. A peer that is gone is an error, never a signal.
    pub(crate) fn send<T: Serialize>(&self, message: &T, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
        send(self.as_fd(), message, descriptors)
    }

    /// Receives a message; none when the peer is gone.
    pub(crate) fn receive<T: DeserializeOwned>(&self) -> io::Result<Option<(T, Vec<OwnedFd>)>> {
        receive(self.as_fd())
    }
}

/// The end that a server waits on without blocking.
#[derive(Debug)]
pub(crate) struct AsyncChannel(UnixStream);

impl AsyncChannel {
    /// Must be called inside the runtime.
    pub(crate) fn new(channel: Channel) -> io::Result<Self> {
        let stream = StdUnixStream::from(channel.0);
        stream.set_nonblocking(true)?;
        UnixStream::from_std(stream).map(Self)
    }

    /// Sends a message. The peer is expected to be reading: a full socket is an error.
    pub(crate) fn send<T: Serialize>(&self, message: &T) -> io::Result<()> {
        send(self.0.as_fd(), message, &[])
    }

    /// Receives a message; none when the peer is gone. Nothing is lost when the future is dropped.
    pub(crate) async fn receive<T: DeserializeOwned>(&self) -> io::Result<Option<(T, Vec<OwnedFd>)>> {
        self.0.async_io(Interest::READABLE, || receive(self.0.as_fd())).await
    }
}

fn send<T: Serialize>(socket: BorrowedFd<'_>, message: &T, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
    let bytes = serde_json::to_vec(message)?;
    if bytes.len() > MAX_MESSAGE {
        let problem = format!("command, environment and mounts are {} bytes; {MAX_MESSAGE} fit", bytes.len());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
    }
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() && !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "too many file descriptors for a message"));
    }
    retry(|| sendmsg(socket, &[IoSlice::new(&bytes)], &mut control, SendFlags::NOSIGNAL))?;
    Ok(())
}

fn receive<T: DeserializeOwned>(socket: BorrowedFd<'_>) -> io::Result<Option<(T, Vec<OwnedFd>)>> {
    let mut bytes = vec![0; MAX_MESSAGE];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = retry(|| recvmsg(socket, &mut [IoSliceMut::new(&mut bytes)], &mut control, RecvFlags::CMSG_CLOEXEC));
    let received = match received {
        Err(Errno::CONNRESET) => return Ok(None),
        other => other?,
    };
    if received.flags.intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a message was cut off"));
    }
    if received.bytes == 0 {
        return Ok(None);
    }
    let mut descriptors = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            descriptors.extend(rights);
        }
    }
    Ok(Some((serde_json::from_slice(&bytes[..received.bytes])?, descriptors)))
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn retry<T>(mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            other => return other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_carry_descriptors_and_keep_their_boundaries() {
        let (left, right) = Channel::pair().unwrap();
        let file = std::fs::File::open("/dev/null").unwrap();
        left.send(&"one", &[file.as_fd()]).unwrap();
        left.send(&"two", &[]).unwrap();
        let (first, descriptors) = right.receive::<String>().unwrap().unwrap();
        assert_eq!((first.as_str(), descriptors.len()), ("one", 1));
        assert_eq!(right.receive::<String>().unwrap().unwrap().0, "two");
        drop(left);
        assert!(right.receive::<String>().unwrap().is_none());
        assert!(right.send(&"late", &[]).is_err());
    }

    #[test]
    fn what_does_not_fit_is_refused_by_size() {
        let (left, _right) = Channel::pair().unwrap();
        let error = left.send(&"x".repeat(MAX_MESSAGE), &[]).unwrap_err();
        assert!(error.to_string().contains("bytes"), "{error}");
    }
}
