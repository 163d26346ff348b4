import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** What a child is told, as its only argument. */
export interface Order {
  readonly script: string;
  readonly namespace: string;
  readonly data: object;
}

/** A process that runs a script with the harness, for what only the end of a whole process can prove. */
export class Child {
  /** What it sent, in order. */
  readonly messages: unknown[] = [];
  /** Its exit code, or the signal that ended it. */
  exit: number | string | undefined;
  readonly #process: ChildProcess;
  /** Nothing is left on the way from it. */
  readonly #ended: Promise<unknown>;

  constructor(harness: URL, order: Order) {
    const program = fileURLToPath(new URL('./child.js', import.meta.url));
    this.#process = fork(program, [harness.href, JSON.stringify(order)], { execArgv: [] });
    this.#process.on('message', (message) => this.messages.push(message));
    this.#process.on('exit', (code, signal) => {
      this.exit = signal ?? code ?? 0;
    });
    this.#ended = Promise.all([once(this.#process, 'exit'), once(this.#process, 'disconnect')]);
  }

  /** Lets go of the channel, which would keep the child alive. */
  release(): void {
    if (this.#process.connected) this.#process.disconnect();
  }

  /** As nothing else: `kill -9`. */
  async kill(): Promise<void> {
    if (this.exit === undefined) this.#process.kill('SIGKILL');
    await this.#ended;
  }
}
