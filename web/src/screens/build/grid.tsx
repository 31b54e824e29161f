// The grid: panels at their places; in edit they are moved and resized by hand and by keys.

import { useRef } from 'preact/hooks';
import { CopyIcon, EditIcon, GripIcon, TrashIcon } from '../../view/icons';
import { type Board, duplicated, moved, type PanelSpec, removed, resized } from './board';
import { nameOf, PanelFigure } from './figures';
import { board, editing, message, selected, step } from './state';
import { say } from './text';

/** Of the style sheet: height of a row, and the gap. CSS pixels. */
const ROW = 40;
const GAP = 10;

interface Drag {
  from: Board;
  x: number;
  y: number;
  column: number;
  started: boolean;
}

function tellPlace(id: number, title: string): void {
  const place = board.peek().panels.find((panel) => panel.id === id);
  if (place === undefined) return;
  message.value = say('panel.at', { title, x: place.x + 1, y: place.y + 1, w: place.w, h: place.h });
}

/** Follows the pointer from where it was pressed: every place is reckoned from the board of that moment. */
function useDrag(panel: PanelSpec, change: (from: Board, across: number, down: number) => Board) {
  const drag = useRef<Drag | null>(null);
  return {
    onPointerDown: (event: PointerEvent) => {
      if (event.button !== 0) return;
      const element = event.currentTarget as HTMLElement;
      const grid = element.closest('.board') as HTMLElement;
      element.setPointerCapture(event.pointerId);
      const column = (grid.clientWidth + GAP) / 12;
      drag.current = { from: board.peek(), x: event.clientX, y: event.clientY, column, started: false };
    },
    onPointerMove: (event: PointerEvent) => {
      const now = drag.current;
      if (now === null) return;
      const across = Math.round((event.clientX - now.x) / now.column);
      const down = Math.round((event.clientY - now.y) / (ROW + GAP));
      const next = change(now.from, across, down);
      const place = (b: Board) => JSON.stringify(b.panels.find((p) => p.id === panel.id));
      if (place(next) === place(board.peek())) return;
      step(next, now.started);
      now.started = true;
    },
    onPointerUp: () => {
      if (drag.current?.started === true) tellPlace(panel.id, nameOf(panel));
      drag.current = null;
    },
    onPointerCancel: () => {
      drag.current = null;
    },
  };
}

const ARROWS: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** Down means below the next panel: one row further it would be pushed back up at once. */
function movedByKey(from: Board, panel: PanelSpec, dx: number, dy: number): Board {
  for (let rows = 1; rows <= 60; rows++) {
    const next = moved(from, panel.id, panel.x + dx, panel.y + dy * rows);
    const place = next.panels.find((p) => p.id === panel.id);
    if (place?.x !== panel.x || place?.y !== panel.y || panel.y + dy * rows < 0) return next;
  }
  return from;
}

function Handle({ panel }: { panel: PanelSpec }) {
  const title = nameOf(panel);
  const placeIn = (from: Board) => from.panels.find((p) => p.id === panel.id) ?? panel;
  const drag = useDrag(panel, (from, across, down) => {
    const { x, y } = placeIn(from);
    return moved(from, panel.id, x + across, y + down);
  });
  const key = (event: KeyboardEvent) => {
    const arrow = ARROWS[event.key];
    if (arrow === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const [dx, dy] = arrow;
    const now = placeIn(board.peek());
    step(
      event.shiftKey ? resized(board.peek(), panel.id, now.w + dx, now.h + dy) : movedByKey(board.peek(), now, dx, dy),
    );
    tellPlace(panel.id, title);
  };
  const label = say('panel.move', { title });
  return (
    <button type="button" class="grip" title={label} aria-label={label} onKeyDown={key} data-testid="grip" {...drag}>
      <GripIcon />
    </button>
  );
}

function Tools({ panel }: { panel: PanelSpec }) {
  const title = nameOf(panel);
  const tools = [
    { key: 'panel.edit', Icon: EditIcon, act: () => (selected.value = panel.id) },
    { key: 'panel.duplicate', Icon: CopyIcon, act: () => step(duplicated(board.peek(), panel.id).board) },
    { key: 'panel.remove', Icon: TrashIcon, act: () => step(removed(board.peek(), panel.id)) },
  ] as const;
  return (
    <span class="panel-tools">
      {tools.map(({ key, Icon, act }) => (
        <button
          key={key}
          type="button"
          title={say(key, { title })}
          aria-label={say(key, { title })}
          data-testid={key}
          onClick={act}
        >
          <Icon />
        </button>
      ))}
    </span>
  );
}

function Corner({ panel }: { panel: PanelSpec }) {
  const drag = useDrag(panel, (from, across, down) => {
    const before = from.panels.find((p) => p.id === panel.id) ?? panel;
    return resized(from, panel.id, before.w + across, before.h + down);
  });
  // By keys it is the grip with Shift.
  return <i class="corner" aria-hidden="true" title={say('panel.resize')} data-testid="corner" {...drag} />;
}

function Cell({ panel, edit }: { panel: PanelSpec; edit: boolean }) {
  const kind = panel.kind === 'stat' ? 'panel tile' : panel.kind === 'map' ? 'panel map' : 'panel';
  return (
    <figure
      class={`${kind} kind-${panel.kind}${edit ? ' edited' : ''}`}
      style={{ gridColumn: `${panel.x + 1} / span ${panel.w}`, gridRow: `${panel.y + 1} / span ${panel.h}` }}
      data-testid="board-panel"
      data-kind={panel.kind}
      data-panel={panel.id}
    >
      <PanelFigure
        panel={panel}
        caption={
          edit && (
            <>
              <Handle panel={panel} />
              <Tools panel={panel} />
            </>
          )
        }
      />
      {edit && <Corner panel={panel} />}
    </figure>
  );
}

/** In the order of reading, so that the keys and a narrow screen go from the top left to the bottom right. */
export function Grid() {
  const edit = editing.value;
  const panels = [...board.value.panels].sort((a, b) => a.y - b.y || a.x - b.x);
  return (
    <div class={edit ? 'board editing' : 'board'} data-testid="board">
      {panels.map((panel) => (
        <Cell key={panel.id} panel={panel} edit={edit} />
      ))}
    </div>
  );
}
