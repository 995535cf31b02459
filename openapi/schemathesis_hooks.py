"""What the document cannot say to Schemathesis."""

import datetime
import json

import schemathesis
from hypothesis import strategies
from schemathesis.core.parameters import ParameterLocation

# Well-formed entity tags: `*` holds for whatever is there, the other for nothing. The first of each gets a request further.
FORMATS = {"If-Match": ["*", '"0-0"'], "If-None-Match": ['"0-0"', "*"]}
for name, tags in FORMATS.items():
    schemathesis.openapi.format(name, strategies.sampled_from(tags))


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Mark the entity tags: out of a pattern that needs quotes Schemathesis makes no header, and sends `0` instead. Take the bounds of
    dates away: what is no date is ignored, as RFC 9110 has it, and not refused."""
    for parameter in raw_schema["components"]["parameters"].values():
        if parameter["name"] == "If-Modified-Since":
            parameter["schema"] = {"type": "string"}
        if parameter["name"] in FORMATS:
            parameter["schema"]["format"] = parameter["name"]


@schemathesis.hook
def before_call(context, case, **kwargs):
    """Take out of well-formed requests what no schema can say: only the service can make a cursor, and a forged one is a 400;
    a figure is asked about days that have come; the schema of an answer is that of the whole thing, and the suite holds answers to
    `fields` and `expand` to it. So is a request whose query is well-formed, whatever else of it is not."""
    query = case.meta and case.meta.components.get(ParameterLocation.QUERY)
    if query is not None and query.mode.is_positive and case.query:
        for name in ("cursor", "fields", "expand"):
            case.query.pop(name, None)
        if str(case.query.get("as_of", "")) > datetime.date.today().isoformat():
            del case.query["as_of"]


@schemathesis.serializer("application/x-ndjson")
def ndjson(context, value):
    """Send the text as it is."""
    return value.encode() if isinstance(value, str) else json.dumps(value).encode()
