"""What can be done with a long work, by a page or a program: each needs the permission of what the work does."""

from __future__ import annotations

import logging

from flask import Response

from treegarth.access.actors import Permission
from treegarth.errors import NotFound, RequestConflict
from treegarth.phrases import P_
from treegarth.web.access import check_permission
from treegarth.web.call import AnyCall
from treegarth.work.kinds import WorkKinds
from treegarth.work.store import LongWork, read, read_claimed, read_file, read_for, resume, stop

GONE = P_("This work has no file, or its time is over: start it again.")

logger = logging.getLogger(__name__)


def stop_work(call: AnyCall, number: int) -> LongWork:
    """Raises NotFound, PermissionDenied, RequestConflict."""
    with call.begin() as connection:
        kind = call.part(WorkKinds).named(read(connection, number).kind)
        check_permission(call.actor, kind.permission)
        if not kind.can_stop:
            raise RequestConflict(P_("It cannot be stopped: it would begin again by itself."))
        stopped = stop(connection, number, by=call.actor.name, now=call.services.clock())
        kind.stopped(connection, stopped)
    logger.info("Long work %d (%s) was stopped by %s.", number, kind.name, call.actor)
    return stopped


def resume_work(call: AnyCall, number: int) -> LongWork:
    """Raises NotFound, PermissionDenied, RequestConflict."""
    with call.begin() as connection:
        kind = call.part(WorkKinds).named(read(connection, number).kind)
        check_permission(call.actor, kind.permission)
        return resume(connection, number, call.services.clock())


def file_of(call: AnyCall, number: int, media_type: str) -> Response:
    """Raises NotFound, and RequestForbidden for a token that exports nothing, whatever its user has asked for."""
    if call.actor.token_id is not None:
        check_permission(call.actor, Permission.EXPORT)
    with call.connect() as connection:
        work = read_for(connection, number, call.actor)
        if work.result_name is None:
            raise NotFound(GONE)
        if (path_of := call.part(WorkKinds).named(work.kind).result) is not None:
            return _at_orthanc(call, path_of(read_claimed(connection, number)))
        content = b"".join(read_file(connection, number))
    headers = {"Content-Disposition": f'attachment; filename="{work.result_name}"'}
    return Response(content, mimetype=media_type, headers=headers)


def _at_orthanc(call: AnyCall, path: str) -> Response:
    """To a file that Orthanc has, which is too large to go through us. Raises NotFound."""
    try:
        with call.services.orthanc.stream(path):  # begun and ended: Orthanc says whether it is there still
            response = Response(status=303)
    except NotFound as error:
        raise NotFound(GONE) from error
    response.headers["Location"] = call.site.orthanc_url(path)
    return response
