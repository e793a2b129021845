/** Chooses the role that a function runs as. */
import FormField from '@cloudscape-design/components/form-field';
import Select from '@cloudscape-design/components/select';

import { shortName } from '../../lib/format';
import { useLambdaRoles } from './roles';

/** Stands for a role that is still to be made. */
export const NEW_ROLE = 'new';

interface RoleFieldProps {
  value: string;
  onChange: (arn: string) => void;
  /** Offers to make one of this name. */
  make?: string;
}

export function RoleField({ value, onChange, make }: RoleFieldProps) {
  const { roles, failed, loading } = useLambdaRoles();
  const known = roles.map(({ arn, description }) => ({ value: arn, label: shortName(arn), ...(description ? { description } : {}) }));
  const fresh = make === undefined ? [] : [{ value: NEW_ROLE, label: 'A new role that may write logs', description: `Its name will be ${make}` }];
  const options = [...fresh, ...known];
  const chosen = options.find((option) => option.value === value) ?? (value ? { value, label: shortName(value) } : null);
  return (
    <FormField label="Role" constraintText="lambda.amazonaws.com assumes it; what it allows is what the function may do." errorText={failed ? "The roles can't be read" : undefined}>
      <Select
        selectedOption={chosen}
        options={options}
        filteringType="auto"
        placeholder="Choose a role"
        empty="No role trusts lambda.amazonaws.com yet"
        statusType={loading ? 'loading' : 'finished'}
        onChange={({ detail }) => onChange(detail.selectedOption.value ?? '')}
      />
    </FormField>
  );
}
