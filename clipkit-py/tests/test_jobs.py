"""Jobs and workers, with custom stages in Python."""

import asyncio
import shutil
import socket
import subprocess
import time

import pytest

import clipkit

CONFIG = {
    "tracker": {"kind": "center"},
    "layers": {"transcribe": [], "score": [], "track": []},
    "speech_cache": None,
    "options": {"preset": "ultrafast", "captions": None, "min": 5, "max": 14},
}


def test_a_job_is_submitted_done_and_shown(talk, tmp_path, first):
    async def work():
        jobs = await clipkit.Jobs.open(tmp_path / "jobs.db", min_free=0)
        id = await jobs.submit(
            talk, config=CONFIG, publish=[{"kind": "folder", "path": str(tmp_path / "out")}], stages=["first"], user="ann", priority=2
        )
        assert (await jobs.get(id))["state"] == "waiting"
        await clipkit.Worker(jobs, stages={"first": first}, until_idle=True).run()
        return jobs, id, await jobs.get(id), await jobs.events(id)

    jobs, id, job, events = asyncio.run(work())
    assert job["state"] == "done" and [clip["title"] for clip in job["manifest"]["clips"]] == ["Opening"]
    assert (tmp_path / "out" / "01-opening.mp4").is_file()
    assert events[-1]["event"] == "ended" and [event["number"] for event in events] == list(range(1, len(events) + 1))
    assert [one["id"] for one in jobs.list_sync(user="ann", open=False)] == [id]
    (clip,) = jobs.clips_sync(id)
    assert clip["video"] == str(tmp_path / "out" / "01-opening.mp4") and clip["plan"]["title"] == "Opening"
    renamed = [{"op": "title", "title": "Closing"}]
    edited = jobs.edit_clip_sync(id, 1, renamed, dry_run=True)
    assert edited.plan.title == "Closing" and edited.changes.steps
    assert jobs.clips_sync(id)[0]["plan"]["title"] == "Opening"
    assert asyncio.run(jobs.edit_clip(id, 1, renamed)).plan.title == "Closing"
    clipkit.Worker(jobs, stages={"first": first}, until_idle=True).run_sync()
    assert [clip["plan"]["title"] for clip in asyncio.run(jobs.clips(id))] == ["Closing"]
    # The job publishes into no object store.
    with pytest.raises(clipkit.NotFoundError, match="object store"):
        jobs.link_sync(id, 1, valid=60)
    assert jobs.remove_sync(id) and jobs.get_sync(id) is None


def test_a_failed_step_is_a_dead_letter_with_its_error(tmp_path):
    jobs = clipkit.Jobs.open_sync(tmp_path / "jobs.db", min_free=0)
    id = jobs.submit_sync(tmp_path / "missing.mp4", config=CONFIG, idempotency_key="one")
    assert jobs.submit_sync(tmp_path / "missing.mp4", config=CONFIG, idempotency_key="one") == id
    clipkit.Worker(jobs, until_idle=True).run_sync()
    assert jobs.get_sync(id)["error"]["kind"] == "not_found"
    (dead,) = jobs.dead_letters_sync()
    assert dead["id"] == f"{id}:fetch"
    assert jobs.retry_sync(id) and jobs.cancel_sync(id) and not jobs.cancel_sync(id)
    with pytest.raises(clipkit.ConfigError, match="clips"):
        jobs.submit_sync("talk.mp4", config={"options": {"clips": 0}})
    with pytest.raises(clipkit.InvalidInputError):
        jobs.get_sync("../x")
    with pytest.raises(clipkit.ConfigError, match="dance"):
        clipkit.Worker(jobs, serves=["dance"]).run_sync()


def test_a_worker_stops_when_its_task_is_cancelled(tmp_path):
    async def work():
        jobs = await clipkit.Jobs.open(tmp_path / "jobs.db", min_free=0)
        worker = asyncio.create_task(clipkit.Worker(jobs).run())
        await asyncio.sleep(0.3)
        worker.cancel()
        with pytest.raises(asyncio.CancelledError):
            await worker

    asyncio.run(asyncio.wait_for(work(), 5))


@pytest.fixture
def redis(tmp_path):
    if shutil.which("redis-server") is None:
        pytest.skip("needs redis-server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "yes", "--dir", str(tmp_path)]
    server = subprocess.Popen([*command, "--maxmemory-policy", "noeviction"], stdout=subprocess.DEVNULL)
    for _ in range(500):
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.02)
    yield f"redis://127.0.0.1:{port}"
    server.kill()
    server.wait()


def test_bullmq_in_python_adds_tasks_and_sees_how_they_end(tmp_path, redis):
    from bullmq import Job, Queue, QueueEvents

    connection = {"connection": redis, "prefix": "clips"}

    async def work():
        jobs = await clipkit.Jobs.redis(redis, tmp_path / "files", prefix="clips", min_free=0)
        id = await jobs.submit(tmp_path / "missing.mp4", config=CONFIG)
        fetches, events = Queue("fetch", connection), QueueEvents("fetch", {**connection, "lastEventId": "0"})
        failed = asyncio.get_running_loop().create_future()
        events.on("failed", lambda event, _: failed.done() or failed.set_result(event))
        job = await Job.fromId(fetches, f"{id}.fetch")
        assert job.name == "fetch" and job.data == f"{id}:fetch"
        # The task is lost, and added again with nothing but its id.
        await job.remove()
        await fetches.add("fetch", f"{id}:fetch", {"jobId": f"{id}.fetch"})
        await clipkit.Worker(jobs, until_idle=True).run()
        event = await asyncio.wait_for(failed, 20)
        counts = await fetches.getJobCounts("failed", "completed")
        await events.close()
        await fetches.close()
        return id, event, counts, await jobs.get(id)

    id, event, counts, job = asyncio.run(work())
    assert event["jobId"] == f"{id}.fetch" and "No such file" in event["failedReason"]
    assert counts["failed"] == 1 and job["state"] == "failed"


def test_jobs_in_redis_are_done_and_a_password_is_not_shown(talk, tmp_path, first, redis):
    async def work():
        jobs = await clipkit.Jobs.redis(redis, tmp_path / "files", prefix="clips", min_free=0)
        id = await jobs.submit(talk, config=CONFIG, publish=[{"kind": "folder", "path": str(tmp_path / "out")}], stages=["first"])
        await clipkit.Worker(jobs, stages={"first": first}, until_idle=True).run()
        return id

    id = asyncio.run(work())
    job = clipkit.Jobs.redis_sync(redis, tmp_path / "files", prefix="clips").get_sync(id)
    assert job["state"] == "done" and (tmp_path / "out" / "01-opening.mp4").is_file()
    with pytest.raises(clipkit.ClipkitError) as refused:
        clipkit.Jobs.redis_sync("redis://:secret@127.0.0.1:1", tmp_path / "files")
    assert refused.value.recovery == "retry" and "127.0.0.1:1" in str(refused.value) and "secret" not in str(refused.value)
