/**
 * The wire format of protocol buffers: a sequence of fields, read in place.
 *
 * @see https://protobuf.dev/programming-guides/encoding/
 * @module
 */

/** Thrown if the bytes are not a protocol buffer, or are truncated. */
export class Damaged extends Error {
  override readonly name = "Damaged";
}

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
  #taken = true;

  /** A message in a range of the bytes. */
  constructor(bytes: Uint8Array, start = 0, end: number = bytes.byteLength) {
    this.#bytes = bytes;
    this.#position = start;
    this.#end = end;
  }

  /** Moves to the next field; `false` at the end. */
  next(): boolean {
    if (!this.#taken) this.#skip();
    if (this.#position >= this.#end) return false;
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
    const start = this.#enter();
    return this.#bytes.subarray(start, this.#position);
  }

  /** A string. */
  string(): string {
    return decoder.decode(this.bytes());
  }

  /** A nested message. */
  message(): Message {
    const start = this.#enter();
    return new Message(this.#bytes, start, this.#position);
  }

  /** Appends the integers of a repeated field: one, or a packed list. */
  integers(into: number[]): void {
    this.#each(Wire.VARINT, (message) => into.push(message.#varint()));
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
    const packed = this.message();
    while (packed.#position < packed.#end) read(packed);
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
    const byte = this.#byte();
    if (byte < 0x80) return byte;
    this.#position--;
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
