/** Tags: to read, and to change all at once. */
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { useDeed } from './form-dialog';
import { notify } from './notify';
import { ErrorBox } from './states';
import './tags.css';

export interface Tag {
  Key: string;
  Value: string;
}

export function Tags({ tags, most, onSave }: { tags: readonly Tag[]; most: number; onSave: (tags: Tag[]) => Promise<unknown> }) {
  const [draft, setDraft] = useState<Tag[]>();
  const shown = draft ?? tags;
  const change = (at: number, what: Partial<Tag>) => setDraft(shown.map((tag, place) => (place === at ? { ...tag, ...what } : tag)));
  const deed = useDeed(async () => {
    await onSave((draft ?? []).filter(({ Key }) => Key !== ''));
    notify('success', 'Tags: saved');
    setDraft(undefined);
  });
  const actions = draft ? (
    <SpaceBetween direction="horizontal" size="xs">
      <Button variant="link" onClick={() => setDraft(undefined)}>
        Cancel
      </Button>
      <Button variant="primary" loading={deed.busy} onClick={() => void deed.run()}>
        Save tags
      </Button>
    </SpaceBetween>
  ) : (
    <Button onClick={() => setDraft(tags.length > 0 ? [...tags] : [{ Key: '', Value: '' }])}>Edit tags</Button>
  );
  return (
    <Container header={<Header variant="h2" counter={`(${tags.length})`} description="Names and values that policies and rules can ask about." actions={actions}>Tags</Header>}>
      <SpaceBetween size="s">
        {deed.error && <ErrorBox error={deed.error} what="The tags were not saved" />}
        {shown.length === 0 && <span className="bh-soft">No tags.</span>}
        {!draft && shown.length > 0 && (
          <ul className="bh-tags">
            {shown.map(({ Key, Value }) => (
              <li key={Key}>
                <strong>{Key}</strong> {Value}
              </li>
            ))}
          </ul>
        )}
        {draft?.map((tag, at) => (
          <div className="bh-tag-form" key={at}>
            <Input ariaLabel={`Key ${at + 1}`} placeholder="Key" value={tag.Key} onChange={({ detail }) => change(at, { Key: detail.value })} />
            <Input ariaLabel={`Value ${at + 1}`} placeholder="Value" value={tag.Value} onChange={({ detail }) => change(at, { Value: detail.value })} />
            <Button iconName="remove" variant="icon" ariaLabel={`Remove tag ${at + 1}`} onClick={() => setDraft(draft.filter((_, place) => place !== at))} />
          </div>
        ))}
        {draft && draft.length < most && (
          <Button iconName="add-plus" onClick={() => setDraft([...draft, { Key: '', Value: '' }])}>
            Add tag
          </Button>
        )}
      </SpaceBetween>
    </Container>
  );
}
