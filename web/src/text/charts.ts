import { area } from './area';
import english from './en/charts';

export const say = area('charts', english);
