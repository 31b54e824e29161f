// Which dashboard, and what is done with it.

import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';
import { datasets } from '../../state/app';
import { CopyIcon, PlusIcon, RedoIcon, TrashIcon, UndoIcon } from '../../view/icons';
import { added, KINDS, type Kind } from './board';
import {
  board,
  close,
  duplicate,
  editing,
  list,
  message,
  name,
  openSaved,
  redo,
  remove,
  rename,
  save,
  savedId,
  selected,
  step,
  steps,
  undo,
  unsaved,
} from './state';
import { say } from './text';

function Choice() {
  const id = savedId.value;
  return (
    <select
      class="board-choice"
      aria-label={say('board.choose')}
      value={id ?? ''}
      data-testid="board-choice"
      onChange={(e) => {
        const { value } = e.currentTarget;
        if (value === '+') close();
        else if (value !== '') void openSaved(value);
      }}
    >
      {id === null && <option value="">{say('board.unsaved')}</option>}
      {list.value.map((line) => (
        <option key={line.id} value={line.id}>
          {line.name}
        </option>
      ))}
      <option value="+">{say('board.new')}…</option>
    </select>
  );
}

function AddPanel() {
  const popover = useRef<HTMLDivElement>(null);
  const add = (kind: Kind) => {
    popover.current?.hidePopover();
    const last = board.peek().panels.at(-1)?.dataset;
    const dataset = kind === 'text' ? '' : last || (datasets.peek()?.[0]?.name ?? '');
    const { board: next, id } = added(board.peek(), { kind, dataset });
    if (id === null) {
      message.value = say('board.full');
      return;
    }
    step(next);
    selected.value = id;
  };
  return (
    <>
      <button type="button" class="tool" popoverTarget="add-panel" data-testid="add-panel">
        <PlusIcon />
        <span>{say('board.add')}</span>
      </button>
      <div id="add-panel" class="popover kinds" popover="auto" ref={popover}>
        {KINDS.map((kind) => (
          <button key={kind} type="button" onClick={() => add(kind)} data-kind={kind}>
            {say(`kind.${kind}`)}
          </button>
        ))}
      </div>
    </>
  );
}

function IconTool(props: { label: string; act: () => void; off?: boolean; id: string; children: ComponentChildren }) {
  return (
    <button
      type="button"
      class="icon-button"
      title={props.label}
      aria-label={props.label}
      disabled={props.off === true}
      data-testid={props.id}
      onClick={props.act}
    >
      {props.children}
    </button>
  );
}

function Delete() {
  const popover = useRef<HTMLDivElement>(null);
  return (
    <>
      <button
        type="button"
        class="icon-button"
        popoverTarget="delete-board"
        title={say('board.delete')}
        aria-label={say('board.delete')}
        data-testid="delete"
      >
        <TrashIcon />
      </button>
      <div id="delete-board" class="popover sure" popover="auto" ref={popover}>
        <p>{say('board.deleteSure', { name: name.value })}</p>
        <button
          type="button"
          class="primary danger"
          data-testid="delete-sure"
          onClick={() => {
            popover.current?.hidePopover();
            void remove();
          }}
        >
          {say('board.delete')}
        </button>
      </div>
    </>
  );
}

export function Toolbar() {
  const now = steps.value;
  if (now === null) return null;
  const edit = editing.value;
  return (
    <div class="board-bar">
      <Choice />
      {edit ? (
        <input
          class="board-name"
          aria-label={say('board.name')}
          maxLength={100}
          value={name.value}
          onInput={(e) => rename(e.currentTarget.value)}
          data-testid="board-name"
        />
      ) : (
        <h2>{name.value}</h2>
      )}
      {unsaved.value && <span class="unsaved">{say('board.unsaved')}</span>}
      <span class="board-tools">
        {edit && (
          <>
            <AddPanel />
            <IconTool label={say('board.undo')} act={undo} off={now.past.length === 0} id="undo">
              <UndoIcon />
            </IconTool>
            <IconTool label={say('board.redo')} act={redo} off={now.future.length === 0} id="redo">
              <RedoIcon />
            </IconTool>
          </>
        )}
        <IconTool label={say('board.duplicate')} act={() => void duplicate()} id="duplicate">
          <CopyIcon />
        </IconTool>
        {savedId.value !== null && <Delete />}
        <button
          type="button"
          class="tool"
          aria-pressed={edit}
          data-testid="edit"
          onClick={() => (editing.value = !edit)}
        >
          {say(edit ? 'board.done' : 'board.edit')}
        </button>
        <button type="button" class="primary" disabled={!unsaved.value} data-testid="save" onClick={() => void save()}>
          {say('board.save')}
        </button>
      </span>
    </div>
  );
}
