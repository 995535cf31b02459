// Types that turn an operation of the document into the arguments and the answer of a call.

import type { components, paths } from "./schema.js";

/** The schemas of the document by their names, such as `Schemas["Programme"]`. */
export type Schemas = components["schemas"];

export type Method = "get" | "post" | "put" | "patch" | "delete";

/** The paths that have an operation for a method. */
export type PathsWith<M extends Method> = {
  [P in keyof paths]: paths[P][M] extends { responses: unknown } ? P : never;
}[keyof paths];

/** The operation of a method on a path. */
export type Operation<M extends Method, P extends keyof paths> = paths[P][M];

type Json<Content> = Content extends { "application/json": infer Body } | { "application/merge-patch+json": infer Body } ? Body : undefined;

type AnswerIn<Response> = Response extends { content: infer Content } ? Json<Content> : undefined;

/** The body of the answer, if the operation succeeds. */
export type Data<O> = O extends { responses: infer R }
  ? { [Status in keyof R]: Status extends 200 | 201 | 202 | 204 ? AnswerIn<R[Status]> : never }[keyof R]
  : never;

/** The rows of the lists that an operation answers with. */
export type Row<O> = Data<O> extends { data: (infer R)[]; page: unknown } ? R : never;

/** The paths of lists, which answer a page at a time. */
export type ListPath = { [P in PathsWith<"get">]: [Row<Operation<"get", P>>] extends [never] ? never : P }[PathsWith<"get">];

/** The paths of what is read with an ETag and changed by a merge patch. */
export type EditablePath = PathsWith<"patch"> & PathsWith<"get">;

// One value may be given where several may.
type Loose<Q> = { [K in keyof Q]: NonNullable<Q[K]> extends readonly (infer V)[] ? readonly V[] | V | undefined : Q[K] | undefined };

type QueryPart<O> = O extends { parameters: { query?: infer Q } }
  ? [NonNullable<Q>] extends [never] ? unknown
  : Record<never, never> extends NonNullable<Q> ? { query?: Loose<NonNullable<Q>> } : { query: Loose<NonNullable<Q>> }
  : unknown;

type PathPart<O> = O extends { parameters: { path: infer Values } }
  ? [Values] extends [never] ? unknown : { path: Values }
  : unknown;

type MatchPart<O> = O extends { parameters: { header: { "If-Match": string } } } ? { ifMatch: string }
  : O extends { parameters: { header?: { "If-Match"?: string } } }
    ? { ifMatch?: string | undefined; ifNoneMatch?: "*" | undefined }
    : unknown;

/** What holds rows of a push as text. */
type Rows = string | Blob | Uint8Array<ArrayBuffer>;

type BodyPart<O> = O extends { requestBody: { content: infer C } }
  ? { body: Json<C> } | (C extends { "text/csv": unknown } ? { body: Rows; contentType: "text/csv" | "application/x-ndjson" } : never)
  : O extends { requestBody?: { content: infer C } } ? { body?: Json<C> } : unknown;

/** What every call takes. */
export interface CallOptions {
  /** Ends the call, and its retries. */
  signal?: AbortSignal | undefined;
  /** The name of a `POST` or `PUT`, by which a retry is told from a new request. Without it, each call makes its own. */
  idempotencyKey?: string | undefined;
  /** Further headers. */
  headers?: Record<string, string> | undefined;
}

/** What the call of an operation takes. */
export type Init<O> = CallOptions & QueryPart<O> & PathPart<O> & MatchPart<O> & BodyPart<O>;

/** The arguments after the path: none are needed if the operation needs none. */
export type Args<O> = Record<never, never> extends Init<O> ? [init?: Init<O>] : [init: Init<O>];

/** What a call answers with. */
export interface Answer<T> {
  /** The body. */
  data: T;
  status: number;
  /** The `ETag` of the answer: `If-Match` takes it. */
  etag: string | undefined;
  /** Whether this is the first answer again, given to a retry. */
  replayed: boolean;
  headers: Headers;
}
