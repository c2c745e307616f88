"""What Stripe's SDK says parameters and replies look like, made into checks."""

from __future__ import annotations

import ast
import copy
import functools
import importlib
import inspect
import re
import sys
import types
import typing
from decimal import Decimal
from typing import Any, ForwardRef, Literal, Union, get_args, get_origin

from pydantic import ConfigDict, TypeAdapter, ValidationError
from stripe import params as stripe_params
from stripe._list_object import ListObject
from stripe._object_classes import OBJECT_CLASSES
from stripe._stripe_object import StripeObject, UntypedStripeObject

from stripe_server.errors import ApiError

# The SDK leaves enumerations open for values that come later; a test server knows no later.
OPEN_ENUM = re.compile(r"(Literal\[(?!''\])[^\]]*\])\s*\|\s*str\b")
# Of every request, and of none of the parameter types when they come over the wire.
REQUEST_OPTIONS = frozenset(
    {
        "api_key",
        "stripe_version",
        "stripe_account",
        "stripe_context",
        "max_network_retries",
        "idempotency_key",
        "content_type",
        "headers",
    }
)


def _any_mapping(_source: Any, _handler: Any) -> Any:
    return TypeAdapter(dict[str, Any]).core_schema


UntypedStripeObject.__get_pydantic_core_schema__ = staticmethod(_any_mapping)  # type: ignore[attr-defined]


# --- Parameters -------------------------------------------------------------------------------------------------------


@functools.cache
def validator(name: str) -> TypeAdapter[Any]:
    """Of a type of `stripe.params`, such as `checkout.SessionCreateParams`: strict about names, lax about "2" for 2."""
    params_type: Any = functools.reduce(getattr, name.split("."), stripe_params)
    module = sys.modules[params_type.__module__]
    for kind in vars(module).values():
        if isinstance(kind, type) and issubclass(kind, dict) and hasattr(kind, "__total__"):
            kind.__pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[attr-defined]
            kind.__annotations__ = {key: _closed(hint) for key, hint in kind.__annotations__.items()}
    adapter: TypeAdapter[Any] = TypeAdapter(params_type, config=None)
    adapter.rebuild(force=True, _types_namespace={**vars(typing), "StripeContext": str, **vars(module)})
    return adapter


def _closed(hint: Any) -> Any:
    if isinstance(hint, ForwardRef):
        return ForwardRef(OPEN_ENUM.sub(r"\1", hint.__forward_arg__))
    origin, arguments = get_origin(hint), get_args(hint)
    if getattr(origin, "_name", "") in ("NotRequired", "Required"):
        return origin[_closed(arguments[0])]
    if origin is list:
        return list[_closed(arguments[0])]  # type: ignore[misc]
    return hint


def check_parameters(name: str, form: dict[str, Any]) -> dict[str, Any]:
    """The typed parameters, or Stripe's refusal of what it does not know."""
    options = sorted(REQUEST_OPTIONS & set(form))
    if options:
        raise ApiError(f"Received unknown parameter: {options[0]}", code="parameter_unknown", param=options[0])
    try:
        checked: dict[str, Any] = validator(name).validate_python(form)
    except ValidationError as error:
        raise _refusal(error) from None
    return checked


def _refusal(error: ValidationError) -> ApiError:
    # Of the alternatives of a union, the one that got furthest says most.
    first = max(error.errors(include_url=False), key=lambda each: (len(each["loc"]), each["type"] == "extra_forbidden"))
    path = [str(part) for part in first["loc"] if re.fullmatch(r"\w+", str(part)) and not str(part)[0].isupper()]
    param = path[0] + "".join(f"[{part}]" for part in path[1:]) if path else ""
    if first["type"] == "extra_forbidden":
        return ApiError(f"Received unknown parameter: {param}", code="parameter_unknown", param=param)
    if first["type"] == "missing":
        return ApiError(f"Missing required param: {param}.", code="parameter_missing", param=param)
    return ApiError(f"Invalid {param}: {first['msg']}", param=param)


# --- Replies ----------------------------------------------------------------------------------------------------------


@functools.cache
def class_of(kind: str) -> Any:
    module, name = OBJECT_CLASSES[kind]
    return getattr(importlib.import_module(module), name)


class _Names(dict[str, Any]):
    """A module's names, those it imports for type checkers alone included, looked up when they are needed."""

    def __init__(self, module: types.ModuleType) -> None:
        super().__init__(vars(typing) | vars(module))
        self.later: dict[str, tuple[str, str]] = {}
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            if isinstance(node, ast.ImportFrom) and node.module:
                self.later |= {name.asname or name.name: (node.module, name.name) for name in node.names}

    def __missing__(self, name: str) -> Any:
        if name not in self.later:
            raise KeyError(name)
        module, original = self.later[name]
        self[name] = getattr(importlib.import_module(module), original)
        return self[name]


@functools.cache
def _names(module: str) -> _Names:
    return _Names(sys.modules[module])


@functools.cache
def fields_of(cls: Any) -> dict[str, Any]:
    """The names and types of a reply's fields."""
    names, inside = _names(cls.__module__), vars(cls)
    own = {
        key: hint
        for key, hint in vars(cls).get("__annotations__", {}).items()
        if get_origin(hint) is not typing.ClassVar
    }
    return {key.rstrip("_") if key == "lambda_" else key: _resolved(hint, names, inside) for key, hint in own.items()}


def _resolved(hint: Any, names: _Names, inside: Any) -> Any:
    if isinstance(hint, str):
        hint = ForwardRef(hint)
    if isinstance(hint, ForwardRef):
        return _resolved(eval(hint.__forward_arg__, {"__builtins__": {}}, _Both(inside, names)), names, inside)  # noqa: S307
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is None or origin is Literal:
        return hint
    if origin is Union or origin is types.UnionType:
        return Union[tuple(_resolved(argument, names, inside) for argument in arguments)]  # noqa: UP007
    return types.GenericAlias(origin, tuple(_resolved(argument, names, inside) for argument in arguments))


class _Both(dict[str, Any]):
    def __init__(self, inside: Any, names: _Names) -> None:
        super().__init__(inside)
        self.names = names

    def __missing__(self, name: str) -> Any:
        return self.names[name]


def is_optional(hint: Any) -> bool:
    return type(None) in get_args(hint)


def blank(kind: str) -> dict[str, Any]:
    """An object without content: Stripe leaves no field out. What must be said (ids, amounts, states) is not there."""
    return copy.deepcopy(_blank_of(class_of(kind))) | {"object": kind}


@functools.cache
def _blank_of(cls: Any) -> dict[str, Any]:
    return {
        key: empty for key, hint in fields_of(cls).items() if key != "deleted" and (empty := _empty(hint)) is not _MUST
    }


_MUST = object()


def _empty(hint: Any) -> Any:
    if is_optional(hint):
        return None
    cls = get_origin(hint) or hint
    if cls is list:
        return []
    if cls is bool:
        return False
    if (
        isinstance(cls, type)
        and issubclass(cls, StripeObject)
        and cls is not ListObject
        and not hasattr(cls, "OBJECT_NAME")
    ):
        nested: Any = cls
        return {} if issubclass(cls, UntypedStripeObject) else _blank_of(nested)
    return _MUST


def problems(reply: Any) -> list[str]:
    """What in a reply is not as the SDK's types say."""
    if not isinstance(reply, dict) or reply.get("deleted") or "object" not in reply:
        return []
    return list(_of_object(reply, class_of(reply["object"]), reply["object"]))


def _of_object(value: Any, cls: Any, path: str) -> typing.Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: {value!r} is no object"
        return
    if issubclass(cls, UntypedStripeObject):
        return
    if value.get("object") == "list" or cls is ListObject:
        yield from _of_list(value, Any, path)
        return
    known = fields_of(cls)
    for key, hint in known.items():
        if value.get(key) is None:
            if not is_optional(hint):
                yield f"{path}.{key} is missing"
        elif not (complaint := _check(value[key], hint, f"{path}.{key}")):
            continue
        else:
            yield from complaint
    for key in value.keys() - known.keys():
        yield f"{path}.{key} is not a field of {cls.__name__}"


def _of_list(value: Any, hint: Any, path: str) -> typing.Iterator[str]:
    if not isinstance(value, dict) or value.get("object") != "list":
        yield f"{path} is no list"
        return
    for number, each in enumerate(value["data"]):
        yield from _check(each, hint, f"{path}.data[{number}]") if hint is not Any else problems(each)


def _check(value: Any, hint: Any, path: str) -> list[str]:
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any or isinstance(hint, typing.TypeVar):
        return []
    if origin is Union:
        return _of_union(value, arguments, path)
    if origin is Literal:
        return [] if value in arguments else [f"{path}: {value!r} is none of {arguments}"]
    if origin is list:
        if not isinstance(value, list):
            return [f"{path}: {value!r} is no array"]
        return [said for n, each in enumerate(value) for said in _check(each, arguments[0], f"{path}[{n}]")]
    if origin is dict:
        return [] if isinstance(value, dict) else [f"{path}: {value!r} is no mapping"]
    if origin is ListObject:
        return list(_of_list(value, arguments[0], path))
    cls = origin or hint
    if isinstance(cls, type) and issubclass(cls, StripeObject):
        return list(_of_object(value, cls, path))
    return _of_plain(value, cls, path)


def _of_union(value: Any, choices: tuple[Any, ...], path: str) -> list[str]:
    present = [choice for choice in choices if choice is not type(None)]
    enums = [choice for choice in present if get_origin(choice) is Literal]
    if enums and isinstance(value, str):  # an open enumeration, closed here
        return _check(value, enums[0], path)
    if isinstance(value, dict) and len(present) > 1:
        kinds = [choice for choice in present if choice is not str]
        fitting = [choice for choice in kinds if getattr(choice, "OBJECT_NAME", "") == value.get("object")]
        present = fitting or kinds
    found = [_check(value, choice, path) for choice in present]
    return min(found, key=len) if found else []


def _of_plain(value: Any, cls: Any, path: str) -> list[str]:
    if cls is Decimal:
        return [] if isinstance(value, str | int | float) else [f"{path}: {value!r} is no decimal"]
    if cls is float:
        cls = (int, float)
    right = isinstance(value, cls) and not (isinstance(value, bool) and cls is not bool)
    return [] if right else [f"{path}: {value!r} is no {cls}"]
