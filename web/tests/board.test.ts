import { describe, expect, it } from 'vitest';
import {
  added,
  type Board,
  begun,
  boardOf,
  boardOfDataset,
  COLUMNS,
  documentOf,
  duplicated,
  EMPTY,
  KINDS,
  type Kind,
  MOST_PANELS,
  moved,
  overlaps,
  packed,
  redone,
  removed,
  resized,
  settled,
  stepped,
  undone,
  unpacked,
} from '../src/screens/build/board';

function boardWith(...places: [number, number, number, number][]): Board {
  return {
    panels: places.map(([x, y, w, h], i) => ({
      ...{
        id: i + 1,
        kind: 'line' as Kind,
        title: '',
        dataset: 'a',
        fields: ['f'],
        thresholds: [],
        ends: null,
        text: '',
      },
      ...{ x, y, w, h },
    })),
  };
}

const placesOf = (board: Board) => board.panels.map(({ x, y, w, h }) => [x, y, w, h]);

/** What is wrong with the places of a board: nothing. */
function faultsOf({ panels }: Board): unknown[] {
  return panels.flatMap((a, i) => {
    const faults: unknown[] = [];
    if (a.x < 0 || a.y < 0 || a.x + a.w > COLUMNS) faults.push(['outside', a]);
    for (const b of panels.slice(i + 1)) if (overlaps(a, b)) faults.push(['overlap', a, b]);
    if (a.y > 0 && !panels.some((b) => b !== a && overlaps({ ...a, y: a.y - 1 }, b))) faults.push(['hangs', a]);
    return faults;
  });
}

function expectSound(board: Board): void {
  expect(faultsOf(board)).toEqual([]);
}

describe('the grid', () => {
  it('lets panels rise to where something holds them', () => {
    expect(placesOf({ panels: settled(boardWith([0, 5, 4, 4], [4, 9, 4, 2], [0, 20, 8, 2]).panels) })).toEqual([
      [0, 0, 4, 4],
      [4, 0, 4, 2],
      [0, 4, 8, 2],
    ]);
  });

  it('makes way for the panel that is moved', () => {
    const board = boardWith([0, 0, 6, 4], [6, 0, 6, 4], [0, 4, 12, 2]);
    expect(placesOf(moved(board, 1, 6, 0))).toEqual([
      [6, 0, 6, 4],
      [6, 4, 6, 4],
      [0, 8, 12, 2],
    ]);
  });

  it('makes way for the panel that grows, and closes up when it shrinks', () => {
    const board = boardWith([0, 0, 4, 4], [4, 0, 4, 4], [0, 4, 4, 4]);
    const wide = resized(board, 1, 8, 4);
    expectSound(wide);
    expect(placesOf(wide)[0]).toEqual([0, 0, 8, 4]);
    expect(placesOf(resized(wide, 1, 4, 2))[2]?.[1]).toBe(2);
  });

  it('keeps panels inside, and not too small', () => {
    const board = boardWith([0, 0, 4, 4]);
    expect(placesOf(moved(board, 1, 99, -3))).toEqual([[8, 0, 4, 4]]);
    expect(placesOf(resized(board, 1, 0, 0))).toEqual([[0, 0, 1, 2]]);
    expect(placesOf(resized(board, 1, 99, 999))).toEqual([[0, 0, 12, 60]]);
    expect(moved(board, 77, 0, 0)).toBe(board);
  });

  it('stays sound whatever is done to it', () => {
    const seed = Date.now() % 1_000_000;
    console.log(`grid seed ${seed}`);
    let state = seed;
    const random = (below: number) => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return Math.floor((state / 2_147_483_648) * below);
    };
    let board = EMPTY;
    for (let step = 0; step < 400; step++) {
      const id = board.panels[random(Math.max(board.panels.length, 1))]?.id ?? 0;
      const what = random(10);
      if (what < 3) board = added(board, { kind: KINDS[random(KINDS.length)] as Kind }).board;
      else if (what < 6) board = moved(board, id, random(16) - 2, random(24) - 2);
      else if (what < 8) board = resized(board, id, random(14), random(10));
      else if (what < 9) board = removed(board, id);
      else board = duplicated(board, id).board;
      board = { panels: settled(board.panels) };
      expectSound(board);
    }
  });

  it('has an end to its panels', () => {
    let board = EMPTY;
    for (let i = 0; i < MOST_PANELS; i++) board = added(board, { kind: 'stat' }).board;
    expect(added(board, { kind: 'stat' })).toEqual({ board, id: null });
  });
});

describe('a document', () => {
  const board: Board = {
    panels: settled([
      ...boardWith([0, 0, 6, 4], [6, 0, 6, 4]).panels,
      {
        ...{ id: 9, kind: 'gauge', title: 'Huile "été" <b>', dataset: 'é/1', fields: ['a,b'], x: 0, y: 4, w: 3, h: 4 },
        ...{ thresholds: [{ value: -1.5, severity: 'bad' }], ends: { low: -5, high: 120.25 }, text: '日本\n' },
      },
    ]),
  };

  it('comes back from the server and from an address', () => {
    expect(boardOf(JSON.parse(JSON.stringify(documentOf(board))))).toEqual(board);
    expect(unpacked(packed(board))).toEqual(board);
    expect(packed(board)).toMatch(/^[\w-]+$/);
  });

  it.each([null, 7, 'x', [], {}, { panels: 7 }])('is none: %j', (document) => expect(boardOf(document)).toBeNull());

  it.each(['', '!!!', 'AAAA', packed(board).slice(0, -9)])('is none in an address: %s', (text) => {
    expect(unpacked(text)).toBeNull();
  });

  it('loses a panel that cannot be read, not the others', () => {
    const good = { id: 1, kind: 'line', x: 0, y: 0, w: 4, h: 4, dataset: 'a', fields: ['f', 7, null] };
    const bad = [
      null,
      'x',
      { ...good, id: 0 },
      { ...good },
      { ...good, id: 2, kind: 'pie' },
      { ...good, id: 3, x: 11 },
      { ...good, id: 4, w: 1.5 },
      { ...good, id: 5, y: Number.NaN },
      { ...good, id: 6, h: 1e9 },
    ];
    const read = boardOf({ panels: [good, ...bad] });
    expect(read?.panels.map((p) => p.id)).toEqual([1]);
    expect(read?.panels[0]?.fields).toEqual(['f']);
  });

  it('puts apart panels that a document has on top of each other', () => {
    expectSound(boardOf(documentOf(boardWith([0, 0, 6, 4], [2, 1, 6, 4], [3, 2, 2, 2]))) as Board);
  });
});

describe('a board from a dataset', () => {
  const field = (name: string, kind: string, type: string, count = 5) => ({
    ...{ name, label: '', type, unit: '', kind, group: '', first_seen: null, count },
  });
  const fields = [
    field('lat', 'latitude', 'float'),
    field('lon', 'longitude', 'float'),
    field('speed', 'measure', 'float'),
    field('empty', 'measure', 'float', 0),
    field('on', 'boolean', 'boolean'),
  ] as never;

  it('has tiles, a map, states and lines of what holds values', () => {
    const board = boardOfDataset('a', fields);
    expectSound(board);
    expect(board.panels.map((p) => [p.kind, p.fields.join()])).toEqual([
      ['stat', 'speed'],
      ['map', ''],
      ['state', 'on'],
      ['line', 'speed'],
    ]);
  });

  it('is empty for a dataset without fields', () => expect(boardOfDataset('a', [])).toEqual(EMPTY));
});

describe('undo', () => {
  const [a, b, c] = [boardWith([0, 0, 1, 2]), boardWith([1, 0, 1, 2]), boardWith([2, 0, 1, 2])] as [
    Board,
    Board,
    Board,
  ];

  it('goes back and forth, and forgets what was undone when something new is done', () => {
    const steps = stepped(stepped(begun(a), b), c);
    expect(undone(steps).present).toBe(b);
    expect(undone(undone(undone(steps))).present).toBe(a);
    expect(redone(undone(steps)).present).toBe(c);
    expect(redone(stepped(undone(steps), a)).present).toBe(a);
  });

  it('takes a drag as one step', () => {
    const steps = stepped(stepped(begun(a), b), c, true);
    expect(undone(steps).present).toBe(a);
  });

  it('keeps a hundred steps', () => {
    let steps = begun(a);
    for (let i = 0; i < 300; i++) steps = stepped(steps, boardWith([i % 5, 0, 1, 2]));
    expect(steps.past.length).toBe(100);
  });
});
