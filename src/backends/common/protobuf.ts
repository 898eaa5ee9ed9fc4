/**
 * Writes protocol buffer messages.
 *
 * @see https://protobuf.dev/programming-guides/encoding/
 * @module
 */

const VARINT = 0;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

/** Strings up to this length are written character by character, which is faster than calling the encoder. */
const SHORT_STRING = 64;

const encoder = new TextEncoder();

/** A growing buffer, to which fields are appended. */
export class ProtobufWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  /** @param capacity the expected number of bytes; beyond it, the buffer is copied to grow */
  constructor(capacity: number = 1 << 16) {
    this.#bytes = new Uint8Array(capacity);
  }

  /** A view of the bytes so far, valid until more is written. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  /** An integer field, of any varint type except `sint32` and `sint64`. */
  integer(field: number, value: number): void {
    this.#varint(field * 8 + VARINT);
    this.#varint(value);
  }

  /** A field of type `float`. */
  float(field: number, value: number): void {
    this.#varint(field * 8 + FIXED32);
    this.#reserve(4);
    new DataView(this.#bytes.buffer).setFloat32(this.#length, value, true);
    this.#length += 4;
  }

  /** A string field. */
  string(field: number, value: string): void {
    this.#varint(field * 8 + LENGTH_DELIMITED);
    if (value.length <= SHORT_STRING && this.#tryWriteAscii(value)) return;
    const bytes = encoder.encode(value);
    this.#varint(bytes.length);
    this.#append(bytes);
  }

  /** A field of bytes, or a packed field of fixed-width elements, given as their little-endian bytes. */
  raw(field: number, value: Uint8Array): void {
    this.#varint(field * 8 + LENGTH_DELIMITED);
    this.#varint(value.length);
    this.#append(value);
  }

  /** A packed field of integers. */
  integers(field: number, values: Iterable<number>): void {
    this.message(field, () => {
      for (const value of values) this.#varint(value);
    });
  }

  /**
   * A field that contains what `write` appends for a value. Its length is known only afterwards: one byte is reserved
   * for it, and in the rare case that this is not enough, the content moves up.
   */
  message<T>(field: number, write: (writer: this, value: T) => void, value?: T): void {
    this.#varint(field * 8 + LENGTH_DELIMITED);
    const start = this.#length + 1;
    this.#reserve(1);
    this.#length = start;
    write(this, value as T);
    const end = this.#length;
    const length = end - start;
    const shift = varintWidth(length) - 1;
    if (shift > 0) {
      this.#reserve(shift);
      this.#bytes.copyWithin(start + shift, start, end);
    }
    this.#length = start - 1;
    this.#varint(length);
    this.#length = end + shift;
  }

  /** Writes the length and a short string, and returns true, if all characters are ASCII. Else writes nothing. */
  #tryWriteAscii(value: string): boolean {
    this.#reserve(1 + value.length);
    const start = this.#length + 1;
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (code >= 0x80) return false;
      this.#bytes[start + i] = code;
    }
    this.#bytes[this.#length] = value.length;
    this.#length = start + value.length;
    return true;
  }

  #append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Seven bits per byte, lowest first. A negative integer is written as 64 bits in two's complement. */
  #varint(value: number): void {
    if (this.#length + 10 > this.#bytes.length) this.#grow(10);
    if (value < 0) return this.#negativeVarint(BigInt.asUintN(64, BigInt(value)));
    while (value >= 0x80) {
      this.#bytes[this.#length++] = value % 0x80 + 0x80;
      value = Math.floor(value / 0x80);
    }
    this.#bytes[this.#length++] = value;
  }

  #negativeVarint(value: bigint): void {
    for (; value >= 0x80n; value >>= 7n) this.#bytes[this.#length++] = Number(value & 0x7fn) + 0x80;
    this.#bytes[this.#length++] = Number(value);
  }

  #reserve(count: number): void {
    if (this.#length + count > this.#bytes.length) this.#grow(count);
  }

  /** Makes room for more bytes. */
  #grow(count: number): void {
    const larger = new Uint8Array(Math.max(this.#length + count, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

/** The number of bytes of a non-negative varint. */
function varintWidth(value: number): number {
  let width = 1;
  for (; value >= 0x80; value = Math.floor(value / 0x80)) width++;
  return width;
}
