// Bytes that are no text, as people read them: offset, sixteen bytes, and the letters among them.

const PER_LINE = 16;

export function hexDump(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += PER_LINE) {
    const line = [...bytes.subarray(at, at + PER_LINE)];
    const hex = line.map((b) => b.toString(16).padStart(2, '0')).join(' ');
    const letters = line.map((b) => (b >= 0x20 && b < 0x7f ? String.fromCharCode(b) : '.')).join('');
    lines.push(`${at.toString(16).padStart(6, '0')}  ${hex.padEnd(PER_LINE * 3 - 1)}  ${letters}`);
  }
  return lines.join('\n');
}
