/** The items of a Map: how many went how, and one of them that is looked at alone. Which one stands in the address. */
import Button from '@cloudscape-design/components/button';
import { useCallback } from 'react';

import { platformNow } from '../../aws/session';
import { count, duration } from '../../lib/format';
import { useParam } from '../../lib/router';
import { Status } from '../../lib/status';
import { DataTable } from '../../lib/table';
import { type Item, type Step, itemsOf } from './history';
import { counts } from './paint';

export interface ChosenItem {
  map: Step;
  index: number;
}

/** The item that the address names, as `event of the Map:index`. */
export function useItem(steps: readonly Step[]): { item: ChosenItem | undefined; choose: (map: Step, index: number | undefined) => void } {
  const [text, setText] = useParam('item');
  const [event, index] = text.split(':').map(Number);
  const map = text ? steps.find(({ id, items }) => id === event && items !== undefined) : undefined;
  const choose = useCallback((of: Step, at: number | undefined) => setText(at === undefined ? '' : `${of.id}:${at}`), [setText]);
  const item = map && index !== undefined && map.items?.[index] ? { map, index } : undefined;
  return { item, choose };
}

/** Above the picture while one item is looked at. */
export function ItemBar({ item: { map, index }, onChoose }: { item: ChosenItem; onChoose: (map: Step, index: number | undefined) => void }) {
  const { status } = map.items?.[index] ?? {};
  return (
    <div className="bh-items" role="status">
      <span>
        Item {count(index)} of {map.name}
      </span>
      <Status state={status} />
      <Button variant="inline-link" disabled={!map.items?.[index - 1]} onClick={() => onChoose(map, index - 1)}>
        Previous item
      </Button>
      <Button variant="inline-link" disabled={!map.items?.[index + 1]} onClick={() => onChoose(map, index + 1)}>
        Next item
      </Button>
      <Button variant="inline-link" onClick={() => onChoose(map, undefined)}>
        All items
      </Button>
    </div>
  );
}

const itemMs = ({ began, ended }: Item) => Math.max(0, (ended ?? platformNow() / 1000) - began) * 1000;

/** A Map's items, to choose one of. */
export function ItemList({ map, item, onItem }: { map: Step; item: ChosenItem | undefined; onItem: (map: Step, index: number | undefined) => void }) {
  const items = itemsOf(map);
  const chosen = item?.map === map ? item.index : undefined;
  return (
    <DataTable<Item>
      label="Items"
      description={counts(items)}
      items={items}
      param="items"
      filter={items.length > 10}
      height={200}
      rowKey={({ index }) => String(index)}
      onRowClick={({ index }) => onItem(map, index)}
      columns={[
        {
          id: 'index',
          header: 'Item',
          width: 76,
          value: ({ index }) => index,
          cell: ({ index }) => (
            <Button variant="inline-link" onClick={() => onItem(map, index === chosen ? undefined : index)} ariaLabel={`Item ${index}`}>
              {index === chosen ? <strong>{index}</strong> : String(index)}
            </Button>
          ),
        },
        { id: 'status', header: 'Status', width: 122, value: ({ status }) => status, cell: ({ status }) => <Status state={status} /> },
        { id: 'duration', header: 'Duration', width: 104, align: 'right', value: itemMs, cell: (one) => duration(itemMs(one)) },
        { id: 'error', header: 'Error', value: ({ error }) => error, cell: ({ error, cause }) => <span title={cause}>{error ?? '–'}</span> },
      ]}
    />
  );
}
