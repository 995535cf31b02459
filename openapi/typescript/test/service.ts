// The real service with the demo data, for one file of tests.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

import { type Client, clientCredentials, createClient, createSession } from "renaksi-client";

export const password = "kata-sandi-untuk-uji-coba";
export const clientSecret = "rahasia-klien-untuk-uji-coba";

/** Where the binary is: `./test` builds it. */
const binary = resolve(process.env["RENAKSI_BIN"] ?? "../../target/debug/renaksi");

export class Service {
  url = "";
  private process: ChildProcess | undefined;

  private constructor(
    private readonly folder: string,
    private readonly settings: Record<string, string>,
  ) {}

  /** Starts a service with settings such as `RENAKSI_CORS_ORIGINS`. */
  static async start(settings: Record<string, string> = {}): Promise<Service> {
    const service = new Service(await mkdtemp(join(tmpdir(), "renaksi-client-")), settings);
    await service.listen("127.0.0.1:0");
    return service;
  }

  private async listen(address: string): Promise<void> {
    const started = spawn(binary, ["serve", "--demo", "--listen", address, "--database-url", `sqlite://${this.folder}/renaksi.db`], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, RENAKSI_DEMO_PASSWORD: password, RENAKSI_DEMO_CLIENT_SECRET: clientSecret, RENAKSI_LOG: "error", ...this.settings },
    });
    this.process = started;
    const lines = createInterface(started.stdout);
    const [line] = (await Promise.race([once(lines, "line"), once(started, "exit").then(() => ["it ended"])])) as [string];
    const url = /^listening on (http:.*)$/.exec(line)?.[1];
    if (url === undefined) throw new Error(`The service does not listen: ${line}`);
    this.url = url;
    // What else it prints is not of interest, but it must be able to print it.
    lines.on("line", () => {});
  }

  /** Ends the process, in order or as a crash does. */
  async end(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
    const running = this.process;
    if (running === undefined || running.exitCode !== null) return;
    running.kill(signal);
    await once(running, "exit");
  }

  /** Starts it again, at the same address and with the same data. */
  async begin(): Promise<void> {
    await this.listen(this.url.replace("http://", ""));
  }

  async remove(): Promise<void> {
    await this.end("SIGKILL");
    await rm(this.folder, { recursive: true });
  }

  /** A client of somebody of the demo data, such as `admin` or `operator.dinkes`. */
  async client(name: string): Promise<Client> {
    const session = createSession({ baseUrl: this.url });
    await session.login({ username: `${name}@demo.invalid`, password });
    return createClient({ baseUrl: this.url, auth: session });
  }

  /** A client of the system of DINKES. */
  system(): Client {
    return createClient({ baseUrl: this.url, auth: clientCredentials({ baseUrl: this.url, clientId: "demo-dinkes", clientSecret }) });
  }
}
