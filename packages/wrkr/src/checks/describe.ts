/** The class of an object, whatever that object does when it is asked. */
export function nameOf(object: object): string {
  try {
    return String(object.constructor?.name || 'object').slice(0, 40);
  } catch {
    return 'object';
  }
}

/** What it is, in a few words, for any value. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'string') return `${JSON.stringify(value.slice(0, 80))} (a string)`;
  if (typeof value !== 'object') return `${String(value)} (a ${typeof value})`;
  return Array.isArray(value) ? 'an array' : `a ${nameOf(value)}`;
}
