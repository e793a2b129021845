/** Keys of routes: `GET /flights/{id}`. */

export interface RouteParts {
  method: string;
  path: string;
  /** The names in braces, `+` included. */
  variables: string[];
}

export function routeParts(key: string): RouteParts {
  const found = /^([A-Z]+) (\/.*)$/.exec(key);
  const path = found?.[2] ?? '/';
  return { method: found?.[1] ?? 'ANY', path, variables: [...path.matchAll(/\{([^}]+)\}/g)].map((match) => match[1] ?? '') };
}

/** A path with values for its variables; one that takes the rest keeps its slashes. */
export function fill(path: string, values: Readonly<Record<string, string>>): string {
  return path.replace(/\{([^}]+)\}/g, (_, name: string) => {
    const value = encodeURIComponent(values[name] ?? '');
    return name.endsWith('+') ? value.replaceAll('%2F', '/') : value;
  });
}
