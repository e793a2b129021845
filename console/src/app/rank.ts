/** Which commands some letters mean, the best first. */
import type { Command } from '../lib/area';

/** 0 is no match: all words must be found; beginnings of names count most, then beginnings of words, then insides. */
export function score(command: Command, words: readonly string[]): number {
  const title = command.title.toLowerCase();
  const rest = `${command.kind} ${command.keywords ?? ''}`.toLowerCase();
  let sum = 0;
  for (const word of words) {
    const at = title.indexOf(word);
    if (at === 0) sum += title === word ? 12 : 8;
    else if (at > 0) sum += /[^a-z0-9]/.test(title[at - 1] ?? '') ? 5 : 3;
    else if (rest.includes(word)) sum += 1;
    else return 0;
  }
  return sum;
}

export function rank(commands: readonly Command[], text: string): Command[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [...commands];
  const scored = commands.map((command, at) => ({ command, at, score: score(command, words) }));
  const found = scored.filter((one) => one.score > 0);
  found.sort((a, b) => b.score - a.score || a.command.title.length - b.command.title.length || a.at - b.at);
  return found.map(({ command }) => command);
}
