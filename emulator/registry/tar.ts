/** Tar archives (POSIX ustar), the layers of images. */

const block = 512;

/** Creates an uncompressed archive of one regular file. */
export function createTar(name: string, content: Buffer): Buffer {
  const header = Buffer.alloc(block);
  header.write(name, 0);
  header.write("0000644\0", 100);
  header.write("0000000\0", 108);
  header.write("0000000\0", 116);
  header.write(`${octal(content.length, 11)}\0`, 124);
  header.write(`${octal(0, 11)}\0`, 136);
  header.write("0", 156);
  header.write("ustar\x0000", 257);
  // The checksum counts its own field as spaces.
  header.write("        ", 148);
  const checksum = header.reduce((sum, byte) => sum + byte, 0);
  header.write(`${octal(checksum, 6)}\0 `, 148);
  const padding = Buffer.alloc((block - (content.length % block)) % block);
  return Buffer.concat([header, content, padding, Buffer.alloc(2 * block)]);
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, "0");
}
