"""Poll LiveKit for its recordings (ListEgress), in case events were lost.

LiveKit lists running recordings and those that ended within about a day. Each is handled as its event would be.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import aiohttp
import structlog
from django.conf import settings
from django.db.models.functions import Now
from livekit.api import LiveKitAPI, ServerError
from livekit.protocol.egress import EgressInfo, ListEgressRequest
from livekit.protocol.models import TokenPagination

from archive import lifecycle
from archive.errors import make_problem
from archive.intake.arrivals import livekit_events
from archive.intake.arrivals.livekit_webhook import RecorderNotWorking, find_recorder
from archive.log import SYSTEM
from archive.models import Arrival

ANSWER_SECONDS = 30
MOST_PAGES = 100
FORGOTTEN_AFTER = timedelta(days=3)  # an egress without an end for this long is lost

logger = structlog.get_logger()


def is_configured() -> bool:
    return bool(settings.LIVEKIT_API_KEY and settings.LIVEKIT_URL)


def poll() -> int:
    """Record each egress that LiveKit lists. Returns how many. If LiveKit can't be reached, the next poll tries
    again."""
    if not is_configured():
        return 0
    try:
        recorder = find_recorder()
        listed = list_egress()
    except RecorderNotWorking as error:
        logger.warning("livekit_recorder_not_working", error=str(error))
        return 0
    except (aiohttp.ClientError, ServerError, TimeoutError, OSError, ValueError) as error:
        logger.warning("livekit_unreachable", error=type(error).__name__)
        return 0
    for info in listed:
        livekit_events.record_egress(info, recorder)
    return len(listed)


def refuse_lost() -> int:
    """Refuse each waiting egress whose end neither an event nor a list has reported. Returns how many."""
    lost = Arrival.objects.filter(
        source=Arrival.Source.LIVEKIT, state=Arrival.State.WAITING, created_at__lt=Now() - FORGOTTEN_AFTER
    )
    refused = 0
    for arrival in lost[:1000]:
        refused += lifecycle.transition(
            arrival,
            Arrival.State.WAITING,
            Arrival.State.REFUSED,
            actor=SYSTEM,
            problem=make_problem("livekit.egress_lost", egress=arrival.source_id),
            settled=True,
        )
    return refused


def list_egress() -> list[EgressInfo]:
    """Return all that LiveKit lists, page by page. Runs in a new thread, which has no other event loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, _list_egress()).result()


async def _list_egress() -> list[EgressInfo]:
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    key, secret = settings.LIVEKIT_API_KEY, settings.LIVEKIT_API_SECRET
    listed: list[EgressInfo] = []
    async with LiveKitAPI(settings.LIVEKIT_URL, key, secret, timeout=timeout) as livekit:
        request = ListEgressRequest()
        for _ in range(MOST_PAGES):
            answer = await livekit.egress.list_egress(request)
            listed += answer.items
            if not answer.next_page_token.token:
                break
            request = ListEgressRequest(page_token=TokenPagination(token=answer.next_page_token.token))
    return listed
