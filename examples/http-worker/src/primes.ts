/** What is asked for. It stands for any work that takes longer than a client should wait. */
export interface Question {
  readonly below: number;
}

export const MOST = 20_000_000;

/** From `/primes?below=1000000`; nothing if it is no question. */
export function readQuestion(url: string): Question | undefined {
  const { pathname, searchParams } = new URL(url, 'http://localhost');
  const below = Number(searchParams.get('below'));
  return pathname === '/primes' && Number.isSafeInteger(below) && below > 2 && below <= MOST ? { below } : undefined;
}

/** How many primes there are below a number, and the largest of them: the sieve of Eratosthenes. */
export async function primes({ below }: Question): Promise<object> {
  const composite = new Uint8Array(below);
  let count = 0;
  let largest = 0;
  for (let i = 2; i < below; i++) {
    if (composite[i]) continue;
    [count, largest] = [count + 1, i];
    for (let k = i * i; k < below; k += i) composite[k] = 1;
  }
  return { below, count, largest };
}
