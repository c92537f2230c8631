"""Runs inside the build container: unpacks the sdist and asks its backend (PEP 517).

    hooks.py unpack                by the image's own Python
    hooks.py requires | metadata   by the Python of the build environment, in the source folder

Reads build.json beside itself; answers into answer.json beside itself. The exit code is that of the backend.
"""
import importlib
import json
import os
import shutil
import sys
import tarfile
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))


def main(command):
    with open(os.path.join(HERE, "build.json"), encoding="utf-8") as file:
        build = json.load(file)
    if command == "unpack":
        unpack(os.path.join(HERE, build["sdist"]), os.path.join(HERE, "src"))
        return
    hooks = backend(build["backend"], build["backendPath"])
    if command == "requires":
        answer({"requires": requires(hooks)})
    elif command == "metadata":
        answer({"metadata": metadata(hooks)})
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


def requires(hooks):
    # PEP 517: an absent hook means an empty list.
    hook = getattr(hooks, "get_requires_for_build_wheel", None)
    return [str(line) for line in hook({})] if hook else []


def metadata(hooks):
    # PEP 517: the hook is optional. Without it only the wheel tells.
    hook = getattr(hooks, "prepare_metadata_for_build_wheel", None)
    if not hook:
        return None
    folder = os.path.join(HERE, "metadata")
    shutil.rmtree(folder, ignore_errors=True)
    os.mkdir(folder)
    with open(os.path.join(folder, hook(folder, {}), "METADATA"), encoding="utf-8") as file:
        return file.read()


def answer(value):
    with open(os.path.join(HERE, "answer.json"), "w", encoding="utf-8") as file:
        json.dump(value, file)


if __name__ == "__main__":
    main(sys.argv[1])
