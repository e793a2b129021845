/** The number that style elements must bear to be let in: the server puts it into the page. */
export function nonce(): string {
  return document.querySelector('meta[name="nonce"]')?.getAttribute('content') ?? '';
}
