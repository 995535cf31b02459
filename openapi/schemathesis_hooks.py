"""What the document cannot say to Schemathesis."""

import schemathesis
from hypothesis import strategies

# Well-formed entity tags that get somewhere: `*` holds for whatever is there, the other for nothing.
schemathesis.openapi.format("entity-tag", strategies.sampled_from(["*", '"0-0"']))


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Mark the entity tags: out of a pattern that needs quotes Schemathesis makes no header, and sends `0` instead."""
    for parameter in raw_schema["components"]["parameters"].values():
        if parameter["name"] in ("If-Match", "If-None-Match"):
            parameter["schema"]["format"] = "entity-tag"


@schemathesis.hook
def before_call(context, case, **kwargs):
    """Take the cursor out of well-formed requests: only the service can make one, and a forged one is a 400."""
    if case.meta is not None and case.meta.generation.mode.is_positive and case.query:
        case.query.pop("cursor", None)
