"""Inside a judge's sandbox: one process calls the objects of another, over two pipes, one message a line.

The judge's process holds the tests with all they expect; the candidate's process holds the code under test. Neither can
read the other's memory, and what crosses is either a plain value, copied, or a reference. So a candidate's value
arrives as exactly what it is (a `bool` is no `int` that says it equals everything), and what the tests expect never
crosses unless the tests pass it. `strict` is set on the judge's side: the other side may call what was handed to it,
and read its public attributes, and nothing else.

Not covered: two objects of the candidate are compared by the candidate, as its own `__eq__` says; what a test asks of
one of its objects by another operator than equality (`<`, `-`, `in`) is the candidate's to say as well; changes that it
makes to a list or dict it was given stay with it.
"""

from __future__ import annotations

import base64
import builtins
import json
import os
import select
import time
import types
from typing import Any

MAX_LINE = 8_000_000
BUILTINS = {id(v): k for k, v in vars(builtins).items() if isinstance(v, (type, types.BuiltinFunctionType))}
#: what a proxy may offer beside attributes; each only if the far object's class has it
SPECIAL = frozenset(
    [
        "__call__",
        "__len__",
        "__iter__",
        "__next__",
        "__getitem__",
        "__setitem__",
        "__delitem__",
        "__contains__",
        "__bool__",
        "__str__",
        "__repr__",
        "__enter__",
        "__exit__",
        "__add__",
        "__radd__",
        "__sub__",
        "__rsub__",
        "__mul__",
        "__rmul__",
        "__truediv__",
        "__rtruediv__",
        "__floordiv__",
        "__mod__",
        "__pow__",
        "__rpow__",
        "__neg__",
        "__abs__",
        "__lt__",
        "__le__",
        "__gt__",
        "__ge__",
        "__hash__",
        "__eq__",
        "__int__",
        "__float__",
        "__index__",
        "__reversed__",
        "__and__",
        "__or__",
        "__xor__",
        "__invert__",
        "__matmul__",
    ]
)
OPEN = frozenset({"__name__", "__doc__"})
PURE = frozenset(
    [
        "abs", "all", "any", "ascii", "bin", "callable", "chr", "divmod", "format", "hash", "hex", "id",
        "isinstance", "issubclass", "iter", "len", "max", "min", "next", "oct", "ord", "pow", "repr", "round",
        "sorted", "sum",
    ]
)  # fmt: skip
"""The builtin functions that the strict side takes from the other. One that runs text, opens files or reaches into an
object, such as `exec`, would be called here, by a test or by a function of the tests that was handed over."""
CLOSED = (
    type, types.FunctionType, types.MethodType, types.ModuleType, types.FrameType, types.TracebackType, types.CodeType,
    types.GeneratorType, types.CoroutineType,
)  # fmt: skip
"""Of these the strict side tells the name alone: their attributes lead to frames and to other tests."""


class Gone(Exception):
    """The other process has ended, is late, or does not speak the protocol."""


class Refused(Exception):
    """The other process asked for what it may not have."""


class Peer:
    """This process's end. `clock` is the monotonic time by which an answer must have come; None waits for ever."""

    def __init__(self, source: int, sink: int, strict: bool) -> None:
        self.source, self.sink, self.strict = source, sink, strict
        self.clock: float | None = None
        self.dead = False
        self._buffer = b""
        self._ours: dict[int, Any] = {}
        self._marks: dict[int, int] = {}
        self._classes: dict[Any, Any] = {}
        self._far: dict[int, Any] = {}

    def ask(self, op: str, *parts: Any) -> Any:
        """Have the other side do something; what it gave, or what it raised, raised here. Serves it meanwhile."""
        if self.dead:
            raise Gone("the other process has ended")
        self._send({"op": op, "with": [self.encode(part) for part in parts]})
        while True:
            told = self._receive()
            if "op" in told:
                self._serve(told)
            elif "raised" in told:
                raise self._failure(told["raised"])
            else:
                return self.decode(told.get("value"))

    def serve(self) -> None:
        """Answer requests until the other side hangs up."""
        try:
            while True:
                told = self._receive()
                if "op" not in told:
                    raise Gone("an answer to no question")
                self._serve(told)
        except Gone:
            return

    def _serve(self, told: Any) -> None:
        try:
            value = self.encode(self._do(told["op"], [self.decode(part) for part in told["with"]]))
            answer = {"value": value}
        except Gone:
            raise
        except BaseException as failure:  # whatever the code under test, or a test's callback, raises
            answer = {"raised": self._told(failure)}
        self._send(answer)

    def _do(self, op: str, parts: list[Any]) -> Any:
        if self.strict and (op not in ("get", "special") or id(parts[0]) not in self._marks):
            raise Refused(op)  # no such request, or about what was never handed over
        if op == "get":
            if self.strict and parts[1] not in OPEN and (parts[1].startswith("_") or isinstance(parts[0], CLOSED)):
                raise Refused(parts[1])
            return getattr(parts[0], parts[1])
        if op == "special":
            target, name, args, kwargs = parts
            if name not in SPECIAL:
                raise Refused(name)
            if name == "__call__":
                return target(*args, **kwargs)
            if name == "__hash__":
                return hash(target)
            if isinstance(target, type):
                return getattr(type(target), name)(target, *args)
            return getattr(target, name)(*args)
        if op == "set":
            return setattr(*parts)
        if op == "delete":
            return delattr(*parts)
        if op == "import":
            return __import__(parts[0], fromlist=["*"])
        if op == "isinstance":
            return isinstance(parts[0], parts[1])
        raise Refused(op)

    # -- messages ---------------------------------------------------------------------------------------------------

    def _send(self, message: Any) -> None:
        try:
            view = memoryview(json.dumps(message).encode() + b"\n")
            while view:
                view = view[os.write(self.sink, view) :]
        except (OSError, ValueError, RecursionError) as error:
            self.dead = True
            raise Gone(str(error)) from None

    def _receive(self) -> Any:
        while b"\n" not in self._buffer:
            left = None if self.clock is None else max(0.0, self.clock - time.monotonic())
            ready = select.select([self.source], [], [], left)[0]
            data = os.read(self.source, 1 << 16) if ready else b""
            self._buffer += data
            if not data or len(self._buffer) > MAX_LINE:
                self.dead = True
                raise Gone("ended" if ready else "late")
        line, _, self._buffer = self._buffer.partition(b"\n")
        try:
            told = json.loads(line)
            if type(told) is not dict or ("op" in told and type(told.get("with")) is not list):
                raise ValueError("not of the form that is due")
        except (ValueError, RecursionError) as error:
            self.dead = True
            raise Gone(str(error)) from None
        return told

    # -- values -----------------------------------------------------------------------------------------------------

    def encode(self, value: Any, depth: int = 0) -> Any:
        """As JSON: plain values by what they are, anything else as a reference."""
        kind = type(value)
        if value is None or kind in (bool, str):
            return value
        if depth > 60:
            raise ValueError("nested too deeply")
        if isinstance(value, int) and not hasattr(kind, "__members__"):
            return {"i": hex(int.__index__(value))}
        if isinstance(value, float):
            return {"f": float.__repr__(value)}
        if isinstance(value, (bytes, bytearray)) and not isinstance(value, Far):
            return {"b": base64.b64encode(bytes(value)).decode()}
        if isinstance(value, str) and not hasattr(kind, "__members__"):
            return str.__str__(value)
        for base, mark in ((list, "l"), (tuple, "t"), (set, "s"), (frozenset, "z")):
            if kind is base or (isinstance(value, base) and not self.strict):
                return {mark: [self.encode(item, depth + 1) for item in base.__iter__(value)]}
        if kind is dict or (isinstance(value, dict) and not self.strict):
            return {"d": [[self.encode(k, depth + 1), self.encode(v, depth + 1)] for k, v in dict.items(value)]}
        if isinstance(value, Far):
            return {"o": object.__getattribute__(value, "_mark")}
        if id(value) in BUILTINS:
            return {"n": BUILTINS[id(value)]}
        if isinstance(value, type) and "_far_mark" in vars(value):
            return {"o": vars(value)["_far_mark"]}
        if isinstance(value, BaseException) and "_far_origin" in vars(value):
            return {"o": vars(value)["_far_origin"]}
        return self._reference(value)

    def _reference(self, value: Any) -> Any:
        mark = self._marks.setdefault(id(value), len(self._marks) + 1)
        self._ours[mark] = value  # kept, so that its id is not given to another object
        told = {"r": mark, "a": sorted(SPECIAL & set(dir(type(value)))), "c": type(value).__name__}
        if isinstance(value, type) and issubclass(value, BaseException):
            told |= {"x": value.__name__, "y": [self.encode(base) for base in value.__bases__]}
        return told

    def decode(self, told: Any) -> Any:
        """The value of what the other side encoded. Raises ValueError for what it cannot have."""
        if told is None or type(told) in (bool, str):
            return told
        if type(told) is not dict or not told:
            raise ValueError("not of the form that is due")
        mark, body = next(iter(told.items()))
        if mark in ("l", "t", "s", "z"):
            return {"l": list, "t": tuple, "s": set, "z": frozenset}[mark](self.decode(item) for item in body)
        if mark == "d":
            return {self.decode(key): self.decode(value) for key, value in body}
        if mark == "o":
            return self._ours[body]
        if mark == "n":
            if self.strict and body not in PURE and not isinstance(vars(builtins)[body], type):
                raise Refused(body)
            return vars(builtins)[body]
        if mark == "r":
            return self._foreign(told)
        if mark == "i":
            return int(body, 16)
        return float(body) if mark == "f" else base64.b64decode(body)

    def _foreign(self, told: Any) -> Any:
        mark = int(told["r"])
        if mark not in self._far:
            if "x" in told:
                bases = tuple(base for base in map(self.decode, told["y"]) if isinstance(base, type))
                bases = tuple(b if issubclass(b, Exception) else RuntimeError for b in bases) or (Exception,)
                self._far[mark] = type(str(told["x"]), bases, {"_far_mark": mark})
            else:
                offers = SPECIAL & set(told["a"])
                key = (frozenset(offers), told["c"])
                if key not in self._classes:
                    self._classes[key] = proxy_class(self, str(told["c"]), offers)
                made = object.__new__(self._classes[key])
                object.__setattr__(made, "_mark", mark)
                self._far[mark] = made
        return self._far[mark]

    def _told(self, failure: BaseException) -> Any:
        try:
            text, args = str(failure)[:2_000], [self.encode(arg) for arg in failure.args]
        except BaseException:  # its __str__ is the other code's own
            text, args = "", []
        kind = type(failure) if isinstance(failure, Exception) else RuntimeError
        return {"class": self.encode(kind), "args": args, "text": text, "self": self.encode(failure)}

    def _failure(self, told: Any) -> Exception:
        """The exception to be raised here: our own, if it was ours that came back."""
        mark, body = next(iter(told["self"].items()))
        if mark == "o" and isinstance(self._ours.get(body), Exception):
            ours: Exception = self._ours[body]
            return ours
        kind = self.decode(told["class"])
        if not (isinstance(kind, type) and issubclass(kind, Exception)):
            raise Gone("raised what is no exception")
        args = [self.decode(arg) for arg in told["args"]]
        made = kind.__new__(kind, *args)
        made.args = tuple(args)
        made.__dict__["_far_origin"] = body
        return made


class Far:
    """What all proxies are. `_mark` is the other side's number for the object."""

    _peer: Peer

    def __getattr__(self, name: str) -> Any:
        return type(self)._peer.ask("get", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        type(self)._peer.ask("set", self, name, value)

    def __delattr__(self, name: str) -> None:
        type(self)._peer.ask("delete", self, name)

    def __instancecheck__(self, value: Any) -> bool:
        return isinstance(value, Far) and type(self)._peer.ask("isinstance", value, self) is True

    def __eq__(self, other: object) -> bool:
        """Never equal to a plain value, whatever the other side says of it."""
        if self is other:
            return True
        return isinstance(other, Far) and type(self)._peer.ask("special", self, "__eq__", [other], {}) is True

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return int(type(self)._peer.ask("special", self, "__hash__", [], {}))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of the code under test>"


def proxy_class(peer: Peer, name: str, offers: Any) -> type[Far]:
    """A class of proxies that have these special methods."""

    def special(offered: str) -> Any:
        def method(self: Any, *args: Any, **kwargs: Any) -> Any:
            return peer.ask("special", self, offered, list(args), kwargs)

        return method

    own = {"__eq__", "__hash__", "__repr__"}
    return type(name, (Far,), {"_peer": peer, **{offered: special(offered) for offered in offers - own}})


class FarModule(types.ModuleType):
    """A module of the other side, under its own name; what is set on it is set there."""

    def __init__(self, peer: Peer, name: str) -> None:
        super().__init__(name)
        self.__dict__["_peer"], self.__dict__["_module"] = peer, peer.ask("import", name)

    def __getattr__(self, name: str) -> Any:
        return self.__dict__["_peer"].ask("get", self.__dict__["_module"], name)

    def __setattr__(self, name: str, value: Any) -> None:
        submodule = isinstance(value, types.ModuleType) and value.__name__ == f"{self.__name__}.{name}"
        if name.startswith("__") or submodule:  # what importing sets, on this side alone
            self.__dict__[name] = value
        else:
            self.__dict__["_peer"].ask("set", self.__dict__["_module"], name, value)

    def __delattr__(self, name: str) -> None:
        self.__dict__["_peer"].ask("delete", self.__dict__["_module"], name)
