/** The part of an untyped package that the tests use. */
declare module 'qlobber' {
  class Qlobber<Value> {
    constructor(options?: { max_wildcard_somes?: number });
    add(topic: string, value: Value): this;
    match(topic: string): Value[];
  }
  const qlobber: { Qlobber: typeof Qlobber };
  export = qlobber;
}
