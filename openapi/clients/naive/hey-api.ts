// The same with the SDK of Hey API.
import { getKpi, listProgrammes, pushMeasurements, updateKpi } from "../generated/hey-api/sdk.gen";
import type { ProblemCode, ProgrammeStatus } from "../generated/hey-api/types.gen";
import { zNewProgramme } from "../generated/hey-api/zod.gen";

export async function runningProgrammes(): Promise<string[]> {
  const { data, error } = await listProgrammes({ query: { status: ["planned", "running"], sort: ["-name"], count: true } });
  if (error) {
    const code: ProblemCode = error.code;
    throw new Error(`${code}: ${error.title}`);
  }
  const total: number | undefined = data?.page.total;
  const statuses: ProgrammeStatus[] = (data?.data ?? []).map((programme) => programme.status);
  return (data?.data ?? []).map((programme) => programme.name).concat(statuses, String(total));
}

export async function baseline(code: string): Promise<string | undefined> {
  const { data } = await getKpi({ path: { code } });
  return data?.baseline?.value;
}

export async function rename(code: string, name: string, tag: string): Promise<string | undefined> {
  const { data } = await updateKpi({ path: { code }, headers: { "If-Match": tag }, body: { name } });
  return data?.name;
}

export async function push(): Promise<number> {
  const { data } = await pushMeasurements({ query: { mode: "partial" }, body: [{ kpi: "STUNTING", period: "2022", value: "22.9" }] });
  return data?.rejected ?? 0;
}

export const parsed = zNewProgramme.safeParse({ code: "SV-01", masterplan: "KLU-SC", dimension: "environment", name: "TPS3R", lead_opd: "DLH" });
