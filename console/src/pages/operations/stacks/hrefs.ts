/** Where the pages of a stack are that `lib/links.ts` doesn't know. */
import { to, seg } from '../../../lib/router';

export const updateHref = (name: string) => to(`/operations/stacks/${seg(name)}/update`);
export const changesHref = (name: string, set: string) => to(`/operations/stacks/${seg(name)}`, { tab: 'changes', set });
export const eventsHref = (nameOrId: string) => to(`/operations/stacks/${seg(nameOrId)}`, { tab: 'events' });
