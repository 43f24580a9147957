"""A `%%workflow` cell, read without running anything: what its line says, what its body defines, and how both are named."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TypeGuard

from ..errors import BadCell
from ..nearest import did_you_mean


@dataclass(frozen=True)
class Outline:
    """What the body of a cell defines at its top level, by name, in the order of the cell.

    `methods` are the functions whose first parameter is self, `settings` the names that are assigned.
    """

    classes: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    description: str | None = None

    @property
    def is_classless(self) -> bool:
        """Whether the cell is agents and a run(self, …), without a class around them."""
        return bool({"run", "arun"} & {*self.methods})


def join_line(line: str, body: str) -> tuple[str, str]:
    r"""Join the lines that a backslash continues; they leave the body, an empty line stands in for each.

    IPython leaves them in the body of a cell magic.

    >>> join_line("blog \\", 'topic="cats" \\\nn=3\nx = 1')
    ('blog topic="cats" n=3', '\n\nx = 1')
    """
    taken = 0
    while (line := line.rstrip()).endswith("\\"):
        more, _, body = body.partition("\n")
        line, taken = f"{line[:-1].rstrip()} {more.strip()}", taken + 1
    return line, "\n" * taken + body


def outline(tree: ast.Module) -> Outline:
    r"""Read what a body defines.

    >>> outline(ast.parse("writer = Agent()\ndef run(self, topic): ..."))
    Outline(classes=(), methods=('run',), settings=('writer',), description=None)
    """
    classes, methods, settings = [], [], []
    for node in tree.body:
        match node:
            case ast.ClassDef():
                classes.append(node.name)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                if [arg.arg for arg in (*node.args.posonlyargs, *node.args.args)][:1] == ["self"]:
                    methods.append(node.name)
            case ast.Assign():
                settings += [name.id for target in node.targets for name in ast.walk(target) if _is_assigned(name)]
            case ast.AnnAssign(target=ast.Name(id=name), value=value) if value is not None:
                settings.append(name)
            case _:
                pass
    return Outline(tuple(classes), tuple(methods), tuple(dict.fromkeys(settings)), ast.get_docstring(tree))


def _is_assigned(node: ast.AST) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def snake_case(name: str) -> str:
    """Return the name of an instance for the name of its class.

    >>> [snake_case(name) for name in ("BlogPostGenerator", "HTTPReport", "blog")]
    ['blog_post_generator', 'http_report', 'blog']
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def camel_case(name: str) -> str:
    """Return the name of a class for the name of its instance.

    >>> [camel_case(name) for name in ("blog_post", "blog", "BlogPost")]
    ['BlogPost', 'Blog', 'BlogPost']
    """
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def choose(classes: tuple[str, ...], name: str | None) -> tuple[str, str]:
    """Return the class that a cell is about, and the name of its instance.

    >>> choose(("BlogPost",), None), choose(("BlogPost",), "blog"), choose(("News", "BlogPost"), "news")
    (('BlogPost', 'blog_post'), ('BlogPost', 'blog'), ('News', 'news'))
    """
    fits = [each for each in classes if len(classes) == 1 or name in {each, snake_case(each)}]
    if not fits:
        listed = ", ".join(repr(snake_case(each)) for each in classes)
        near = did_you_mean(name, map(snake_case, classes)) if name else ""
        raise BadCell(f"the cell has several workflows, {listed}{near or '; name one of them on the line'}")
    chosen = fits[0]
    instance = snake_case(chosen) if name in {None, chosen} else name
    assert instance is not None
    if instance in classes:
        raise BadCell(f"class and instance cannot both be {instance!r}; write %%workflow with another name")
    return chosen, instance
