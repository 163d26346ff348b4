/**
 * What breaks in a backend where nobody waits for it: rejections and exceptions that no one handles. It fails the cases that are
 * running, instead of ending the process without a word about the others.
 */
export class Strays {
  /** What came while no case was running. */
  readonly unclaimed: unknown[] = [];
  readonly #running = new Set<(error: unknown) => void>();

  constructor() {
    process.on('unhandledRejection', (error) => this.#came(error));
    process.on('uncaughtException', (error) => this.#came(error));
  }

  /** Gives `run` a promise that rejects when something goes astray meanwhile. */
  async during<T>(run: (stray: Promise<never>) => Promise<T>): Promise<T> {
    let fail: (error: unknown) => void = () => {};
    const stray = new Promise<never>((_, reject) => {
      fail = reject;
    });
    stray.catch(() => {});
    this.#running.add(fail);
    try {
      return await run(stray);
    } finally {
      this.#running.delete(fail);
    }
  }

  #came(error: unknown): void {
    if (this.#running.size === 0) this.unclaimed.push(error);
    const what = String(error);
    for (const fail of this.#running) fail(new Error(`nobody handled this: ${what}`, { cause: error }));
  }
}
