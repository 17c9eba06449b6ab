/** How long something took: "14 s", "3 min", "5 h 12 min", "2 d 4 h". Seconds up to two minutes, when each still counts. */
export function duration(milliseconds: number): string {
  // Two clocks never agree to the millisecond; what is a moment ahead of ours is now.
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (minutes < 2) {
    return `${String(seconds)} s`;
  }
  if (hours === 0) {
    return `${String(minutes)} min`;
  }
  return hours < 24
    ? twoUnits(hours, 'h', minutes % 60, 'min')
    : twoUnits(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

function twoUnits(large: number, largeUnit: string, small: number, smallUnit: string): string {
  const whole = `${String(large)} ${largeUnit}`;
  return small === 0 ? whole : `${whole} ${String(small)} ${smallUnit}`;
}
