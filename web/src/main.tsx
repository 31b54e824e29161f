import 'uplot/dist/uPlot.min.css';
import './style/main.css';
import { render } from 'preact';
import { loop } from './chart/loop';
import { followScreen } from './screens/current';
import { listenToDrops } from './screens/drops';
import { isScreen, SCREENS } from './screens/registry';
import { screen, start, theme } from './state/app';
import { language } from './text/area';
import { Shell } from './view/shell';
import { listenToKeys } from './view/shortcuts';

const root = document.getElementById('app');
// Asked for at once, beside the texts; the browser gives the same answer to whoever asks again.
if (isScreen(screen.peek())) void SCREENS[screen.peek() as keyof typeof SCREENS]().catch(() => undefined);
void start().then(() => {
  followScreen();
  theme.subscribe(() => loop.restyle());
  language.subscribe(() => loop.restyle());
  listenToKeys();
  listenToDrops();
  if (root !== null) render(<Shell />, root);
});
