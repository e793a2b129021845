/** What was denied: read from an error's words, or from an event of the audit log. */
export interface Denial {
  /** The ARN of who asked, or the name of a service. */
  principal: string;
  action: string;
  /** `*` where the words don't name it. */
  resource: string;
}

/** Reads `User: … is not authorized to perform: … on resource: …`, wherever it stands in a text. */
export function parseDenial(text: string): Denial | undefined {
  const found = /(?:User:\s*)?(arn:aws[\w-]*:\S+|[\w.-]+\.amazonaws\.com) is not authorized to perform:\s*([\w-]+:\w+)(?:\s+on(?: resource:)?\s+"?([^\s"]+))?/i.exec(
    text.replace(/\s+/g, ' '),
  );
  if (!found) return undefined;
  const [, principal = '', action = '', resource = '*'] = found;
  return { principal, action, resource: resource.replace(/[.,:;]+$/, '') };
}

/** Whose policies are weighed for an ARN: a session's are its role's. */
export interface Source {
  kind: 'User' | 'Role' | 'Group' | 'root' | 'service' | 'other';
  name: string;
}

export function sourceOf(principal: string): Source {
  const [, , service = '', , , ...rest] = principal.split(':');
  const [sort = '', ...path] = rest.join(':').split('/');
  const last = path.at(-1) ?? '';
  if (/^[\w.-]+\.amazonaws\.com$/.test(principal)) return { kind: 'service', name: principal };
  if (service === 'iam' && sort === 'root') return { kind: 'root', name: 'root' };
  if (service === 'iam' && sort === 'user') return { kind: 'User', name: last };
  if (service === 'iam' && sort === 'role') return { kind: 'Role', name: last };
  if (service === 'iam' && sort === 'group') return { kind: 'Group', name: last };
  if (service === 'sts' && sort === 'assumed-role') return { kind: 'Role', name: path[0] ?? '' };
  return { kind: 'other', name: principal };
}

/** Condition keys and values, a line each, as `aws:SourceIp = 10.0.0.1`. */
export function parseContext(text: string): Record<string, string> {
  const pairs = text.split('\n').map((line) => /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(line));
  return Object.fromEntries(pairs.flatMap((pair) => (pair?.[1] && pair[2] ? [[pair[1], pair[2]]] : [])));
}
