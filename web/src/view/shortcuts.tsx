// The keyboard: what each key does, and the list that says so.

import { shown } from '../screens/current';
import { goBack, goLive, pan, pause, play, playOn, rate, togglePause, view, zoom } from '../state/app';
import { RATES } from '../state/window';
import { type ShellKey, say } from '../text/shell';

const PAN_PART = 0.25;

const LIST: [string[], ShellKey][] = [
  [['Space'], 'help.space'],
  [['+', '−'], 'help.zoom'],
  [['←', '→'], 'help.pan'],
  [['1', '…', '9'], 'help.jump'],
  [['L'], 'help.live'],
  [['P', 'R'], 'help.play'],
  [['<', '>'], 'help.rate'],
  [['Esc'], 'help.back'],
  [['?'], 'help.help'],
];

function dialog(): HTMLDialogElement | null {
  return document.querySelector<HTMLDialogElement>('#shortcuts');
}

export function openShortcuts(): void {
  const element = dialog();
  if (element !== null && !element.open) element.showModal();
}

/** Keys of the time window: on screens that look at it. */
const WINDOW_ACTIONS: Record<string, () => void> = {
  ' ': togglePause,
  '+': () => zoom(1),
  '=': () => zoom(1),
  '-': () => zoom(-1),
  ArrowLeft: () => pan(-PAN_PART),
  ArrowRight: () => pan(PAN_PART),
  Escape: goBack,
  l: () => goLive(),
  p: () => (view.peek().mode === 'play' ? pause() : playOn(rate.peek())),
  r: () => play(-rate.peek()),
  '<': () => changeRate(-1),
  '>': () => changeRate(1),
};

/** The next slower or faster pace; what plays takes it at once. */
function changeRate(step: 1 | -1): void {
  const next = step > 0 ? RATES.find((r) => r > rate.peek()) : RATES.findLast((r) => r < rate.peek());
  if (next === undefined) return;
  const current = view.peek();
  if (current.mode === 'play') play(Math.sign(current.rate) * next);
  else rate.value = next;
}

/** Scrolls to the n-th dataset of the page. */
function jump(n: number): void {
  document.querySelectorAll('[data-dataset]')[n - 1]?.scrollIntoView({ behavior: 'smooth', block: 'start' });
}

function actionOf(key: string): (() => void) | undefined {
  if (key === '?') return openShortcuts;
  if (shown.peek()?.module.usesWindow !== true) return undefined;
  return /^[1-9]$/.test(key) ? () => jump(Number(key)) : WINDOW_ACTIONS[key];
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement
  );
}

function isPressing(event: KeyboardEvent): boolean {
  // Space on a button presses it; the shortcut would do a second thing at once.
  return event.key === ' ' && event.target instanceof Element && event.target.closest('button, a, summary') !== null;
}

export function listenToKeys(): void {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (isTyping(event.target) || isPressing(event)) return;
    // An open list or popover takes Escape for itself.
    if (document.querySelector('dialog[open], [popover]:popover-open') !== null) return;
    const action = actionOf(event.key);
    if (action === undefined) return;
    event.preventDefault();
    action();
  });
}

export function Shortcuts() {
  return (
    <dialog id="shortcuts" aria-labelledby="shortcuts-title">
      <h2 id="shortcuts-title">{say('help.open')}</h2>
      <dl>
        {LIST.map(([keys, text]) => (
          <div key={text}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{say(text)}</dd>
          </div>
        ))}
        <div>
          <dt>{say('help.drag')}</dt>
          <dd>{say('help.dragDoes')}</dd>
        </div>
        <div>
          <dt>{say('help.wheel')}</dt>
          <dd>{say('help.wheelDoes')}</dd>
        </div>
        <div>
          <dt>{say('help.shiftDrag')}</dt>
          <dd>{say('help.shiftDragDoes')}</dd>
        </div>
        <div>
          <dt>{say('help.double')}</dt>
          <dd>{say('help.back')}</dd>
        </div>
      </dl>
      <form method="dialog">
        <button type="submit" class="primary">
          {say('help.close')}
        </button>
      </form>
    </dialog>
  );
}
