// Sends a request until it is answered, with pauses that grow and that the service may lengthen.

import { RenaksiUnreachable, type Received, retryAfter } from "./problem.js";

/** How often to try, and how long to wait. Times are milliseconds. */
export interface RetryPolicy {
  /** How often a request is sent at most. */
  attempts: number;
  /** The pause after the first failure; each next one is twice as long, and each varies by chance. */
  firstPause: number;
  longestPause: number;
  /** If `Retry-After` asks for more than this, the error is given to the app at once. */
  longestRetryAfter: number;
  /** How long one attempt may take. */
  timeout: number;
}

export const usualPolicy: RetryPolicy = { attempts: 5, firstPause: 300, longestPause: 20_000, longestRetryAfter: 60_000, timeout: 60_000 };

/** An answer, and whether the answer to an earlier attempt may have been lost. */
export interface Sent extends Received {
  mayBeDone: boolean;
}

export async function send(
  fetcher: typeof fetch,
  url: string,
  init: RequestInit,
  policy: RetryPolicy,
  signal: AbortSignal | undefined,
): Promise<Sent> {
  let mayBeDone = false;
  for (let attempt = 1; ; attempt += 1) {
    signal?.throwIfAborted();
    const isLast = attempt >= policy.attempts;
    let asked = 0;
    try {
      const received = await once(fetcher, url, init, policy.timeout, signal);
      asked = (retryAfter(received.headers) ?? 0) * 1000;
      if (isLast || asked > policy.longestRetryAfter || !isPassing(received)) return { ...received, mayBeDone };
      // A proxy answers so if the answer of the service did not reach it.
      mayBeDone ||= received.status === 502 || received.status === 504;
    } catch (error) {
      signal?.throwIfAborted();
      if (isLast) throw new RenaksiUnreachable(error);
      mayBeDone = true;
    }
    await pause(Math.max(asked, pauseAfter(attempt, policy)), signal);
  }
}

/** Whether the same request may be answered differently soon. */
function isPassing({ status, text }: Received): boolean {
  return [408, 425, 429, 502, 503, 504].includes(status) || (status === 409 && text.includes('"idempotency_key_in_use"'));
}

async function once(
  fetcher: typeof fetch,
  url: string,
  init: RequestInit,
  timeout: number,
  signal: AbortSignal | undefined,
): Promise<Received> {
  const ending = new AbortController();
  const timer = setTimeout(() => ending.abort(new Error(`No answer within ${timeout} ms`)), timeout);
  const stop = () => ending.abort(signal?.reason);
  signal?.addEventListener("abort", stop, { once: true });
  try {
    const response = await fetcher(url, { ...init, signal: ending.signal });
    // Within the attempt: an answer that breaks off is a lost one.
    const text = await response.text();
    return { status: response.status, headers: response.headers, text };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  }
}

/** The pause after a number of failures: at least half of its step, so that clients that failed together come back apart. */
export function pauseAfter(failures: number, policy: Pick<RetryPolicy, "firstPause" | "longestPause">): number {
  const step = Math.min(policy.longestPause, policy.firstPause * 2 ** (failures - 1));
  return step * (0.5 + Math.random() / 2);
}

/** Waits; an abort ends the wait with its reason. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    if (signal?.aborted) stop();
    else signal?.addEventListener("abort", stop, { once: true });
  });
}
