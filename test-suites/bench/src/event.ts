/** A payload of about 200 bytes as JSON, as in the baselines. */
export function payload(i: number): object {
  return {
    seq: i,
    plan: 'professional',
    email: `someone.${i}@example.com`,
    note: 'a note that makes this about two hundred bytes, more or less, as an event of a service mostly is, with an id and a name',
  };
}
