/** How long log groups keep events. */

/** The numbers of days that CloudWatch Logs knows. */
export const DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653] as const;

export function retentionText(days: number | undefined): string {
  if (days === undefined) return 'Never expires';
  return days === 1 ? '1 day' : `${days.toLocaleString('en-US')} days`;
}
