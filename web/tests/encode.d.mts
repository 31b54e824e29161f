export interface FrameToEncode {
  id: number;
  seq: number;
  time: number[];
  device: number[];
  columns: { field: number; encoding: number; values: (number | string | boolean | null)[] }[];
  backfill?: boolean;
  last?: boolean;
  merged?: boolean;
  mergedRows?: number;
  schemaVersion?: number;
}

export function encodeFrame(frame: FrameToEncode): Buffer;
