"""Publishing into moto, a model of S3 that shares no code with clipkit or its own test server."""

import json
import os
import subprocess
import sys
import urllib.request

import boto3
import pytest
from moto.server import ThreadedMotoServer

KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "hunter2", "AWS_REGION": "eu-west-1"}


@pytest.fixture
def moto():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def test_clips_in_moto(moto, talk, tmp_path):
    secrets = {"aws_access_key_id": KEYS["AWS_ACCESS_KEY_ID"], "aws_secret_access_key": KEYS["AWS_SECRET_ACCESS_KEY"]}
    s3 = boto3.client("s3", endpoint_url=moto, region_name=KEYS["AWS_REGION"], **secrets)
    s3.create_bucket(Bucket="clips", CreateBucketConfiguration={"LocationConstraint": KEYS["AWS_REGION"]})
    proxies = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    environment = {**proxies, **KEYS, "AWS_ENDPOINT": moto, "AWS_ALLOW_HTTP": "true", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    quick = ["--scorer", "heuristic", "--tracker", "center", "--clips", "1", "--min", "5", "--max", "20", "--preset", "ultrafast", "--captions", "none"]
    places = ["--out", str(tmp_path / "out"), "--publish", "s3://clips/talks", "--link", "1h"]
    # Twice: the second run finds the clip there.
    for _ in range(2):
        run = subprocess.run(
            [sys.executable, "-m", "clipkit", "clip", str(talk), *quick, *places], env=environment, capture_output=True, text=True, timeout=240
        )
        assert run.returncode == 0, run.stderr
        assert "hunter2" not in run.stdout + run.stderr
    (clip,) = json.loads((tmp_path / "out" / "clips.json").read_text())["clips"]
    (receipt,) = [receipt for receipt in clip["receipts"] if receipt["target"] == "s3"]
    # Beside the clips lie records of publications, which make them unique.
    held = {item["Key"] for item in s3.list_objects_v2(Bucket="clips")["Contents"] if "/.clipkit/" not in item["Key"]}
    stem = receipt["id"].removesuffix(".mp4")
    assert held == {f"{stem}{ending}" for ending in (".mp4", ".jpg", ".plan.json")} and stem.startswith("talks/")
    video = (tmp_path / "out" / clip["file"]).read_bytes()
    stored = s3.get_object(Bucket="clips", Key=receipt["id"])
    assert (stored["ContentType"], stored["Body"].read() == video) == ("video/mp4", True)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(receipt["url"]) as linked:
        assert linked.read() == video
    assert receipt["url"].startswith(moto) and "X-Amz-Signature=" in receipt["url"]
