//! Work on things that wait for each other: as much as possible at the same time.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use futures::StreamExt;
use futures::stream::FuturesUnordered;

/// Resources that are worked on at the same time.
const AT_ONCE: usize = 10;

/// What became of the work.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome<E> {
    /// What failed, in the order of failing.
    pub(crate) failed: Vec<(String, E)>,
    /// What was not begun: after a failure, behind one, or because the work was stopped.
    pub(crate) left: BTreeSet<String>,
}

/// Does `work` for each name when everything that the name waits for is done. After a failure nothing new begins, unless
/// `keep_going`: then only what waits for the failed one is left. Nothing new begins when `go_on` says no.
pub(crate) async fn run<E, F>(
    waits: &BTreeMap<String, BTreeSet<String>>,
    keep_going: bool,
    go_on: impl Fn() -> bool,
    work: impl Fn(String) -> F,
) -> Outcome<E>
where
    F: Future<Output = Result<(), E>>,
{
    let mut open = waits.clone();
    let known: BTreeSet<String> = open.keys().cloned().collect();
    open.values_mut().for_each(|needed| needed.retain(|name| known.contains(name)));
    let mut running = FuturesUnordered::new();
    let mut failed = Vec::new();
    loop {
        let stopped = !go_on() || !keep_going && !failed.is_empty();
        if !stopped {
            let ready: Vec<String> = open
                .iter()
                .filter(|(_, needed)| needed.is_empty())
                .map(|(name, _)| name.clone())
                .take(AT_ONCE.saturating_sub(running.len()))
                .collect();
            for name in ready {
                open.remove(&name);
                let ended = work(name.clone());
                running.push(async move { (name, ended.await) });
            }
        }
        match running.next().await {
            None => break,
            Some((name, Ok(()))) => open.values_mut().for_each(|needed| {
                needed.remove(&name);
            }),
            Some((name, Err(error))) => failed.push((name, error)),
        }
    }
    Outcome { failed, left: open.into_keys().collect() }
}

/// The same graph the other way round: who has to go before whom.
pub(crate) fn reversed(waits: &BTreeMap<String, BTreeSet<String>>) -> BTreeMap<String, BTreeSet<String>> {
    let mut turned: BTreeMap<String, BTreeSet<String>> =
        waits.keys().map(|name| (name.clone(), BTreeSet::new())).collect();
    for (name, needed) in waits {
        for other in needed {
            if let Some(set) = turned.get_mut(other) {
                set.insert(name.clone());
            }
        }
    }
    turned
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    fn waits(pairs: &[(&str, &[&str])]) -> BTreeMap<String, BTreeSet<String>> {
        let set = |needed: &[&str]| needed.iter().map(|it| (*it).to_owned()).collect();
        pairs.iter().map(|(name, needed)| ((*name).to_owned(), set(needed))).collect()
    }

    async fn order(graph: &[(&str, &[&str])], fails: &str, keep_going: bool) -> (Vec<String>, Outcome<()>) {
        let done = RefCell::new(Vec::new());
        let outcome = run(
            &waits(graph),
            keep_going,
            || true,
            |name| {
                let done = &done;
                async move {
                    tokio::task::yield_now().await;
                    if name == fails {
                        return Err(());
                    }
                    done.borrow_mut().push(name);
                    Ok(())
                }
            },
        )
        .await;
        (done.into_inner(), outcome)
    }

    const GRAPH: &[(&str, &[&str])] = &[("a", &["b", "c"]), ("b", &["d"]), ("c", &[]), ("d", &["gone"])];

    #[tokio::test]
    async fn what_is_needed_comes_first() {
        let (done, outcome) = order(GRAPH, "", false).await;
        let at = |name: &str| done.iter().position(|it| it == name).unwrap();
        assert!(at("d") < at("b") && at("b") < at("a") && at("c") < at("a"));
        assert_eq!(outcome, Outcome { failed: vec![], left: BTreeSet::new() });
        let turned = reversed(&waits(GRAPH));
        assert!(turned["b"].contains("a") && turned["a"].is_empty());
    }

    #[tokio::test]
    async fn a_failure_stops_what_waits_for_it() {
        let (done, outcome) = order(GRAPH, "b", true).await;
        assert_eq!(done.len(), 2);
        assert_eq!(outcome.failed, [("b".to_owned(), ())]);
        assert_eq!(outcome.left, BTreeSet::from(["a".to_owned()]));
    }

    #[tokio::test]
    async fn nothing_begins_when_stopped() {
        let outcome = run(&waits(GRAPH), false, || false, |_| async { Ok::<(), ()>(()) }).await;
        assert_eq!(outcome.left.len(), 4);
    }
}
