/** The editor's tabs: chosen, renamed by a double click, closed, added. */
import Button from '@cloudscape-design/components/button';
import Tabs from '@cloudscape-design/components/tabs';

import { forget, cancel } from './runs';
import { type Tabs as QueryTabs, close, open, select } from './tabs';

export interface TabBarProps extends QueryTabs {
  onRename: () => void;
}

export function TabBar({ tabs, active, onRename }: TabBarProps) {
  const end = (id: string) => {
    void cancel(id).catch(() => undefined);
    forget(id);
    close(id);
  };
  return (
    <Tabs
      ariaLabel="Queries"
      activeTabId={active}
      disableContentPaddings
      onChange={({ detail }) => select(detail.activeTabId)}
      i18nStrings={{ scrollLeftAriaLabel: 'Earlier tabs', scrollRightAriaLabel: 'Later tabs', tabsWithActionsAriaRoleDescription: 'Tabs' }}
      actions={<Button variant="icon" iconName="add-plus" ariaLabel="New query" onClick={() => open()} />}
      tabs={tabs.map(({ id, name }) => ({
        id,
        label: <span onDoubleClick={onRename}>{name}</span>,
        dismissible: true,
        dismissLabel: `Close ${name}`,
        onDismiss: () => end(id),
      }))}
    />
  );
}
