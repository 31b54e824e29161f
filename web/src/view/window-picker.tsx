// The bar that says which time is looked at: presets, from and to, live or paused.

import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { goBack, goLive, live, pause, setView, view } from '../state/app';
import { bounds, formatSpan, PRESETS, parseInstant, pausedAt } from '../state/window';
import { say } from '../text/shell';
import { formatDuration, formatInstant, formatNumber } from './format';
import { BackIcon, PauseIcon, PlayIcon } from './icons';

function Presets() {
  const { mode, span } = view.value;
  return (
    <div class="segments" role="group" aria-label={say('window.label')}>
      {PRESETS.map((preset) => (
        <button
          key={preset}
          type="button"
          aria-pressed={mode === 'live' && span === preset}
          title={say('window.last', { span: formatDuration(preset) })}
          onClick={() => goLive(preset)}
        >
          {formatSpan(preset)}
        </button>
      ))}
      <Custom />
    </div>
  );
}

function Custom() {
  const popover = useRef<HTMLDivElement>(null);
  const from = useSignal('');
  const to = useSignal('');
  const wrong = useSignal('');
  const fill = () => {
    const now = live.clock.now();
    const current = view.value;
    const shown = bounds(current, now);
    from.value = current.mode !== 'live' ? formatInstant(shown.from) : `-${formatSpan(current.span)}`;
    to.value = current.mode !== 'live' ? formatInstant(shown.to) : formatInstant(now);
    wrong.value = '';
  };
  const apply = (event: Event) => {
    event.preventDefault();
    const now = live.clock.now();
    const begin = parseInstant(from.value, now);
    const end = parseInstant(to.value, now);
    if (begin === null || end === null) wrong.value = say('window.wrong');
    else if (begin >= end) wrong.value = say('window.order');
    else {
      setView(pausedAt(view.value, begin, end));
      popover.current?.hidePopover();
    }
  };
  return (
    <>
      <button type="button" popoverTarget="window-custom" onClick={fill} title={say('window.customLong')}>
        {say('window.custom')}
      </button>
      <div id="window-custom" class="popover" popover="auto" ref={popover}>
        <form onSubmit={apply}>
          <label>
            {say('window.from')}
            <input
              value={from.value}
              onInput={(e) => (from.value = e.currentTarget.value)}
              spellcheck={false}
              autocomplete="off"
            />
          </label>
          <label>
            {say('window.to')}
            <input
              value={to.value}
              onInput={(e) => (to.value = e.currentTarget.value)}
              spellcheck={false}
              autocomplete="off"
            />
          </label>
          <p class={wrong.value === '' ? 'hint' : 'hint wrong'} role="status">
            {wrong.value === '' ? say('window.hint') : wrong.value}
          </p>
          <button type="submit" class="primary">
            {say('window.apply')}
          </button>
        </form>
      </div>
    </>
  );
}

function Mode() {
  const current = view.value;
  if (current.mode === 'live') {
    return (
      <button type="button" class="mode live" onClick={pause} data-testid="mode" title={say('window.pause')}>
        <i class="pulse" />
        <span>{say('window.live')}</span>
        <PauseIcon />
      </button>
    );
  }
  const span = formatDuration(current.to - current.from);
  const plays = current.mode === 'play';
  return (
    <>
      <button
        type="button"
        class="icon-button"
        onClick={goBack}
        title={say('window.back')}
        aria-label={say('window.back')}
      >
        <BackIcon />
      </button>
      <button
        type="button"
        class={plays ? 'mode playing' : 'mode paused'}
        onClick={() => goLive()}
        data-testid="mode"
        title={say('window.goLive')}
      >
        <span>
          {plays
            ? say('window.playing', { rate: formatNumber(current.rate), span })
            : say('window.pausedSpan', { span })}
        </span>
        <PlayIcon />
      </button>
    </>
  );
}

export function WindowPicker() {
  const current = view.value;
  return (
    <div class="window-picker">
      <Presets />
      <Mode />
      {current.mode === 'paused' && (
        <p class="stretch" data-testid="stretch">
          {formatInstant(current.from)} – {formatInstant(current.to)}
        </p>
      )}
    </div>
  );
}
