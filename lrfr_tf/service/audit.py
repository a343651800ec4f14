"""Routes about what is on record: changes and decisions, and what people say of decisions when they have looked."""

import dataclasses
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request

from lrfr_tf.errors import UserError
from lrfr_tf.gallery.audit import DECISION, AuditRow, Confirmation, read_audit_after, read_confirmations
from lrfr_tf.gallery.references import read_names
from lrfr_tf.gallery.store_error import StoreError
from lrfr_tf.service import gallery_forms as forms
from lrfr_tf.service.keys import ADMIN, ENROLL, Caller
from lrfr_tf.service.persons import Cursor, Limit, row_of
from lrfr_tf.service.request_error import RequestError
from lrfr_tf.service.state import allowed, service_of

WHO_WAS_NAMED = "SELECT person FROM audit WHERE number = ? AND what = 'decision'"

router = APIRouter(prefix="/v1", tags=["audit"])
Record = Annotated[int, Path(ge=1, lt=2**63, description="`record` of an identified face")]


@router.get("/audit", response_model=forms.Audit)
def audit(
    request: Request,
    *,
    caller: Annotated[Caller, Depends(allowed(ADMIN))],
    cursor: Cursor = "0",
    limit: Limit = 100,
    person: Annotated[str | None, Query(max_length=32, description="only what is about this id")] = None,
    order: Literal["oldest", "newest"] = "oldest",
    what: Annotated[str | None, Query(max_length=32, description="only rows of this kind, such as decision")] = None,
) -> Any:
    """Changes and decisions, with the key that asked; random ids, and names beside them of who is still enrolled.

    A decision that gave a name has its confirmations.
    """
    store = service_of(request).gallery.store
    number = row_of(cursor)
    with store.transaction():
        rows = read_audit_after(store, number, limit + 1, person, newest=order == "newest", what=what)
        page = rows[:limit]
        named = [row.number for row in page if row.what == DECISION and row.person is not None]
        confirmations = read_confirmations(store, named)
        names = read_names(store, {row.person for row in page if row.person is not None})
    more = str(page[-1].number) if len(rows) > limit else None
    return {
        "rows": [_row(row, confirmations.get(row.number)) for row in page],
        "names": names,
        "next_cursor": more,
        "request_id": request.state.request_id,
    }


@router.post("/decisions/{record}/confirm", response_model=forms.Confirmation)
def confirm(
    request: Request, caller: Annotated[Caller, Depends(allowed(ENROLL))], record: Record, body: forms.Agrees
) -> Any:
    """Notes that a person looked at a decision that gave a name, and confirms or refutes it; each counts once."""
    gallery = service_of(request).acting_for(caller)
    with gallery.store.transaction("IMMEDIATE"):
        rows = gallery.store.read(WHO_WAS_NAMED, record)
        if not rows:
            raise RequestError(404, "no_such_decision", "There is no decision with this number on record.")
        if rows[0][0] is None:
            raise RequestError(409, "nobody_named", "The decision gave no name, so there is nothing to confirm.")
        try:
            said = gallery.confirm(record, caller.id if body.who is None else body.who, body.agrees)
        except StoreError:
            raise
        except UserError:
            message = "The same person has looked at this decision already; another one must."
            raise RequestError(409, "looked_already", message) from None
    return {**_confirmation(said), "request_id": request.state.request_id}


def _row(row: AuditRow, said: Confirmation | None) -> dict[str, Any]:
    return row.as_json() | ({} if said is None else {"confirmation": _confirmation(said)})


def _confirmation(said: Confirmation) -> dict[str, Any]:
    return {**dataclasses.asdict(said), "is_confirmed": said.is_confirmed}
