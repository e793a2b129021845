/** The field of an action, with suggestions. */
import Autosuggest from '@cloudscape-design/components/autosuggest';

import { ACTIONS } from './actions';

const OPTIONS = ACTIONS.map((value) => ({ value }));

export function ActionInput({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  return (
    <Autosuggest
      ariaLabel="Action"
      value={value}
      options={value.length > 1 ? OPTIONS : []}
      placeholder="glue:GetTable"
      enteredTextLabel={(text) => `Use ${text}`}
      virtualScroll
      onChange={({ detail }) => onChange(detail.value.trim())}
    />
  );
}
