#!/usr/bin/env python3
"""Writes python/clipkit/_types.py from the schemas of the crate. `--check` compares it with the
file instead.

Objects become dataclasses, tagged unions become one class for each tag, enumerations become
literals. _made.py replaces the classes that need methods of their own.
"""

import builtins
import json
import keyword
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).parent
SCHEMA = HERE.parent / "clipkit" / "schema" / "clipkit.schema.json"
OUT = HERE / "python" / "clipkit" / "_types.py"
STUB = HERE / "python" / "clipkit" / "_clipkit.pyi"
WIDTH = 140

#: Classes that _made.py derives from the generated ones, which get an underscore.
MADE = ["Candidate", "ClipPlan", "Degrade", "Manifest", "ManifestClip", "Recovery", "Score", "Span"]
#: Classes that _layers.py derives in the same way. Documents hold plain dicts in their place.
LAYERS = ["Cache", "Concurrency", "RateLimit", "Retry", "Timeout"]
#: Settings of stages. _stages.py has classes of these names, so documents hold plain dicts.
STAGES = [
    "AutoSource", "FfmpegRenderer", "FileSource", "Heuristic", "HttpSource", "ObjectStoreSource", "OpenAiScorer", "OpenAiTranscriber", "YtDlp",
]
#: Generated with an underscore before the name.
INNER = [*MADE, *LAYERS, *STAGES]
#: Keyword arguments of calls: the object of the schema, and its tag where it is a union.
KEYWORDS = {
    "OptionsDict": ("ClipOptions", None, "The fields of ``ClipOptions``, as keywords."),
    "ScoreOptionsDict": ("ScoreOptions", None, "The fields of ``ScoreOptions``, as keywords."),
    "OpenAiTranscriberDict": ("TranscriberConfig", "openai", "The settings of an ``OpenAiTranscriber``, as keywords."),
    "OpenAiScorerDict": ("ScorerConfig", "openai", "The settings of an ``OpenAiScorer``, as keywords."),
    "AutoSourceDict": ("SourceConfig", "auto", "The settings of an ``AutoSource``, as keywords."),
    "HttpSourceDict": ("SourceConfig", "http", "The settings of an ``HttpSource``, as keywords."),
    "ObjectStoreSourceDict": ("SourceConfig", "object_store", "The settings of an ``ObjectStoreSource``, as keywords."),
    "ObjectStorePublisherDict": ("PublisherConfig", "object_store", "The settings of an ``ObjectStorePublisher``, as keywords."),
    "WebhookDict": ("PublisherConfig", "webhook", "The settings of a ``Webhook``, as keywords."),
    "YouTubeDict": ("PublisherConfig", "youtube", "The settings of a ``YouTube``, as keywords."),
    "TikTokDict": ("PublisherConfig", "tiktok", "The settings of a ``TikTok``, as keywords."),
    "InstagramDict": ("PublisherConfig", "instagram", "The settings of an ``Instagram``, as keywords."),
    "YtDlpDict": ("SourceConfig", "ytdlp", "The settings of a ``YtDlp``, as keywords."),
    "OnnxTrackerDict": ("OnnxTrackerOptions", None, "The settings of an ``OnnxTracker``, as keywords."),
}
#: The class names of tagged unions.
REFERENCE = re.compile(r"#/\$defs/(\w+)")
TAGGED = {
    "Layout": "{}Layout",
    "EditOp": "{}Op",
    "CropChange": "{}CropChange",
    "Event": "{}Event",
    "SourceConfig": "{}SourceConfig",
    "TranscriberConfig": "{}TranscriberConfig",
    "ScorerConfig": "{}ScorerConfig",
    "TrackerConfig": "{}TrackerConfig",
    "RendererConfig": "{}RendererConfig",
    "PublisherConfig": "{}PublisherConfig",
    "CredentialsConfig": "{}CredentialsConfig",
}


def camel(name):
    return "".join(part.capitalize() for part in name.split("_"))


def said(schema, indent):
    """A schema's description as lines of a docstring or comment."""
    text = re.sub(r"\n*```.*?```", "", schema.get("description", ""), flags=re.S)
    text = re.sub(r"\[`([^`\]]+)`\](\([^)]*\))?", r"``\1``", text)
    text = re.sub(r"(?<!`)`([^`]+)`(?!`)", r"``\1``", text)
    text = text.replace("crate::", "").replace("super::", "").replace("::", ".").replace("\\", "\\\\")
    return [" " * indent + line if line else "" for line in text.strip().split("\n")]


def docstring(schema, indent):
    lines = said(schema, 0)
    pad = " " * indent
    if len(lines) == 1:
        return [f'{pad}"""{lines[0]}"""'] if lines[0] else []
    return [f'{pad}"""{lines[0]}'] + [pad + line if line else "" for line in lines[1:]] + [f'{pad}"""']


class Generator:
    def __init__(self, schema):
        self.defs = schema["$defs"]
        self.out = []
        self.loaders = {}
        self.names = []
        self.options = []

    # A schema as a Python type, and the loader that makes it from JSON.

    def type_of(self, schema):
        """(annotation, loader or None)"""
        if "$ref" in schema:
            name = schema["$ref"].rsplit("/", 1)[1]
            return self.named(name)
        if "anyOf" in schema:
            parts = [part for part in schema["anyOf"] if part.get("type") != "null"]
            types = [self.type_of(part) for part in parts]
            loaders = [loader for _, loader in types if loader]
            annotation = types[0][0] if len(types) == 1 else f"Union[{', '.join(kind for kind, _ in types)}]"
            if len(parts) < len(schema["anyOf"]):
                annotation = f"Optional[{annotation}]"
            return annotation, loaders[0] if len(types) == 1 and loaders else None
        if "const" in schema:
            return f"Literal[{json.dumps(schema['const'])}]", None
        if "enum" in schema:
            return f"Literal[{', '.join(json.dumps(value) for value in schema['enum'])}]", None
        kind = schema.get("type")
        if isinstance(kind, list):
            (single,) = [one for one in kind if one != "null"]
            annotation, loader = self.type_of({**schema, "type": single})
            return f"Optional[{annotation}]", loader
        if kind == "array":
            if "prefixItems" in schema:
                return f"Tuple[{', '.join(self.type_of(item)[0] for item in schema['prefixItems'])}]", None
            annotation, loader = self.type_of(schema["items"])
            return f"List[{annotation}]", f"many({loader})" if loader else None
        if kind == "object" or "additionalProperties" in schema:
            value = schema.get("additionalProperties", {})
            if isinstance(value, dict) and value:
                annotation, loader = self.type_of(value)
                return f"Dict[str, {annotation}]", f"by_name({loader})" if loader else None
            return "Dict[str, Any]", None
        return {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}.get(kind, "Any"), None

    def named(self, name):
        schema = self.defs[name]
        if self.is_object(schema):
            return ("Dict[str, Any]", None) if name in STAGES or name in LAYERS else (name, self.loader(name))
        if name in TAGGED:
            return name, self.loader(name)
        if name == "LayerConfig":
            return "Dict[str, Any]", None
        return name, None

    @staticmethod
    def loader(name):
        # A class is looked up by its name at run time, when all classes exist.
        return f"_named({json.dumps(name)})"

    @staticmethod
    def snake(name):
        return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()

    @staticmethod
    def is_object(schema):
        # A class without fields has no properties, and a map has another schema than `False`.
        closed = "properties" in schema or schema.get("additionalProperties") is False
        return schema.get("type") == "object" and closed or schema == {"type": "object"}

    # Writing.

    def field(self, name, schema, required):
        annotation, loader = self.type_of(schema)
        python = name + "_" if keyword.iskeyword(name) else name
        if required:
            default, emits_none = None, True
        elif schema.get("default") is None:
            annotation = annotation if annotation.startswith("Optional[") or annotation == "Any" else f"Optional[{annotation}]"
            default, emits_none = "None", False
        else:
            value = schema["default"]
            emits_none = True
            simple = isinstance(value, (str, int, float, bool))
            if simple:
                default = repr(value)
            elif not loader and value in ([], {}):
                default = f"field(default_factory={'list' if value == [] else 'dict'})"
            elif value == []:
                default = "field(default_factory=list)"
            elif loader:
                default = f"field(default_factory=lambda: {loader}({value!r}))"
            else:
                default = f"field(default_factory=lambda: {value!r})"
        return {"name": name, "python": python, "annotation": annotation, "loader": loader, "default": default, "omit": not emits_none, "schema": schema}

    def dataclass(self, name, schema, tag=None):
        required = schema.get("required", [])
        properties = schema.get("properties", {})
        order = [one for one in required if one in properties] + [one for one in properties if one not in required]
        fields = [self.field(one, properties[one], one in required) for one in order if one != tag]
        shown = f"_{name}" if name in INNER else name
        lines = ["", "", "@dataclass", f"class {shown}(Data):"] + docstring(schema, 4)
        body = []
        for one in fields:
            line = f"    {one['python']}: {one['annotation']}" + (f" = {one['default']}" if one["default"] else "")
            body.append(line if len(line) <= WIDTH else f"{line}  # noqa: E501")
            body += docstring(one["schema"], 4)
        if tag:
            body.append(f"    {tag}: str = {properties[tag]['const']!r}")
        loaders = {one["python"]: one["loader"] for one in fields if one["loader"]}
        if loaders:
            body.append("    _loaders: ClassVar[Dict[str, Loader]] = {")
            body += [f"        {key!r}: {value}," for key, value in loaders.items()] + ["    }"]
        names = {one["python"]: one["name"] for one in fields if one["python"] != one["name"]}
        if names:
            body.append(f"    _names: ClassVar[Dict[str, str]] = {names!r}")
        omitted = [one["python"] for one in fields if one["omit"]]
        if omitted:
            body.append(f"    _optional: ClassVar[frozenset[str]] = frozenset({sorted(omitted)!r})")
        if not body and len(lines) == 4:
            body.append("    pass")
        self.out += lines + ([""] if body and lines[-1].endswith('"""') else []) + body
        self.names.append(name)
        if name not in LAYERS:
            self.loaders[name] = f"_made({json.dumps(name)})" if name in MADE else f"{name}.from_dict"

    def tagged(self, name, schema):
        variants = schema["oneOf"]
        tag = next(key for key, value in variants[0]["properties"].items() if "const" in value)
        classes = {}
        for variant in variants:
            if "$ref" in variant:
                # The fields of the inner type.
                inner = self.defs[variant["$ref"].rsplit("/", 1)[1]]
                variant = {**inner, **{key: value for key, value in variant.items() if key not in ("$ref", "properties", "required")},
                           "properties": {**inner.get("properties", {}), **variant["properties"]}}
            value = variant["properties"][tag]["const"]
            classes[value] = TAGGED[name].format(camel(value))
            self.dataclass(classes[value], variant, tag)
        described = " ".join(said(schema, 0)).strip()
        self.out += ["", "", f"#: {described}" if described else "", f"{name} = Union[{', '.join([*classes.values(), 'Unknown'])}]"]
        table = ", ".join(f"{value!r}: {one}" for value, one in classes.items())
        self.out += [f"_{self.snake(name)}: Loader = tagged({tag!r}, lambda: {{{table}}})"]
        self.names.append(name)
        self.loaders[name] = f"_{self.snake(name)}"

    def alias(self, name, schema):
        if "oneOf" in schema:
            parts = schema["oneOf"]
            if all("const" in part or "enum" in part for part in parts):
                values = [value for part in parts for value in part.get("enum", [part.get("const")])]
                annotation = f"Literal[{', '.join(json.dumps(value) for value in values)}]"
            else:
                annotation = "Dict[str, Any]"
        else:
            annotation = self.type_of(schema)[0]
        described = " ".join(line.strip() for line in said(schema, 0)).strip()
        self.out += ["", f"#: {described}" if described else "", f"{name} = {annotation}"]
        self.names.append(name)

    def generate(self):
        objects, aliases = [], []
        # A class with the name of a builtin comes before those that use it.
        for name, schema in sorted(self.defs.items(), key=lambda one: not hasattr(builtins, one[0])):
            if name == "LayerConfig" or name in STAGES:
                continue
            if self.is_object(schema):
                objects.append(lambda name=name, schema=schema: self.dataclass(name, schema))
            elif name in TAGGED:
                objects.append(lambda name=name, schema=schema: self.tagged(name, schema))
            else:
                aliases.append((name, schema))
        # An alias is evaluated, so its parts come first: of classes, after these.
        classes = {name for name, schema in self.defs.items() if self.is_object(schema) or name in TAGGED}
        late = [one for one in aliases if "anyOf" in one[1] and set(REFERENCE.findall(json.dumps(one[1]))) & classes]
        aliases = [one for one in aliases if one not in late]
        done = set()
        while aliases:
            ready = [one for one in aliases if set(REFERENCE.findall(json.dumps(one[1]))) & {n for n, _ in aliases} <= {one[0]} | done]
            for one in ready:
                self.alias(*one)
                done.add(one[0])
                aliases.remove(one)
        for write in objects:
            write()
        for one in late:
            self.alias(*one)
        for name, (of, kind, described) in KEYWORDS.items():
            schema = self.defs[of]
            if kind:
                schema = next(part for part in schema["oneOf"] if part["properties"]["kind"]["const"] == kind)
            self.keywords(name, schema, described)
        head = f'''\
"""The crate's public data. Written by generate.py from clipkit/schema/clipkit.schema.json: do not edit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Dict, List, Literal, Optional, Tuple, TypedDict, Union

from ._data import Data, Loader, Unknown, by_name, many, tagged

if TYPE_CHECKING:
    import os

    from ._made import {", ".join(sorted(name for name in MADE if name in self.names))}


def _made(name: str) -> Loader:
    """Loads a class of ``_made`` by its name."""

    def make(value: Any) -> Any:
        from . import _made as by_hand

        return getattr(by_hand, name).from_dict(value)

    return make


def _named(name: str) -> Loader:
    """Loads any class by its name."""
    return lambda value: LOADERS[name](value)

'''
        loaders = "".join(f"    {name!r}: {loader},\n" for name, loader in self.loaders.items())
        public = "".join(f"    {name!r},\n" for name in sorted(set(self.names) - set(INNER) | set(KEYWORDS)))
        tail = f"\n\n__all__ = [\n{public}]\n\nLOADERS: Dict[str, Loader] = {{\n{loaders}}}\n"
        text = head + "\n".join(self.out).strip("\n") + tail
        text = re.sub(r"\n{4,}", "\n\n\n", text)
        return re.sub(r"(?m)^(    return lambda value: LOADERS.*)\n\n(?=#)", r"\1\n\n\n", text)

    def keywords(self, name, schema, described):
        lines = ["", "", f"class {name}(TypedDict, total=False):", f'    """{described}"""', ""]
        for key, value in schema["properties"].items():
            if key == "kind":
                continue
            annotation = self.type_of(value)[0]
            # An object or a dict of its shape; a style or its description; a path or a string.
            for plainly in set(re.findall(r"\w+", annotation)):
                if plainly in self.defs and self.is_object(self.defs[plainly]):
                    annotation = re.sub(rf"\b{plainly}\b", f"Union[{plainly}, Dict[str, Any]]", annotation)
            annotation = annotation.replace("CaptionStyleGiven", "Union[CaptionStyleGiven, CaptionStyle]")
            if key == "library":
                annotation = 'Union[str, "os.PathLike[str]", None]'
            lines.append(f"    {key}: {annotation}")
            lines += docstring(value, 4)
        self.out += lines


def stub(text):
    """The stub of the compiled module, with the imports that its annotations need."""
    text = text.replace("from typing import", "import typing\nfrom typing import", 1).replace("-> dict:", "-> dict[str, Any]:")
    text = re.sub(r'"((?:typing|list)[^"\n]*clipkit\._types[^"\n]*)"', r"\1", text)
    return "# Written by maturin from the compiled module (.ci/python types): do not edit.\n\nimport clipkit._types\n" + text


def main():
    """`generate.py [--check] [STUB]`: the data classes, and the stub that maturin wrote to STUB."""
    checks = "--check" in sys.argv
    written = [path for path in sys.argv[1:] if path != "--check"]
    made = {OUT: Generator(json.loads(SCHEMA.read_text())).generate()}
    if written:
        made[STUB] = stub(pathlib.Path(written[0]).read_text())
    for path, text in made.items():
        if not checks:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            sys.exit(f"{path.relative_to(HERE.parent)} is out of date: run .ci/python types")


if __name__ == "__main__":
    main()
