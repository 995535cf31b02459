"""The same with openapi-python-client."""

from renaksi_client import AuthenticatedClient
from renaksi_client.api.kpis import get_kpi, update_kpi
from renaksi_client.api.programmes import list_programmes
from renaksi_client.api.push import push_measurements
from renaksi_client.models import KpiPatch, MeasurementRow, Problem, ProgrammePage, ProgrammeStatus, PushMode, PushReport
from renaksi_client.models.kpi import Kpi


def running_programmes(api: AuthenticatedClient) -> list[str]:
    answer = list_programmes.sync(client=api, status=[ProgrammeStatus.PLANNED, ProgrammeStatus.RUNNING])
    if isinstance(answer, Problem):
        raise RuntimeError(f"{answer.code}: {answer.title}")
    assert isinstance(answer, ProgrammePage)
    return [programme.name for programme in answer.data]


def baseline(api: AuthenticatedClient, code: str) -> str | None:
    answer = get_kpi.sync(code, client=api)
    return answer.baseline.value if isinstance(answer, Kpi) and answer.baseline else None


def rename(api: AuthenticatedClient, code: str, name: str, tag: str) -> str:
    answer = update_kpi.sync(code, client=api, body=KpiPatch(name=name), if_match=tag)
    return answer.name if isinstance(answer, Kpi) else ""


def push(api: AuthenticatedClient, value: str) -> int:
    rows = [MeasurementRow(kpi="STUNTING", period="2022", value=value)]
    answer = push_measurements.sync(client=api, body=rows, mode=PushMode.PARTIAL)
    return answer.rejected if isinstance(answer, PushReport) else 0
