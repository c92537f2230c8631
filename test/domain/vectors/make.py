"""Writes the vectors beside this file by asking the `packaging` that pip carries (25.0 in pip 25.1.1).

Run it with a CPython 3.13 that is linked to musl, since tags.json holds that interpreter's own tags:
    python3 test/domain/vectors/make.py
"""
import itertools
import json
import pathlib

from pip._vendor.packaging import markers, requirements, specifiers, tags, utils, version

HERE = pathlib.Path(__file__).parent

SPELLINGS = """
0 0.0 00 1 1.0 1.0.0 01.02 1.0.0.0.1 1.1 1.9 1.10 1.11.0 2 3.13.5 2024.1.31 20240131235959 99999999999999999999999 v1.0 V2 \t1.2\n
1!0 1!1.0 0!1.0 2!0.1.dev1 1.0a 1.0a0 1.0a1 1.0a2 1.0alpha1 1.0-alpha.2 1.0_ALPHA_3 1.0.a4 1.0b1 1.0beta2 1.0-b-3 1.0c1 1.0rc1 1.0.rc2
1.0pre1 1.0preview2 1.0-preview_3 1.0RC4 1.0.post0 1.0.post 1.0.post1 1.0post2 1.0-post3 1.0_post_4 1.0-5 1.0-r6 1.0rev7 1.0.rev.8
1.0.dev0 1.0.dev 1.0dev1 1.0-dev2 1.0_DEV_3 1.0a1.dev1 1.0a1.post2 1.0a1.post2.dev3 1.0rc1-4 1.0.post1.dev2 1.0b2.post345.dev456
1.0+abc 1.0+ABC.5 1.0+5 1.0+10 1.0+9 1.0+abc-7 1.0+abc_def.10 1.0+abc.1.x 1.0+a 1.0+1.a 1.0+1.0 1.0.post1+local 1.0a1+deb.1 1!1.0+x 1.0+001
1.1.dev1 1.1a1 1.1.post1 1.1.0 1.2.3 1.2.3.4 1.2.post1 2.0.0 2.0.dev1 2.0a1 2.0rc1 2.0.post1 2.2 2.2.1 2.2.post3 2.3 1.4.5a4 1.4.6
""".split(" ")
SPELLINGS = [word for chunk in SPELLINGS for word in chunk.strip("\n").split("\n") if word.strip()]

NO_VERSIONS = [
    "", " ", "abc", "1.", ".1", "1..2", "1.0-", "1.0+", "1.0+a+b", "1.0+_a", "1.0+a..b", "1.0a1b1", "1.0dev1a1", "1.0.x", "french toast",
    "1!", "!1", "1.0 .0", "1.0--1", "1.0-1-2", "1,0", "1.0\u0661", "\u0661", "v", "1.0~1", "1:1.0", "1.0+\u00e4", "1.0post1post2", "-1", "1.0*",
]

SPECIFIERS = [
    "==1.0", "==1", "==1.0.0", "==1.0+abc", "==1.0+ABC.5", "==1.0a1", "==1.0.post1", "==1.*", "==1.0.*", "==1.1.*", "==1!1.*", "==2.2.3.*", "== 1.2.*",
    "!=1.0", "!=1.0+abc", "!=1.*", "!=1.0.*", "!=1.0a1", "~=1.0", "~=1.0.0", "~=1.0a1", "~=1.4.5a4", "~=2.2", "~=2.2.post3", "~=2.2.0", "~=1!1.0",
    "~=1.0.dev0", ">=1.0", ">=1.0a1", ">=1.0.post1", ">=1.0.dev1", ">=2.0.dev0", "<=1.0", "<=1.0a1", "<=1.0.post1", "<1.0", "<1.0a2", "<1.0rc2", "<1.0.post1",
    "<1.0.post1.dev2", "<2", ">1.0", ">1.0a1", ">1.0.post1", ">1.0.dev1", ">1", ">1.0.post0", "===1.0", "===1.0.0", "===1.0a1", "===1.0+ABC.5", "===1.0+abc",
    "", ">=1.0,<2.0", ">=1.0,!=1.2.*,<2.0a1", ">= 1.0 , < 2.2", ">=1.0,", ",>=1.0", "==1.*,!=1.0.*", "~=1.0,>=1.0a1", ">=1.0a1,<=1.1", "!=1.0a1,>=1",
    ">=v1.0", ">= V1.0-1", "==1.0-1", "<1.0+", ">=1!0", "<1!0", "==1.0_ALPHA_3",
]

NO_SPECIFIERS = [
    "1.0", "=1.0", "=>1.0", "~1.0", "^1.0", ">=", "==", "~=1", "~=1.0.*", "~=1.0+abc", ">=1.0.*", "<=1.*", ">1.*", "<1.0+abc", ">1.0+abc", ">=1.0+abc", "==1.0a1.*",
    "==1.0+abc.*", "==1.0.dev1.*", "==*", "==.*", ">=1.0 <2.0", ">=1.0;<2", "!1.0", "<>1.0", "==1.0.*.*", "== 1.0 .*", ">=abc", "===1 0", "===1;0", "===1)",
]

FILENAMES = """
pyyaml-6.0-1-cp313-cp313-musllinux_1_2_x86_64.whl Foo_Bar-1.0-py2.py3-none-any.whl foo.bar-1.0+local.1-cp39-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl
foo-1.0-1a-py3-none-any.whl foo-1.0-a1-py3-none-any.whl foo-1.0-py3-none.whl foo-bar-1.0-py3-none-any.whl foo__bar-1.0-py3-none-any.whl foo-x.y-py3-none-any.whl
foo-1.0-py3-none-any.zip foo-1.0-py3-none-any.whl.exe foo-1.0-CP313-None-ANY.whl a-1!2.0-py3-none-any.whl foo-1.0-1-2-py3-none-any.whl f@o-1.0-py3-none-any.whl
zstd-1.5.7.2-cp313-cp313t-musllinux_1_2_x86_64.whl foo-1.0_1-py3-none-any.whl
""".split()

PYTHONS = "py3 py2 py2.py3 py313 py38 py314 py30 py27 cp313 cp312 cp314 cp32 cp31 cp310 cp3 cp27 pp310 py py3x cp313t".split()
ABIS = "none abi3 cp313 cp313t cp312 abi4 cp313m none.abi3 cp313.abi3".split()
PLATFORMS = """any linux_x86_64 musllinux_1_0_x86_64 musllinux_1_1_x86_64 musllinux_1_2_x86_64 musllinux_1_3_x86_64 musllinux_2_0_x86_64 musllinux_1_2_aarch64
manylinux_2_17_x86_64 linux_aarch64 win_amd64 musllinux_1_1_x86_64.musllinux_1_2_x86_64 musllinux_1_2_i686""".split()

REQUIREMENTS = [
    "requests", "Zope.Interface", "foo>=1.0", "foo >= 1.0 , <2", "foo (>=1.0)", "foo(>=1.0,<2)", "foo[b,A_x]>=1", "foo [ ]", "foo<2,>=1", "foo>=1", "foo==1.*",
    "foo; extra == 'Dev_Tools'", 'foo ; extra=="dev-tools"', "foo;python_version<'3.8'", "foo>=1;python_version < \"3.8\" and sys_platform == 'linux'",
    "foo; (python_version < '3.8')", "foo; (python_version<'3.8' or os.name=='nt') and sys.platform != 'x'", "foo; python_version not   in '2.7, 3.0'",
    "foo; 'linux' in sys_platform", "foo; ((os_name == 'nt') or (os_name == 'posix')) and extra == 'x'", "foo; python_implementation == 'CPython'",
    "foo @ https://host.example/foo-1.0.zip", "foo@https://host.example/a;b ; os_name == 'nt'", "foo[x] @ https://host.example/foo.zip", "foo~=1.0,!=1.0.1",
    "foo; a == 'b'", "foo>=1.0 <2", "", "-foo", "foo;", "foo; os_name", "foo; os_name == ", "foo; (os_name == 'nt'", "foo>=abc", "foo bar", "foo; os_name == 'nt' and",
    "foo; 'a'", "foo; os_name == 'nt' os_name == 'x'", "foo[x", "foo; platform.machine == 'x86_64'", "foo; os_name >= 'a' or os_name <= 'b' and os_name ~= '1.0'",
]

ENVIRONMENT = {
    "python_version": "3.13", "python_full_version": "3.13.99", "os_name": "posix", "sys_platform": "linux", "platform_release": "6.12.0",
    "platform_system": "Linux", "platform_version": "#1 SMP", "platform_machine": "x86_64", "platform_python_implementation": "CPython",
    "implementation_name": "cpython", "implementation_version": "3.13.99",
}

MARKERS = [
    "python_version < '3.9'", "python_version < '3.100'", "python_version >= '3.13'", "python_version == '3.13'", "python_version == '3.13.0'", "python_version == '3.*'",
    "python_version != '3.13.*'", "python_version ~= '3.12'", "python_version ~= '3.13.0'", "python_version > '3.13'", "python_version > '3.12.9'", "python_version === '3.13'",
    "'3.12' < python_version", "'3.9' <= python_version", "'3.13' == python_version", "python_version in '3.12 3.13'", "python_version in '3.130'", "python_version not in '2.7, 3.0'",
    "python_version not   in '3.13'", "python_full_version < '3.13.1'", "python_full_version >= '3.13.99'", "python_full_version < '3.14.dev0'", "python_full_version == '3.13.*'",
    "python_full_version <= '3.13'", "python_full_version >= '3.13a1'", "implementation_version >= '3'", "platform_release >= '5'", "platform_release == '6.12'", "platform_release < '10'",
    "sys_platform == 'linux'", "sys_platform != 'win32'", "sys_platform == 'Linux'", "sys.platform == 'linux'", "os.name == 'posix'", "'linux' in sys_platform", "'win' in sys_platform",
    "sys_platform in 'linux darwin'", "sys_platform not in 'linux darwin'", "sys_platform >= 'linux'", "sys_platform <= 'linux'", "platform_machine == 'x86_64'", "platform.machine != 'aarch64'",
    "platform_machine in 'x86_64 AMD64'", "platform_python_implementation == 'CPython'", "python_implementation == 'cpython'", "platform_python_implementation != 'PyPy'",
    "implementation_name == 'cpython'", "platform_system == 'Linux'", "platform_system == 'Windows' or platform_system == 'Linux'", "platform_version == '#1 SMP'", "'SMP' in platform_version",
    "os_name == 'nt' and os_name == 'posix' or os_name == 'posix'", "os_name == 'posix' or os_name == 'nt' and os_name == 'nt'", "os_name == 'nt' and (os_name == 'nt' or os_name == 'posix')",
    "(os_name == 'posix' or os_name == 'nt') and sys_platform == 'win32'", "((os_name == 'posix'))", "os_name == ''", "os_name != ''", '"x" == os_name', "python_version < '3.13' or sys_platform == 'linux' and python_version == '3.13'",
    "extra == 'yaml'", "extra == 'Fast_Er'", "extra == 'fast.er'", "extra != 'yaml'", "extra == 'other'", "'yaml' == extra", "extra == 'yaml' and python_version < '3'", "extra == 'yaml' or extra == 'other'",
    "python_version <", "python_version == 3.13", "nothing == 'x'", "python_version", "'a'", "python_version == '3.13' and", "(python_version == '3.13'", "python_version = '3.13'", "python_version == '3.13' sys_platform == 'linux'",
    "os_name ~= 'posix'", "sys_platform ~= 'x'", "", " ", "python_version == '3.13')", "python_version is '3.13'",
]

LOCK_MARKERS = [
    "'yaml' in extras", "'Fast_Er' in extras", "'other' in extras", "'other' not in extras", "'yaml' not in extras", "'dev' in dependency_groups", "'docs' in dependency_groups",
    "'Dev' in dependency_groups", "'docs' not in dependency_groups", "'yaml' in extras and 'dev' in dependency_groups", "'other' in extras or 'dev' in dependency_groups and python_version >= '3.11'",
]


def requirement(text):
    """The spelling that pip 26.2 and later compares, made by its rule."""
    try:
        parsed = requirements.Requirement(text)
    except requirements.InvalidRequirement:
        return None
    extras = ",".join(sorted(map(utils.canonicalize_name, parsed.extras)))
    url = f" @ {parsed.url}" if parsed.url else ""
    marker = f"; {parsed.marker}" if parsed.marker else ""
    return utils.canonicalize_name(parsed.name) + (f"[{extras}]" if extras else "") + str(parsed.specifier) + url + marker


def judge(text):
    try:
        found = specifiers.SpecifierSet(text)
    except specifiers.InvalidSpecifier:
        return None
    versions = [version.Version(spelling) for spelling in SPELLINGS]
    return {
        "default": "".join("01"[found.contains(v)] for v in versions),
        "prereleases": "".join("01"[found.contains(v, prereleases=True)] for v in versions),
    }


def holds(text, context, **more):
    """None where it is malformed, or where `packaging` refuses to compare."""
    try:
        return markers.Marker(text).evaluate({**ENVIRONMENT, **more}, context=context)
    except (markers.InvalidMarker, markers.UndefinedComparison):
        return None


def wheel(filename):
    try:
        name, parsed, build, found = utils.parse_wheel_filename(filename)
    except utils.InvalidWheelFilename:
        return None
    return {"project": name, "version": str(parsed), "build": "".join(map(str, build)), "tags": sorted(map(str, found))}


def parses(text):
    try:
        version.Version(text)
    except version.InvalidVersion:
        return False
    return True


def write(name, value):
    text = json.dumps(value, indent=1, ensure_ascii=True)
    (HERE / name).write_text(text + "\n")


def main():
    ordered = sorted(SPELLINGS, key=lambda text: (version.Version(text), text))
    keys = [version.Version(text) for text in ordered]
    ranks, rank = [], -1
    for i, key in enumerate(keys):
        rank += i == 0 or key != keys[i - 1]
        ranks.append(rank)
    assert not any(map(parses, NO_VERSIONS)), [text for text in NO_VERSIONS if parses(text)]
    write("versions.json", {
        "ordered": [{"text": text, "canonical": str(key), "rank": n} for text, key, n in zip(ordered, keys, ranks)],
        "invalid": NO_VERSIONS,
    })
    write("specifiers.json", {
        "versions": SPELLINGS,
        "judged": {text: judge(text) for text in SPECIFIERS + NO_SPECIFIERS},
    })
    mine = set(map(str, tags.sys_tags()))
    fits = {}
    for python, abi, platform in itertools.product(PYTHONS, ABIS, PLATFORMS):
        fits.setdefault(f"{python}-{abi}", "")
        fits[f"{python}-{abi}"] += "01"[any(str(tag) in mine for tag in tags.parse_tag(f"{python}-{abi}-{platform}"))]
    write("tags.json", {"target": "cp313-musllinux_1_2_x86_64", "accepted": sorted(mine), "platforms": PLATFORMS, "fits": fits, "order": list(map(str, tags.sys_tags()))})
    write("requirements.json", {text: requirement(text) for text in REQUIREMENTS})
    write("markers.json", {
        "environment": ENVIRONMENT,
        "extras": ["", "yaml", "fast-er"],
        "judged": {text: [holds(text, "metadata", extra=extra) for extra in ("", "yaml", "fast-er")] for text in MARKERS},
        "groups": ["dev"],
        "locked": {text: holds(text, "lock_file", extras={"yaml", "fast-er"}, dependency_groups={"dev"}) for text in LOCK_MARKERS},
    })
    write("filenames.json", {name: wheel(name) for name in FILENAMES})


main()
