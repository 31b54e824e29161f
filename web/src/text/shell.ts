import { area } from './area';
import english from './en/shell';

export const say = area('shell', english);
export type ShellKey = keyof typeof english;
