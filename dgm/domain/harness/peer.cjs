// Inside a judge's sandbox: one Node process calls the objects of another, over two pipes, one message a line.
// The counterpart of peer.py, which says why. Plain values are copied, anything else is a reference. On the strict side
// (the tests') the other may call the functions it was handed and read plain attributes, and nothing else.
"use strict";
const fs = require("fs");
const MAX_LINE = 8e6, MAX_DEPTH = 80;
const ORIGIN = Symbol("origin");
const WELL_KNOWN = ["iterator", "asyncIterator", "hasInstance", "toPrimitive", "toStringTag"];

class Gone extends Error {}

class Peer {
  constructor(source, sink, strict) {
    Object.assign(this, { source, sink, strict, dead: false, buffer: Buffer.alloc(0) });
    this.ours = new Map(); this.marks = new Map(); this.far = new Map(); this.proxies = new WeakMap();
    this.waiting = new Map(); // promises of the other side, by mark
    this.watched = new Map(); // promises of ours, by mark: undefined, or how they were settled
  }

  ask(op, ...parts) {
    if (this.dead) throw new Gone("the other process has ended");
    this.send({ op, with: parts.map((part) => this.encode(part)) });
    for (;;) {
      const told = this.receive();
      if (told.op !== undefined) this.answer(told);
      else if (told.raised !== undefined) throw this.raised(told.raised);
      else return this.decode(told.value);
    }
  }

  answer(told) {
    let reply;
    try {
      const value = this.perform(told.op, told.with.map((part) => this.decode(part)));
      reply = { value: this.encode(value) };
    } catch (failure) {
      if (failure instanceof Gone) throw failure;
      reply = { raised: this.told(failure) };
    }
    this.send(reply);
  }

  perform(op, parts) {
    const [target, name] = parts;
    if (op === "call") return Reflect.apply(target, parts[1], parts[2]);
    if (op === "settled") return this.settled();
    if (this.strict) {
      if (op === "get" && typeof name === "string" && Object.prototype.hasOwnProperty.call(target, name)
          && typeof target !== "function") return target[name];
      if (op === "get" && (name === "then" || name === Symbol.toPrimitive || name === Symbol.toStringTag)) return undefined;
      if (op === "get" && name === "length") return target.length;
      throw new TypeError(`refused: ${op}`);
    }
    if (op === "get") return target[name];
    if (op === "set") { target[name] = parts[2]; return true; }
    if (op === "has") return name in target;
    if (op === "delete") return delete target[name];
    if (op === "keys") return Object.keys(target);
    if (op === "new") return Reflect.construct(target, parts[1]);
    throw new TypeError(`refused: ${op}`);
  }

  // What became of our promises since the last time: [[mark, fine, value], …].
  settled() {
    const news = [];
    for (const [mark, state] of this.watched) if (state) { news.push([mark, state.fine, state.value]); this.watched.delete(mark); }
    return news;
  }

  // Ask the other side what became of its promises, and settle those that stand for them here.
  turn(op) {
    for (const [mark, fine, value] of this.ask(op)) {
      const ends = this.waiting.get(mark);
      this.waiting.delete(mark);
      if (ends) (fine ? ends.resolve : ends.reject)(value);
    }
  }

  send(message) {
    try {
      const data = Buffer.from(JSON.stringify(message) + "\n");
      let at = 0;
      while (at < data.length) {
        try { at += fs.writeSync(this.sink, data, at); } catch (error) { if (error.code !== "EAGAIN") throw error; }
      }
    } catch (error) { this.dead = true; throw new Gone(String(error)); }
  }

  receive() {
    const chunk = Buffer.alloc(1 << 16);
    let end;
    while ((end = this.buffer.indexOf(10)) < 0) {
      let count = 0;
      try { count = fs.readSync(this.source, chunk, 0, chunk.length, null); }
      catch (error) { if (error.code === "EAGAIN") continue; }
      if (!count || this.buffer.length > MAX_LINE) { this.dead = true; throw new Gone("ended"); }
      this.buffer = Buffer.concat([this.buffer, chunk.subarray(0, count)]);
    }
    const line = this.buffer.subarray(0, end).toString();
    this.buffer = this.buffer.subarray(end + 1);
    try {
      const told = JSON.parse(line);
      if (told === null || typeof told !== "object" || (told.op !== undefined && !Array.isArray(told.with))) throw new Error("form");
      return told;
    } catch (error) { this.dead = true; throw new Gone(String(error)); }
  }

  encode(value, depth = 0) {
    if (value === null || typeof value === "boolean" || typeof value === "string") return value;
    if (value === undefined) return { u: 1 };
    if (typeof value === "number") return Number.isFinite(value) && !Object.is(value, -0) ? value : { f: Object.is(value, -0) ? "-0" : String(value) };
    if (typeof value === "bigint") return { g: String(value) };
    if (typeof value === "symbol") return { y: WELL_KNOWN.find((name) => Symbol[name] === value) ?? "" };
    if (depth > MAX_DEPTH) throw new TypeError("nested too deeply");
    if (this.proxies.has(value)) return { o: this.proxies.get(value) };
    if (Object.prototype.hasOwnProperty.call(value, ORIGIN)) return { o: value[ORIGIN] };
    const inner = (item) => this.encode(item, depth + 1);
    if (Array.isArray(value)) return { a: Array.from(value, inner) };
    const shape = Object.getPrototypeOf(value);
    if (shape === Date.prototype) return { t: value.getTime() };
    if (shape === RegExp.prototype) return { x: [value.source, value.flags] };
    if (shape === Map.prototype) return { m: [...value].map(([key, item]) => [inner(key), inner(item)]) };
    if (shape === Set.prototype) return { s: [...value].map(inner) };
    if (shape === Promise.prototype) return { p: this.watch(value) };
    if (typeof value === "object" && (shape === Object.prototype || shape === null)) {
      const entries = Object.entries(value);
      if (!entries.some(([, item]) => typeof item === "function")) return { d: entries.map(([key, item]) => [key, inner(item)]) };
    }
    return this.reference(value);
  }

  reference(value) {
    if (!this.marks.has(value)) this.marks.set(value, this.marks.size + 1);
    const mark = this.marks.get(value);
    this.ours.set(mark, value);
    const told = { r: mark, k: typeof value };
    if (value instanceof Error) Object.assign(told, { e: [String(value.name), String(value.message)] });
    return told;
  }

  watch(promise) {
    const known = this.marks.get(promise);
    if (known) return known;
    const mark = this.marks.size + 1;
    this.marks.set(promise, mark);
    this.watched.set(mark, undefined);
    promise.then((value) => this.watched.set(mark, { fine: true, value }), (value) => this.watched.set(mark, { fine: false, value }));
    return mark;
  }

  decode(told, depth = 0) {
    if (told === null || typeof told !== "object") return told;
    if (depth > MAX_DEPTH + 5) throw new TypeError("nested too deeply");
    const inner = (item) => this.decode(item, depth + 1);
    const mark = Object.keys(told)[0], body = told[mark];
    switch (mark) {
      case "u": return undefined;
      case "f": return Number(body);
      case "g": return BigInt(body);
      case "y": return WELL_KNOWN.includes(body) ? Symbol[body] : Symbol(); // any other name is a function of Symbol's
      case "a": return body.map(inner);
      case "t": return new Date(body);
      case "x": return new RegExp(String(body[0]), String(body[1]));
      case "m": return new Map(body.map(([key, item]) => [inner(key), inner(item)]));
      case "s": return new Set(body.map(inner));
      case "o": return this.ours.get(body);
      case "d": {
        const made = {};
        for (const [key, item] of body) Object.defineProperty(made, key, { value: inner(item), enumerable: true, writable: true, configurable: true });
        return made;
      }
      case "p": return new Promise((resolve, reject) => this.waiting.set(body, { resolve, reject }));
      case "r": return this.foreign(told);
    }
    throw new TypeError("not of the form that is due");
  }

  foreign(told) {
    if (!this.far.has(told.r)) {
      let made;
      if (told.e) {
        made = new Error(String(told.e[1]));
        Object.defineProperty(made, "name", { value: String(told.e[0]), configurable: true });
        Object.defineProperty(made, ORIGIN, { value: told.r });
      } else {
        made = this.proxy(told.r, told.k === "function");
        this.proxies.set(made, told.r);
      }
      this.far.set(told.r, made);
    }
    return this.far.get(told.r);
  }

  proxy(mark, callable) {
    const me = () => this.far.get(mark), peer = this;
    const target = callable ? function () {}.bind() : {};
    if (callable) { delete target.name; delete target.length; }
    return new Proxy(target, {
      get: (_, name) => peer.ask("get", me(), name),
      set: (_, name, value) => peer.ask("set", me(), name, value) === true,
      has: (_, name) => peer.ask("has", me(), name) === true,
      deleteProperty: (_, name) => peer.ask("delete", me(), name) === true,
      ownKeys: () => [...new Set(peer.ask("keys", me()).map(String))],
      getOwnPropertyDescriptor: (_, name) => {
        const value = peer.ask("get", me(), name);
        return value === undefined ? undefined : { value, enumerable: true, configurable: true, writable: true };
      },
      apply: (_, self, args) => peer.ask("call", me(), self, args),
      construct: (_, args) => peer.ask("new", me(), args),
    });
  }

  told(failure) {
    try { return this.encode(failure); } catch (error) { return this.encode(new Error("what was thrown cannot be told")); }
  }

  raised(told) { return this.decode(told); }
}

module.exports = { Peer, Gone, isFar: (peer, value) => value !== null && (typeof value === "object" || typeof value === "function") && peer.proxies.has(value) };
