/** Operators of a label selector's expressions (meta/v1, LabelSelectorRequirement). */
export type LabelOperator = 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';

/**
 * Whether a label fits an expression, as apimachinery's Requirement.Matches: NotIn holds for labels that lack the key.
 * @param value the label's value, undefined where there is none
 */
export function fitsRequirement(
  operator: LabelOperator,
  values: readonly string[],
  value: string | undefined,
): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
  }
}

/** @param text an operator as an object names it; newer servers may have others */
export function isLabelOperator(text: string): text is LabelOperator {
  return text === 'In' || text === 'NotIn' || text === 'Exists' || text === 'DoesNotExist';
}
