/** How often lists of groups and streams are read: fifty come with each request, so long ones are read less often. */
export const paceOf = (found: readonly unknown[] | undefined) => ((found?.length ?? 0) > 300 ? 120_000 : 20_000);
