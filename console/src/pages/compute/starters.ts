/** The runtimes that the server has, and a first file for each. */
export interface Runtime {
  value: string;
  label: string;
}

const python = ['3.14', '3.13', '3.12', '3.11', '3.10', '3.9'].map((version) => ({ value: `python${version}`, label: `Python ${version}` }));
const node = ['24', '22', '20', '18'].map((version) => ({ value: `nodejs${version}.x`, label: `Node.js ${version}` }));
const own = [
  { value: 'provided.al2023', label: 'Own program (provided.al2023)' },
  { value: 'provided.al2', label: 'Own program (provided.al2)' },
];

export const RUNTIMES: readonly { label: string; options: readonly Runtime[] }[] = [
  { label: 'Python', options: python },
  { label: 'Node.js', options: node },
  { label: 'Others', options: own },
];

export const runtimeLabel = (runtime: string | undefined) =>
  RUNTIMES.flatMap(({ options }) => options).find(({ value }) => value === runtime)?.label.replace(/^Own program \((.*)\)$/, '$1') ?? runtime ?? '–';

export interface Starter {
  file: string;
  handler: string;
  text: string;
}

const PYTHON: Starter = {
  file: 'app.py',
  handler: 'app.handler',
  text: `import json


def handler(event, context):
    print("event:", json.dumps(event))
    return {"message": f"Hello from {context.function_name}", "keys": sorted(event)}
`,
};

const NODE: Starter = {
  file: 'index.mjs',
  handler: 'index.handler',
  text: `export const handler = async (event, context) => {
  console.log("event:", JSON.stringify(event));
  return { message: \`Hello from \${context.functionName}\`, keys: Object.keys(event).sort() };
};
`,
};

/** None for runtimes whose program comes with the archive. */
export function starterOf(runtime: string): Starter | undefined {
  if (runtime.startsWith('python')) return PYTHON;
  return runtime.startsWith('nodejs') ? NODE : undefined;
}
