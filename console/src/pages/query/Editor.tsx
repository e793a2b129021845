/** The SQL editor: tabs with statements above, what they gave below, the catalogue beside them. */
import { useEffect, useState } from 'react';

import { Frame } from '../../lib/frame';
import { navigate, to, usePlace } from '../../lib/router';
import { Rename } from './Rename';
import { TabBar } from './TabBar';
import { Workbench } from './Workbench';
import './query.css';
import { open, useTabs } from './tabs';

/** Links to the editor bring a statement along; it becomes a tab, and the address is the editor's own again. */
function useLinkedStatement(): void {
  const { query } = usePlace();
  useEffect(() => {
    const [sql, database] = [query.get('sql'), query.get('database')];
    if (sql === null && database === null) return;
    open({ sql: sql ?? '', ...(database ? { database } : {}), ...(query.get('workgroup') ? { workGroup: query.get('workgroup') ?? '' } : {}) });
    navigate(to('/query'), { replace: true });
  }, [query]);
}

export default function Editor() {
  useLinkedStatement();
  const tabs = useTabs();
  const [renaming, setRenaming] = useState(false);
  const tab = tabs.tabs.find(({ id }) => id === tabs.active);
  return (
    <Frame title="SQL editor">
      <div className="bh-query">
        <TabBar {...tabs} onRename={() => setRenaming(true)} />
        {tab && <Workbench key={tab.id} tab={tab} onRename={() => setRenaming(true)} />}
      </div>
      {renaming && tab && <Rename tab={tab} onClose={() => setRenaming(false)} />}
    </Frame>
  );
}
