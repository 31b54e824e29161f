// The frame of every screen: navigation, head, the screen itself, and what is said when it or the server is not there.

import { useEffect, useRef } from 'preact/hooks';
import { SAID_ID } from '../chart/keys';
import { shown, trouble } from '../screens/current';
import { isScreen, SCREENS, type ScreenName } from '../screens/registry';
import { hrefOfScreen, kiosk, link, screen } from '../state/app';
import { HOME_SCREEN } from '../state/url';
import { language } from '../text/area';
import { say } from '../text/shell';
import { ChartTableDialog } from './chart-table';
import { formatClock } from './format';
import { Header } from './header';
import { Logo, ScreenIcon } from './icons';
import { Shortcuts } from './shortcuts';

function Navigation() {
  return (
    <nav class="rail" aria-label={say('screen.label')}>
      <a class="brand" href={hrefOfScreen(HOME_SCREEN)} aria-label={say('app.name')}>
        <Logo />
      </a>
      <ul>
        {(Object.keys(SCREENS) as ScreenName[]).map((name) => (
          <li key={name}>
            <a
              href={hrefOfScreen(name)}
              aria-current={screen.value === name ? 'page' : undefined}
              data-testid={`screen-${name}`}
            >
              <ScreenIcon screen={name} />
              <span>{say(`screen.${name}`)}</span>
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function Stale() {
  const { state, since } = link.value;
  if (state !== 'stale') return null;
  return (
    <p class="stale-banner" role="alert" data-testid="stale">
      {say('link.staleLong', { time: formatClock(since * 1_000) })}
    </p>
  );
}

function Trouble() {
  const reason = trouble.value;
  if (reason === null) return <p class="empty">{say('screen.loading')}</p>;
  return (
    <div class="empty">
      {reason.kind === 'missing' ? (
        <>
          <p>{say('screen.missing', { screen: reason.detail })}</p>
          <a class="primary" href={hrefOfScreen(HOME_SCREEN)}>
            {say('screen.home')}
          </a>
        </>
      ) : (
        <>
          <p>{say('screen.failed', { detail: reason.detail })}</p>
          <button type="button" class="primary" onClick={() => location.reload()}>
            {say('screen.again')}
          </button>
        </>
      )}
    </div>
  );
}

/** The title of what is shown; the tab has it too. */
function useTitle(name: string): string {
  const title = isScreen(name) ? say(`screen.${name}`) : say('app.name');
  useEffect(() => {
    document.title = name === HOME_SCREEN ? say('app.name') : `${title} · ${say('app.name')}`;
  }, [name, title]);
  return title;
}

/** A new screen begins at its top, with the focus on its heading; the first one leaves the focus to the browser. */
function useArrival(name: string | undefined): { current: HTMLHeadingElement | null } {
  const heading = useRef<HTMLHeadingElement>(null);
  const before = useRef(name);
  useEffect(() => {
    if (before.current !== undefined && name !== undefined && before.current !== name) {
      window.scrollTo(0, 0);
      heading.current?.focus({ preventScroll: true });
    }
    before.current = name;
  }, [name]);
  return heading;
}

export function Shell() {
  const current = trouble.value === null ? shown.value : null;
  const title = useTitle(current?.name ?? screen.value);
  const heading = useArrival(trouble.value?.detail ?? current?.name);
  const Screen = current?.module.default;
  return (
    <div class={kiosk ? 'shell kiosk' : 'shell'} lang={language.value}>
      {!kiosk && (
        <>
          <button type="button" class="skip" onClick={() => document.getElementById('main')?.focus()}>
            {say('app.skip')}
          </button>
          <Navigation />
        </>
      )}
      <div class="page">
        {!kiosk && <Header title={title} module={current?.module ?? null} />}
        <Stale />
        <main id="main" tabIndex={-1} data-link={link.value.state} data-screen={current?.name}>
          <h1 class="visually-hidden" tabIndex={-1} ref={heading}>
            {title}
          </h1>
          {Screen === undefined ? <Trouble /> : <Screen />}
        </main>
      </div>
      <Shortcuts />
      <ChartTableDialog />
      <output id={SAID_ID} class="visually-hidden" />
    </div>
  );
}
