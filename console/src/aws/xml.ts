/** Reading the XML of S3 and of the query protocol. */

/** An element, read by the names of its children; whatever is missing is empty. */
export class Xml {
  constructor(private readonly element: Element | undefined) {}

  static parse(text: string): Xml {
    const document = new DOMParser().parseFromString(text, 'application/xml');
    return new Xml(document.documentElement);
  }

  get name(): string {
    return this.element?.localName ?? '';
  }

  get exists(): boolean {
    return this.element !== undefined;
  }

  /** The element's own text. */
  get value(): string {
    return this.element?.textContent ?? '';
  }

  children(name?: string): Xml[] {
    const all = this.element ? [...this.element.children] : [];
    return all.filter((child) => name === undefined || child.localName === name).map((child) => new Xml(child));
  }

  /** The first descendant along a path of names. */
  child(...path: string[]): Xml {
    return path.reduce<Xml>((xml, name) => xml.children(name)[0] ?? NOTHING, this);
  }

  text(...path: string[]): string {
    return this.child(...path).value;
  }

  /** The text, or nothing where the element is missing. */
  maybe(...path: string[]): string | undefined {
    const found = this.child(...path);
    return found.exists ? found.value : undefined;
  }

  number(...path: string[]): number {
    return Number(this.text(...path) || 0);
  }

  flag(...path: string[]): boolean {
    return this.text(...path) === 'true';
  }

  time(...path: string[]): Date | undefined {
    const text = this.text(...path);
    return text ? new Date(text) : undefined;
  }

  /** The items of a list of the query protocol: `<Roles><member>…</member></Roles>`. */
  members(...path: string[]): Xml[] {
    return this.child(...path).children('member');
  }
}

const NOTHING = new Xml(undefined);

/** Text as it may stand in an element. */
export function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] ?? c);
}
