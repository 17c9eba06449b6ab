import { TimelineItem } from '../api/history';
import { duration } from '../time/duration';
import { timeBeside } from '../time/local-time';

/** What happened, in a dispatcher's words. A newer service may tell of what we have no words for: then its name. */
export function inWords(item: TimelineItem): string {
  switch (item.type) {
    case 'registered':
      return `Registered as ${item.registration_number} of ${item.customer.name}`;
    case 'recommissioned':
      return `In use again, as ${item.registration_number} of ${item.customer.name}`;
    case 'decommissioned':
      return 'Taken out of use';
    case 'registration_number_changed':
      return `New plate: ${item.registration_number}`;
    case 'moved_customer':
      return `Moved to ${item.customer.name}`;
    case 'labels_changed':
      return labelled(item.labels);
    case 'disconnect_after_changed':
      return limited(item.disconnect_after_s);
    case 'connected':
      return `Connected: heard at ${timeBeside(item.recorded_at, item.at)}`;
    case 'disconnected':
      return `Disconnected: nothing heard since ${timeBeside(item.recorded_at, item.at)}`;
    case 'connection_mended':
      return `Late heartbeats: it was connected until ${timeBeside(item.until, item.at)} after all`;
    case 'trip_started':
      return item.driver === null ? 'Trip started' : `Trip started, driver ${item.driver}`;
    case 'trip_ended':
      return 'Trip ended';
    default:
      return (item as { readonly type: string }).type.replaceAll('_', ' ');
  }
}

function labelled(labels: Readonly<Record<string, string>>): string {
  const all = Object.entries(labels).map(([name, value]) => `${name} ${value}`);
  return all.length > 0 ? `Labels are now ${all.join(', ')}` : 'All labels removed';
}

function limited(seconds: number | null): string {
  return seconds === null
    ? 'No limit of its own any more'
    : `Disconnected from now on after ${duration(seconds * 1000)} of silence`;
}
