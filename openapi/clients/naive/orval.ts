// The same with the functions of Orval.
import type { Programme } from "../generated/orval/model";
import { getKpi, listProgrammes, updateKpi } from "../generated/orval/renaksi";

export async function runningProgrammes(): Promise<string[]> {
  const answer = await listProgrammes({ status: ["planned", "running"], sort: ["-name"] });
  if (answer.status !== 200) throw new Error(answer.data.title);
  const programmes: Programme[] = answer.data.data;
  return programmes.map((programme) => programme.name);
}

export async function baseline(code: string): Promise<string | undefined> {
  const answer = await getKpi(code);
  return answer.status === 200 ? answer.data.baseline?.value : undefined;
}

export async function rename(code: string, name: string, tag: string): Promise<string> {
  const answer = await updateKpi(code, { name }, { headers: { "If-Match": tag } });
  return answer.status === 200 ? answer.data.name : answer.data.title;
}
