/** Values for the placeholders of a statement. They are literals of SQL, as Athena takes them. */
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';

export interface ParametersProps {
  names: readonly string[];
  values: readonly string[];
  onChange: (values: string[]) => void;
  onRun: () => void;
}

/** What a value looks like that SQL can't read. */
export function oddity(value: string): string | undefined {
  const text = value.trim();
  if (text === '') return 'A value is missing';
  if (/^[-+]?[\d.]+(e[-+]?\d+)?$/i.test(text) || /^(true|false|null|current_\w+)$/i.test(text) || /^'(?:[^']|'')*'$/.test(text)) return undefined;
  if (/^\w+\s*('|\()/.test(text)) return undefined;
  return `A text stands in quotes: '${text.replaceAll("'", "''")}'`;
}

export function Parameters({ names, values, onChange, onRun }: ParametersProps) {
  return (
    <section className="bh-parameters" aria-label="Parameters">
      {names.map((name, at) => {
        const value = values[at] ?? '';
        const odd = value === '' ? undefined : oddity(value);
        return (
          <FormField key={name} label={name} warningText={odd} constraintText={value === '' ? "42, 'BER', DATE '2026-01-31'" : undefined}>
            <Input
              value={value}
              ariaLabel={name}
              onChange={({ detail }) => onChange(names.map((_, place) => (place === at ? detail.value : (values[place] ?? ''))))}
              onKeyDown={({ detail }) => detail.key === 'Enter' && onRun()}
            />
          </FormField>
        );
      })}
    </section>
  );
}
