// Changes something that was read, and nothing that somebody else changed meanwhile.

import type { Client, UntypedInit } from "./client.js";
import { StaleEdit } from "./problem.js";
import type { Answer, Args, CallOptions, Data, EditablePath, Operation } from "./types.js";

/** The merge patch of a path. */
export type PatchOf<P extends EditablePath> = Operation<"patch", P> extends {
  requestBody: { content: { "application/merge-patch+json": infer Patch } | { "application/json": infer Patch } };
} ? Patch : never;

/** Where to edit, and how often to begin anew after somebody else's change: not at all without `again`. */
export type EditInit<P extends EditablePath> = CallOptions & {
  path: Operation<"get", P> extends { parameters: { path: infer Values } } ? Values : never;
  again?: number | undefined;
};

/**
 * Reads something, asks `change` for a merge patch of it, and writes that with `If-Match`. If `change` returns undefined, nothing
 * is written. If somebody else changed it meanwhile, this throws `StaleEdit`, or begins anew as often as `again` says: only where
 * `change` looks at what it gets.
 */
export async function edit<P extends EditablePath>(
  client: Client,
  path: P,
  init: EditInit<P>,
  change: (current: Data<Operation<"get", P>>) => PatchOf<P> | undefined | Promise<PatchOf<P> | undefined>,
): Promise<Answer<Data<Operation<"get", P>>>> {
  const { again = 0, ...call } = init;
  for (let left = again; ; left -= 1) {
    const read = (await client.request("get", path, call as UntypedInit)) as Answer<Data<Operation<"get", P>>>;
    const patch = await change(read.data);
    if (patch === undefined) return read;
    try {
      return await save(client, path, { ...call, ifMatch: read.etag, body: patch } as never);
    } catch (error) {
      if (!(error instanceof StaleEdit) || left <= 0) throw error;
    }
  }
}

/**
 * Writes a merge patch to a state that was read earlier, such as when a form was opened. It is a `patch` that also knows its own
 * change: if its answer was lost and the retry comes too late, it looks whether what is there has what the patch says.
 */
export async function save<P extends EditablePath>(
  client: Client,
  path: P,
  ...[init]: Args<Operation<"patch", P>>
): Promise<Answer<Data<Operation<"get", P>>>> {
  const call = (init ?? {}) as UntypedInit;
  type Saved = Answer<Data<Operation<"get", P>>>;
  try {
    return (await client.request("patch", path, call)) as Saved;
  } catch (error) {
    if (!(error instanceof StaleEdit && error.mayBeOwn)) throw error;
    const now = await client.request("get", path, { path: call.path, signal: call.signal });
    if (!holds(now.data, call.body)) throw error;
    return now as Saved;
  }
}

/** Whether a merge patch (RFC 7396) would change nothing. */
export function holds(value: unknown, patch: unknown): boolean {
  if (patch === null) return value === null || value === undefined;
  if (typeof patch !== "object" || Array.isArray(patch)) return JSON.stringify(value) === JSON.stringify(patch);
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(patch).every(([name, part]) => part === undefined || holds((value as Record<string, unknown>)[name], part));
}
