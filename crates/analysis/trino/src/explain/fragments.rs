//! A plan cut into fragments: each is what one set of threads does before rows go to others.

use super::node::{Exchange, Node};

/// A part of a plan that one set of threads works on.
#[derive(Debug, Clone)]
pub(super) struct Fragment {
    pub(super) id: usize,
    /// SINGLE, HASH, ROUND_ROBIN or SOURCE.
    pub(super) kind: String,
    /// How the rows leave it.
    pub(super) partitioning: Exchange,
    pub(super) root: Node,
}

/// The whole plan as one fragment.
pub(super) fn whole(root: Node) -> Fragment {
    Fragment { id: 0, kind: "SINGLE".to_owned(), partitioning: Exchange::Single, root }
}

/// The fragments, the last one to run first.
pub(super) fn cut(root: Node) -> Vec<Fragment> {
    let mut fragments: Vec<Fragment> = Vec::new();
    // Breadth first, so that a fragment's number is below those of its sources.
    let mut waiting = std::collections::VecDeque::from([(root, Exchange::Single)]);
    let mut next = 1;
    while let Some((mut root, partitioning)) = waiting.pop_front() {
        let mut incoming = Vec::new();
        detach(&mut root, &mut next, &mut incoming);
        let kind = kind(&root, &incoming);
        fragments.push(Fragment { id: fragments.len(), kind, partitioning, root });
        waiting.extend(incoming);
    }
    fragments
}

/// Puts a source in the place of each exchange, whose input becomes a fragment of its own.
fn detach(node: &mut Node, next: &mut usize, incoming: &mut Vec<(Node, Exchange)>) {
    for child in &mut node.children {
        let Some(exchange) = child.exchange.clone() else {
            detach(child, next, incoming);
            continue;
        };
        let name = if exchange == Exchange::Merge { "RemoteMerge" } else { "RemoteSource" };
        let mut source = Node::new(name, Vec::new()).with("sourceFragmentIds", format!("[{next}]"));
        *next += 1;
        source.descriptor.extend(child.descriptor.iter().filter(|(key, _)| *key == "orderBy").cloned());
        (source.outputs, source.ran) = (child.outputs.clone(), child.ran.clone());
        let mut exchanged = std::mem::replace(child, source);
        if let Some(below) = exchanged.children.pop() {
            incoming.push((below, exchange));
        }
    }
}

fn kind(root: &Node, incoming: &[(Node, Exchange)]) -> String {
    let mut scans = false;
    root.walk(&mut |node| scans |= node.name.contains("Scan"));
    let mut dealt = incoming.iter().map(|(_, exchange)| exchange.partitioning());
    let dealt = dealt.find(|partitioning| *partitioning != "SINGLE");
    match (scans, dealt) {
        (true, _) => "SOURCE".to_owned(),
        (false, Some(partitioning)) => partitioning.to_owned(),
        (false, None) => "SINGLE".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(how: Exchange, below: Node) -> Node {
        Node { exchange: Some(how), ..Node::new("LocalExchange", vec![below]) }
    }

    #[test]
    fn fragments_end_at_exchanges() {
        let scan = Node::new("TableScan", Vec::new());
        let partial = Node::new("Aggregate", vec![scan]);
        let total = Node::new("Aggregate", vec![exchange(Exchange::Hash(vec!["a".to_owned()]), partial)]);
        let fragments = cut(Node::new("Output", vec![exchange(Exchange::Single, total)]));
        let kinds: Vec<_> = fragments.iter().map(|fragment| fragment.kind.as_str()).collect();
        assert_eq!(kinds, ["SINGLE", "HASH", "SOURCE"]);
        assert_eq!(fragments[0].root.children[0].title(), "RemoteSource[sourceFragmentIds = [1]]");
        assert_eq!(fragments[2].partitioning, Exchange::Hash(vec!["a".to_owned()]));
    }
}
