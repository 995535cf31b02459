// The client: typed calls of every operation, with tokens, retries and typed errors.

import { type ProblemCode, problemOf, RenaksiProblem } from "./problem.js";
import { type RetryPolicy, send, usualPolicy } from "./retry.js";
import type { Answer, Args, CallOptions, Data, Method, Operation, PathsWith } from "./types.js";

/** Where access tokens come from. A session is one, and so is `clientCredentials`. */
export interface TokenSource {
  /** An access token that is still valid; undefined if nobody is logged in. */
  token(): Promise<string | undefined>;
  /** Another token in the place of one that the service refused; undefined if there is none. */
  renew?(refused: string): Promise<string | undefined>;
}

export interface ClientOptions {
  /** The address of the service, such as `https://renaksi.example.go.id`. */
  baseUrl: string;
  /** Without it, only what is public can be read. */
  auth?: TokenSource | undefined;
  /** The language of the texts in errors and explanations. A function is asked at each call. */
  language?: "en" | "id" | (() => "en" | "id") | undefined;
  /** What differs from the usual retries. */
  retries?: Partial<RetryPolicy> | undefined;
  /** Sends the requests in the place of the global `fetch`. */
  fetch?: typeof fetch | undefined;
}

/** A call whose types are not known, such as one that is made of data. */
export interface UntypedInit extends CallOptions {
  path?: Record<string, string | number> | undefined;
  query?: object | undefined;
  body?: unknown;
  contentType?: string | undefined;
  ifMatch?: string | undefined;
  ifNoneMatch?: string | undefined;
  /** Other retries for this call. */
  retries?: Partial<RetryPolicy> | undefined;
}

type Call<M extends Method> = <P extends PathsWith<M>>(
  path: P,
  ...args: Args<Operation<M, P>>
) => Promise<Answer<Data<Operation<M, P>>>>;

export interface Client {
  readonly baseUrl: string;
  get: Call<"get">;
  post: Call<"post">;
  put: Call<"put">;
  patch: Call<"patch">;
  delete: Call<"delete">;
  /** Any request, untyped. */
  request(method: Method, path: string, init?: UntypedInit): Promise<Answer<unknown>>;
}

export function createClient(options: ClientOptions): Client {
  const baseUrl = options.baseUrl.replace(/\/+$/, "");
  const fetcher = options.fetch ?? ((...args) => fetch(...args));

  async function request(method: Method, path: string, init: UntypedInit = {}): Promise<Answer<unknown>> {
    const url = `${baseUrl}${filled(path, init.path ?? {})}${queryOf(init.query ?? {})}`;
    const headers = headersOf(method, options, init);
    const body = bodyOf(init);
    const policy = { ...usualPolicy, ...options.retries, ...init.retries };
    const attempt = async (token: string | undefined) => {
      if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
      return send(fetcher, url, { method: method.toUpperCase(), headers, body }, policy, init.signal);
    };

    // Public answers are the same for everybody, and without a token a browser asks for them without a preflight.
    const auth = path.startsWith("/v1/public/") ? undefined : options.auth;
    const token = await auth?.token();
    let sent = await attempt(token);
    if (sent.status === 401 && token !== undefined) {
      const other = await auth?.renew?.(token);
      if (other !== undefined) sent = await attempt(other);
    }
    // What is to be deleted and is gone after an answer was lost has been deleted.
    if (method === "delete" && sent.status === 404 && sent.mayBeDone) return answerOf({ ...sent, status: 204, text: "" });
    if (sent.status >= 400) throw problemOf(sent, sent.mayBeDone);
    return answerOf(sent);
  }

  const call = <M extends Method>(method: M): Call<M> =>
    ((path: string, init?: UntypedInit) => request(method, path, init)) as unknown as Call<M>;
  return {
    baseUrl,
    request,
    get: call("get"),
    post: call("post"),
    put: call("put"),
    patch: call("patch"),
    delete: call("delete"),
  };
}

function answerOf({ status, headers, text }: { status: number; headers: Headers; text: string }): Answer<unknown> {
  return {
    data: text === "" ? undefined : parsed(status, headers, text),
    status,
    etag: headers.get("etag") ?? undefined,
    replayed: headers.get("idempotent-replayed") === "true",
    headers,
  };
}

function parsed(status: number, headers: Headers, text: string): unknown {
  if (!/\bjson\b/.test(headers.get("content-type") ?? "")) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    const code: ProblemCode = "unreadable_answer";
    throw Object.assign(new RenaksiProblem(status, { code, title: "The answer is not JSON" }, headers), { cause });
  }
}

function headersOf(method: Method, options: ClientOptions, init: UntypedInit): Headers {
  const headers = new Headers({ accept: "application/json" });
  const language = typeof options.language === "function" ? options.language() : options.language;
  if (language !== undefined) headers.set("accept-language", language);
  if (init.body !== undefined) {
    headers.set("content-type", init.contentType ?? (method === "patch" ? "application/merge-patch+json" : "application/json"));
  }
  if (init.ifMatch !== undefined) headers.set("if-match", init.ifMatch);
  if (init.ifNoneMatch !== undefined) headers.set("if-none-match", init.ifNoneMatch);
  // Made once for a call, and so the same in all its attempts.
  if (method === "post" || method === "put") headers.set("idempotency-key", init.idempotencyKey ?? newKey());
  for (const [name, value] of Object.entries(init.headers ?? {})) headers.set(name, value);
  return headers;
}

function bodyOf(init: UntypedInit): BodyInit | null {
  if (init.body === undefined) return null;
  return init.contentType === undefined ? JSON.stringify(init.body) : (init.body as BodyInit);
}

/** A path with its parameters in their places. */
function filled(path: string, values: Record<string, string | number>): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined || value === "") throw new TypeError(`${path} needs a value for "${name}"`);
    return encodeURIComponent(value);
  });
}

/** A query string, with the values of a list between commas. What is undefined is left out. */
function queryOf(query: object): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null) parameters.set(name, String(value));
  }
  const text = parameters.toString();
  return text === "" ? "" : `?${text}`;
}

/** A name for one request that nobody else gives. */
export function newKey(): string {
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  // A page without TLS has only this.
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
