//! What rules measure for CloudWatch ("Monitoring Amazon EventBridge with Amazon CloudWatch").

use boathouse_aws::Platform;
use boathouse_aws::measures::Metric;

use crate::action::Action;
use crate::delivery::{Delivery, Sender};

const INVOCATIONS: Metric = Metric { namespace: "AWS/Events", name: "Invocations", unit: "Count" };
const FAILED: Metric = Metric { namespace: "AWS/Events", name: "FailedInvocations", unit: "Count" };

/// A rule's target was invoked, or given up. Retries don't count, nor do dead letters.
pub(crate) fn invoked(platform: &Platform, delivery: &Delivery, failed: bool) {
    let is_letter = matches!(&delivery.action, Action::Queue { attributes, .. } if !attributes.is_empty());
    let Some((_, rule)) = delivery.source_arn.rsplit_once('/') else { return };
    if delivery.sender != Sender::Rule || is_letter {
        return;
    }
    platform.measure(INVOCATIONS, &[("RuleName", rule)], 1.0);
    if failed {
        platform.measure(FAILED, &[("RuleName", rule)], 1.0);
    }
}
