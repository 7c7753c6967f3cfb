"""The measures of `upload`, on a running site."""

import os
import random
import re
import subprocess
import sys
import time
import wave
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import Browser

from archive import dbtime, recorders
from archive.models import UploadSession
from archive.storage import store
from archive.storage.bucket import prepare_bucket
from embedded.chromium import browser
from tests import plugin
from tests.bench import Figure, at_least, at_most
from tests.support.browser_sessions import sign_in_with_form
from tests.support.factory import make_user
from tests.support.processes import ROOT, Services
from tests.support.proxy import CountingProxy
from tests.support.reused_processes import Web

MIB = 1024**2
COPY = """
import os, sys, time
import boto3
client = boto3.client(
    "s3", endpoint_url=os.environ["S3_ENDPOINT_URL"], region_name=os.environ["S3_REGION"],
    aws_access_key_id=os.environ["S3_ACCESS_KEY_ID"], aws_secret_access_key=os.environ["S3_SECRET_ACCESS_KEY"])
start = time.perf_counter()
client.upload_file(sys.argv[1], os.environ["S3_BUCKET"], "bench/copy")
print(time.perf_counter() - start)
client.delete_object(Bucket=os.environ["S3_BUCKET"], Key="bench/copy")
"""


def compare(folder: Path, size: int, rounds: int) -> Iterator[Figure]:
    file = _noise(folder / "long.wav", size)
    make_user("alice")
    token = recorders.create_token("studio", 1, make_user("ada", role="admins"), for_anybody=True)[1]
    services = Services(folder, plugin.engines)
    try:
        services.web()
        with CountingProxy(services.url) as relay, browser() as chromium:
            prepare_bucket(store(), relay.url)
            copied, handed, dropped = [], [], []
            for number in range(rounds):
                copied.append(_copied(file))
                handed.append(_handed_over(relay.url, token, file, number))
                dropped.append(_dropped(chromium, relay.url, file))
            assert UploadSession.objects.filter(state="uploaded").count() == 2 * rounds
            yield at_least("upload by API", round(min(copied) / min(handed), 2), "x s3 cp", 0.8)
            yield at_least("upload in a browser", round(min(copied) / min(dropped), 2), "x s3 cp", 0.8)
            yield at_most("upload through the web", round(relay.received / rounds / 2 / MIB, 2), "MiB", 2)
    finally:
        services.stop()
        Web.kill()


def _noise(path: Path, size: int) -> Path:
    """A WAV of noise, so that no two parts are equal."""
    noise = random.Random(1)
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, 48_000, 0, "NONE", ""))
        for start in range(0, size - 44, MIB):
            out.writeframesraw(noise.randbytes(min(MIB, size - 44 - start)))
    return path


def _copied(file: Path) -> float:
    """Return seconds."""
    done = subprocess.run(
        [sys.executable, "-c", COPY, str(file)], cwd=ROOT, text=True, stdout=subprocess.PIPE, check=True
    )
    return float(done.stdout)


def _handed_over(site: str, token: str, file: Path, number: int) -> float:
    """Return the seconds from the start of the example client until its upload has arrived."""
    ended_at = (dbtime.now() - timedelta(days=2, hours=number)).isoformat()
    env = {"PATH": os.environ["PATH"], "SPACEKEEP_URL": site, "SPACEKEEP_TOKEN": token}
    command = [sys.executable, "-I", str(ROOT / "docs" / "example_recorder.py"), str(file), "alice", ended_at]
    start = time.perf_counter()
    with subprocess.Popen(command, env=env) as client:
        while not UploadSession.objects.filter(state="uploaded", space__ended_at=ended_at).exists():
            assert client.poll() is None
            time.sleep(0.05)
        took = time.perf_counter() - start
        client.kill()  # otherwise it waits for the Space to be available, but no worker runs here
    return took


def _dropped(chromium: Browser, site: str, file: Path) -> float:
    """Return the seconds from the click that starts the upload until the page says that it has arrived."""
    context = chromium.new_context()
    page = context.new_page()
    sign_in_with_form(page, site, "alice")
    page.get_by_role("link", name="Upload a recording").first.click()
    page.get_by_label("Drop the").set_input_files(file)
    page.get_by_label("Title").fill("Noise")
    page.get_by_label("When did it end?").fill(f"{dbtime.now() - timedelta(days=2):%Y-%m-%dT20:00:00}")
    start = time.perf_counter()
    page.get_by_role("button", name="Upload", exact=True).click()
    page.wait_for_url(re.compile(r"/spaces/"), timeout=1_800_000)
    took = time.perf_counter() - start
    context.close()
    return took
