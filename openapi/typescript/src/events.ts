// The feed as it happens, in browsers: each event once, through lost connections and restarts of the service.

import type { Client } from "./client.js";
import { RenaksiProblem, RenaksiUnreachable } from "./problem.js";
import { pause, pauseAfter } from "./retry.js";
import type { Schemas } from "./types.js";

export interface EventOptions {
  /** The position after which to begin, such as the one of the last event that was seen. Without it, events from now on. */
  after?: number | undefined;
  /** Only events of these kinds of resources, such as `programme`. */
  resource?: string | readonly string[] | undefined;
  /** Ends the stream. */
  signal?: AbortSignal | undefined;
  /** Tells whether the stream is open, or waits for the service to come back. */
  onState?: ((state: "open" | "waiting") => void) | undefined;
}

/** Pauses between attempts to open the stream again, in milliseconds. */
const pauses = { firstPause: 500, longestPause: 30_000 };
/** Events that wait for a slow reader; with more of them, the stream is closed until they are read. */
const mostWaiting = 5_000;

/**
 * The events that the logged-in person may see: `for await (const event of events(client))`. It ends with `signal`, and throws
 * `RenaksiProblem` if trying again is of no use: `feed_restarted` if the positions began anew, with `body.head` to begin from.
 */
export function events(client: Client, options: EventOptions = {}): AsyncGenerator<Schemas["FeedEvent"], void, undefined> {
  return follow<Schemas["FeedEvent"]>(client, "/v1/events", options, async () => {
    // An EventSource cannot send the access token. A ticket opens one stream.
    const { data } = await client.request("post", "/v1/events/tickets", { signal: options.signal, retries: { attempts: 1 } });
    return { ticket: (data as { ticket: string }).ticket };
  });
}

/** The events that everybody may see, as `events` gives them. */
export function publicEvents(client: Client, options: EventOptions = {}): AsyncGenerator<Schemas["PublicEvent"], void, undefined> {
  return follow<Schemas["PublicEvent"]>(client, "/v1/public/events", options, async () => ({}));
}

async function* follow<E>(
  client: Client,
  path: string,
  options: EventOptions,
  admission: () => Promise<Record<string, string>>,
): AsyncGenerator<E, void, undefined> {
  const { resource, signal, onState } = options;
  const get = (place: string, query: object) => client.request("get", place, { query, signal, retries: { attempts: 1 } });
  const isOver = () => signal?.aborted === true;
  let last = options.after;
  for (let failures = 0; !isOver(); ) {
    let isOpen = false;
    try {
      // By its position, so that nothing is missed between now and the first event, however often the connection is lost.
      last ??= ((await get(`${path}/head`, {})).data as { position: number }).position;
      const query = new URLSearchParams({ ...(await admission()), after: String(last) });
      if (resource !== undefined) query.set("resource", String(resource));
      const opened = () => {
        [isOpen, failures] = [true, 0];
        onState?.("open");
      };
      for await (const data of messages(`${client.baseUrl}${path}/stream?${query}`, opened, signal)) {
        const event: unknown = JSON.parse(data);
        const { position } = event as { position: number };
        if (position <= last) continue;
        last = position;
        yield event as E;
      }
      // An EventSource does not tell why it was refused; the list does.
      if (!isOpen) await get(path, { after: last, limit: 1 });
    } catch (error) {
      if (isOver()) return;
      if (!isPassing(error)) throw error;
    }
    failures += 1;
    onState?.("waiting");
    await pause(pauseAfter(failures, pauses), signal).catch(() => {});
  }
}

function isPassing(error: unknown): boolean {
  if (error instanceof RenaksiUnreachable) return true;
  return error instanceof RenaksiProblem && (error.status === 429 || error.status >= 500);
}

/** The messages of one connection, until it ends. */
async function* messages(url: string, opened: () => void, signal: AbortSignal | undefined): AsyncGenerator<string, void, undefined> {
  const source = new EventSource(url);
  const waiting: string[] = [];
  let hasEnded = false;
  let wake = () => {};
  // Its own reconnection would come with the same ticket.
  const end = () => {
    source.close();
    hasEnded = true;
    wake();
  };
  source.addEventListener("open", opened);
  source.addEventListener("error", end);
  source.addEventListener("message", ({ data }: MessageEvent<string>) => {
    waiting.push(data);
    if (waiting.length >= mostWaiting) end();
    wake();
  });
  signal?.addEventListener("abort", end, { once: true });
  try {
    for (;;) {
      const next = waiting.shift();
      if (signal?.aborted === true) return;
      if (next !== undefined) yield next;
      else if (hasEnded) return;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    signal?.removeEventListener("abort", end);
    source.close();
  }
}
