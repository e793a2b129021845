//! Our own operators among DataFusion's, and the rules that put them into a plan.
//!
//! | Module | What it does |
//! |---|---|
//! | `join_filter` | drops, right above a scan, the rows that a join further up will not match |
//! | `pace` | makes joins that multiply rows give way to others, and stoppable |

mod join_filter;
mod pace;

use std::sync::Arc;

use datafusion::physical_optimizer::PhysicalOptimizerRule;

/// The rules that run after all of DataFusion's.
pub(crate) fn rules() -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    vec![Arc::new(join_filter::PlaceJoinFilters), Arc::new(pace::PaceJoins)]
}
