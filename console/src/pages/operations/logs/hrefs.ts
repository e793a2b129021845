/** What stands in the addresses of logs: names of streams have no colon, and names of groups no comma. */
import { to } from '../../../lib/router';

export const searchHref = (groups: readonly string[], filter = '') => to('/operations/logs/search', { groups: groups.join(','), filter });

export const listOf = (text: string, separator: ':' | ',') => text.split(separator).filter(Boolean);
