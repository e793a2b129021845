//! Locks: until when a version can't be deleted.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// Who may delete a retained version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LockMode {
    /// Whoever has a special right to.
    Governance,
    /// Nobody.
    Compliance,
}

/// How long a version is retained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retention {
    /// Who may delete it before.
    pub mode: LockMode,
    /// The end: milliseconds since the Unix epoch.
    pub until_ms: u64,
}

/// How long a new version is retained if nobody says otherwise: so many days and years of 365 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefaultRetention {
    /// Who may delete it before.
    pub mode: LockMode,
    /// Days.
    pub days: u32,
    /// Years.
    pub years: u32,
}

impl DefaultRetention {
    /// The retention of what is written now.
    pub(crate) fn from(self, now_ms: u64) -> Retention {
        let days = u64::from(self.days) + 365 * u64::from(self.years);
        Retention { mode: self.mode, until_ms: now_ms.saturating_add(days * DAY_MS) }
    }
}

/// What a bucket whose versions can be locked wants for new ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketLock {
    /// Their retention.
    pub default: Option<DefaultRetention>,
}

/// What keeps a version from being deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// For a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<Retention>,
    /// Until it is taken off; `None` if nobody ever said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_hold: Option<bool>,
}

impl Lock {
    pub(crate) fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a version may be deleted now.
    ///
    /// # Errors
    /// [`Error::Locked`].
    pub(crate) fn check(&self, now_ms: u64, bypass_governance: bool) -> Result<()> {
        let retained = self.retention.is_some_and(|retention| {
            let passed = bypass_governance && retention.mode == LockMode::Governance;
            retention.until_ms > now_ms && !passed
        });
        if retained || self.legal_hold == Some(true) { Err(Error::Locked) } else { Ok(()) }
    }

    /// Whether retention may become `new`: it may be prolonged, and what is over may be replaced. Anything else may be
    /// changed of governance by those who may bypass it, also into compliance.
    ///
    /// # Errors
    /// [`Error::Locked`].
    pub fn retain(&mut self, new: Option<Retention>, now_ms: u64, bypass_governance: bool) -> Result<()> {
        let allowed = match (self.retention.filter(|old| old.until_ms > now_ms), new) {
            (None, _) => true,
            (Some(old), Some(new)) if new.mode == old.mode && new.until_ms >= old.until_ms => true,
            (Some(old), _) => old.mode == LockMode::Governance && bypass_governance,
        };
        if !allowed {
            return Err(Error::Locked);
        }
        self.retention = new;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retention(mode: LockMode, until_ms: u64) -> Option<Retention> {
        Some(Retention { mode, until_ms })
    }

    #[test]
    fn retained_until_the_end_and_held_for_good() {
        use LockMode::{Compliance, Governance};
        let lock = |mode| Lock { retention: retention(mode, 10), legal_hold: None };
        assert!(lock(Governance).check(9, false).is_err() && lock(Governance).check(10, false).is_ok());
        assert!(lock(Governance).check(9, true).is_ok() && lock(Compliance).check(9, true).is_err());
        let held = Lock { retention: None, legal_hold: Some(true) };
        assert!(held.check(99, true).is_err());
        assert!(Lock { legal_hold: Some(false), ..held }.check(99, false).is_ok());
    }

    #[test]
    fn retention_is_only_prolonged() {
        use LockMode::{Compliance, Governance};
        let outcome = |old, new, bypass| Lock { retention: old, legal_hold: None }.retain(new, 5, bypass).is_ok();
        for mode in [Compliance, Governance] {
            assert!(outcome(retention(mode, 10), retention(mode, 11), false));
            assert!(!outcome(retention(mode, 10), retention(mode, 9), false));
        }
        assert!(outcome(retention(Governance, 10), retention(Compliance, 11), true));
        assert!(!outcome(retention(Governance, 10), retention(Compliance, 11), false));
        assert!(outcome(retention(Governance, 10), None, true) && !outcome(retention(Governance, 10), None, false));
        assert!(!outcome(retention(Compliance, 10), None, true));
        assert!(!outcome(retention(Compliance, 10), retention(Governance, 11), true));
        assert!(outcome(retention(Compliance, 5), retention(Governance, 6), false));
    }
}
