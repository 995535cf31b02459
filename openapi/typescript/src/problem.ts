// Errors: what the service refuses, and what never reached it.

import type { Schemas } from "./types.js";

/** The error codes of OAuth2 (RFC 6749) and OpenID providers, and the one for a missing second factor. */
type OauthCode =
  | "invalid_request"
  | "invalid_client"
  | "invalid_grant"
  | "unauthorized_client"
  | "unsupported_grant_type"
  | "invalid_scope"
  | "access_denied"
  | "server_error"
  | "temporarily_unavailable"
  | "login_required"
  | "mfa_required";

/** The codes of problems, those of logins, and one for answers that are neither. */
export type ProblemCode = Schemas["Problem"]["code"] | OauthCode | "unreadable_answer";

/** The members of a problem. */
export type ProblemBody = Omit<Partial<Schemas["Problem"]>, "code"> & { code: ProblemCode };

/** A field error of a request. */
export type Fault = Schemas["ProblemFault"];

/** An error that the service answered with. Branch on `code`; `title` and `detail` are for people, in their language. */
export class RenaksiProblem extends Error {
  override readonly name: string = "RenaksiProblem";
  /** A stable word, such as `invalid`, `not_found` or `mfa_required`. */
  readonly code: ProblemCode;
  /** The HTTP status. */
  readonly status: number;
  readonly title: string;
  readonly detail: string | undefined;
  /** Every field error, each with the `pointer` or the `parameter` that is wrong. */
  readonly errors: readonly Fault[];
  /** Names the request in the log of the service. */
  readonly requestId: string | undefined;
  /** After how many seconds to try again, if the service said so. */
  readonly retryAfter: number | undefined;
  /** The whole problem, with members that only some have, such as `allowed` or `head`. */
  readonly body: ProblemBody;

  constructor(status: number, body: ProblemBody, headers: Headers) {
    const title = body.title ?? `HTTP ${status}`;
    super(body.detail ?? title);
    this.status = status;
    this.code = body.code;
    this.title = title;
    this.detail = body.detail ?? undefined;
    this.errors = body.errors ?? [];
    this.requestId = body.request_id ?? headers.get("x-request-id") ?? undefined;
    this.retryAfter = retryAfter(headers);
    this.body = body;
  }

  /** The field errors of one member of the body, such as `/targets/q1`. */
  errorsAt(pointer: string): readonly Fault[] {
    return this.errors.filter((fault) => fault.pointer === pointer);
  }
}

/** A change that was made to a state that is no longer the present one: 412. */
export class StaleEdit extends RenaksiProblem {
  override readonly name: string = "StaleEdit";
  /** The present `ETag`, if the service said it. */
  readonly etag: string | undefined;
  /** Whether an answer was lost before, so that the change that came between may be this one. */
  readonly mayBeOwn: boolean;

  constructor(status: number, body: ProblemBody, headers: Headers, mayBeOwn: boolean) {
    super(status, body, headers);
    this.etag = body.current_etag ?? headers.get("etag") ?? undefined;
    this.mayBeOwn = mayBeOwn;
  }
}

/** No answer came, however often the client tried. */
export class RenaksiUnreachable extends Error {
  override readonly name = "RenaksiUnreachable";

  constructor(cause: unknown) {
    super("The service cannot be reached", { cause });
  }
}

/** An answer whose body was read. */
export interface Received {
  status: number;
  headers: Headers;
  text: string;
}

/** The error that an answer tells. */
export function problemOf({ status, headers, text }: Received, mayBeOwn: boolean): RenaksiProblem {
  const body = object(text);
  // The token endpoint has errors of its own form.
  const code = body["code"] ?? body["error"];
  const known = {
    ...body,
    ...(typeof body["error_description"] === "string" && { detail: body["error_description"] }),
    code: typeof code === "string" ? (code as ProblemCode) : ("unreadable_answer" as const),
  };
  return status === 412 ? new StaleEdit(status, known, headers, mayBeOwn) : new RenaksiProblem(status, known, headers);
}

/** The seconds of `Retry-After`, which is a number or a date. */
export function retryAfter(headers: Headers): number | undefined {
  const value = headers.get("retry-after");
  if (value === null || value === "") return undefined;
  const seconds = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds);
}

function object(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {}; // Something between the client and the service answered, in a form of its own.
  }
}
