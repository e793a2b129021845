/** How filter patterns are written, each example to be tried by a click. */
import Button from '@cloudscape-design/components/button';
import Popover from '@cloudscape-design/components/popover';

const EXAMPLES: readonly [pattern: string, meaning: string][] = [
  ['ERROR', 'lines with this word, as it is written'],
  ['"two words"', 'these words beside each other'],
  ['ERROR timeout', 'both of them'],
  ['?ERROR ?WARN', 'either of them'],
  ['ERROR -retry', 'the first, without the second'],
  ['%BH \\d+%', 'a regular expression'],
  ['{ $.level = "error" }', 'JSON lines whose level is that'],
  ['{ $.ms > 100 && $.user = "a*" }', 'numbers, wildcards, && and ||'],
  ['{ $.user NOT EXISTS }', 'JSON lines without it'],
];

export function PatternHelp({ onUse }: { onUse: (pattern: string) => void }) {
  return (
    <Popover
      header="Filter patterns"
      triggerType="custom"
      size="large"
      fixedWidth
      dismissAriaLabel="Close"
      content={
        <ul className="bh-examples">
          {EXAMPLES.map(([pattern, meaning]) => (
            <li key={pattern}>
              <Button variant="inline-link" onClick={() => onUse(pattern)}>
                <span className="bh-code">{pattern}</span>
              </Button>
              <span className="bh-soft">{meaning}</span>
            </li>
          ))}
        </ul>
      }
    >
      <Button variant="icon" iconName="status-info" ariaLabel="How filter patterns are written" />
    </Popover>
  );
}
