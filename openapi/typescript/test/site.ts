// The web server of an app: its pages come from another origin than the API.

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

const dist = new URL("../dist/", import.meta.url);

export class Site {
  readonly pages = new Map<string, string>();
  url = "";

  private constructor(private readonly server: Server) {}

  static async start(): Promise<Site> {
    const server = createServer();
    const site = new Site(server);
    server.on("request", (incoming, outgoing) => {
      const { pathname } = new URL(incoming.url ?? "/", "http://site");
      const type = pathname.endsWith(".js") ? "text/javascript" : "text/html; charset=utf-8";
      const content = pathname.startsWith("/client/")
        ? readFile(new URL(pathname.slice("/client/".length), dist), "utf8")
        : Promise.resolve(site.pages.get(pathname));
      void content.then(
        (text) => outgoing.writeHead(text === undefined ? 404 : 200, { "content-type": type }).end(text),
        () => outgoing.writeHead(404).end(),
      );
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    site.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return site;
  }

  /** Adds a page that runs a module, which imports the client as an app does. */
  add(path: string, program: string, body = ""): string {
    const imports = { "renaksi-client": "/client/index.js", "renaksi-client/forms": "/client/forms.js" };
    const map = `<script type="importmap">${JSON.stringify({ imports })}</script>`;
    this.pages.set(path, `<!doctype html><html lang="id"><title>${path}</title><link rel="icon" href="data:,">${map}${body}\n<script type="module" src="${path}.js"></script>`);
    this.pages.set(`${path}.js`, program);
    return this.url + path;
  }

  async end(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, "close");
  }
}
