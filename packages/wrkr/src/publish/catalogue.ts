import type { StandardSchemaV1 } from '@standard-schema/spec';
import { didYouMean } from '../checks/nearest.ts';
import { messageOf, WrkrError } from '../errors.ts';

/** Validators by event name: of zod, valibot, arktype, or whatever else implements Standard Schema. */
export type Schemas = Readonly<Record<string, StandardSchemaV1>>;

/** The events that there are, and what their payloads must be. Names are looked up; nothing else is. */
export class Catalogue {
  readonly #schemas: ReadonlyMap<string, StandardSchemaV1>;

  constructor(schemas: Schemas) {
    this.#schemas = new Map(Object.entries(schemas));
  }

  /** Throws `WRKR_INVALID_NAME`. Patterns are not looked up. */
  checkName(name: string): void {
    if (this.#schemas.has(name) || /[*#]/.test(name)) return;
    throw new WrkrError('WRKR_INVALID_NAME', `the catalogue has no event '${name}'${didYouMean(name, this.#schemas.keys())}`);
  }

  /** What the handler is to get. Throws or rejects with `WRKR_INVALID_PAYLOAD`; a name that is not here is not validated. */
  validate(name: string, payload: unknown): unknown {
    const schema = this.#schemas.get(name)?.['~standard'];
    if (!schema) return payload;
    try {
      const result = schema.validate(payload);
      if (!('then' in result)) return outputOf(name, result);
      return Promise.resolve(result)
        .then((done) => outputOf(name, done))
        .catch((thrown) => throwAs(name, thrown));
    } catch (thrown) {
      return throwAs(name, thrown);
    }
  }
}

/** A validator may also throw what it has against a payload. */
function throwAs(name: string, thrown: unknown): never {
  if (thrown instanceof WrkrError) throw thrown;
  const message = `the payload of '${name}' cannot be validated: ${messageOf(thrown)}`;
  throw new WrkrError('WRKR_INVALID_PAYLOAD', message, { applied: 'no', cause: thrown });
}

function outputOf(name: string, result: StandardSchemaV1.Result<unknown>): unknown {
  if (!result.issues) return result.value;
  const what = result.issues.map(({ message, path }) => (path?.length ? `${pathOf(path)}: ${message}` : message)).join('; ');
  throw new WrkrError('WRKR_INVALID_PAYLOAD', `the payload of '${name}' is not what the catalogue says: ${what}`, {
    applied: 'no',
    cause: result.issues,
  });
}

function pathOf(path: readonly (PropertyKey | StandardSchemaV1.PathSegment)[]): string {
  return ['payload', ...path.map((part) => String(typeof part === 'object' ? part.key : part))].join('.');
}
