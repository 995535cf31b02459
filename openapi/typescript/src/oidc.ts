// Logins at an outside OpenID provider such as Keycloak: the authorization code flow with PKCE (RFC 7636), for browsers.

import { newKey } from "./client.js";
import { problemOf, RenaksiProblem } from "./problem.js";
import { send, usualPolicy } from "./retry.js";
import { keepTokens, type TokenAnswer, type TokenKeeper, type TokenOptions } from "./tokens.js";

export interface OidcOptions extends TokenOptions {
  /** The issuer, such as `https://login.example.go.id/realms/regency`. */
  issuer: string;
  /** The id of the app at the provider, as a public client. */
  clientId: string;
  /** The page of the app to which the provider sends people back. */
  redirectUri: string;
  /** What is asked for: `openid` without it. */
  scope?: string | undefined;
  fetch?: typeof fetch | undefined;
}

/** The login of a person at an outside provider. */
export interface OidcSession extends TokenKeeper {
  /** Sends the person to the provider. `returnTo` is given back by `finish`. */
  start(returnTo?: string): Promise<void>;
  /** Ends the login that `start` began, on the page to which the provider sent the person. Undefined if nobody was sent. */
  finish(): Promise<string | undefined>;
}

interface Metadata {
  issuer: string;
  authorization_endpoint: string;
  token_endpoint: string;
  revocation_endpoint?: string;
}

interface Begun {
  verifier: string;
  returnTo: string;
}

/** A session with an outside provider. Give it to `createClient` as `auth`. */
export function createOidcSession(options: OidcOptions): OidcSession {
  const fetcher = options.fetch ?? ((...args) => fetch(...args));
  const { clientId: client_id, redirectUri: redirect_uri } = options;
  let metadata: Promise<Metadata> | undefined;

  async function call(url: string, form?: Record<string, string>): Promise<unknown> {
    const init = form === undefined ? {} : { method: "POST", body: new URLSearchParams(form) };
    // A code is good once: after a lost answer the person logs in anew.
    const policy = { ...usualPolicy, attempts: form?.["code"] === undefined ? 4 : 1, timeout: 10_000 };
    const answer = await send(fetcher, url, init, policy, undefined);
    if (answer.status >= 400) throw problemOf(answer, answer.mayBeDone);
    return answer.text === "" ? undefined : (JSON.parse(answer.text) as unknown);
  }

  function discover(): Promise<Metadata> {
    metadata ??= (async () => {
      const found = (await call(`${options.issuer.replace(/\/$/, "")}/.well-known/openid-configuration`)) as Metadata;
      if (found.issuer !== options.issuer) throw new Error(`The provider calls itself ${found.issuer}`);
      return found;
    })();
    // The next one asks again.
    metadata.catch(() => (metadata = undefined));
    return metadata;
  }

  const token = async (form: Record<string, string>) =>
    (await call((await discover()).token_endpoint, { client_id, ...form })) as TokenAnswer;
  const keeper = keepTokens(
    {
      renew: (refresh_token) => token({ grant_type: "refresh_token", refresh_token }),
      async revoke(refresh) {
        const { revocation_endpoint: endpoint } = await discover();
        if (endpoint !== undefined) await call(endpoint, { client_id, token: refresh, token_type_hint: "refresh_token" });
      },
    },
    options.issuer,
    options,
  );

  return {
    ...keeper,
    async start(returnTo = location.href) {
      const { authorization_endpoint } = await discover();
      const [state, verifier] = [newKey(), base64url(crypto.getRandomValues(new Uint8Array(32)))];
      const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
      sessionStorage.setItem(placeOf(state), JSON.stringify({ verifier, returnTo } satisfies Begun));
      const url = new URL(authorization_endpoint);
      const parameters = {
        response_type: "code",
        client_id,
        redirect_uri,
        scope: options.scope ?? "openid",
        state,
        code_challenge: base64url(new Uint8Array(digest)),
        code_challenge_method: "S256",
      };
      for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
      location.assign(url);
    },
    async finish() {
      const url = new URL(location.href);
      const answer = url.searchParams;
      const [state, code, error] = ["state", "code", "error"].map((name) => answer.get(name));
      if (state == null || (code == null && error == null)) return undefined;
      const begun = JSON.parse(sessionStorage.getItem(placeOf(state)) ?? "null") as Begun | null;
      sessionStorage.removeItem(placeOf(state));
      // The code leaves the address bar, the history and what the page may tell others.
      for (const name of ["state", "code", "error", "error_description", "iss", "session_state"]) answer.delete(name);
      history.replaceState(history.state, "", url);
      const about = answer.get("error_description") ?? undefined;
      if (begun === null) throw new RenaksiProblem(400, { code: "invalid_request", detail: "This login did not begin in this tab." }, new Headers());
      if (code == null) throw new RenaksiProblem(400, { code: error as "access_denied", ...(about !== undefined && { detail: about }) }, new Headers());
      await keeper.keep(await token({ grant_type: "authorization_code", code, redirect_uri, code_verifier: begun.verifier }));
      return begun.returnTo;
    },
  };
}

const placeOf = (state: string) => `renaksi.login.${state}`;

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}
