"""Runs inside the build container: unpacks the sdist and calls its backend (PEP 517).

    hooks.py unpack       by the image's own Python; makes the empty build environment too
    hooks.py ask | build  by the Python of the build environment, in the source folder

Reads build.json beside itself; answers into answer.json beside itself, the wheel into the folder out. The exit code is that of the backend.
"""
import glob
import importlib
import itertools
import json
import os
import shutil
import sys
import tarfile
import tempfile
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))


def main(command):
    with open(os.path.join(HERE, "build.json"), encoding="utf-8") as file:
        build = json.load(file)
    if command == "unpack":
        unpack(os.path.join(HERE, build["sdist"]), os.path.join(HERE, "src"))
        # The others start faster without it.
        import venv

        venv.create(os.path.join(HERE, "venv"), symlinks=True)
        return
    # Backends compile in temporary folders, whose names end up in what they compile: the same build must give the same bytes.
    tempfile._name_sequence = map("{:08}".format, itertools.count())
    hooks = backend(build["backend"], build["backendPath"])
    settings = build["settings"]
    if command == "ask":
        answer(ask(hooks, settings, build["requires"], build["wantsMetadata"]))
    elif command == "build":
        wheel(hooks, settings)
    else:
        sys.exit(f"hooks.py: no such command: {command}")


def unpack(sdist, folder):
    if sdist.endswith(".zip"):
        with zipfile.ZipFile(sdist) as archive:
            archive.extractall(folder)
            # zipfile forgets modes, and a configure script must stay executable.
            for entry in archive.infolist():
                if (entry.external_attr >> 16) & 0o100 and not entry.is_dir():
                    os.chmod(os.path.join(folder, entry.filename), 0o755)
        return
    # A Python without the module would only say that it cannot read the file.
    if sdist.endswith((".bz2", ".tbz")):
        importlib.import_module("bz2")
    if sdist.endswith((".xz", ".txz")):
        importlib.import_module("lzma")
    # Pythons before 3.11.4 and 3.10.12 know no filters. Links and paths that lead outside were refused before it came here.
    options = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, **options)


def backend(name, path):
    # PEP 517, "In-tree build backends": these folders come first. The current folder itself is not importable otherwise.
    sys.path[:] = [os.path.abspath(folder) for folder in path] + [entry for entry in sys.path if entry not in ("", HERE)]
    module, _, attributes = name.partition(":")
    found = importlib.import_module(module)
    for attribute in filter(None, attributes.split(".")):
        found = getattr(found, attribute)
    return found


def ask(hooks, settings, known, wants_metadata):
    """What the backend requires besides; where that is nothing, the metadata too, so that the backend is loaded once."""
    told = {"requires": apart(lambda: requires(hooks, settings))}
    if wants_metadata and all(line in known for line in told["requires"]):
        told["metadata"] = apart(lambda: metadata(hooks, settings))
    return told


def apart(question):
    # PEP 517: each hook runs in a process of its own.
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        answer(question())
        # Not os._exit: backends clean up when they end.
        sys.exit()
    # Not the end of a pipe, which whatever the backend left running would keep open.
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code:
        sys.exit(code if code > 0 else 128 - code)
    with open(os.path.join(HERE, "answer.json"), encoding="utf-8") as file:
        return json.load(file)


def requires(hooks, settings):
    # PEP 517: an absent hook means an empty list.
    hook = getattr(hooks, "get_requires_for_build_wheel", None)
    return [str(line) for line in hook(settings)] if hook else []


def metadata(hooks, settings):
    # PEP 517: the hook is optional. Without it only the wheel tells.
    hook = getattr(hooks, "prepare_metadata_for_build_wheel", None)
    if not hook:
        return None
    folder = os.path.join(HERE, "metadata")
    shutil.rmtree(folder, ignore_errors=True)
    os.mkdir(folder)
    with open(os.path.join(folder, hook(folder, settings), "METADATA"), encoding="utf-8") as file:
        return file.read()


def wheel(hooks, settings):
    folder = os.path.join(HERE, "out")
    os.makedirs(folder, exist_ok=True)
    # PEP 517: the .dist-info folder that the other hook made, where it did.
    made = glob.glob(os.path.join(HERE, "metadata", "*.dist-info"))
    hooks.build_wheel(folder, settings, *made[:1])


def answer(value):
    with open(os.path.join(HERE, "answer.json"), "w", encoding="utf-8") as file:
        json.dump(value, file)


if __name__ == "__main__":
    main(sys.argv[1])
