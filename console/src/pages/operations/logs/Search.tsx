/** Lines of several log groups at once, in the order in which they were written. */
import FormField from '@cloudscape-design/components/form-field';
import Multiselect from '@cloudscape-design/components/multiselect';

import { describeGroups } from '../../../aws/logs';
import { Frame } from '../../../lib/frame';
import { useLive } from '../../../lib/live';
import { LogView } from '../../../lib/log-view';
import { useParam } from '../../../lib/router';
import { Empty, ErrorBox } from '../../../lib/states';
import { listOf } from './hrefs';

/** Groups that are searched at once: each of them is read by requests of its own. */
const MOST = 20;

export default function Search() {
  const [text, setText] = useParam('groups');
  const chosen = listOf(text, ',').slice(0, MOST);
  const groups = useLive('logs/groups', () => describeGroups());
  return (
    <Frame title="Search logs" description="One filter for several log groups, their lines in one order.">
      <FormField label="Log groups" constraintText={`Up to ${MOST}.`}>
        <Multiselect
          options={(groups.data ?? []).map(({ logGroupName }) => ({ value: logGroupName, label: logGroupName }))}
          selectedOptions={chosen.map((value) => ({ value, label: value }))}
          onChange={({ detail }) => setText(detail.selectedOptions.flatMap(({ value }) => value ?? []).join(','))}
          placeholder="Choose log groups"
          filteringType="auto"
          filteringAriaLabel="Find log groups"
          virtualScroll
          tokenLimit={4}
          statusType={groups.loading ? 'loading' : 'finished'}
          empty="There are no log groups yet"
        />
      </FormField>
      {groups.error && <ErrorBox error={groups.error} what="The log groups can't be read" onRetry={groups.refresh} />}
      {chosen.length === 0 ? (
        <Empty title="Which logs?">Choose the groups that belong together, such as the functions of a pipeline, and follow a request through all of them.</Empty>
      ) : (
        <LogView group={chosen} histogram height="max(280px, calc(100vh - 540px))" />
      )}
    </Frame>
  );
}
