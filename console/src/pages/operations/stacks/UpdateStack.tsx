/** Another template for a stack that is there, or the same one with other parameters. */
import { type Stack, describeStack, getTemplate } from '../../../aws/cloudformation';
import type { PageProps } from '../../../lib/area';
import { Frame } from '../../../lib/frame';
import { stackHref } from '../../../lib/links';
import { useLive } from '../../../lib/live';
import { Shown } from '../../../lib/states';
import type { Draft } from './drafts';
import { MOST_BYTES, size } from './drafts';
import { StackForm } from './StackForm';
import '../operations.css';

async function read(name: string): Promise<{ stack: Stack; template: string }> {
  const [stack, template] = await Promise.all([describeStack(name), getTemplate(name)]);
  return { stack, template };
}

function draftOf(stack: Stack, template: string): Draft {
  const { name, tags, role = '', capabilities } = stack;
  // What is too large for a call came from S3, and comes from there again.
  return { name, template, url: '', inS3: size(template) > MOST_BYTES, parameters: {}, acknowledged: capabilities.length > 0, tags, role, onFailure: 'ROLLBACK' };
}

export default function UpdateStack({ params }: PageProps) {
  const name = params.name ?? '';
  const live = useLive(`cloudformation/update/${name}`, () => read(name));
  return (
    <Frame title={`Update ${name}`} description="You see what would change before anything does.">
      <Shown live={live} what="The stack can't be read">
        {({ stack, template }) => <StackForm start={draftOf(stack, template)} stack={stack} cancel={stackHref(name)} />}
      </Shown>
    </Frame>
  );
}
