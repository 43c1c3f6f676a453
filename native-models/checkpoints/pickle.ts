/**
 * A restricted reader of Python's pickle format (protocols 2 to 5, pickletools.py). It builds plain values only:
 * numbers, strings, bytes, lists, tuples, dicts. A global is never looked up: its name is handed to `construct`, which
 * knows the few that a checkpoint needs and refuses the rest, so nothing can be executed.
 */

export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | Map<PickleValue, PickleValue>
  | PickleGlobal
  | object;

export class PickleGlobal {
  constructor(readonly name: string) {}
}

export class PickleError extends Error {}

export interface PickleHost {
  /** The value of calling `name(...args)`; throws PickleError when the name is not allowed. */
  construct(name: string, args: PickleValue[]): PickleValue;
  /** The value behind a persistent id: a storage. */
  persistent(id: PickleValue): PickleValue;
  allowed(name: string): boolean;
}

const mark = Symbol('mark');
type Slot = PickleValue | typeof mark;

/** Deeper or larger than any checkpoint; bounds memory on hostile input. */
const mostOperations = 20_000_000;

export function unpickle(bytes: Uint8Array, host: PickleHost): PickleValue {
  return new Unpickler(bytes, host).run();
}

class Unpickler {
  private at = 0;
  private readonly stack: Slot[] = [];
  private readonly memo = new Map<number, PickleValue>();
  private readonly view: DataView;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly host: PickleHost,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  run(): PickleValue {
    for (let operations = 0; operations < mostOperations; operations++) {
      const opcode = this.byte();
      if (opcode === 0x2e) {
        const value = this.pop();
        if (this.stack.length) throw this.error('values are left on the stack');
        return value;
      }
      this.step(opcode);
    }
    throw this.error('too many operations');
  }

  private error(what: string): PickleError {
    return new PickleError(`${what} at pickle offset ${this.at}`);
  }

  private take(length: number): Uint8Array {
    if (!(length >= 0 && this.at + length <= this.bytes.length))
      throw this.error(`${length} bytes are needed and ${this.bytes.length - this.at} are left`);
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
  private byte(): number {
    return this.take(1)[0]!;
  }
  private u16(): number {
    this.take(2);
    return this.view.getUint16(this.at - 2, true);
  }
  private u32(): number {
    this.take(4);
    return this.view.getUint32(this.at - 4, true);
  }
  private u64(): number {
    this.take(8);
    return Number(this.view.getBigUint64(this.at - 8, true));
  }
  private line(): string {
    const end = this.bytes.indexOf(0x0a, this.at);
    if (end < 0) throw this.error('a line does not end');
    const text = this.text(end - this.at);
    this.at++;
    return text;
  }
  private text(length: number): string {
    return new TextDecoder().decode(this.take(length));
  }
  private integer(length: number): number | bigint {
    const raw = this.take(length);
    let value = 0n;
    if (length > 64) throw this.error('an integer is absurdly long');
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(raw[i]!);
    value = length ? BigInt.asIntN(8 * length, value) : 0n;
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  private pop(): PickleValue {
    const value = this.stack.pop();
    if (value === undefined || value === mark) throw this.error('the stack is empty');
    return value;
  }
  private top(): PickleValue {
    const value = this.stack.at(-1);
    if (value === undefined || value === mark) throw this.error('the stack is empty');
    return value;
  }
  private popToMark(): PickleValue[] {
    const start = this.stack.lastIndexOf(mark);
    if (start < 0) throw this.error('there is no mark');
    const values = this.stack.splice(start) as PickleValue[];
    values.shift();
    return values;
  }
  private list(value: PickleValue): PickleValue[] {
    if (!Array.isArray(value)) throw this.error('a list was expected');
    return value;
  }
  private dictionary(value: PickleValue): Map<PickleValue, PickleValue> {
    if (!(value instanceof Map)) throw this.error('a dictionary was expected');
    return value;
  }
  private setItems(target: PickleValue, items: PickleValue[]): void {
    if (items.length % 2) throw this.error('a dictionary item has no value');
    const dictionary = this.dictionary(target);
    for (let i = 0; i < items.length; i += 2) dictionary.set(items[i]!, items[i + 1]!);
  }
  private recall(index: number): void {
    const value = this.memo.get(index);
    if (value === undefined) throw this.error(`memo ${index} was never set`);
    this.stack.push(value);
  }
  private global(module: string, name: string): void {
    const full = `${module}.${name}`;
    if (!this.host.allowed(full))
      throw new PickleError(
        `it asks for ${full.slice(0, 80)}, which a checkpoint of weights never needs; it may be hostile`,
      );
    this.stack.push(new PickleGlobal(full));
  }
  private call(callee: PickleValue, args: PickleValue): void {
    if (!(callee instanceof PickleGlobal)) throw this.error('it calls something that is not a known constructor');
    this.stack.push(this.host.construct(callee.name, this.list(args)));
  }
  /** BUILD: only a plain object's dictionary may be filled; state of anything else is dropped. */
  private build(): void {
    const state = this.pop();
    const target = this.top();
    if (target instanceof Map && state instanceof Map) for (const [key, value] of state) target.set(key, value);
  }

  private step(opcode: number): void {
    const { stack } = this;
    switch (opcode) {
      case 0x80: // PROTO
        if (this.byte() > 5) throw this.error('the protocol is newer than 5');
        return;
      case 0x95: // FRAME
        this.take(8);
        return;
      case 0x28:
        stack.push(mark);
        return;
      case 0x30:
        this.pop();
        return;
      case 0x31:
        this.popToMark();
        return;
      case 0x32:
        stack.push(this.top());
        return;
      case 0x4e:
        stack.push(null);
        return;
      case 0x88:
        stack.push(true);
        return;
      case 0x89:
        stack.push(false);
        return;
      case 0x4a:
        stack.push(this.u32() | 0);
        return; // BININT
      case 0x4b:
        stack.push(this.byte());
        return;
      case 0x4d:
        stack.push(this.u16());
        return;
      case 0x8a:
        stack.push(this.integer(this.byte()));
        return; // LONG1
      case 0x47: // BINFLOAT
        this.take(8);
        stack.push(this.view.getFloat64(this.at - 8, false));
        return;
      case 0x58:
        stack.push(this.text(this.u32()));
        return; // BINUNICODE
      case 0x8c:
        stack.push(this.text(this.byte()));
        return;
      case 0x8d:
        stack.push(this.text(this.u64()));
        return;
      case 0x54:
        stack.push(this.text(this.u32()));
        return; // BINSTRING (protocol 2 of Python 2)
      case 0x55:
        stack.push(this.text(this.byte()));
        return;
      case 0x42:
        stack.push(this.take(this.u32()).slice());
        return; // BINBYTES
      case 0x43:
        stack.push(this.take(this.byte()).slice());
        return;
      case 0x8e:
        stack.push(this.take(this.u64()).slice());
        return;
      case 0x5d:
        stack.push([]);
        return;
      case 0x29:
        stack.push([]);
        return;
      case 0x7d:
        stack.push(new Map());
        return;
      case 0x8f:
        stack.push([]);
        return; // EMPTY_SET
      case 0x6c:
      case 0x74:
        stack.push(this.popToMark());
        return; // LIST, TUPLE
      case 0x85:
      case 0x86:
      case 0x87: {
        // TUPLE1..3
        const items: PickleValue[] = [];
        for (let i = opcode - 0x84; i > 0; i--) items.unshift(this.pop());
        stack.push(items);
        return;
      }
      case 0x64: {
        // DICT
        const items = this.popToMark();
        const dictionary = new Map<PickleValue, PickleValue>();
        this.setItems(dictionary, items);
        stack.push(dictionary);
        return;
      }
      case 0x61: {
        // APPEND
        const item = this.pop();
        this.list(this.top()).push(item);
        return;
      }
      case 0x65:
      case 0x90: {
        // APPENDS, ADDITEMS
        const items = this.popToMark();
        const list = this.list(this.top());
        for (const item of items) list.push(item);
        return;
      }
      case 0x73: {
        // SETITEM
        const value = this.pop();
        const key = this.pop();
        this.setItems(this.top(), [key, value]);
        return;
      }
      case 0x75: {
        // SETITEMS
        const items = this.popToMark();
        this.setItems(this.top(), items);
        return;
      }
      case 0x71:
        this.memo.set(this.byte(), this.top());
        return; // BINPUT
      case 0x72:
        this.memo.set(this.u32(), this.top());
        return;
      case 0x94:
        this.memo.set(this.memo.size, this.top());
        return; // MEMOIZE
      case 0x68:
        this.recall(this.byte());
        return; // BINGET
      case 0x6a:
        this.recall(this.u32());
        return;
      case 0x63: {
        // GLOBAL
        const module = this.line();
        this.global(module, this.line());
        return;
      }
      case 0x93: {
        // STACK_GLOBAL
        const name = this.pop();
        const module = this.pop();
        if (typeof name !== 'string' || typeof module !== 'string') throw this.error('a global has no name');
        this.global(module, name);
        return;
      }
      case 0x52:
      case 0x81: {
        // REDUCE, NEWOBJ
        const args = this.pop();
        this.call(this.pop(), args);
        return;
      }
      case 0x62:
        this.build();
        return;
      case 0x51:
        stack.push(this.host.persistent(this.pop()));
        return; // BINPERSID
      default:
        throw this.error(`unknown or refused operation 0x${opcode.toString(16)}`);
    }
  }
}
