/**
 * The wire format of protocol buffers: a sequence of fields, read in place.
 *
 * @see https://protobuf.dev/programming-guides/encoding/
 * @module
 */

import type { FileRange, ReadableFile } from "../backends/backend.ts";

/** Thrown if the bytes are not a protocol buffer, or are truncated. */
export class Damaged extends Error {
  override readonly name = "Damaged";
}

/** A file whose parts are read when they are needed. */
export interface LateFile extends ReadableFile {
  /** As long as the file. Parts that were not read are zero. */
  readonly bytes: Uint8Array;
  /** Makes sure that a range is read. Returns up to where it is. */
  read(start: number, end: number): number;
  /** Reads the whole file. */
  readAll(): Promise<void>;
}

/** A part of a file that was not read. */
export type LateRange = FileRange<LateFile>;

/** Longer fields of elements are not read with the message. */
export const MIN_LATE_BYTES = 2 ** 16;

/** The maximum number of bytes of a field's tag, and of its value or the length of its bytes. */
const HEADER_BYTES = 20;

/** The encoding of a field. */
export const Wire = { VARINT: 0, FIXED64: 1, BYTES: 2, FIXED32: 5 } as const;

/** The functions that read the fields of a message into a target, by field number. */
export type Fields<Target> = Readonly<Record<number, (target: Target, message: Message) => void>>;

/** Reads the fields of a message into a target, and returns it. Fields that the table does not have are skipped. */
export function readFields<Target>(message: Message, target: Target, fields: Fields<Target>): Target {
  while (message.next()) fields[message.field]?.(target, message);
  return target;
}

const decoder = new TextDecoder();

/** Shared by all floats, because a DataView per message would cost more than the message. */
const buffer = new ArrayBuffer(8);
const scratch = { bytes: new Uint8Array(buffer), view: new DataView(buffer) };

/** The low and high 32 bits of the last long varint; `high` is signed. */
const halves = { low: 0, high: 0 };

/**
 * A message, read field by field. `next()` moves to a field, then one of the readers returns its value. Unread values
 * are skipped.
 */
export class Message {
  /** The number of the field. */
  field = 0;
  /** The encoding of the field. */
  wire = 0;
  readonly #bytes: Uint8Array;
  #position: number;
  readonly #end: number;
  /** The file, if the message was not read as a whole. */
  readonly #file: LateFile | undefined;
  /** Up to where the file was read. */
  #present = 0;
  #taken = true;

  /** A message in a range of bytes; those of a file may be read later. */
  constructor(bytes: Uint8Array, start = 0, end: number = bytes.byteLength, file?: LateFile) {
    this.#bytes = bytes;
    this.#position = start;
    this.#end = end;
    this.#file = file;
  }

  /** A message that is all of some bytes, or of a file. */
  static of(source: Uint8Array | LateFile): Message {
    return source instanceof Uint8Array
      ? new Message(source)
      : new Message(source.bytes, 0, source.bytes.byteLength, source);
  }

  /** Moves to the next field; `false` at the end. */
  next(): boolean {
    if (!this.#taken) this.#skip();
    if (this.#position >= this.#end) return false;
    if (this.#file) this.#ensure(this.#position, Math.min(this.#position + HEADER_BYTES, this.#end));
    const tag = this.#varint();
    this.field = Math.floor(tag / 8);
    this.wire = tag % 8;
    if (this.field < 1 || this.field > 0x1fffffff) throw new Damaged(`field number ${this.field} is invalid`);
    this.#taken = false;
    return true;
  }

  /** A signed 64-bit integer, rounded beyond 2⁵³. */
  integer(): number {
    this.#take(Wire.VARINT);
    return this.#varint();
  }

  /** A 32-bit float. */
  float(): number {
    this.#take(Wire.FIXED32);
    return this.#float();
  }

  /** The bytes of a field, not copied. */
  bytes(): Uint8Array {
    return this.#view(this.#enter());
  }

  /** The bytes of a field; if they are many and were not read, where they are. */
  lateBytes(): Uint8Array | LateRange {
    const start = this.#enter();
    const byteLength = this.#position - start;
    if (this.#file && byteLength >= MIN_LATE_BYTES) return { file: this.#file, offset: start, byteLength };
    return this.#view(start);
  }

  /** A string. */
  string(): string {
    return decoder.decode(this.bytes());
  }

  /** A nested message. A long one is read in parts. */
  message(): Message {
    const start = this.#enter();
    const end = this.#position;
    if (this.#file && end - start >= MIN_LATE_BYTES) return new Message(this.#bytes, start, end, this.#file);
    if (this.#file) this.#ensure(start, end);
    return new Message(this.#bytes, start, end);
  }

  /** Appends the integers of a repeated field: one, or a packed list. */
  integers(into: number[]): void {
    if (this.wire !== Wire.BYTES) return void into.push(this.integer()); // Nearly all shapes, one size at a time.
    const packed = this.#packed();
    while (packed.#position < packed.#end) into.push(packed.#varint());
  }

  /** Appends the 32-bit floats of a repeated field: one, or a packed list. */
  floats(into: number[]): void {
    this.#each(Wire.FIXED32, (message) => into.push(message.#float()));
  }

  /** Appends the 64-bit floats of a repeated field: one, or a packed list. */
  doubles(into: number[]): void {
    this.#each(Wire.FIXED64, (message) => into.push(message.#double()));
  }

  /** Passes on the low and high 32 bits of each integer of a repeated field: one, or a packed list. */
  halves(each: (low: number, high: number) => void): void {
    this.#each(Wire.VARINT, (message) => {
      message.#readHalves();
      each(halves.low, halves.high);
    });
  }

  /** Reads the values of a repeated field: one, or a packed list. */
  #each(wire: number, read: (message: Message) => void): void {
    if (this.wire !== Wire.BYTES) {
      this.#take(wire);
      return read(this);
    }
    const packed = this.#packed();
    while (packed.#position < packed.#end) read(packed);
  }

  #packed(): Message {
    const packed = this.message();
    if (packed.#file) packed.#ensure(packed.#position, packed.#end);
    return packed;
  }

  /** The bytes from `start` to here, which are read if they were not. */
  #view(start: number): Uint8Array {
    if (this.#file) this.#ensure(start, this.#position);
    return this.#bytes.subarray(start, this.#position);
  }

  /** Makes sure that a range is read. */
  #ensure(start: number, end: number): void {
    if (end > this.#present) this.#present = this.#file!.read(start, end);
  }

  #take(wire: number): void {
    if (this.wire !== wire) throw new Damaged(`field ${this.field} has the encoding ${this.wire}, not ${wire}`);
    this.#taken = true;
  }

  /** Skips a field of bytes; returns its start. */
  #enter(): number {
    this.#take(Wire.BYTES);
    return this.#step(this.#varint());
  }

  /** Skips bytes; returns their start. */
  #step(length: number): number {
    const start = this.#position;
    if (length < 0 || length > this.#end - start) throw new Damaged("a field is cut off");
    this.#position = start + length;
    return start;
  }

  #skip(): void {
    switch (this.wire) {
      case Wire.VARINT:
        this.integer();
        return;
      case Wire.FIXED64:
        this.#step(8);
        break;
      case Wire.FIXED32:
        this.#step(4);
        break;
      case Wire.BYTES:
        this.#enter();
        return;
      default:
        throw new Damaged(`field ${this.field} has the unknown encoding ${this.wire}`);
    }
    this.#taken = true;
  }

  #float(): number {
    const start = this.#step(4);
    scratch.bytes.set(this.#bytes.subarray(start, start + 4));
    return scratch.view.getFloat32(0, true);
  }

  #double(): number {
    const start = this.#step(8);
    scratch.bytes.set(this.#bytes.subarray(start, start + 8));
    return scratch.view.getFloat64(0, true);
  }

  /** A varint, rounded beyond 2⁵³. Nearly all are a single byte. */
  #varint(): number {
    const byte = this.#position < this.#end ? this.#bytes[this.#position]! : 0x80;
    if (byte < 0x80) {
      this.#position++;
      return byte;
    }
    this.#readHalves();
    return halves.high * 2 ** 32 + halves.low;
  }

  /** Reads a varint into `halves`: seven bits per byte, lowest first. */
  #readHalves(): void {
    let low = 0, high = 0;
    for (let shift = 0;; shift += 7) {
      if (shift > 63) throw new Damaged("an integer has more than 64 bits");
      const byte = this.#byte();
      if (shift < 28) low |= (byte & 0x7f) << shift;
      else if (shift === 28) {
        low |= (byte & 0x7f) << 28;
        high = (byte & 0x7f) >> 4;
      } else high |= (byte & 0x7f) << (shift - 32);
      if (byte < 0x80) break;
    }
    halves.low = low >>> 0;
    halves.high = high | 0;
  }

  #byte(): number {
    if (this.#position >= this.#end) throw new Damaged("a field is cut off");
    return this.#bytes[this.#position++]!;
  }
}
