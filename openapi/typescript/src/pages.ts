// Lists, row by row or page by page, without a thought for cursors.

import type { Client, UntypedInit } from "./client.js";
import type { Args, Data, ListPath, Operation, Row } from "./types.js";

interface Page<R> {
  data: R[];
  page: { next_cursor: string | null };
}

/** The rows of a list, page after page as they are needed: `for await (const programme of rows(client, "/v1/programmes"))`. */
export async function* rows<P extends ListPath>(
  client: Client,
  path: P,
  ...args: Args<Operation<"get", P>>
): AsyncGenerator<Row<Operation<"get", P>>, void, undefined> {
  for await (const page of pages(client, path, ...args)) {
    yield* (page as unknown as Page<Row<Operation<"get", P>>>).data;
  }
}

/** The pages of a list, each when it is needed. */
export async function* pages<P extends ListPath>(
  client: Client,
  path: P,
  ...[init]: Args<Operation<"get", P>>
): AsyncGenerator<Data<Operation<"get", P>>, void, undefined> {
  const call = (init ?? {}) as UntypedInit;
  // The feed goes on for ever: its list ends with the page that is not full, and is read on by `after`.
  const next = path.endsWith("/events") ? "after" : "cursor";
  for (let query: object = call.query ?? {}; ; ) {
    const { data } = await client.request("get", path, { ...call, query });
    const { data: rows, page } = data as Page<unknown>;
    yield data as Data<Operation<"get", P>>;
    if (page.next_cursor === null || (next === "after" && rows.length === 0)) return;
    query = { ...query, [next]: page.next_cursor };
  }
}
