"""What the document cannot say to Schemathesis."""

import schemathesis


@schemathesis.hook
def before_call(context, case, **kwargs):
    """Take the cursor out of well-formed requests: only the service can make one, and a forged one is a 400."""
    if case.meta is not None and case.meta.generation.mode.is_positive and case.query:
        case.query.pop("cursor", None)
