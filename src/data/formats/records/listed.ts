import type { Where } from '../../../errors.js';
import { fieldsOf, isFields, type Fields } from './readLabels.js';
import type { LabelFile } from './textLayout.js';

/** The objects that a record lists under a key. A record without the list is counted, since it may have lost its objects,
 *  and an entry that is no object is a problem. */
export function listed(
  value: unknown,
  key: string,
  subject: string,
  { where, wrong, findings }: Pick<LabelFile, 'wrong' | 'findings'> & { readonly where: Where },
): Fields[] {
  if (value === undefined || value === null)
    findings.count(`image without "${key}", which has no objects`, () => ({ message: subject, where }));
  else if (!Array.isArray(value)) wrong(`"${key}" of ${subject} is not a list`, where);
  else if (!value.every(isFields)) wrong(`"${key}" of ${subject} has an entry that is no object`, where);
  return fieldsOf(value);
}
