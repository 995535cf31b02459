// Logins with an account of the service itself, and the login of systems.

import { createClient, type TokenSource } from "./client.js";
import type { RetryPolicy } from "./retry.js";
import { keepTokens, type TokenAnswer, type TokenKeeper, type TokenOptions } from "./tokens.js";

export interface SessionOptions extends TokenOptions {
  /** The address of the service. */
  baseUrl: string;
  /** The language of the texts in errors. */
  language?: "en" | "id" | (() => "en" | "id") | undefined;
  fetch?: typeof fetch | undefined;
}

export interface Credentials {
  /** The e-mail address. */
  username: string;
  password: string;
  /** The code of the authenticator app, or a recovery code. Ask for it after the error `mfa_required`. */
  totp?: string | undefined;
}

/** The login of a person with an account of the service. */
export interface Session extends TokenKeeper {
  login(credentials: Credentials): Promise<void>;
}

/** A session for a browser app. Give it to `createClient` as `auth`. */
export function createSession(options: SessionOptions): Session {
  const grant = tokenEndpoint(options);
  const revoke = async (token: string) => {
    await grant("/v1/auth/revoke", { token, token_type_hint: "refresh_token" }, { attempts: 3 });
  };
  // A lost answer is asked for again within 30 seconds: for so long an old refresh token gives another pair.
  const renew = (token: string) =>
    grant("/v1/auth/token", { grant_type: "refresh_token", refresh_token: token }, { attempts: 4, timeout: 6_000, longestRetryAfter: 4_000 });
  const keeper = keepTokens({ renew, revoke }, options.baseUrl, options);
  return {
    ...keeper,
    async login({ username, password, totp }) {
      // Whoever waits at a form is told how long to wait.
      const answer = await grant("/v1/auth/token", { grant_type: "password", username, password, totp }, { attempts: 1 });
      await keeper.keep(answer);
    },
  };
}

export interface ClientCredentials {
  baseUrl: string;
  clientId: string;
  clientSecret: string;
  /** Some of the scopes of the client, separated by spaces; without it, all of them. */
  scope?: string | undefined;
  fetch?: typeof fetch | undefined;
}

/** The tokens of a system, on a server: a browser can keep no secret. Give it to `createClient` as `auth`. */
export function clientCredentials(options: ClientCredentials): TokenSource {
  const grant = tokenEndpoint(options);
  let current: { access: string; expiresAt: number } | undefined;
  let request: Promise<string> | undefined;
  const obtain = async () => {
    const { clientId: client_id, clientSecret: client_secret, scope } = options;
    const answer = await grant("/v1/auth/token", { grant_type: "client_credentials", client_id, client_secret, scope }, {});
    current = { access: answer.access_token, expiresAt: Date.now() + answer.expires_in * 1000 };
    return current.access;
  };
  const once = () => (request ??= obtain().finally(() => (request = undefined)));
  return {
    token: async () => (current !== undefined && Date.now() < current.expiresAt - 60_000 ? current.access : once()),
    renew: async (refused) => (current !== undefined && current.access !== refused ? current.access : once()),
  };
}

/** Posts forms to the endpoints of OAuth2. */
function tokenEndpoint(options: Pick<SessionOptions, "baseUrl" | "language" | "fetch">) {
  const client = createClient({ ...options, auth: undefined });
  return async (path: string, form: Record<string, string | undefined>, retries: Partial<RetryPolicy>): Promise<TokenAnswer> => {
    const given = Object.entries(form).filter((field): field is [string, string] => field[1] !== undefined);
    const { data } = await client.request("post", path, {
      body: new URLSearchParams(given),
      contentType: "application/x-www-form-urlencoded",
      retries: { timeout: 20_000, ...retries },
    });
    return data as TokenAnswer;
  };
}
