import { area } from '../../text/area';
import english from '../../text/en/devices';

export const say = area('devices', english);
