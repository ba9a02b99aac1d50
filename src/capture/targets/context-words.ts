/**
 * Whether `--context` may choose several contexts: it is a list or a pattern (`prod-eu,prod-us`, `prod-*`). Which ones, targets/contexts
 * knows; most captures do without that.
 */
export function mayBeSeveral(context: string | undefined): context is string {
  return context !== undefined && /[,*?[]/.test(context);
}
