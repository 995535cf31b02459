// Keeps the tokens of one login, and renews them one at a time across the tabs of an app.

import { newKey, type TokenSource } from "./client.js";
import { RenaksiProblem } from "./problem.js";
import { pause } from "./retry.js";

/** The tokens of a login. */
export interface Tokens {
  access: string;
  /** Renews them; each answer brings another. */
  refresh: string | undefined;
  /** When to renew them, and when the access token ends, in milliseconds since 1970 by the clock of this device. */
  renewAt: number;
  expiresAt: number;
  /** When they were obtained: of two tabs, the one with the greater value has the newer tokens. */
  obtainedAt: number;
  /** Names the login, and stays the same when its tokens are renewed. */
  login: string;
}

/** Where tokens are kept. The app chooses. */
export interface TokenStorage {
  read(): Tokens | undefined | Promise<Tokens | undefined>;
  write(tokens: Tokens | undefined): void | Promise<void>;
}

/** Tokens in memory: they end with the last tab of the app, and no other program can read them from the disk. */
export function memoryStorage(): TokenStorage {
  let kept: Tokens | undefined;
  return { read: () => kept, write: (tokens) => void (kept = tokens) };
}

/** Tokens in `sessionStorage`, which outlives a reload, or in `localStorage`, which outlives the browser. */
export function webStorage(storage: Storage, key = "renaksi.tokens"): TokenStorage {
  return {
    read() {
      try {
        return JSON.parse(storage.getItem(key) ?? "null") as Tokens ?? undefined;
      } catch {
        return undefined; // Another program wrote under this key.
      }
    },
    write: (tokens) => tokens === undefined ? storage.removeItem(key) : storage.setItem(key, JSON.stringify(tokens)),
  };
}

/** What a token endpoint answers. */
export interface TokenAnswer {
  access_token: string;
  expires_in: number;
  refresh_token?: string | null | undefined;
}

/** How tokens are renewed and ended where they come from. */
export interface Issuer {
  renew(refresh: string): Promise<TokenAnswer>;
  revoke(refresh: string): Promise<void>;
}

export interface TokenOptions {
  /** Memory without it. */
  storage?: TokenStorage | undefined;
  /** Tabs share a login if their sessions have the same name. Without it, the address of whoever issues the tokens. */
  name?: string | undefined;
  /** Whether the tabs of a browser share the login: usually yes. A server never does, as it may serve several people. */
  shared?: boolean | undefined;
}

/** Why a login ended. */
export type Ending = "logout" | "expired";

/** What happened: somebody logged in, perhaps in the place of somebody else, or a login ended. */
export type LoginChange = { state: "in" } | { state: "out"; because: Ending };

/** A login: a source of tokens that a client takes as `auth`. */
export interface TokenKeeper extends TokenSource {
  /** Whether somebody is logged in, in this tab or in another one. */
  isLoggedIn(): Promise<boolean>;
  /** Tells each login and logout, of any tab. Returns a function that ends this. */
  onChange(listener: (change: LoginChange) => void): () => void;
  /** Ends the login in all tabs, and revokes it. */
  logout(): Promise<void>;
  /** Keeps the tokens of a new login. */
  keep(answer: TokenAnswer): Promise<void>;
}

type Message = { kind: "ask" } | { kind: "have"; tokens: Tokens } | { kind: "out"; at: number; because: Ending };

/** An access token is renewed this long before it ends, in milliseconds, or when a third of its time is left. */
const margin = 60_000;
/** How long other tabs have to answer, in milliseconds. */
const patience = 100;
/** How long to wait for another tab that renews, before doing it anyway, in milliseconds. */
const longestTurn = 15_000;

export function keepTokens(issuer: Issuer, usualName: string, options: TokenOptions): TokenKeeper {
  const storage = options.storage ?? memoryStorage();
  const name = `renaksi:${options.name ?? usualName}`;
  const isShared = options.shared ?? typeof document !== "undefined";
  const listeners = new Set<(change: LoginChange) => void>();
  const channel = isShared && typeof BroadcastChannel === "function" ? new BroadcastChannel(name) : undefined;
  /** Tokens that were obtained before this moment are of a login that ended. */
  let endedAt = 0;
  let renewal: Promise<Tokens | undefined> | undefined;
  /** Those who wait for what other tabs have. */
  const asking = new Set<() => void>();

  /** The login that the listeners know of. */
  let told: string | undefined;

  const post = (message: Message) => channel?.postMessage(message);
  const tell = (login: string | undefined, change: LoginChange) => {
    if (login === told) return;
    told = login;
    listeners.forEach((listener) => listener(change));
  };

  async function known(): Promise<Tokens | undefined> {
    const tokens = await storage.read();
    return tokens !== undefined && tokens.obtainedAt > endedAt ? tokens : undefined;
  }

  /** Keeps tokens if they are the newest. Says whether they were new here. */
  async function adopt(tokens: Tokens): Promise<boolean> {
    if (tokens.obtainedAt <= endedAt) return false;
    // Another tab may have written to a storage that both have.
    const isNew = tokens.obtainedAt > ((await storage.read())?.obtainedAt ?? 0);
    if (isNew) await storage.write(tokens);
    tell(tokens.login, { state: "in" });
    return isNew;
  }

  /** Ends the login whose tokens were obtained until a moment. */
  async function end(because: Ending, at: number): Promise<void> {
    endedAt = Math.max(endedAt, at);
    const kept = await storage.read();
    if (kept !== undefined && kept.obtainedAt > endedAt) return;
    if (kept !== undefined) await storage.write(undefined);
    tell(undefined, { state: "out", because });
  }

  channel?.addEventListener("message", ({ data }: MessageEvent<Message>) => {
    void (async () => {
      if (data.kind === "out") return end(data.because, data.at);
      if (data.kind === "have") {
        if (await adopt(data.tokens)) asking.forEach((answered) => answered());
        return undefined;
      }
      const tokens = await known();
      if (tokens !== undefined) post({ kind: "have", tokens });
      return undefined;
    })();
  });
  // Node would wait for messages for ever.
  (channel as { unref?: () => void } | undefined)?.unref?.();

  /** The newest tokens of all tabs. */
  async function newest(): Promise<Tokens | undefined> {
    if (channel !== undefined) {
      let answered = () => {};
      const answer = new Promise<void>((resolve) => (answered = resolve));
      asking.add(answered);
      post({ kind: "ask" });
      await Promise.race([answer, pause(patience)]);
      asking.delete(answered);
    }
    return known();
  }

  async function keep(answer: TokenAnswer, login: string, startedAt: number): Promise<Tokens | undefined> {
    const refresh = answer.refresh_token ?? undefined;
    if (startedAt <= endedAt) {
      // Somebody logged out meanwhile.
      if (refresh !== undefined) await issuer.revoke(refresh);
      return undefined;
    }
    const before = await storage.read();
    // A clock that is set back must not make new tokens look old.
    const obtainedAt = Math.max(Date.now(), endedAt + 1, (before?.obtainedAt ?? 0) + 1);
    const lifetime = answer.expires_in * 1000;
    const expiresAt = Date.now() + lifetime;
    const renewAt = expiresAt - Math.min(margin, lifetime / 3);
    const tokens = { access: answer.access_token, refresh, renewAt, expiresAt, obtainedAt, login };
    await adopt(tokens);
    post({ kind: "have", tokens });
    return tokens;
  }

  async function renewed(refused: string | undefined): Promise<Tokens | undefined> {
    const startedAt = Math.max(Date.now(), endedAt + 1);
    const tokens = await newest();
    if (tokens === undefined) return undefined;
    // Another tab was faster.
    if (tokens.access !== refused && Date.now() < tokens.renewAt) return tokens;
    try {
      if (tokens.refresh !== undefined) return await keep(await issuer.renew(tokens.refresh), tokens.login, startedAt);
    } catch (error) {
      if (!(error instanceof RenaksiProblem && error.code === "invalid_grant")) throw error;
      // Without locks another tab may have used the refresh token meanwhile.
      const others = await newest();
      if (others !== undefined && others.access !== tokens.access) return others;
    }
    await end("expired", tokens.obtainedAt);
    post({ kind: "out", at: tokens.obtainedAt, because: "expired" });
    return undefined;
  }

  /** Renews once for all who ask in this tab meanwhile, and in one tab after the other. */
  function renew(refused: string | undefined): Promise<Tokens | undefined> {
    renewal ??= inTurn(isShared ? name : undefined, () => renewed(refused)).finally(() => (renewal = undefined));
    return renewal;
  }

  // A new tab learns from the others that somebody is logged in.
  const start = (async () => {
    told = (await known())?.login;
    if (told === undefined) await newest();
  })();

  return {
    async token() {
      await start;
      const tokens = await known();
      if (tokens === undefined) return undefined;
      if (Date.now() < tokens.renewAt) return tokens.access;
      try {
        return (await renew(tokens.access))?.access;
      } catch (error) {
        // It is still good for a while, so that the network has time to come back.
        if (Date.now() < tokens.expiresAt) return tokens.access;
        throw error;
      }
    },
    renew: async (refused) => (await renew(refused))?.access,
    async isLoggedIn() {
      await start;
      return (await known()) !== undefined;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async logout() {
      await start;
      const tokens = await known();
      const at = Math.max(Date.now(), tokens?.obtainedAt ?? 0);
      await end("logout", at);
      post({ kind: "out", at, because: "logout" });
      if (tokens?.refresh !== undefined) await issuer.revoke(tokens.refresh);
    },
    keep: async (answer) => {
      await start;
      await keep(answer, newKey(), Math.max(Date.now(), endedAt + 1));
    },
  };
}

/** Does work in one tab at a time, where the browser has locks. Elsewhere tabs are told what the others did. */
async function inTurn<T>(name: string | undefined, work: () => Promise<T>): Promise<T> {
  const locks = name === undefined || typeof navigator === "undefined" ? undefined : navigator.locks;
  if (name === undefined || locks === undefined) return work();
  let isMyTurn = false;
  try {
    return await locks.request(name, { signal: AbortSignal.timeout(longestTurn) }, () => {
      isMyTurn = true;
      return work();
    });
  } catch (error) {
    // A tab that sleeps must not hold up the others.
    if (!isMyTurn) return work();
    throw error;
  }
}
