import { area } from '../../text/area';
import english from '../../text/en/live';

export const say = area('live', english);
