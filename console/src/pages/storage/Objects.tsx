/** A bucket's keys as folders and files: walk, filter, choose, upload by dropping, delete. */
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import Icon from '@cloudscape-design/components/icon';
import Input from '@cloudscape-design/components/input';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { type DragEvent, useDeferredValue, useEffect, useRef, useState } from 'react';

import { bytes, count } from '../../lib/format';
import { bucketHref, objectHref } from '../../lib/links';
import { notifyError } from '../../lib/notify';
import { to, useParam } from '../../lib/router';
import { Empty, ErrorBox } from '../../lib/states';
import { DataTable } from '../../lib/table';
import { Time } from '../../lib/time';
import { NewFolder } from './NewFolder';
import { RemoveObjects } from './RemoveObjects';
import { UploadPanel } from './UploadPanel';
import { download } from './download';
import { dropped, picked } from './drop';
import { type Entry, useFolder } from './listing';
import { baseName } from './types';
import { type Picked, upload } from './uploads';

type Dialog = 'delete' | 'folder';

export function Objects({ bucket }: { bucket: string }) {
  const [prefix] = useParam('prefix');
  const [find, setFind] = useParam('find');
  const wanted = useDeferredValue(find);
  const folder = useFolder(bucket, prefix, wanted);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [dialog, setDialog] = useState<Dialog>();
  useEffect(() => setChosen(new Set()), [bucket, prefix, wanted]);
  const put = (files: readonly Picked[]) => files.length > 0 && upload(bucket, prefix, files);
  const entries = folder.entries;
  const only = chosen.size === 1 ? entries?.find(({ key }) => chosen.has(key)) : undefined;
  return (
    <DropZone onFiles={put} label={`Objects in ${bucket}/${prefix}`}>
      <SpaceBetween size="s">
        <div className="bh-browser-bar">
          <Trail bucket={bucket} prefix={prefix} />
          <SpaceBetween direction="horizontal" size="xs">
            <Button iconName="refresh" ariaLabel="Read the list again" onClick={folder.reload} loading={folder.busy && entries !== undefined} />
            <Button iconName="download" disabled={!only || only.folder} onClick={() => only && download(bucket, only.key)}>
              Download
            </Button>
            <Button disabled={chosen.size === 0} onClick={() => setDialog('delete')}>
              Delete
            </Button>
            <Button href={to('/catalogue/create-crawler', { path: `s3://${bucket}/${prefix}` })}>Crawl</Button>
            <Button onClick={() => setDialog('folder')}>Create folder</Button>
            <UploadButton onFiles={put} />
          </SpaceBetween>
        </div>
        <UploadPanel bucket={bucket} />
        <div className="bh-tools">
          <div className="bh-filter">
            <Input type="search" value={find} onChange={({ detail }) => setFind(detail.value)} placeholder="Find keys that begin with …" ariaLabel="Find keys by prefix" clearAriaLabel="Clear" />
          </div>
          <span className="bh-soft" role="status">
            {entries && `${count(entries.length)} ${entries.length === 1 ? 'entry' : 'entries'}${folder.hasMore ? ' so far: scroll for more' : ''}`}
            {chosen.size > 0 && `, ${count(chosen.size)} chosen`}
          </span>
        </div>
        {folder.error && entries && <ErrorBox error={folder.error} what="The list can't be read" onRetry={folder.reload} />}
        <DataTable
          label="Objects"
          title={false}
          filter={false}
          items={entries}
          error={entries ? undefined : folder.error}
          rowKey={(entry) => entry.key}
          selected={chosen}
          onSelect={setChosen}
          onEnd={folder.more}
          height="max(260px, calc(100vh - 430px))"
          columns={[
            { id: 'name', header: 'Name', value: (entry) => baseName(entry.key), cell: (entry) => <Name bucket={bucket} entry={entry} /> },
            { id: 'size', header: 'Size', width: 120, align: 'right', value: (entry) => entry.object?.size, cell: (entry) => (entry.object ? bytes(entry.object.size) : '–') },
            { id: 'modified', header: 'Last modified', width: 200, value: (entry) => entry.object?.modified, cell: (entry) => <Time at={entry.object?.modified} /> },
            { id: 'class', header: 'Storage class', width: 170, value: (entry) => entry.object?.storageClass, cell: (entry) => entry.object?.storageClass ?? '–' },
          ]}
          empty={<Nothing find={find} prefix={prefix} onFiles={put} onClear={() => setFind('')} />}
        />
      </SpaceBetween>
      {dialog === 'folder' && <NewFolder bucket={bucket} prefix={prefix} onClose={() => setDialog(undefined)} onDone={folder.reload} />}
      {dialog === 'delete' && (
        <RemoveObjects
          bucket={bucket}
          chosen={(entries ?? []).filter(({ key }) => chosen.has(key))}
          onClose={() => setDialog(undefined)}
          onDone={() => {
            setChosen(new Set());
            folder.reload();
          }}
        />
      )}
    </DropZone>
  );
}

function Name({ bucket, entry }: { bucket: string; entry: Entry }) {
  return (
    <span className="bh-entry" title={entry.key}>
      <Icon name={entry.folder ? 'folder' : 'file'} size="small" variant="subtle" />
      <Link href={entry.folder ? bucketHref(bucket, entry.key) : objectHref(bucket, entry.key)}>{baseName(entry.key)}</Link>
    </span>
  );
}

/** From the bucket down to the folder. */
export function trail(bucket: string, prefix: string): { text: string; href: string }[] {
  const parts = prefix.split('/').slice(0, -1);
  const folders = parts.map((text, at) => ({ text: text || '/', href: bucketHref(bucket, `${parts.slice(0, at + 1).join('/')}/`) }));
  return [{ text: bucket, href: bucketHref(bucket) }, ...folders];
}

function Trail({ bucket, prefix }: { bucket: string; prefix: string }) {
  const steps = trail(bucket, prefix);
  return (
    <nav className="bh-trail" aria-label="Folders">
      {steps.map(({ text, href }, at) => (
        <span key={href}>
          {at + 1 < steps.length ? <Link href={href}>{text}</Link> : <strong aria-current="location">{text}</strong>}
          <span className="bh-soft" aria-hidden="true">
            {' / '}
          </span>
        </span>
      ))}
    </nav>
  );
}

function Nothing({ find, prefix, onFiles, onClear }: { find: string; prefix: string; onFiles: (files: Picked[]) => void; onClear: () => void }) {
  if (find) return <Empty title="No key begins so" action={<Button onClick={onClear}>Clear the search</Button>} />;
  return (
    <Empty title={prefix ? 'Nothing in this folder' : 'No objects yet'} action={<UploadButton onFiles={onFiles} />}>
      Drop files or whole folders anywhere here. Keys with slashes in them are shown as folders.
    </Empty>
  );
}

function UploadButton({ onFiles }: { onFiles: (files: Picked[]) => void }) {
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const take = (input: HTMLInputElement) => {
    onFiles(picked(input.files));
    // The same file may be picked again.
    input.value = '';
  };
  return (
    <>
      <ButtonDropdown
        variant="primary"
        mainAction={{ text: 'Upload', iconName: 'upload', onClick: () => files.current?.click() }}
        items={[{ id: 'folder', text: 'Upload a folder' }]}
        onItemClick={() => folder.current?.click()}
        ariaLabel="More ways to upload"
      />
      <input ref={files} type="file" multiple hidden aria-label="Files to upload" onChange={({ currentTarget }) => take(currentTarget)} />
      <input ref={folder} type="file" hidden aria-label="Folder to upload" {...{ webkitdirectory: '' }} onChange={({ currentTarget }) => take(currentTarget)} />
    </>
  );
}

function DropZone({ label, onFiles, children }: { label: string; onFiles: (files: Picked[]) => void; children: React.ReactNode }) {
  const [depth, setDepth] = useState(0);
  const files = (event: DragEvent) => event.dataTransfer.types.includes('Files');
  const drop = async (event: DragEvent) => {
    event.preventDefault();
    setDepth(0);
    try {
      onFiles(await dropped(event.dataTransfer));
    } catch (error) {
      notifyError('What was dropped can’t be read', error);
    }
  };
  return (
    <section
      className={`bh-drop ${depth > 0 ? 'bh-drop-over' : ''}`}
      aria-label={label}
      onDragEnter={(event) => files(event) && setDepth((now) => now + 1)}
      onDragLeave={(event) => files(event) && setDepth((now) => Math.max(0, now - 1))}
      onDragOver={(event) => files(event) && event.preventDefault()}
      onDrop={(event) => void drop(event)}
    >
      {children}
      {depth > 0 && (
        <div className="bh-drop-hint">
          <Box variant="h2" tagOverride="p">
            Drop to upload
          </Box>
        </div>
      )}
    </section>
  );
}
