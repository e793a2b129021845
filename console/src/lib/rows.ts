/** Filtering and sorting of lists. */

export type Value = string | number | boolean | Date | undefined | null;

export interface Sort {
  column: string;
  descending?: boolean;
}

export interface Sortable<T> {
  id: string;
  value?: (item: T) => Value;
}

const words = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });

/** Numbers and times by size, texts by their words and numbers; what is missing comes last, whatever the direction. */
export function compare(a: Value, b: Value, descending = false): number {
  const [noA, noB] = [a === undefined || a === null || a === '', b === undefined || b === null || b === ''];
  if (noA || noB) return Number(noA) - Number(noB);
  const [x, y] = [a instanceof Date ? a.getTime() : a, b instanceof Date ? b.getTime() : b];
  const order = typeof x === 'number' && typeof y === 'number' ? x - y : words.compare(String(x), String(y));
  return descending ? -order : order;
}

function text(value: Value): string {
  if (value === undefined || value === null) return '';
  return (value instanceof Date ? value.toISOString() : String(value)).toLowerCase();
}

/** The items that hold every word of `filter` in some column, in order; those that compare the same keep their places. */
export function arrange<T>(items: readonly T[], columns: readonly Sortable<T>[], filter: string, sort?: Sort): readonly T[] {
  const wanted = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const matches = (item: T) => {
    const whole = columns.map((column) => text(column.value?.(item))).join('\n');
    return wanted.every((word) => whole.includes(word));
  };
  const found = wanted.length === 0 ? items : items.filter(matches);
  const by = columns.find((column) => column.id === sort?.column)?.value;
  if (!by) return found;
  const keyed = found.map((item) => ({ item, key: by(item) }));
  keyed.sort((a, b) => compare(a.key, b.key, sort?.descending));
  return keyed.map(({ item }) => item);
}
