// Drives the Chromium of the system through its DevTools pipe, which needs no package and no port.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { Readable, Writable } from "node:stream";

interface Message {
  id?: number;
  sessionId?: string;
  method?: string;
  params?: Record<string, unknown>;
  result?: Record<string, unknown>;
  error?: { message: string };
}

export class Chromium {
  private last = 0;
  private readonly waiting = new Map<number, (message: Message) => void>();
  readonly listeners = new Set<(message: Message) => void>();
  private readonly ended: Promise<Message>;

  private constructor(
    private readonly process: ChildProcess,
    private readonly folder: string,
  ) {
    this.ended = once(process, "exit").then(() => ({ error: { message: "Chromium ended" } }));
    let rest = "";
    (process.stdio[4] as Readable).setEncoding("utf8").on("data", (text: string) => {
      const messages = (rest + text).split("\0");
      rest = messages.pop() ?? "";
      for (const message of messages) this.receive(JSON.parse(message) as Message);
    });
  }

  static async start(): Promise<Chromium> {
    const folder = await mkdtemp(join(tmpdir(), "renaksi-chromium-"));
    const settings = [
      "--headless=new",
      "--remote-debugging-pipe",
      `--user-data-dir=${folder}`,
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-dev-shm-usage",
      "--disable-gpu",
      "--no-proxy-server",
      // Several tabs are in front at once here.
      "--disable-background-timer-throttling",
      "--disable-backgrounding-occluded-windows",
      "--disable-renderer-backgrounding",
      // It refuses to run as root otherwise, as containers do. It only ever opens pages of these tests.
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
    ];
    const started = spawn(found(), settings, { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
    return new Chromium(started, folder);
  }

  private receive(message: Message): void {
    if (message.id === undefined) return this.listeners.forEach((listener) => listener(message));
    this.waiting.get(message.id)?.(message);
    this.waiting.delete(message.id);
  }

  async send(method: string, params: object = {}, sessionId?: string): Promise<Record<string, unknown>> {
    const id = (this.last += 1);
    const answer = new Promise<Message>((resolve) => this.waiting.set(id, resolve));
    (this.process.stdio[3] as Writable).write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    const { result, error } = await Promise.race([answer, this.ended]);
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result ?? {};
  }

  /** Opens a tab with a page. Tabs of one browser share what tabs share. */
  async open(url: string): Promise<Tab> {
    const { targetId } = await this.send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await this.send("Target.attachToTarget", { targetId, flatten: true });
    const tab = new Tab(this, targetId as string, sessionId as string);
    await tab.prepare();
    await tab.go(url);
    return tab;
  }

  async end(): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      await this.send("Browser.close").catch(() => this.process.kill("SIGKILL"));
      await this.ended;
    }
    // Its children may still write for a moment.
    await rm(this.folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}

/** How a page is looked at. */
export interface Look {
  width: number;
  colours: "light" | "dark";
}

export class Tab {
  /** What the page said went wrong. */
  readonly faults: string[] = [];
  /** What the browser counts and complains of, once it is asked to. */
  readonly complaints: string[] = [];
  readonly requested: string[] = [];
  received = 0;

  constructor(
    private readonly browser: Chromium,
    private readonly targetId: string,
    private readonly sessionId: string,
  ) {
    browser.listeners.add(({ sessionId: of, method, params }) => {
      if (of === sessionId) this.hear(method, params ?? {});
    });
  }

  private hear(method: string | undefined, params: Record<string, unknown>): void {
    if (method === "Runtime.exceptionThrown") this.faults.push(describe(params["exceptionDetails"]));
    if (method === "Log.entryAdded") this.complaints.push(JSON.stringify(params["entry"]));
    if (method === "Network.requestWillBeSent") this.requested.push((params["request"] as { url: string }).url);
    if (method === "Network.loadingFinished") this.received += params["encodedDataLength"] as number;
  }

  /** Has the browser tell what it loads, and what it complains of. Nothing comes out of its cache. */
  async observe(): Promise<void> {
    for (const domain of ["Log", "Network"]) await this.browser.send(`${domain}.enable`, {}, this.sessionId);
    await this.browser.send("Network.setCacheDisabled", { cacheDisabled: true }, this.sessionId);
  }

  /** Shows pages as on a screen of this width, to somebody who prefers these colours. */
  async look({ width, colours }: Look): Promise<void> {
    const screen = { width, height: 900, deviceScaleFactor: 1, mobile: width < 600 };
    await this.browser.send("Emulation.setDeviceMetricsOverride", screen, this.sessionId);
    const features = [{ name: "prefers-color-scheme", value: colours }];
    await this.browser.send("Emulation.setEmulatedMedia", { features }, this.sessionId);
  }

  /** Whether pages may run scripts. Expressions are evaluated all the same. */
  async scripts(allowed: boolean): Promise<void> {
    await this.browser.send("Emulation.setScriptExecutionDisabled", { value: !allowed }, this.sessionId);
  }

  async prepare(): Promise<void> {
    await this.browser.send("Runtime.enable", {}, this.sessionId);
    await this.browser.send("Page.enable", {}, this.sessionId);
  }

  /** Opens a page and waits until it has loaded, wherever it leads. */
  async go(url: string): Promise<void> {
    const loaded = this.loaded();
    await this.browser.send("Page.navigate", { url }, this.sessionId);
    await loaded;
  }

  loaded(): Promise<void> {
    return new Promise((resolve) => {
      const listener = ({ sessionId, method }: Message) => {
        if (sessionId !== this.sessionId || method !== "Page.loadEventFired") return;
        this.browser.listeners.delete(listener);
        resolve();
      };
      this.browser.listeners.add(listener);
    });
  }

  /** The value of an expression or, if it is a promise, what that is resolved with. */
  async evaluate<T>(expression: string): Promise<T> {
    const parameters = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await this.browser.send("Runtime.evaluate", parameters, this.sessionId);
    if (exceptionDetails !== undefined) throw new Error(describe(exceptionDetails));
    return (result as { value: T }).value;
  }

  /** Waits until an expression is true. */
  async until(expression: string, seconds = 30): Promise<void> {
    for (const end = Date.now() + seconds * 1000; Date.now() < end; ) {
      // A page that is being left cannot answer.
      if (await this.evaluate<boolean>(`Boolean(${expression})`).catch(() => false)) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const page = await this.evaluate<string>("document.documentElement.outerHTML").catch(String);
    throw new Error(`Not within ${seconds} s: ${expression}\n${this.faults.join("\n")}\n${page}`);
  }

  async close(): Promise<void> {
    await this.browser.send("Target.closeTarget", { targetId: this.targetId });
  }
}

function describe(details: unknown): string {
  const { text, exception } = details as { text?: string; exception?: { description?: string; value?: unknown } };
  return `${text ?? ""} ${exception?.description ?? String(exception?.value ?? "")}`;
}

/** The path of the browser: that of `CHROMIUM`, or the first that is installed. */
function found(): string {
  const named = process.env["CHROMIUM"];
  if (named !== undefined && named !== "") return named;
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
  const places = [
    ...names.flatMap((name) => folders.map((folder) => join(folder, name))),
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  ];
  const place = places.find((candidate) => existsSync(candidate));
  if (place === undefined) throw new Error("Chromium is missing: install it, or name it in CHROMIUM");
  return place;
}
