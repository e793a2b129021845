/** The time that the audit log is looked at in: one up to now, or from a moment to another. */
import DateRangePicker, { type DateRangePickerProps } from '@cloudscape-design/components/date-range-picker';

import { platformNow } from '../../../aws/session';
import { rangeOf, rangeText } from '../../../lib/log-range';

const UNITS = { m: 'minute', h: 'hour', d: 'day' } as const;

/** As far back as the history goes. */
export const DAYS = 90;

const relative = (key: string, amount: number, unit: keyof typeof UNITS): DateRangePickerProps.RelativeOption => ({ key, amount, unit: UNITS[unit], type: 'relative' });

const OPTIONS = [relative('15m', 15, 'm'), relative('1h', 1, 'h'), relative('3h', 3, 'h'), relative('1d', 1, 'd'), relative('7d', 7, 'd'), relative(`${DAYS}d`, DAYS, 'd')];

/** A range of the address as the picker knows it. */
function valueOf(range: string): DateRangePickerProps.Value | null {
  const { from, to } = rangeOf(range, 0);
  if (from !== undefined && to !== undefined) return { type: 'absolute', startDate: new Date(from).toISOString(), endDate: new Date(to).toISOString() };
  const [, amount, unit] = /^(\d+)([mhd])$/.exec(range) ?? [];
  return amount && unit ? relative(range, Number(amount), unit as keyof typeof UNITS) : null;
}

function textOf(value: DateRangePickerProps.Value): string {
  if (value.type === 'absolute') return rangeText(new Date(value.startDate).getTime(), new Date(value.endDate).getTime());
  const unit = (Object.keys(UNITS) as (keyof typeof UNITS)[]).find((each) => UNITS[each] === value.unit);
  // Weeks and more, which the picker offers too, as days.
  const days = { week: 7, month: 30, year: 365 }[value.unit as string];
  return unit ? `${value.amount}${unit}` : `${value.amount * (days ?? 1)}d`;
}

function problemOf(value: DateRangePickerProps.Value | null): DateRangePickerProps.ValidationResult {
  const invalid = (errorMessage: string) => ({ valid: false, errorMessage }) as const;
  if (!value) return invalid('Choose a range of time.');
  if (value.type === 'relative') return { valid: true };
  const [from, to] = [new Date(value.startDate).getTime(), new Date(value.endDate).getTime()];
  if (Number.isNaN(from) || Number.isNaN(to)) return invalid('Both ends of it are needed.');
  return from < to ? { valid: true } : invalid('It ends before it begins.');
}

export function TimeRange({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const earliest = platformNow() - DAYS * 86_400_000;
  return (
    <DateRangePicker
      value={valueOf(value)}
      relativeOptions={OPTIONS}
      isValidRange={problemOf}
      isDateEnabled={(date) => date.getTime() > earliest - 86_400_000}
      placeholder="Range of time"
      rangeSelectorMode="default"
      expandToViewport
      showClearButton={false}
      onChange={({ detail }) => detail.value && onChange(textOf(detail.value))}
    />
  );
}
