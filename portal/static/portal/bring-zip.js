// ZIP archives, read where they lie: the index first, then no member but those that are asked for. An archive may have
// gigabytes, and may come from anybody: nothing of it is believed but downwards, and no name in it becomes a path.
import { Trouble } from "./bring-api.js";

const [END, END64, LOCATOR64, MEMBER, LOCAL] = [0x06054b50, 0x06064b50, 0x07064b50, 0x02014b50, 0x04034b50];
const TAIL = 22 + 65_535; // bytes: the end of an archive, and the longest comment behind it
const LARGEST_INDEX = 128 * 1024 ** 2; // some 500,000 members
const [STORED, DEFLATED] = [0, 8];
const [FULL16, FULL32] = [0xffff, 0xffffffff]; // "the number stands elsewhere, in 64 bits"

const damaged = (name) => new Trouble(`${name}: the archive is damaged, or its end is missing.`);
const bytes = async (file, from, to) => new DataView(await file.slice(from, to).arrayBuffer());
const u64 = (view, at) => Number(view.getBigUint64(at, true));

export async function isArchive(file) {
  const head = await bytes(file, 0, 4);
  return head.byteLength === 4 && [LOCAL, END].includes(head.getUint32(0, true));
}

// [{name, size, packed, method, secret, at}] of each member that is a file; sizes in bytes. Raises Trouble.
export async function members(file) {
  try {
    const [from, length] = await place(file);
    if (length > LARGEST_INDEX) throw damaged(file.name);
    return index(await bytes(file, from, from + length));
  } catch (error) {
    if (error instanceof RangeError) throw damaged(file.name); // it points behind its own end
    throw error;
  }
}

// Where the index begins, and how long it is.
async function place(file) {
  const from = Math.max(0, file.size - TAIL);
  const tail = await bytes(file, from, file.size);
  let at = tail.byteLength - 22;
  while (at >= 0 && tail.getUint32(at, true) !== END) at -= 1;
  if (at < 0) throw damaged(file.name);
  const [count, length, start] = [tail.getUint16(at + 10, true), tail.getUint32(at + 12, true), tail.getUint32(at + 16, true)];
  if (count !== FULL16 && length !== FULL32 && start !== FULL32) return [start, length];
  if (at < 20 || tail.getUint32(at - 20, true) !== LOCATOR64) return [start, length];
  const whole = u64(tail, at - 20 + 8);
  const end = await bytes(file, whole, whole + 56);
  if (end.getUint32(0, true) !== END64) throw damaged(file.name);
  return [u64(end, 48), u64(end, 40)];
}

function index(view) {
  const found = [];
  for (let at = 0; at + 46 <= view.byteLength && view.getUint32(at, true) === MEMBER;) {
    const [flags, method] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)];
    const [named, extra, comment] = [28, 30, 32].map((place) => view.getUint16(at + place, true));
    const name = new TextDecoder().decode(new Uint8Array(view.buffer, at + 46, named));
    const sizes = { size: view.getUint32(at + 24, true), packed: view.getUint32(at + 20, true), at: view.getUint32(at + 42, true) };
    inFull(sizes, new DataView(view.buffer, at + 46 + named, extra));
    if (!name.endsWith("/")) found.push({ name, method, secret: Boolean(flags & 1), ...sizes });
    at += 46 + named + extra + comment;
  }
  return found;
}

// The numbers that did not fit into 32 bits, in the order in which they are missing (APPNOTE.TXT 4.5.3).
function inFull(sizes, extra) {
  for (let at = 0; at + 4 <= extra.byteLength; at += 4 + extra.getUint16(at + 2, true)) {
    if (extra.getUint16(at, true) !== 1) continue;
    let next = at + 4;
    for (const key of ["size", "packed", "at"]) {
      if (sizes[key] !== FULL32) continue;
      sizes[key] = u64(extra, next);
      next += 8;
    }
  }
}

// The member as a file with the last part of its name. What is stored is a slice of the archive; what is packed is
// unpacked by the browser, which keeps what is large on its disk. Raises Trouble.
export async function unpack(archive, member) {
  const name = member.name.split("/").pop();
  if (member.secret) throw new Trouble(`${name}: it is encrypted. Unpack the archive, and choose the recording.`);
  if (![STORED, DEFLATED].includes(member.method)) throw new Trouble(`${name}: it is packed in a way that is not read here. Unpack the archive, and choose the recording.`);
  const broken = new Trouble(`${name}: it is damaged in the archive.`);
  const head = await bytes(archive, member.at, member.at + 30);
  if (head.byteLength < 30 || head.getUint32(0, true) !== LOCAL) throw broken;
  const from = member.at + 30 + head.getUint16(26, true) + head.getUint16(28, true);
  const packed = archive.slice(from, from + member.packed);
  const blob = member.method === STORED ? packed : await inflated(packed, member.size).catch(() => { throw broken; });
  if (blob.size !== member.size) throw broken;
  return new File([blob], name);
}

// Never more than `size` bytes, whatever it would grow to.
function inflated(packed, size) {
  let count = 0;
  const bounded = new TransformStream({
    transform(chunk, out) {
      count += chunk.byteLength;
      if (count > size) throw new RangeError("larger than its index says");
      out.enqueue(chunk);
    },
  });
  return new Response(packed.stream().pipeThrough(new DecompressionStream("deflate-raw")).pipeThrough(bounded)).blob();
}
