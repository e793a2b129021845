// Runs expressions through the reference implementation and records what it gives.
//
//   node reference.mjs                 rewrites results.json from expressions.txt
//   node reference.mjs random SEED N   writes N random expressions with their results to standard output
//
// The reference is the npm package jsonata, in the version that Step Functions documents. It is installed into a temporary
// directory, or taken from JSONATA_DIR. Time zone and time are fixed.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expression as random } from "./random.mjs";

const VERSION = "2.0.6";
const NOW = 1510067557121;
const here = dirname(fileURLToPath(import.meta.url));
process.env.TZ = "UTC";

function load() {
  const given = process.env.JSONATA_DIR;
  const directory = given ?? mkdtempSync(join(tmpdir(), "jsonata-"));
  try {
    if (!given) execFileSync("npm", ["install", "--silent", "--prefix", directory, `jsonata@${VERSION}`]);
    return createRequire(join(directory, "package.json"))("jsonata");
  } finally {
    if (!given) rmSync(directory, { recursive: true });
  }
}

// Time stands still.
const RealDate = Date;
globalThis.Date = class extends RealDate {
  constructor(...given) {
    super(...(given.length ? given : [NOW]));
  }
  static now() {
    return NOW;
  }
};

/** Plain JSON of a result, with `{"function": true}` or `{"undefined": true}` where there is none. */
function recorded(value) {
  if (value === undefined) return { undefined: true };
  let functions = false;
  const text = JSON.stringify(value, (_, member) => {
    if (typeof member === "function" || member?._jsonata_lambda || member?._jsonata_function) functions = true;
    // Step Functions writes these as text.
    if (typeof member === "number" && !Number.isFinite(member)) return String(member);
    return functions ? null : typeof member === "string" ? member.toWellFormed() : member;
  });
  return functions || text === undefined ? { function: true } : { value: JSON.parse(text) };
}

export async function evaluate(jsonata, text, input) {
  try {
    const expression = jsonata(text);
    let work = 0;
    expression.assign(Symbol.for("jsonata.__evaluate_entry"), () => {
      if (++work > 200000) throw { code: "timeout" };
    });
    return recorded(await expression.evaluate(input));
  } catch (error) {
    return { error: error.code ?? "" };
  }
}

/** Lines: `## …` notes, `@name {json}` inputs, `> name` the input of what follows, anything else an expression. */
function* statements(text) {
  const inputs = { none: undefined };
  let input = "none";
  for (const line of text.split("\n")) {
    if (!line.trim() || line.startsWith("## ")) continue;
    const given = line.match(/^@(\w+) (.+)$/);
    if (given) inputs[given[1]] = JSON.parse(given[2]);
    else if (line.startsWith("> ")) input = line.slice(2).trim();
    else yield { input, data: inputs[input], text: line.replaceAll("\\n", "\n") };
  }
}

async function main() {
  const jsonata = load();
  const text = readFileSync(join(here, "expressions.txt"), "utf8");
  const [mode, seed, count] = process.argv.slice(2);
  const lines = [];
  if (mode === "random") {
    const data = JSON.parse(text.match(/^@shop (.*)$/m)[1]);
    for (const expression of random(Number(seed), Number(count)))
      lines.push(JSON.stringify({ input: "shop", text: expression, ...(await evaluate(jsonata, expression, structuredClone(data))) }));
    process.stdout.write(`[\n${lines.join(",\n")}\n]\n`);
    return;
  }
  for (const { input, data, text: expression } of statements(text)) {
    const copy = data === undefined ? undefined : structuredClone(data);
    lines.push(JSON.stringify({ input, text: expression, ...(await evaluate(jsonata, expression, copy)) }));
  }
  writeFileSync(join(here, "results.json"), `[\n${lines.join(",\n")}\n]\n`);
  console.error(`${lines.length} expressions`);
}

await main();
