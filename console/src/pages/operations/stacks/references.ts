/**
 * Which of a template's resources name which others, read from its text: JSON as it is, YAML by its indentation, since all that
 * counts are names that stand in references.
 */

export interface Reference {
  from: string;
  to: string;
}

/** What each resource of `names` mentions of the others. */
export function references(template: string, names: readonly string[]): Reference[] {
  const bodies = isJson(template) ? jsonBodies(template) : yamlBodies(template);
  const known = new Set(names);
  return names.flatMap((to) => [...mentioned(bodies.get(to) ?? '')].filter((from) => from !== to && known.has(from)).map((from) => ({ from, to })));
}

export const isJson = (template: string) => template.trimStart().startsWith('{');

function jsonBodies(template: string): Map<string, string> {
  try {
    const { Resources = {} } = JSON.parse(template) as { Resources?: Record<string, unknown> };
    return new Map(Object.entries(Resources).map(([name, body]) => [name, JSON.stringify(body, null, 1)]));
  } catch {
    return new Map();
  }
}

/** The lines of each entry below `Resources:`. */
function yamlBodies(template: string): Map<string, string> {
  const bodies = new Map<string, string>();
  let indent: number | undefined;
  let inside = false;
  let name: string | undefined;
  for (const line of template.split('\n')) {
    if (/^\s*(#.*)?$/.test(line)) continue;
    const depth = line.search(/\S/);
    if (depth === 0) {
      inside = /^["']?Resources["']?\s*:/.test(line);
      indent = undefined;
      continue;
    }
    if (!inside) continue;
    indent ??= depth;
    if (depth === indent) name = /^\s*["']?([A-Za-z0-9]+)["']?\s*:/.exec(line)?.[1];
    if (name) bodies.set(name, `${bodies.get(name) ?? ''}${line}\n`);
  }
  return bodies;
}

/** How a resource is named by others; each pattern has the name, or text with the names, in its first group. */
const PATTERNS = [
  /!Ref\s+["']?(\w+)/g,
  /["']?\bRef["']?\s*:\s*["']?(\w+)/g,
  /!GetAtt\s+["']?(\w+)/g,
  /["']?Fn::GetAtt["']?\s*:\s*(?:\[\s*|-\s*)?["']?(\w+)/g,
  /\$\{(\w+)(?:\.[\w.]+)?\}/g,
];

function mentioned(body: string): Set<string> {
  const found = new Set<string>();
  for (const pattern of PATTERNS) for (const match of body.matchAll(pattern)) found.add(match[1] ?? '');
  const depends = /["']?DependsOn["']?\s*:\s*(\[[^\]]*\]|(?:\s*-\s*["']?\w+["']?)+|["']?\w+)/.exec(body);
  for (const name of depends?.[1]?.match(/\w+/g) ?? []) found.add(name);
  return found;
}
