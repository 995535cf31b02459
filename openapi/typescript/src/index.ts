// What the package offers. Whatever an app does not import is left out of its bundle.

export { type Client, type ClientOptions, createClient, newKey, type TokenSource, type UntypedInit } from "./client.js";
export { clientCredentials, type ClientCredentials, createSession, type Credentials, type Session, type SessionOptions } from "./session.js";
export { createOidcSession, type OidcOptions, type OidcSession } from "./oidc.js";
export {
  type Ending,
  type LoginChange,
  memoryStorage,
  type TokenKeeper,
  type TokenOptions,
  type Tokens,
  type TokenStorage,
  webStorage,
} from "./tokens.js";
export { type Fault, type ProblemBody, type ProblemCode, RenaksiProblem, RenaksiUnreachable, StaleEdit } from "./problem.js";
export type { RetryPolicy } from "./retry.js";
export { pages, rows } from "./pages.js";
export { edit, type EditInit, type PatchOf, save } from "./edit.js";
export { type EventOptions, events, publicEvents } from "./events.js";
export type { Answer, CallOptions, Data, EditablePath, Init, ListPath, Method, Operation, PathsWith, Row, Schemas } from "./types.js";
export type { Field, Form, Labels, Texts } from "./form.js";
export type { components, operations, paths } from "./schema.js";
