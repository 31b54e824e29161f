// The head of the page: name, datasets, window, status, theme, help.

import { dataset, datasets, hrefOf, latencyMs, link, rates, theme } from '../state/app';
import type { Theme } from '../state/url';
import { formatClock, formatLatency, formatRate } from './format';
import { HelpIcon, Logo, MoonIcon, SunIcon, SystemIcon } from './icons';
import { openShortcuts } from './shortcuts';
import { say } from './text';
import { WindowPicker } from './window-picker';

function Datasets() {
  const all = datasets.value ?? [];
  return (
    <nav class="datasets" aria-label={say('nav.label')}>
      <a href={hrefOf(null)} aria-current={dataset.value === null ? 'page' : undefined}>
        {say('nav.all')}
      </a>
      {all.map((d) => (
        <a key={d.name} href={hrefOf(d.name)} aria-current={dataset.value === d.name ? 'page' : undefined}>
          {d.label || d.name}
        </a>
      ))}
    </nav>
  );
}

function Connection() {
  const { state, since } = link.value;
  const text = state === 'stale' ? say('link.stale', { time: formatClock(since * 1_000) }) : say(`link.${state}`);
  return (
    <span class={`connection ${state}`} role="status" data-testid="connection">
      <i />
      <span>{text}</span>
    </span>
  );
}

function Status() {
  let rate = 0;
  for (const d of rates.value.values()) rate += d.rate;
  // What was true when the server was last heard is not said of the present.
  const current = link.value.state === 'open';
  const latency = current ? latencyMs.value : null;
  return (
    <div class="status" role="group" aria-label={say('status.label')}>
      <span class="figure">
        <small>{say('status.rate')}</small>
        <b data-testid="rate">{!current || rates.value.size === 0 ? '–' : formatRate(rate)}</b>
      </span>
      <span class="figure" title={say('status.latencyLong')}>
        <small>{say('status.latency')}</small>
        <b data-testid="latency">{latency === null ? '–' : formatLatency(latency)}</b>
      </span>
      <Connection />
    </div>
  );
}

const NEXT_THEME: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' };
const THEME_ICON = { system: SystemIcon, light: SunIcon, dark: MoonIcon };

function ThemeButton() {
  const current = theme.value;
  const label = say('theme.label', { theme: say(`theme.${current}`) });
  const Icon = THEME_ICON[current];
  return (
    <button
      type="button"
      class="icon-button"
      onClick={() => (theme.value = NEXT_THEME[current])}
      title={label}
      aria-label={label}
    >
      <Icon />
    </button>
  );
}

export function Header() {
  return (
    <header class="top">
      <a class="brand" href={hrefOf(null)} aria-label={say('app.name')}>
        <Logo />
        <span>{say('app.name')}</span>
      </a>
      <Datasets />
      <WindowPicker />
      <Status />
      <div class="tools">
        <ThemeButton />
        <button
          type="button"
          class="icon-button"
          onClick={openShortcuts}
          title={say('help.open')}
          aria-label={say('help.open')}
        >
          <HelpIcon />
        </button>
      </div>
    </header>
  );
}
