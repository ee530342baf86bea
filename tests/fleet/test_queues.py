"""Jobs of queues: what their scripts say, that no word of a file becomes one of a shell, and a queue that refuses."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

pytest.importorskip("dask_jobqueue")

from pytest_weekops import cli
from pytest_weekops.core.errors import InputError
from pytest_weekops.core.fleet.reach import Jobs, Pool
from pytest_weekops.fleet import job_scripts, queues
from pytest_weekops.fleet.keys import Keys
from pytest_weekops.fleet.started import StartedWorkers

HEADS = {
    "slurm": [
        *("#SBATCH -J weekops-rack-1", "#SBATCH -p cards", "#SBATCH -A us", "#SBATCH -n 1"),
        *("#SBATCH --cpus-per-task=4", "#SBATCH --mem=8G", "#SBATCH -t 01:00:00", "#SBATCH --gres=gpu:1"),
    ],
    "pbs": [
        *("#PBS -N weekops-rack-1", "#PBS -q cards", "#PBS -A us", "#PBS -l select=1:ncpus=4:mem=8192MB"),
        *("#PBS -l walltime=01:00:00", "#PBS --gres=gpu:1"),
    ],
    "sge": ["#$ -N weekops-rack-1", "#$ -q cards", "#$ -P us", "#$ -l h_rt=01:00:00", "#$ --gres=gpu:1"],
    "lsf": [
        *("#BSUB -J weekops-rack-1", "#BSUB -q cards", '#BSUB -P "us"', "#BSUB -n 4", '#BSUB -R "span[hosts=1]"'),
        *("#BSUB -W 1:00", "#BSUB --gres=gpu:1"),
    ],
    "moab": [
        *("#PBS -N weekops-rack-1", "#PBS -q cards", "#PBS -A us", "#PBS -l select=1:ncpus=4:mem=8192MB"),
        *("#PBS -l walltime=01:00:00", "#PBS --gres=gpu:1"),
    ],
    "oar": [
        *("#OAR -n weekops-rack-1", "#OAR -q cards", "#OAR --project us", "#OAR -l /nodes=1/core=4,walltime=1:00:00"),
        "#OAR --gres=gpu:1",
    ],
}


def jobs(**changes: Any) -> Jobs:
    """Two jobs that say all that can be said."""
    words = {"queue": "cards", "account": "us", "walltime": "01:00:00", "cores": 4, "memory": "8 GiB"}
    more = {"directives": ["--gres=gpu:1"], "python": "/opt/gate/bin/python", "here": "head"}
    return Jobs.model_validate({"jobs": 2, **words, **more, **changes})


def command_of(script: str) -> list[str]:
    """The words of the line that starts the worker, as a shell takes it."""
    return shlex.split(script.strip().splitlines()[-1])


@pytest.mark.parametrize("queue", HEADS)
def test_a_job_script_is_dask_jobqueues(queue: str, tmp_path: Path) -> None:
    """With the queue's own words in its head, and a worker that is this host and has one device behind it."""
    keys = Keys(tmp_path / "fleet.crt", tmp_path / "fleet.key")
    made = job_scripts.job(queue, jobs(), "rack-1", address="tls://head:1234", place=tmp_path, keys=keys)
    script = str(made.job_script())
    lines = script.splitlines()
    assert lines[0] == "#!/bin/sh"
    for line in HEADS[queue]:
        assert line in lines
    assert "export DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED=False" in lines
    words = command_of(script)
    assert words[:4] == ["/opt/gate/bin/python", "-m", "distributed.cli.dask_worker", "tls://head:1234"]
    options = dict(pairwise(words))  # the last of each, as the worker takes them
    assert (options["--name"], options["--resources"]) == ("rack-1", "device=1")
    assert (options["--nthreads"], options["--memory-limit"]) == ("1", "0")
    assert "--no-nanny" in words
    assert options["--tls-key"] == str(tmp_path / "fleet.key")
    shown = job_scripts.script_shown(queue, jobs(shared=str(tmp_path)), "rack-1")
    assert command_of(shown)[3] == "tls://head:PORT"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("queue", HEADS)
def test_words_of_a_file_stay_in_comments(queue: str, tmp_path: Path) -> None:
    """Whatever they are: each is in one line, and that line begins as one."""
    evil = "x; touch owned #$(touch owned) `touch owned` %(python)s"
    asked = jobs(queue=evil, account=evil, directives=[evil], shared=str(tmp_path))
    script = job_scripts.script_shown(queue, asked, "rack-1")
    found = [line for line in script.splitlines() if "owned" in line]
    assert len(found) == 3
    assert all(line.startswith("#") for line in found)


def test_a_queue_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or whose place has a name that a script could not hold: refused before anything is started."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="there is no program sbatch here"):
        queues.refuse_queue("rack", "slurm", jobs())
    queue_program(tmp_path, "sbatch", "exit 0")
    queues.refuse_queue("rack", "slurm", jobs(shared=str(tmp_path)))
    monkeypatch.setenv("HOME", str(tmp_path / "a b"))
    for shared in ("", str(tmp_path / "nowhere")):
        with pytest.raises(InputError, match="is no directory here, or has a name that a shell would take apart"):
            queues.refuse_queue("rack", "slurm", jobs(shared=shared))


CONDOR = {"queue": "", "directives": ["Requirements = TARGET.HasGPU", "+Gate = 1"]}


def test_a_submit_file_of_htcondor(tmp_path: Path) -> None:
    """It has the shell start the worker, and a job that ran for its time or was put out is not begun anew."""
    script = job_scripts.script_shown("htcondor", jobs(shared=str(tmp_path), walltime="1-00:00:01", **CONDOR), "rack-1")
    lines = script.splitlines()
    told = dict(line.split(" = ", 1) for line in lines if " = " in line)
    assert (told["Requirements"], told["+Gate"], told["accounting_group"]) == ("TARGET.HasGPU", "1", "us")
    assert told["Output"].endswith("/weekops-rack-1.out")
    assert "EnteredCurrentStatus > 86401) || (JobStatus == 1 && NumJobStarts > 0)" in told["periodic_remove"]
    assert (told["Executable"], told["MY.DaskWorkerCores"], lines[-1]) == ("/bin/sh", "4", "Queue")
    shell = told["Arguments"].removeprefix("\"-c '").removesuffix("'\"")
    assert "'" not in shell
    assert shell.startswith("export DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED=False; ")
    words = shlex.split(shell.rpartition("; ")[2])
    assert words[:4] == ["/opt/gate/bin/python", "-m", "distributed.cli.dask_worker", "tls://head:PORT"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"queue": "cards"}, "HTCondor has no queues"),
        ({"directives": ["--gres=gpu:1"]}, "is `KEY = VALUE` in one line"),
        ({"directives": ["Requirements ="]}, "is `KEY = VALUE`"),
        ({"directives": ["Executable = /bin/evil"]}, "is `KEY = VALUE`"),
        ({"directives": ["queue = 3"]}, "is `KEY = VALUE`"),
        ({"directives": ["a = b\\"]}, "is `KEY = VALUE`"),
        ({"account": "us\\"}, "ends with a backslash"),
    ],
    ids=str,
)
def test_what_htcondor_would_read_otherwise_is_refused(change: dict[str, Any], words: str) -> None:
    """Where the file is read: what a submit file would make of it shows first when no host comes."""
    with pytest.raises(ValidationError, match=words):
        Pool.model_validate({"label": "x", "htcondor": jobs(**{**CONDOR, **change}).model_dump()})


def queue_program(place: Path, name: str, script: str) -> None:
    """A program of a queue that is none."""
    (place / name).write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    (place / name).chmod(0o755)


def submitted(place: Path, hosts: Sequence[str], queue: str = "slurm", changes: Any = None) -> dict[str, str]:
    """Why each host will not come; keys and scripts are gone afterwards."""
    keys = Keys.write(place / "keys", "certificate", "key")
    pool = Pool.model_validate({"label": "x", queue: jobs(shared=str(place), **(changes or {})).model_dump()})

    async def one() -> dict[str, str]:
        workers = StartedWorkers(place / "scratch", place / "logs", None)
        await workers.start(pool, hosts, "tls://head:1", keys)
        found = {host: workers.why_gone(host) for host in hosts}
        await workers.close()
        return found

    found = asyncio.run(one())
    assert not list(place.glob(".weekops-fleet-*"))
    return found


def test_jobs_are_submitted_and_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that the queue does not take is named with its words; a team's ledger goes to no job."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("WEEKOPS_LEDGER", "postgresql://us:secret@db/weekops")
    refused = "case $1 in *rack-2.sh) echo 'no such partition' >&2; exit 1;; *rack-3.sh) echo what; exit 0;; esac"
    seen = 'stat -c %a "$(dirname "$1")/keys/fleet.key" >> seen; env > environment; cat "$1" >> scripts'
    queue_program(tmp_path, "sbatch", f"{refused}\ncd {tmp_path}; {seen}; echo Submitted batch job 4711")
    queue_program(tmp_path, "scancel", f"echo $@ >> {tmp_path}/let-go")
    found = submitted(tmp_path, ["rack-1", "rack-2", "rack-3"])
    assert found["rack-1"] == ""
    assert found["rack-2"] == "sbatch ended with 1: no such partition"
    assert "which names no job" in found["rack-3"]
    assert (tmp_path / "seen").read_text("utf-8") == "600\n"
    assert (tmp_path / "let-go").read_text("utf-8") == "4711\n"
    assert "secret" not in (tmp_path / "environment").read_text("utf-8")


def test_a_script_that_a_queue_reads_from_its_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """LSF's, whose words for the queue would be passed over in a file that is named; and a job of it is let go of."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    queue_program(
        tmp_path, "bsub", f"cat > {tmp_path}/script; echo 'Job <4711> is submitted to queue <cards>.'; exit $#"
    )
    queue_program(tmp_path, "bkill", f"echo $@ >> {tmp_path}/let-go")
    assert submitted(tmp_path, ["rack-1"], "lsf") == {"rack-1": ""}
    assert "#BSUB -W 1:00\n" in (tmp_path / "script").read_text("utf-8")
    assert (tmp_path / "let-go").read_text("utf-8") == "4711\n"


@pytest.mark.parametrize(
    ("queue", "submit", "cancel", "told", "changes"),
    [
        ("oar", "oarsub", "oardel", "OAR_JOB_ID=4711", {}),
        ("htcondor", "condor_submit", "condor_rm", "1 job(s) submitted to cluster 4711.", CONDOR),
    ],
)
def test_jobs_of_oar_and_htcondor_are_submitted_and_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, queue: str, submit: str, cancel: str, told: str, changes: Any
) -> None:
    """OAR is told to read its words in the script, which it starts by itself; what a job said is kept."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    seen = 'echo $# "$1" >> seen; for script; do :; done; test -x "$script" && cp "$script" script'
    said = 'echo said > "$(dirname "$script")/weekops-rack-1.out"'
    queue_program(tmp_path, submit, f"cd {tmp_path}; {seen} && {said}; echo '{told}'")
    queue_program(tmp_path, cancel, f"echo $@ >> {tmp_path}/let-go")
    (tmp_path / "logs").mkdir()
    assert submitted(tmp_path, ["rack-1"], queue, changes) == {"rack-1": ""}
    assert (tmp_path / "seen").read_text("utf-8").startswith("2 -S" if queue == "oar" else "1 ")
    assert (tmp_path / "let-go").read_text("utf-8") == "4711\n"
    assert (tmp_path / "logs" / "weekops-rack-1.out").read_text("utf-8") == "said\n"
    script = (tmp_path / "script").read_text("utf-8")
    assert "/weekops-rack-1.out" in script


def test_a_time_limit_of_oar_has_no_days(tmp_path: Path) -> None:
    """Its format is hours, minutes and seconds."""
    script = job_scripts.script_shown("oar", jobs(walltime="2-01:02:03", shared=str(tmp_path)), "rack-1")
    assert "walltime=49:02:03\n" in script


@pytest.mark.parametrize(("walltime", "lsf"), [("00:10:00", "0:10"), ("01:59:59", "2:00"), ("2-01:00:00", "49:00")])
def test_a_time_limit_of_lsf_is_in_hours_and_minutes(walltime: str, lsf: str, tmp_path: Path) -> None:
    """And is never shorter than was asked for."""
    script = job_scripts.script_shown("lsf", jobs(walltime=walltime, shared=str(tmp_path)), "rack-1")
    assert f"#BSUB -W {lsf}\n" in script


def test_a_dry_run_starts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every way to hosts is shown, also where its program is not there."""
    pools = {
        "here": "local: {workers: 2}",
        "rack": f"slurm: {{jobs: 30, shared: {tmp_path}, python: /opt/gate/bin/python}}",
        "far": "ssh: {hosts: [ops@node1], python: /opt/gate/bin/python}",
        "there": "scheduler: 'tls://head:8786', hosts: [x]",
    }
    lines = [f"  {name}: {{label: cpu, {way}}}" for name, way in pools.items()]
    text = "\n".join(["version: 1", "fleet_id: t", "pools:", *lines, "labels:", "  cpu: {profiles: [pocl]}"])
    (tmp_path / "fleet.yaml").write_text(text + "\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    assert cli.main(["fleet", "check", "fleet.yaml", "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert "here (cpu): 2 hosts, here-1 to here-2\n    processes of this machine\n" in told
    assert "rack (cpu): 30 hosts, rack-01 to rack-30\n    #!/bin/sh\n" in told
    assert "    #SBATCH -J weekops-rack-01\n" in told
    assert "there (cpu): 1 host, x\n    workers that are there already, at tls://head:8786\n" in told
    assert f"--tls-key {tmp_path}/.weekops-fleet-XXXXXXXX/keys/fleet.key" in told
    assert "-- ops@node1 'exec /opt/gate/bin/python -P -m pytest_weekops.fleet.remote'\n" in told
    assert "    workers that are there already, at tls://head:8786\n" in told
    assert [path.name for path in tmp_path.iterdir()] == ["fleet.yaml"]
