// An OpenID provider with the endpoints and claims of Keycloak, for a public client with PKCE. Whoever comes is logged in.

import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

interface Asked {
  redirect: string;
  challenge: string;
}

export class Provider {
  issuer = "";
  /** What the token endpoint was asked. */
  readonly grants: string[] = [];
  readonly revoked: string[] = [];
  private readonly keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  private readonly codes = new Map<string, Asked>();
  private readonly refreshTokens = new Set<string>();

  private constructor(private readonly server: Server) {}

  static async start(): Promise<Provider> {
    const server = createServer();
    const provider = new Provider(server);
    server.on("request", (incoming, outgoing) => void provider.answer(incoming, outgoing));
    await once(server.listen(0, "127.0.0.1"), "listening");
    provider.issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}/realms/regency`;
    return provider;
  }

  private async answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const url = new URL(incoming.url ?? "/", this.issuer);
    const json = (status: number, body: unknown) =>
      outgoing.writeHead(status, { "content-type": "application/json", "access-control-allow-origin": "*" }).end(JSON.stringify(body));
    switch (url.pathname.replace("/realms/regency", "")) {
      case "/.well-known/openid-configuration":
        return void json(200, {
          issuer: this.issuer,
          authorization_endpoint: `${this.issuer}/auth`,
          token_endpoint: `${this.issuer}/token`,
          revocation_endpoint: `${this.issuer}/revoke`,
          jwks_uri: `${this.issuer}/certs`,
        });
      case "/certs":
        return void json(200, { keys: [{ ...this.keys.publicKey.export({ format: "jwk" }), kid: "1", use: "sig", alg: "ES256" }] });
      case "/auth":
        return void outgoing.writeHead(302, { location: this.sendBack(url.searchParams) }).end();
      case "/token": {
        const form = await read(incoming);
        const answer = this.grant(form);
        return void json("error" in answer ? 400 : 200, answer);
      }
      case "/revoke":
        this.revoked.push((await read(incoming)).get("token") ?? "");
        return void json(200, {});
      default:
        return void outgoing.writeHead(404).end();
    }
  }

  private sendBack(asked: URLSearchParams): string {
    const redirect = asked.get("redirect_uri") ?? "";
    const back = new URL(redirect);
    back.searchParams.set("state", asked.get("state") ?? "");
    if (asked.get("client_id") !== "app" || asked.get("response_type") !== "code" || asked.get("code_challenge_method") !== "S256") {
      back.searchParams.set("error", "invalid_request");
    } else {
      const code = randomBytes(16).toString("hex");
      this.codes.set(code, { redirect, challenge: asked.get("code_challenge") ?? "" });
      back.searchParams.set("code", code);
      back.searchParams.set("iss", this.issuer);
    }
    return back.href;
  }

  private grant(form: URLSearchParams): object {
    const kind = form.get("grant_type") ?? "";
    this.grants.push(kind);
    if (form.get("client_id") !== "app") return { error: "invalid_client" };
    if (kind === "authorization_code") {
      const asked = this.codes.get(form.get("code") ?? "");
      this.codes.delete(form.get("code") ?? "");
      const challenge = createHash("sha256").update(form.get("code_verifier") ?? "").digest("base64url");
      if (asked?.challenge !== challenge || asked.redirect !== form.get("redirect_uri")) return { error: "invalid_grant" };
    } else if (!this.refreshTokens.delete(form.get("refresh_token") ?? "")) {
      return { error: "invalid_grant" };
    }
    const refresh = randomBytes(16).toString("hex");
    this.refreshTokens.add(refresh);
    return { access_token: this.accessToken(), expires_in: 300, refresh_token: refresh, token_type: "Bearer" };
  }

  private accessToken(): string {
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: this.issuer,
      sub: "f3b0",
      aud: ["renaksi", "account"],
      typ: "Bearer",
      azp: "app",
      iat: now,
      exp: now + 300,
      jti: randomBytes(8).toString("hex"),
      preferred_username: "sri",
      realm_access: { roles: ["offline_access", "renaksi-operator"] },
      opd: "DINKES",
    };
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const signed = `${part({ alg: "ES256", typ: "JWT", kid: "1" })}.${part(claims)}`;
    const signature = sign("sha256", Buffer.from(signed), { key: this.keys.privateKey, dsaEncoding: "ieee-p1363" });
    return `${signed}.${signature.toString("base64url")}`;
  }

  async end(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, "close");
  }
}

async function read(incoming: IncomingMessage): Promise<URLSearchParams> {
  let text = "";
  for await (const part of incoming.setEncoding("utf8")) text += String(part);
  return new URLSearchParams(text);
}
