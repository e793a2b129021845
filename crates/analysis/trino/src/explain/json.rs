//! A plan as JSON.

use serde_json::{Map, Value, json};

use super::fragments::Fragment;
use super::node::{Estimate, Node, Ran};
use super::text::{bytes, time};

/// One tree.
pub(super) fn tree(root: &Node) -> String {
    pretty(&node(root, &mut 0))
}

/// A tree for each fragment, by its number.
pub(super) fn fragments(fragments: &[Fragment]) -> String {
    let mut count = 0;
    let trees = fragments.iter().map(|fragment| (fragment.id.to_string(), node(&fragment.root, &mut count)));
    pretty(&Value::Object(trees.collect()))
}

/// The fragments with what they did.
pub(super) fn analyzed(fragments: &[Fragment]) -> String {
    let fragment = |fragment: &Fragment| {
        let total = super::text::Total::of(fragment);
        json!({
            "id": fragment.id.to_string(),
            "stageStats": {
                "totalCpuTime": time(total.cpu),
                "inputRows": format!("{} rows", total.input_rows),
                "inputDataSize": bytes(total.input_bytes),
                "outputRows": format!("{} rows", total.rows),
                "outputDataSize": bytes(total.bytes),
            },
            "outputLayout": fragment.root.symbols(),
            "logicalPlan": {"1": [ran_node(&fragment.root)]},
        })
    };
    pretty(&json!({"fragments": fragments.iter().map(fragment).collect::<Vec<_>>()}))
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

fn node(shown: &Node, count: &mut usize) -> Value {
    let id = count.to_string();
    *count += 1;
    let descriptor: Map<String, Value> =
        shown.descriptor.iter().map(|(key, value)| ((*key).to_owned(), value.clone().into())).collect();
    let outputs: Vec<Value> = shown.outputs.iter().map(|(symbol, ty)| json!({"symbol": symbol, "type": ty})).collect();
    let children: Vec<Value> = shown.children.iter().map(|child| node(child, count)).collect();
    json!({
        "id": id,
        "name": shown.name,
        "descriptor": descriptor,
        "outputs": outputs,
        "details": shown.details,
        "estimates": shown.estimate.iter().map(estimate).collect::<Vec<_>>(),
        "children": children,
    })
}

/// What is not known is Trino's `NaN`. Costs are never known: nothing here decides by them.
fn estimate(estimate: &Estimate) -> Value {
    let number = |known: Option<usize>| known.map_or_else(|| Value::from("NaN"), Value::from);
    json!({
        "outputRowCount": number(estimate.rows),
        "outputSizeInBytes": number(estimate.bytes),
        "cpuCost": "NaN",
        "memoryCost": "NaN",
        "networkCost": "NaN",
    })
}

fn ran_node(shown: &Node) -> Value {
    let title = shown.title();
    let mut value = json!({
        "name": shown.name,
        "identifier": title.strip_prefix(shown.name.as_str()).unwrap_or_default(),
        "outputs": shown.outputs.iter().map(|(symbol, _)| symbol).collect::<Vec<_>>(),
        "details": shown.details.iter().map(|line| format!("{line}\n")).collect::<String>(),
    });
    if let Some(ran) = &shown.ran {
        value["distributedNodeStats"] = statistics(ran);
    }
    value["children"] = shown.children.iter().map(ran_node).collect();
    value
}

fn statistics(ran: &Ran) -> Value {
    let mut value = json!({
        "nodeCpuTime": time(ran.cpu),
        "nodeOutputRows": ran.rows,
        "nodeOutputDataSize": bytes(ran.bytes),
    });
    if let Some(rows) = ran.input_rows {
        value["nodeInputRows"] = rows.into();
    }
    if let Some(read) = ran.physical_input {
        value["nodePhysicalInputDataSize"] = bytes(read).into();
    }
    value
}
