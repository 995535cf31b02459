// What must compile, and what must not. Compiling this file is the test: each `@ts-expect-error` stands before a fault.

import { type Client, edit, events, type Fault, pages, RenaksiProblem, rows, save, type Schemas } from "renaksi-client";
import { NewKpi, NewProgramme } from "renaksi-client/forms";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Equal<A, B>) => {};

export async function calls(client: Client): Promise<void> {
  // Lists, rows and references.
  const list = await client.get("/v1/programmes", { query: { status: ["planned", "running"], lead_opd: "DLH", limit: 10, "budget[gte]": "1.5" } });
  const names: string[] = list.data.data.map((programme) => programme.name);
  same<typeof list.data.page.next_cursor, string | null>(true);
  for await (const programme of rows(client, "/v1/programmes", { query: { status: "planned" } })) {
    same<typeof programme, Schemas["Programme"]>(true);
    same<typeof programme.lead_opd, string>(true);
    names.push(programme.code);
  }
  for await (const page of pages(client, "/v1/kpis")) names.push(...page.data.map((kpi) => kpi.code));
  for await (const { kpi, standing } of rows(client, "/v1/standings", { query: { standing: ["at_risk"] } })) names.push(kpi, standing);
  // @ts-expect-error There is no such status.
  await client.get("/v1/programmes", { query: { status: ["plannned"] } });
  // @ts-expect-error There is no such parameter.
  await client.get("/v1/programmes", { query: { state: "planned" } });
  // @ts-expect-error There is no such path.
  await client.get("/v1/programs");
  // @ts-expect-error It is no list.
  rows(client, "/v1/summary");

  // Single things.
  const { data: opd, etag } = await client.get("/v1/opds/{code}", { path: { code: "DLH" } });
  same<typeof etag, string | undefined>(true);
  same<typeof opd, Schemas["Opd"]>(true);
  // @ts-expect-error The path needs its code.
  await client.get("/v1/opds/{code}");
  // @ts-expect-error The path needs its code.
  await client.get("/v1/opds/{code}", { path: { id: "DLH" } });

  // Writes.
  const created = await client.post("/v1/opds", { body: { code: "X", name: "Dinas X" }, idempotencyKey: "key" });
  same<typeof created.data, Schemas["Opd"]>(true);
  // @ts-expect-error A new one needs a name.
  await client.post("/v1/opds", { body: { code: "X" } });
  // @ts-expect-error There is no such member.
  await client.post("/v1/opds", { body: { code: "X", name: "Dinas X", nam: "" } });
  await client.put("/v1/opds/{code}", { path: { code: "X" }, body: { name: "Dinas X" }, ifNoneMatch: "*" });
  await client.patch("/v1/opds/{code}", { path: { code: "X" }, ifMatch: etag ?? "", body: { phone: null } });
  // @ts-expect-error A change needs the ETag.
  await client.patch("/v1/opds/{code}", { path: { code: "X" }, body: { phone: null } });
  const deleted = await client.delete("/v1/opds/{code}", { path: { code: "X" }, ifMatch: etag ?? "" });
  same<typeof deleted.data, undefined>(true);
  // @ts-expect-error A deletion needs the ETag.
  await client.delete("/v1/opds/{code}", { path: { code: "X" } });

  await client.post("/v1/push/measurements", { body: [{ kpi: "STUNTING", period: "2023", value: 19.1 }], query: { dry_run: true } });
  await client.post("/v1/push/measurements", { body: "kpi,period,value\n", contentType: "text/csv" });
  // @ts-expect-error Text needs its type.
  await client.post("/v1/push/measurements", { body: "kpi,period,value\n" });

  await edit(client, "/v1/programmes/{code}", { path: { code: "SV-01" } }, (programme) => ({ name: `${programme.name}.` }));
  // @ts-expect-error The status changes only by transitions.
  await edit(client, "/v1/programmes/{code}", { path: { code: "SV-01" } }, () => ({ status: "running" }));
  await save(client, "/v1/programmes/{code}", { path: { code: "SV-01" }, ifMatch: '"1"', body: { published: true } });

  const me = await client.get("/v1/me");
  same<typeof me.data.name, string>(true);
  const ticket = await client.post("/v1/events/tickets");
  same<typeof ticket.data.ticket, string>(true);
  for await (const event of events(client)) same<typeof event.position, number>(true);
}

export function problems(error: RenaksiProblem): readonly Fault[] {
  // Codes are words of the document, so a switch over them is checked.
  if (error.code === "precondition_failed" || error.code === "mfa_required" || error.code === "invalid_grant") return [];
  // @ts-expect-error There is no such code.
  if (error.code === "precondition_faild") return [];
  return error.errors;
}

export function forms(): void {
  same<typeof NewProgramme.name.required, true>(true);
  same<typeof NewProgramme.name.label.id, "Nama">(true);
  const directions: readonly ("increase" | "decrease")[] = NewKpi.direction.choices.map(({ value }) => value);
  // @ts-expect-error There is no such member.
  void [NewProgramme.status, directions];
}
