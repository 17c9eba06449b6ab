import { Status } from '../api/contract';

export const STATUS_NAMES: Readonly<Record<Status, string>> = {
  connected: 'Connected',
  disconnected: 'Disconnected',
  never_seen: 'Never seen',
};
