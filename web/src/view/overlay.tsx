// The choice of another stretch, or another device, that is drawn over the window.

import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { devices, live, overlay, setOverlay, shownDatasets, view } from '../state/app';
import type { Overlay } from '../state/url';
import { bounds, parseInstant } from '../state/window';
import { say } from '../text/timeline';
import { formatDuration, formatInstant } from './format';
import { OverlayIcon } from './icons';

function described({ offset, device }: Overlay): string {
  const span = formatDuration(Math.abs(offset));
  const words = offset === 0 ? say('overlay.same') : say(offset < 0 ? 'overlay.earlier' : 'overlay.later', { span });
  return device === null ? say('overlay.on', { offset: words }) : say('overlay.onDevice', { device, offset: words });
}

/** Devices of the datasets that are shown, in the order of the server. */
function deviceNames(): string[] {
  const shown = new Set(shownDatasets.value.map((d) => d.name));
  return [...new Set(devices.value.filter((d) => shown.has(d.dataset)).map((d) => d.device))];
}

export function OverlayButton() {
  const popover = useRef<HTMLDivElement>(null);
  const start = useSignal('');
  const device = useSignal('');
  const wrong = useSignal(false);
  const current = overlay.value;
  const window = () => bounds(view.peek(), live.clock.now());
  const before = () => {
    const { from, to } = window();
    start.value = formatInstant(from - (to - from));
  };
  const fill = () => {
    wrong.value = false;
    const { from } = window();
    if (current === null) before();
    else start.value = formatInstant(from + current.offset);
    device.value = current?.device ?? '';
  };
  const first = () => {
    const seen = devices.peek().find((d) => d.device === device.peek())?.first_seen;
    if (seen !== undefined) start.value = formatInstant(seen);
  };
  const apply = (event: Event) => {
    event.preventDefault();
    const begin = parseInstant(start.value, live.clock.now());
    wrong.value = begin === null;
    if (begin === null) return;
    setOverlay({ offset: Math.round(begin - window().from), device: device.value === '' ? null : device.value });
    popover.current?.hidePopover();
  };
  const remove = () => {
    setOverlay(null);
    popover.current?.hidePopover();
  };
  const label = current === null ? say('overlay.open') : described(current);
  return (
    <>
      <button
        type="button"
        class="icon-button"
        popoverTarget="overlay-choice"
        aria-pressed={current !== null}
        title={label}
        aria-label={label}
        data-testid="overlay"
        onClick={fill}
      >
        <OverlayIcon />
      </button>
      <div id="overlay-choice" class="popover overlay-choice" popover="auto" ref={popover}>
        <form onSubmit={apply}>
          <p class="hint">{say('overlay.about')}</p>
          <label>
            {say('overlay.device')}
            <select value={device.value} onChange={(e) => (device.value = e.currentTarget.value)}>
              <option value="">{say('overlay.each')}</option>
              {deviceNames().map((name) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </select>
          </label>
          <label>
            {say('overlay.start')}
            <input
              value={start.value}
              onInput={(e) => (start.value = e.currentTarget.value)}
              spellcheck={false}
              autocomplete="off"
            />
          </label>
          <p class="choices">
            <button type="button" onClick={before}>
              {say('overlay.before')}
            </button>
            {device.value !== '' && (
              <button type="button" onClick={first}>
                {say('overlay.first')}
              </button>
            )}
          </p>
          {wrong.value && (
            <p class="hint wrong" role="status">
              {say('overlay.wrong')}
            </p>
          )}
          <p class="actions">
            {current !== null && (
              <button type="button" class="secondary" onClick={remove}>
                {say('overlay.remove')}
              </button>
            )}
            <button type="submit" class="primary">
              {say('overlay.show')}
            </button>
          </p>
        </form>
      </div>
    </>
  );
}
