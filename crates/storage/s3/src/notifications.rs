//! Event notifications of buckets ("Amazon S3 Event Notifications" in the S3 user guide).
//!
//! A bucket's configuration is the document that makes the object engine keep the bucket's changes; a worker tells them
//! to Lambda functions and to EventBridge, at least once each. Queues and topics as destinations are refused by name.
//!
//! | Module | What it does |
//! |---|---|
//! | [`configuration`] | what is told to whom: validation, overlaps, filters |
//! | [`message`] | S3's event messages |
//! | [`worker`] | tells changes, tries again, forgets what was told |

pub(crate) mod configuration;
pub(crate) mod message;
pub(crate) mod worker;

pub(crate) use configuration::Configuration;

/// Who calls functions and the event bus.
pub(crate) const PRINCIPAL: &str = "s3.amazonaws.com";
