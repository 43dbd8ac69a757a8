import { FinetuneError, type Problem } from '../../errors.js';

/** What a pickle may name and call. Everything else is refused, so that nothing in a file is ever executed. */
export interface PickleScope {
  /** Returns the stand-in for `module.name`; undefined refuses the file. */
  readonly global: (name: string) => unknown;
  /** Calls a stand-in that `global` returned; undefined refuses the file. */
  readonly call: (callee: unknown, args: readonly unknown[]) => unknown;
  /** Returns what a persistent id stands for: PyTorch names its storages by them. */
  readonly persistent: (id: unknown) => unknown;
  /** Path of the file, for errors. */
  readonly file: string;
}

/** The value of a pickle. A tuple or list is an array, a dict a Map, a set a Set, bytes a Uint8Array, and a long that
 *  does not fit a number a bigint. */
export interface Unpickled {
  readonly value: unknown;
  /** Offset of the first byte after the pickle. */
  readonly end: number;
}

/** A pickle that puts more values than this on the stack is refused as hostile. Python's pickler never leaves more than
 *  some 2000. */
const MAX_STACK = 1_000_000;

/** Runs one pickle of protocol 2 to 5 from `start`: Python's stack machine with opcodes that make data, without those
 *  that make objects. https://github.com/python/cpython/blob/main/Lib/pickletools.py Throws
 *  E_TORCH_{TRUNCATED,PICKLE,GLOBAL}, with the file and the byte. */
export function unpickle(bytes: Uint8Array, start: number, scope: PickleScope): Unpickled {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const stack: unknown[] = [];
  const marks: number[] = [];
  const memo = new Map<number, unknown>();
  let at = start;

  const refuse = (message: string, code: Problem['code'] = 'E_TORCH_PICKLE', fix?: string): FinetuneError =>
    new FinetuneError({
      code,
      message: `${message} (byte ${at} of the pickle)`,
      where: { file: scope.file },
      ...(fix && { fix }),
    });
  const skip = (length: number): number => {
    if (!(at + length <= bytes.byteLength)) {
      throw refuse(`the pickle ends ${at + length - bytes.byteLength} bytes too early`, 'E_TORCH_TRUNCATED');
    }
    at += length;
    return at - length;
  };
  const u8 = () => view.getUint8(skip(1));
  const u16 = () => view.getUint16(skip(2), true);
  const u32 = () => view.getUint32(skip(4), true);
  const i32 = () => view.getInt32(skip(4), true);
  const u64 = () => Number(view.getBigUint64(skip(8), true));
  const raw = (length: number) => bytes.subarray(skip(length), at);
  const text = (length: number) => new TextDecoder().decode(raw(length));
  const line = () => {
    const end = bytes.indexOf(0x0a, at);
    const found = text((end < 0 ? bytes.byteLength + 1 : end) - at);
    at++;
    return found;
  };
  const long = (length: number) => {
    if (length > 64) throw refuse(`an integer of ${length} bytes is too long`);
    const value = raw(length).reduce((sum, byte, i) => sum + (BigInt(byte) << BigInt(8 * i)), 0n);
    const signed = BigInt.asIntN(8 * length, value);
    return Number.isSafeInteger(Number(signed)) ? Number(signed) : signed;
  };
  const pop = (): unknown => {
    if (stack.length <= (marks.at(-1) ?? 0)) throw refuse('the stack is empty');
    return stack.pop();
  };
  const popMark = (): unknown[] => {
    const mark = marks.pop();
    if (mark === undefined) throw refuse('a mark is missing');
    return stack.splice(mark);
  };
  const top = (): unknown => {
    if (stack.length === 0) throw refuse('the stack is empty');
    return stack.at(-1);
  };
  const recall = (key: number): unknown => {
    if (!memo.has(key)) throw refuse(`memo ${key} is empty`);
    return memo.get(key);
  };
  const named = (module: string, name: string): unknown => {
    const found = scope.global(`${module}.${name}`);
    if (found !== undefined) return found;
    const fix =
      'nothing was executed. Weights need no such object: if you trust the file, load it with PyTorch and save model.state_dict() alone, preferably as safetensors';
    const plain = `${module}.${name}`.replace(/[^\x20-\x7e]/g, '?').slice(0, 100); // a hostile name can be any text
    throw refuse(`the pickle asks for ${plain}, which is not allowed`, 'E_TORCH_GLOBAL', fix);
  };
  const call = (callee: unknown, args: unknown): unknown => {
    if (!Array.isArray(args)) throw refuse('a call has no tuple of arguments');
    const result = scope.call(callee, args);
    if (result === undefined) throw refuse('something is called that is not a function');
    return result;
  };
  const setItems = (target: unknown, items: readonly unknown[]) => {
    if (!(target instanceof Map) || items.length % 2 !== 0)
      throw refuse('items are set on something that is not a dict');
    for (let i = 0; i < items.length; i += 2) target.set(items[i], items[i + 1]);
  };
  const append = (target: unknown, items: readonly unknown[]) => {
    if (!Array.isArray(target)) throw refuse('items are appended to something that is not a list');
    for (const item of items) target.push(item);
  };

  /** What each opcode does. */
  const push = (value: unknown) => void stack.push(value);
  const operations: Readonly<Record<number, () => void>> = {
    0x80: () => void u8(), // PROTO
    0x95: () => void u64(), // FRAME
    0x28: () => void marks.push(stack.length), // MARK
    0x30: () => void pop(), // POP
    0x31: () => void popMark(), // POP_MARK
    0x32: () => push(top()), // DUP
    0x4e: () => push(null), // NONE
    0x88: () => push(true), // NEWTRUE
    0x89: () => push(false), // NEWFALSE
    0x4a: () => push(i32()), // BININT
    0x4b: () => push(u8()), // BININT1
    0x4d: () => push(u16()), // BININT2
    0x8a: () => push(long(u8())), // LONG1
    0x8b: () => push(long(u32())), // LONG4
    0x47: () => push(view.getFloat64(skip(8), false)), // BINFLOAT: big-endian
    0x58: () => push(text(u32())), // BINUNICODE
    0x8c: () => push(text(u8())), // SHORT_BINUNICODE
    0x8d: () => push(text(u64())), // BINUNICODE8
    0x55: () => push(text(u8())), // SHORT_BINSTRING: Python 2's str, ASCII in practice
    0x54: () => push(text(u32())), // BINSTRING
    0x43: () => push(raw(u8())), // SHORT_BINBYTES
    0x42: () => push(raw(u32())), // BINBYTES
    0x8e: () => push(raw(u64())), // BINBYTES8
    0x7d: () => push(new Map()), // EMPTY_DICT
    0x5d: () => push([]), // EMPTY_LIST
    0x29: () => push([]), // EMPTY_TUPLE
    0x8f: () => push(new Set()), // EMPTY_SET
    0x74: () => push(popMark()), // TUPLE
    0x85: () => push([pop()]), // TUPLE1
    0x86: () => push([pop(), pop()].reverse()), // TUPLE2
    0x87: () => push([pop(), pop(), pop()].reverse()), // TUPLE3
    0x6c: () => push(popMark()), // LIST
    0x64: () => {
      const items = popMark(); // DICT
      push(new Map());
      setItems(top(), items);
    },
    0x73: () => {
      const items = [pop(), pop()].reverse(); // SETITEM
      setItems(top(), items);
    },
    0x75: () => {
      const items = popMark(); // SETITEMS
      setItems(top(), items);
    },
    0x61: () => {
      const item = pop(); // APPEND
      append(top(), [item]);
    },
    0x65: () => {
      const items = popMark(); // APPENDS
      append(top(), items);
    },
    0x90: () => {
      const items = popMark(); // ADDITEMS
      const target = top();
      if (!(target instanceof Set)) throw refuse('items added to something that is no set');
      for (const item of items) target.add(item);
    },
    0x71: () => void memo.set(u8(), top()), // BINPUT
    0x72: () => void memo.set(u32(), top()), // LONG_BINPUT
    0x94: () => void memo.set(memo.size, top()), // MEMOIZE
    0x68: () => push(recall(u8())), // BINGET
    0x6a: () => push(recall(u32())), // LONG_BINGET
    0x63: () => push(named(line(), line())), // GLOBAL
    0x93: () => {
      const [module, name] = [pop(), pop()].reverse(); // STACK_GLOBAL
      if (typeof module !== 'string' || typeof name !== 'string') throw refuse('a global has no name');
      push(named(module, name));
    },
    0x51: () => push(scope.persistent(pop())), // BINPERSID
    0x52: () => {
      const args = pop(); // REDUCE
      push(call(pop(), args));
    },
    0x81: () => {
      const args = pop(); // NEWOBJ
      push(call(pop(), args));
    },
    0x62: () => {
      pop(); // BUILD: sets an OrderedDict's `_metadata` or a NumPy dtype's version, which are not weights
    },
  };

  while (at < bytes.byteLength) {
    const opcode = u8();
    if (opcode === 0x2e) return { value: pop(), end: at }; // STOP
    const operation = operations[opcode];
    if (!operation) throw refuse(`opcode 0x${opcode.toString(16)} makes objects or is unknown`);
    operation();
    if (stack.length > MAX_STACK) throw refuse('the pickle puts too many values on the stack');
  }
  throw refuse('the pickle has no STOP', 'E_TORCH_TRUNCATED');
}
