// Random expressions of the language's grammar over the input `shop`.

/** A repeatable sequence of numbers from 0 to 1. */
function sequence(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const NAMES = ["orders", "items", "price", "qty", "sku", "tags", "name", "customer", "address", "city", "none", "empty", "nested", "flag", "nil"];
const TEXTS = ["'a'", "'abc'", "''", "'12'", "'x-y-z'", "'Hello World'", "'ü'"];
const NUMBERS = ["0", "1", "2", "3", "-1", "2.5", "10", "-0.5", "100"];
const ONE = ["string", "length", "uppercase", "lowercase", "trim", "number", "abs", "floor", "ceil", "round", "sum", "max", "min", "average", "boolean", "not", "exists", "count", "reverse", "distinct", "keys", "spread", "merge", "type", "sort", "encodeUrlComponent", "base64encode"];
const TWO = ["append", "substring", "substringBefore", "substringAfter", "contains", "split", "join", "pad", "lookup", "power", "zip", "formatNumber", "formatBase", "round"];
const BINARY = ["+", "-", "*", "/", "%", "=", "!=", "<", "<=", ">", ">=", "&", "and", "or", "in", "~>"];

export function* expression(seed, count) {
  const next = sequence(seed);
  const pick = (list) => list[Math.floor(next() * list.length)];
  const some = (most, make) => Array.from({ length: Math.floor(next() * (most + 1)) }, make);
  const lambda = (depth) => {
    const parameters = ["$a", "$b", "$c"].slice(0, 1 + Math.floor(next() * 3));
    return `function(${parameters.join(", ")}){${pick([...parameters, any(depth - 1), `${pick(parameters)} ${pick(BINARY)} ${any(depth - 1)}`])}}`;
  };
  const step = (depth) =>
    pick([
      () => pick(NAMES), () => pick(NAMES), () => pick(NAMES), () => "*", () => "**", () => "%", () => "$",
      () => `(${any(depth - 1)})`, () => `[${some(2, () => any(depth - 1)).join(", ")}]`, () => `{${pick(TEXTS)}: ${any(depth - 1)}}`,
      () => `$${pick(ONE)}()`, () => `$${pick(ONE)}(${any(depth - 1)})`,
    ])();
  const suffix = (depth) =>
    pick([
      () => "", () => "", () => "", () => "", () => "[]", () => `[${pick(NUMBERS)}]`, () => `[${any(depth - 1)}]`, () => `[[${pick(NUMBERS)}..${pick(NUMBERS)}]]`,
      () => `@${pick(["$x", "$y"])}`, () => `#${pick(["$i", "$j"])}`, () => `^(${pick(["", "<", ">"])}${pick(NAMES)})`,
    ])();
  const path = (depth) => {
    const steps = [pick(NAMES) + suffix(depth), ...some(3, () => step(depth) + suffix(depth))];
    return steps.join(".") + (next() < 0.07 ? `{${pick(["name", "sku", "$string(qty)", "'k'"])}: ${any(depth - 1)}}` : "");
  };
  const any = (depth) => {
    if (depth <= 0) return pick([pick(NUMBERS), pick(TEXTS), pick(NAMES), "true", "null", "$", "$x", "$i", "$$"]);
    return pick([
      () => path(depth), () => path(depth), () => path(depth), () => path(depth),
      () => `${any(depth - 1)} ${pick(BINARY)} ${any(depth - 1)}`,
      () => `${any(depth - 1)} ? ${any(depth - 1)} : ${any(depth - 1)}`,
      () => `(${pick(["$x", "$y"])} := ${any(depth - 1)}; ${any(depth - 1)})`,
      () => `[${some(3, () => any(depth - 1)).join(", ")}]`,
      () => `{${some(2, () => `${pick(TEXTS)}: ${any(depth - 1)}`).join(", ")}}`,
      () => `$${pick(ONE)}(${any(depth - 1)})`,
      () => `$${pick(TWO)}(${any(depth - 1)}, ${any(depth - 1)})`,
      () => `$${pick(["map", "filter", "sort", "single", "each", "sift", "reduce"])}(${any(depth - 1)}, ${lambda(depth)})`,
      () => `${any(depth - 1)} ~> $${pick(ONE)}`,
      () => `-${any(depth - 1)}`,
      () => `(${lambda(depth)})(${some(3, () => any(depth - 1)).join(", ")})`,
      () => `$ ~> |${path(1)}|{${pick(TEXTS)}: ${any(depth - 1)}}|`,
    ])();
  };
  for (let index = 0; index < count; index++) yield any(3);
}
