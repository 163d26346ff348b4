/** Counts, by what was counted, and the sums that must come out. */
export class Tally {
  readonly #counts = new Map<string, number>();
  readonly #sums: { readonly what: string; readonly left: number; readonly right: number }[] = [];

  count(what: string, by = 1): void {
    this.#counts.set(what, this.of(what) + by);
  }

  of(what: string): number {
    return this.#counts.get(what) ?? 0;
  }

  /** Notes that the two must be equal. */
  expect(what: string, left: number, right: number): void {
    this.#sums.push({ what, left, right });
  }

  get addsUp(): boolean {
    return this.#sums.every(({ left, right }) => left === right);
  }

  toString(): string {
    const lines = this.#sums.map(({ what, left, right }) => `  ${left === right ? 'ok  ' : 'BAD '} ${what}: ${left} = ${right}`);
    return lines.join('\n');
  }
}
