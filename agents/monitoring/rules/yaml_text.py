"""Writes configuration as readable YAML: in the order given, with long texts in blocks."""

from typing import Any

import yaml


class _Readable(yaml.SafeDumper):
    """Indents lists, and writes equal values twice instead of referring to one."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        """Indent lists one step further than their key."""
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        """Write equal values twice."""
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Readable.add_representer(str, _text)


def as_yaml(document: Any, comment: str) -> str:
    """Write the document as YAML, with a comment on top."""
    head = "".join(f"# {line}".rstrip() + "\n" for line in comment.splitlines())
    return head + yaml.dump(
        document, Dumper=_Readable, sort_keys=False, allow_unicode=True, width=100
    )
