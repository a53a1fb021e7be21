#!/usr/bin/env python3
"""wheel.py OUT [more arguments of maturin build]: a wheel with the FFmpeg libraries inside, and the licence texts of all that is in it.

The libraries are those of this machine: a build with GPL parts, such as Debian's, makes a wheel that is under the GPL as a whole.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
COMMON = pathlib.Path("/usr/share/common-licenses")
NOTICE = """\
clipkit itself is MIT OR Apache-2.0. This wheel also carries the libraries below, which its FFmpeg is built on, as they came with the system
that it was made on. FFmpeg with x264 or x265 inside is under the GNU General Public License (version 2 or later) as a whole, and whoever
passes this wheel on has to meet its terms. Their source is what the distribution's source packages of these versions hold.

"""


def run(*command, **more):
    return subprocess.run([str(part) for part in command], check=True, text=True, **more)


def tool(name):
    return pathlib.Path(sys.executable).with_name(name)


def forget_patched():
    """Removes libraries that a repair has changed where cargo keeps them, so that it links them anew."""
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or HERE.parent / "target")
    for library in [*target.glob("*/deps/lib_clipkit.*"), *target.glob("maturin/lib_clipkit.*")]:
        if library.suffix != ".d" and b"clipkit_py.libs" in library.read_bytes():
            library.unlink()


def build(folder, arguments):
    path = f"{pathlib.Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = [tool("maturin"), "build", "--auditwheel", "repair", "--out", folder, *arguments]
    forget_patched()
    built = subprocess.run(command, cwd=HERE, env={**os.environ, "PATH": path}, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    forget_patched()
    if built.returncode:
        sys.exit(built.stdout)
    (wheel,) = folder.glob("*.whl")
    return wheel


def libraries(unpacked):
    """The libraries that were put inside, as they are called on this machine."""
    for library in sorted(unpacked.glob("clipkit_py.libs/*")):
        # libx264-1a2b3c4d.so.164 was libx264.so.164.
        yield re.sub(r"-[0-9a-f]{8}(?=\.so)", "", library.name)


def packages(names):
    """The Debian packages that the libraries came in: name, version. A library of none has no licence that could be found."""
    loaded = subprocess.run(["ldconfig", "-p"], text=True, capture_output=True, env={**os.environ, "PATH": f"{os.environ['PATH']}:/sbin:/usr/sbin"}).stdout
    folders = sorted({pathlib.Path(line.rsplit("=> ", 1)[1]).parent for line in loaded.splitlines() if "=> " in line})
    paths = {folder / name for name in names for folder in folders if (folder / name).exists()}
    paths |= {path.resolve() for path in paths}
    # A merged /usr knows files by either name.
    paths |= {pathlib.Path("/usr") / path.relative_to("/") for path in paths} | {pathlib.Path("/", *path.parts[2:]) for path in paths if path.parts[1] == "usr"}
    if not paths:
        return {}
    # A single call, since each call reads the file lists of all packages. If a path belongs to no package, it exits with 1 and still
    # prints the owners of the others.
    owned = subprocess.run(["dpkg-query", "-S", *sorted(paths)], text=True, capture_output=True).stdout
    # libx264-164:amd64: /usr/lib/x86_64-linux-gnu/libx264.so.164
    owners = {line.rsplit(": ", 1)[0].split(", ")[0] for line in owned.splitlines() if not line.startswith("diversion by ")}
    if not owners:
        return {}
    listed = run("dpkg-query", "-W", "-f", "${Package}\t${Version}\n", *sorted(owners), capture_output=True).stdout
    return dict(sorted(line.split("\t") for line in listed.splitlines()))


def add_licences(unpacked):
    (info,) = unpacked.glob("*.dist-info")
    into = info / "licenses" / "libraries"
    into.mkdir(parents=True)
    names = list(libraries(unpacked))
    if not shutil.which("dpkg-query"):
        sys.exit("the licences of the libraries inside can be collected on Debian and its kin only: add them by hand, or build without repair")
    listed, common = [], set()
    found = packages(names)
    for package, version in found.items():
        text = pathlib.Path("/usr/share/doc", package, "copyright").read_text(errors="replace")
        (into / f"{package}.txt").write_text(text)
        common.update(re.findall(r"/usr/share/common-licenses/([A-Za-z0-9.-]*[A-Za-z0-9])", text))
        listed.append(f"- {package} {version}")
    for name in sorted(common | {"GPL-2", "GPL-3", "LGPL-2.1"}):
        if (COMMON / name).is_file():
            shutil.copyfile(COMMON / name, into / f"{name}.txt")
    metadata = info / "METADATA"
    whole = "License-Expression: (MIT OR Apache-2.0) AND GPL-2.0-or-later\n"
    metadata.write_text(re.sub(r"(?m)^License-Expression: .*\n", whole, metadata.read_text(), count=1))
    (into / "README.md").write_text(NOTICE + "\n".join(listed) + "\n")
    return names, found


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        wheel = build(scratch, sys.argv[2:])
        run(tool("wheel"), "unpack", wheel, "--dest", scratch / "unpacked", stdout=subprocess.DEVNULL)
        (unpacked,) = (scratch / "unpacked").iterdir()
        names, found = add_licences(unpacked)
        run(tool("wheel"), "pack", unpacked, "--dest-dir", out, stdout=subprocess.DEVNULL)
        print(out / wheel.name)
        print(f"{len(names)} libraries of {len(found)} packages inside", file=sys.stderr)


if __name__ == "__main__":
    main()
