import { area } from '../../text/area';
import english from '../../text/en/streams';

export const say = area('streams', english);
export type StreamsKey = keyof typeof english;
