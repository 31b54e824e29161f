import { area } from './area';
import english from './en/timeline';

export const say = area('timeline', english);
