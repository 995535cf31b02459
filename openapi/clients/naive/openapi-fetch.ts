// What an app writes first, with openapi-fetch and the types of openapi-typescript.
import createClient from "openapi-fetch";

import type { components, paths } from "../generated/openapi-typescript/schema";

const api = createClient<paths>({ baseUrl: "http://127.0.0.1:8080" });

export async function runningProgrammes(): Promise<string[]> {
  const { data, error } = await api.GET("/v1/programmes", {
    params: { query: { status: ["planned", "running"], sort: ["-name"], limit: 10 } },
  });
  if (error) {
    const code: components["schemas"]["ProblemCode"] = error.code;
    throw new Error(code === "unauthenticated" ? "log in first" : `${error.title}: ${error.errors?.map((fault) => fault.detail).join(" ")}`);
  }
  const leads: string[] = data.data.map((programme) => programme.lead_opd);
  return data.data.map((programme) => programme.name).concat(leads, data.page.next_cursor ?? []);
}

export async function baseline(code: string): Promise<string> {
  const { data } = await api.GET("/v1/kpis/{code}", { params: { path: { code } } });
  if (!data) return "no such KPI";
  const kind: components["schemas"]["UnitKind"] = data.unit.kind;
  return `${data.baseline?.value ?? "?"} ${kind} (${data.baseline?.provenance?.publisher ?? "no source"})`;
}

export async function rename(code: string, name: string, tag: string): Promise<string> {
  const { data, error } = await api.PATCH("/v1/kpis/{code}", {
    params: { path: { code }, header: { "If-Match": tag } },
    body: { name, description: null },
  });
  if (error?.code === "precondition_failed") return rename(code, name, error.current_etag ?? tag);
  return data?.name ?? "";
}

export async function push(value: string): Promise<string[]> {
  const { data } = await api.POST("/v1/push/measurements", {
    params: { query: { mode: "partial" }, header: { "Idempotency-Key": "evaluation-2022" } },
    body: [{ kpi: "STUNTING", period: "2022", value }],
  });
  const rejected = data?.rows.filter((row) => row.result === "rejected") ?? [];
  return rejected.flatMap((row) => row.errors ?? []).map((fault) => (fault.code === "outside_own_opd" ? fault.pointer : fault.detail));
}
