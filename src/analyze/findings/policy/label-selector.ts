import { fitsRequirement, isLabelOperator } from '../../../wire/label-requirement.ts';
import type { LabelSelectorFacts, Labels, NamespaceFacts } from '../cluster-facts.ts';
import { every, type Known } from './known.ts';

/** Every namespace has this label, set by the API server: its name (kubernetes.io, "Well-Known Labels"). */
const NAME_LABEL = 'kubernetes.io/metadata.name';

/** Whether labels are selected; undefined for an operator that this code does not know (meta/v1, LabelSelector). */
export function selects(selector: LabelSelectorFacts, labels: Labels): Known {
  return selectsBy(selector, (key) => ({ value: Object.hasOwn(labels, key) ? labels[key] : undefined }));
}

/** Whether a namespace is selected. Where its labels are not known only its name decides. */
export function selectsNamespace(
  selector: LabelSelectorFacts,
  name: string,
  namespaces: readonly NamespaceFacts[],
): Known {
  const known = namespaces.find((namespace) => namespace.name === name);
  if (known !== undefined) return selects(selector, { ...known.labels, [NAME_LABEL]: name });
  return selectsBy(selector, (key) => (key === NAME_LABEL ? { value: name } : undefined));
}

/** @param labelOf a label's value, undefined where there is none; undefined itself where that is not known */
function selectsBy(
  { labels, expressions }: LabelSelectorFacts,
  labelOf: (key: string) => { readonly value: string | undefined } | undefined,
): Known {
  const equal = every(Object.entries(labels), ([key, wanted]) => {
    const label = labelOf(key);
    return label && label.value === wanted;
  });
  if (equal === false) return false;
  const fits = every(expressions, ({ key, operator, values }) => {
    const label = labelOf(key);
    if (label === undefined) return undefined;
    return isLabelOperator(operator) ? fitsRequirement(operator, values, label.value) : undefined;
  });
  return fits === false ? false : equal && fits;
}
