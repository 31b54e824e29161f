// The head of the page: what the screen puts there, the window, the status, language, theme, help.

import type { ScreenModule } from '../screens/registry';
import { latencyMs, link, rates, setLanguage, setTheme, theme } from '../state/app';
import type { Theme } from '../state/url';
import { type Language, language, textsFor } from '../text/area';
import { say } from '../text/shell';
import { formatClock, formatLatency, formatRate } from './format';
import { HelpIcon, MoonIcon, SunIcon, SystemIcon } from './icons';
import { openShortcuts } from './shortcuts';
import { WindowPicker } from './window-picker';

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
      onClick={() => setTheme(NEXT_THEME[current])}
      title={label}
      aria-label={label}
      data-testid="theme"
    >
      <Icon />
    </button>
  );
}

const OTHER_LANGUAGE: Record<Language, Language> = { en: 'fr', fr: 'en' };

/** Names the other language in that language: who cannot read the present one finds it. */
function LanguageButton() {
  const other = OTHER_LANGUAGE[language.value];
  return (
    <button
      type="button"
      class="icon-button"
      lang={other}
      title={say('language.other')}
      aria-label={`${other.toUpperCase()}, ${say('language.other')}`}
      // Who comes near will press it: the texts are on their way by then.
      onPointerEnter={() => void textsFor(other)}
      onFocus={() => void textsFor(other)}
      onClick={() => setLanguage(other)}
      data-testid="language"
    >
      <b aria-hidden="true">{other.toUpperCase()}</b>
    </button>
  );
}

export function Header({ title, module }: { title: string; module: ScreenModule | null }) {
  const Bar = module?.Bar;
  return (
    <header class="top">
      {Bar === undefined ? (
        <p class="screen-title" aria-hidden="true">
          {title}
        </p>
      ) : (
        <Bar />
      )}
      {module?.usesWindow === true && <WindowPicker />}
      <Status />
      <div class="tools">
        <LanguageButton />
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
