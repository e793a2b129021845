/** A new stack. */
import { Frame } from '../../../lib/frame';
import { to } from '../../../lib/router';
import { StackForm } from './StackForm';
import type { Draft } from './drafts';
import '../operations.css';

const START: Draft = { name: '', template: '', url: '', inS3: false, parameters: {}, acknowledged: false, tags: [], role: '', onFailure: 'ROLLBACK' };

export default function CreateStack() {
  return (
    <Frame title="Create stack" description="A template says what there shall be. You see what would be made before anything is.">
      <StackForm start={START} cancel={to('/operations')} />
    </Frame>
  );
}
