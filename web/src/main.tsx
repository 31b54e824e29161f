import 'uplot/dist/uPlot.min.css';
import './style/main.css';
import { render } from 'preact';
import { loop } from './chart/loop';
import { start, theme } from './state/app';
import { Page } from './view/page';
import { listenToKeys } from './view/shortcuts';

start();
theme.subscribe(() => loop.restyle());
listenToKeys();
const root = document.getElementById('app');
if (root !== null) render(<Page />, root);
