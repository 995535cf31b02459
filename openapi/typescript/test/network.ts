// A bad network in front of the service: it loses answers, and answers in the place of the service.

import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, request, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What becomes of a request. */
export type Fate = "pass" | "lose the answer" | "lose the request" | { status: number; headers?: Record<string, string>; body?: string };

export interface Seen {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  at: number;
}

export class Network {
  readonly seen: Seen[] = [];
  /** The fates of the next requests; later ones pass. */
  fates: Fate[] = [];
  url = "";

  private constructor(private readonly server: Server) {}

  static async before(service: string): Promise<Network> {
    const server = createServer();
    const network = new Network(server);
    server.on("request", (incoming, outgoing) => {
      const { method = "GET", url = "/", headers } = incoming;
      network.seen.push({ method, path: url, headers, at: Date.now() });
      const fate = network.fates.shift() ?? "pass";
      if (fate === "lose the request") return void incoming.socket.destroy();
      if (typeof fate === "object") return void outgoing.writeHead(fate.status, fate.headers).end(fate.body);
      const onward = request(service + url, { method, headers }, (answer) => {
        if (fate === "lose the answer") {
          // Until it was answered in full, so that it was done.
          answer.resume().on("end", () => incoming.socket.destroy());
        } else {
          pass(outgoing, answer.statusCode ?? 500, answer.headers);
          answer.pipe(outgoing);
        }
      });
      onward.on("error", () => incoming.socket.destroy());
      incoming.pipe(onward);
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    network.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return network;
  }

  /** Forgets what it saw, and decides what becomes of the next requests. */
  next(...fates: Fate[]): void {
    this.seen.length = 0;
    this.fates = fates;
  }

  async end(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, "close");
  }
}

function pass(outgoing: ServerResponse, status: number, headers: IncomingHttpHeaders): void {
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && name !== "connection" && name !== "transfer-encoding") outgoing.setHeader(name, value);
  }
  outgoing.writeHead(status);
}
