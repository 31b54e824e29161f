// Build: dashboards that people make themselves, saved on the server and whole in the address.

import { useComputed } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { datasets, live, liveSpan, own, structure } from '../../state/app';
import { Timeline } from '../../view/timeline';
import './build.css';
import { Editor } from './editor';
import { Grid } from './grid';
import {
  board,
  editing,
  followAddress,
  list,
  message,
  openBlank,
  openDataset,
  openSaved,
  redo,
  refreshList,
  steps,
  undo,
} from './state';
import { say } from './text';
import { Toolbar } from './toolbar';

export const usesWindow = true;

/** The back-fill is merged to about this width: that of the widest panels. */
const BACKFILL_PIXELS = 1_000;

function Start() {
  return (
    <div class="board-start">
      <h2>{say('board.empty')}</h2>
      <p>{say('board.emptyBody')}</p>
      <div class="starts">
        {(datasets.value ?? []).map((d) => (
          <button key={d.name} type="button" onClick={() => openDataset(d.name, d.label || d.name)}>
            {say('board.from', { dataset: d.label || d.name })}
          </button>
        ))}
        <button type="button" class="blank" onClick={openBlank}>
          {say('board.blank')}
        </button>
      </div>
      {list.value.length > 0 && (
        <>
          <h3>{say('board.saved')}</h3>
          <ul>
            {list.value.map((line) => (
              <li key={line.id}>
                <button type="button" class="link" onClick={() => void openSaved(line.id)}>
                  {line.name}
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}

/** Subscribes to the datasets that the panels show, and to no other. */
function useSubscriptions(): void {
  const names = useComputed(() => [...new Set(board.value.panels.map((p) => p.dataset))].sort().join('\n'));
  const wanted = names.value;
  const span = liveSpan.value;
  useEffect(() => {
    for (const name of wanted.split('\n')) if (name !== '') live.want(name, span, BACKFILL_PIXELS);
  }, [wanted, span]);
  useEffect(
    () => () => {
      for (const name of wanted.split('\n')) live.release(name);
    },
    [wanted],
  );
}

/** Undo and redo by the keys that everybody knows. */
function useKeys(): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== 'z' || !editing.peek()) return;
      if (event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement) return;
      event.preventDefault();
      if (event.shiftKey) redo();
      else undo();
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, []);
}

export default function Build() {
  // What the address keeps for this screen: read so that a change of it from outside is followed.
  const address = own.value;
  useEffect(() => void followAddress(), [address]);
  useEffect(() => void refreshList(), []);
  useSubscriptions();
  useKeys();
  // The rings are not signals: a new field or device in them raises this one.
  structure.value;
  const open = steps.value !== null;
  return (
    <>
      <Toolbar />
      <p class="board-message" role="status" data-testid="board-message">
        {message.value}
      </p>
      {open ? board.value.panels.length === 0 ? <p class="empty">{say('board.noPanels')}</p> : <Grid /> : <Start />}
      <Editor />
      {open && <Timeline />}
    </>
  );
}
